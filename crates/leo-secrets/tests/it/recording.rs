//! What is kept of versions.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use leo_secrets::{KeyAction, Overwrite, Record};
use serde_json::json;

use crate::given::{CANARY, CLAUDE, equal, planned, pushed};
use crate::service::{Fault, Service, error};

#[tokio::test]
async fn it_is_private_and_holds_ids_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept/secrets/dev.json");
    assert_eq!(Record::load(&path).unwrap(), Record::default());

    let service = Service::with(&[(CLAUDE, None)]);
    let report = pushed(&service, "A=canary-8f3a-a B=canary-8f3a-b", &Record::default(), Overwrite::No).await;
    for _ in 0..2 {
        report.seen.add_to(&path).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(CANARY) && text.contains(&service.version(CLAUDE)), "{text}");
    assert_eq!(Record::load(&path).unwrap(), report.seen);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
}

/// Each command adds what it saw; none takes back what another one has kept meanwhile.
#[test]
fn what_commands_keep_at_the_same_time_comes_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dev.json");
    let of = |number: usize| -> Record {
        serde_json::from_value(json!({"secrets": {"arn": {format!("K{number}"): "v", "SHARED": "v"}}}))
            .unwrap()
    };
    std::thread::scope(|scope| {
        for number in 0..8 {
            let path = &path;
            scope.spawn(move || of(number).add_to(path).unwrap());
        }
    });
    let all = Record::load(&path).unwrap();
    for number in 0..8 {
        assert_eq!(all.version("arn", &format!("K{number}")), Some("v"));
    }
}

/// The same name is another secret in another account, and after it was deleted and made again.
#[tokio::test]
async fn what_is_known_is_known_of_one_creation_alone() {
    let there = r#"{"A":"canary-8f3a-0","B":"canary-8f3a-b"}"#;
    let service = Service::with(&[(CLAUDE, Some(there))]);
    let record = equal(&service, &["A", "B"]);
    let file = "A=canary-8f3a-a B=canary-8f3a-b";
    let plan = planned(&service, file, &record).await.unwrap();
    assert_eq!(plan.secrets[0].with_action(KeyAction::Update).count(), 1);
    service.change(CLAUDE, |stored| stored.created += 1);
    let plan = planned(&service, file, &record).await.unwrap();
    assert_eq!(plan.secrets[0].with_action(KeyAction::Unseen).count(), 1, "the version's id is the same");
}

#[test]
fn what_is_no_record_is_said_with_its_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dev.json");
    for bad in ["", "{", "[]", r#"{"secrets": {"x": 1}}"#, r#"{"versions": {}}"#] {
        fs::write(&path, bad).unwrap();
        let error = Record::load(&path).unwrap_err();
        assert!(error.to_string().starts_with("read "), "{error}");
        assert!(error.hint().contains("has not written it: `rm "), "{}", error.hint());
    }
    let below = path.join("below.json");
    assert!(Record::default().add_to(&below).is_ok(), "nothing is nothing to write");
    let record: Record = serde_json::from_str(r#"{"secrets": {"arn": {"A": "v"}}}"#).unwrap();
    let error = record.add_to(&below).unwrap_err();
    assert!(error.to_string().starts_with("write "), "{error}");
}

#[tokio::test]
async fn a_version_that_is_gone_or_is_no_version_is_no_history() {
    for (code, message) in [
        ("ResourceNotFoundException", "can't find the specified secret version"),
        ("InvalidParameterException", "length less than or equal to 64"),
    ] {
        let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-0","B":"canary-8f3a-b"}"#))]);
        let record = json!({"secrets": {service.arn(CLAUDE): {"A": "gone"}}});
        let record = serde_json::from_value(record).unwrap();
        // The first call is for the current version.
        service.fail("GetSecretValue", [Fault::None, Fault::of(error(code, message))]);
        let plan = planned(&service, "A=canary-8f3a-a B=canary-8f3a-b", &record).await.unwrap();
        assert_eq!(plan.secrets[0].with_action(KeyAction::Unseen).count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_current_version_that_is_not_seen_at_once_is_waited_for() {
    for (unseen, succeeds) in [(2, true), (20, false)] {
        let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#))]);
        let gone = Fault::of(error("ResourceNotFoundException", "can't find the specified secret version"));
        service.fail("GetSecretValue", vec![gone; unseen]);
        let plan = planned(&service, "A=canary-8f3a-a B=canary-8f3a-b", &Record::default()).await;
        assert_eq!(plan.is_ok(), succeeds, "it is never taken for an empty secret");
    }
}
