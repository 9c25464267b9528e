//! One key gets another value.

use leo_env::Secret;
use leo_secrets::{KeyAction, Record, Rotated, SecretsError, rotate};
use serde_json::json;

use crate::given::{CLAUDE, after, assert_silent, claude, equal, is_equal, plan, planned, told};
use crate::service::{Service, error};

const THERE: &str = "{ \"A\": \"canary-8f3a-0\", \"B\": \"canary-8f3a-b\", \"MORE\": [1, 2] }";

async fn rotated(service: &Service, value: &str) -> Result<Rotated, SecretsError> {
    let result = rotate(&service.client(), &claude(), "A", &Secret::new(value)).await;
    assert_silent(&result);
    result
}

#[tokio::test]
async fn it_alone_changes() {
    let service = Service::with(&[(CLAUDE, Some(THERE))]);
    let result = rotated(&service, "canary-8f3a-\"new\"").await.unwrap();
    assert!(result.changed);
    assert_eq!(result.version, service.version(CLAUDE));
    assert_eq!(service.text(CLAUDE), THERE.replace("canary-8f3a-0", "canary-8f3a-\\\"new\\\""));

    let again = rotated(&service, "canary-8f3a-\"new\"").await.unwrap();
    assert_eq!(again, Rotated { changed: false, ..result });
    assert_eq!(service.times_asked("PutSecretValue"), 1);
}

#[tokio::test]
async fn a_file_with_the_old_value_does_not_put_it_back() {
    let service = Service::with(&[(CLAUDE, Some(THERE))]);
    let file = "A=canary-8f3a-0 B=canary-8f3a-b";
    let record = planned(&service, file, &Record::default()).await.unwrap().seen().clone();
    let result = rotated(&service, "canary-8f3a-new").await.unwrap();
    let plan = planned(&service, file, &record).await.unwrap();
    let elsewhere: Vec<_> = plan.secrets[0].with_action(KeyAction::ChangedElsewhere).collect();
    assert_eq!(elsewhere.iter().map(|key| key.shown()).collect::<Vec<_>>(), ["A"]);
    assert!(!plan.has_work());
    // And once the file has the new one, all is well.
    let plan = planned(&service, "A=canary-8f3a-new B=canary-8f3a-b", &record).await.unwrap();
    assert!(is_equal(&plan));
    assert_eq!(plan.seen(), &equal(&service, &["A", "B"]));
    // Where it was written there at once, the next change of the file is one that was made here.
    assert_eq!(result.seen, equal(&service, &["A"]));
    let known = after(&record, &result.seen);
    let plan = planned(&service, "A=canary-8f3a-newer B=canary-8f3a-b", &known).await.unwrap();
    assert_eq!(plan.secrets[0].with_action(KeyAction::Update).count(), 1);
}

#[tokio::test]
async fn another_key_that_changes_at_the_same_time_is_no_hindrance_but_the_same_one_is() {
    let service = Service::with(&[(CLAUDE, Some(THERE))]);
    service.just_before("UpdateSecretVersionStage", |stored| {
        stored.put("v-theirs", r#"{"A": "canary-8f3a-0", "B": "canary-8f3a-theirs"}"#);
    });
    assert!(rotated(&service, "canary-8f3a-new").await.unwrap().changed);
    assert_eq!(service.current(CLAUDE), json!({"A": "canary-8f3a-new", "B": "canary-8f3a-theirs"}));

    let service = Service::with(&[(CLAUDE, Some(THERE))]);
    service.just_before("UpdateSecretVersionStage", |stored| {
        stored.put("v-theirs", r#"{"A": "canary-8f3a-theirs"}"#);
    });
    let error = rotated(&service, "canary-8f3a-new").await.unwrap_err();
    assert_eq!(error, SecretsError::ChangedMeanwhile { secret: CLAUDE.to_owned() });
    assert_eq!(service.version(CLAUDE), "v-theirs");
}

#[tokio::test]
async fn a_secret_with_one_key_may_start_with_it() {
    for empty in [None, Some("")] {
        let service = Service::with(&[(CLAUDE, empty)]);
        let only = plan(CLAUDE, &["A"]);
        let result = rotate(&service.client(), &only, "A", &Secret::new("canary-8f3a")).await.unwrap();
        assert!(result.changed);
        assert_eq!(service.text(CLAUDE), r#"{"A":"canary-8f3a"}"#);
    }
}

#[tokio::test]
async fn what_can_t_be_rotated_says_why() {
    let mut shown = Vec::new();
    for there in [None, Some("canary-8f3a"), Some("{}")] {
        let service = Service::with(&[(CLAUDE, there)]);
        let value = if there == Some("{}") { "x".repeat(65_530) } else { "canary-8f3a".to_owned() };
        shown.push(told(&rotated(&service, &value).await.unwrap_err()));
    }
    shown.push(told(&rotated(&Service::default(), "canary-8f3a").await.unwrap_err()));
    let service = Service::with(&[(CLAUDE, Some(THERE))]);
    service.change(CLAUDE, |stored| stored.deleted = true);
    shown.push(told(&rotated(&service, "canary-8f3a").await.unwrap_err()));
    let service = Service::with(&[(CLAUDE, Some(THERE))]);
    service.refuse("GetSecretValue", error("AccessDeniedException", "explicit deny"));
    shown.push(told(&rotated(&service, "canary-8f3a").await.unwrap_err()));
    insta::assert_snapshot!(shown.join("\n\n"));
}
