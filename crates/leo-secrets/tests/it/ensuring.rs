//! A deploy: every secret has a value, and none is overwritten.

use std::collections::BTreeMap;

use leo_aws::FailureKind;
use leo_env::Env;
use leo_secrets::{Blank, Record, Report, Revision, SecretPlan, SecretsError, Values, ensure};
use serde_json::json;

use crate::given::{CLAUDE, SUPABASE, assert_silent, environment, plan, told};
use crate::service::{Fault, OLD, Service, error};

fn plans() -> [SecretPlan; 2] {
    [plan(CLAUDE, &["CLAUDE_TOKEN"]), plan(SUPABASE, &["SUPABASE_URL", "SUPABASE_KEY"])]
}

fn full_environment() -> Env {
    environment("CLAUDE_TOKEN=canary-8f3a-one SUPABASE_URL=canary-8f3a-two SUPABASE_KEY=canary-8f3a-three")
}

async fn ensured(service: &Service, env: &Env) -> Result<Report, SecretsError> {
    let result =
        ensure(&service.client(), &plans(), Values::Environment(env), Blank::Unread, &BTreeMap::new()).await;
    assert_silent(&result);
    if let Err(error) = &result {
        told(error);
    }
    result
}

fn revision(report: &Report) -> Revision {
    report.revision([CLAUDE, SUPABASE])
}

#[tokio::test]
async fn missing_values_are_created_once_and_the_revision_stays() {
    let service = Service::with(&[(CLAUDE, None), (SUPABASE, None)]);
    let first = ensured(&service, &full_environment()).await.unwrap();
    assert_eq!(
        (first.created.as_slice(), first.kept.len()),
        (&[CLAUDE.to_owned(), SUPABASE.to_owned()][..], 0)
    );
    assert_eq!(
        service.current(SUPABASE),
        json!({"SUPABASE_URL": "canary-8f3a-two", "SUPABASE_KEY": "canary-8f3a-three"})
    );

    let second = ensured(&service, &environment("")).await.unwrap();
    assert_eq!((second.created.len(), second.kept.len()), (0, 2));
    assert_eq!(revision(&second), revision(&first));
    assert_ne!(revision(&second), second.revision([CLAUDE]), "only the secrets that are named count");
    assert_eq!(service.times_asked("PutSecretValue"), 2);
    assert_eq!(service.times_asked("GetSecretValue"), 0, "a deploy reads no value");
}

#[tokio::test]
async fn a_value_that_exists_is_never_overwritten() {
    let theirs = r#"{"CLAUDE_TOKEN":"theirs","MORE":"kept"}"#;
    let service = Service::with(&[(CLAUDE, Some(theirs)), (SUPABASE, None)]);
    let report = ensured(&service, &full_environment()).await.unwrap();
    assert_eq!((report.created, report.kept), (vec![SUPABASE.to_owned()], vec![CLAUDE.to_owned()]));
    assert_eq!(service.text(CLAUDE), theirs);
}

#[tokio::test]
async fn the_emulator_s_empty_text_is_no_value_but_anything_else_is() {
    let service = Service::with(&[(CLAUDE, Some("")), (SUPABASE, Some(" "))]);
    let env = full_environment();
    let report =
        ensure(&service.client(), &plans(), Values::Environment(&env), Blank::IsNone, &BTreeMap::new())
            .await
            .unwrap();
    assert_eq!((report.created, report.kept), (vec![CLAUDE.to_owned()], vec![SUPABASE.to_owned()]));
}

#[tokio::test]
async fn a_changed_version_changes_the_revision() {
    let both = [(CLAUDE, Some(r#"{"CLAUDE_TOKEN":"x"}"#)), (SUPABASE, Some(r#"{"SUPABASE_URL":"x"}"#))];
    let service = Service::with(&both);
    let before = ensured(&service, &environment("")).await.unwrap();
    service.change(CLAUDE, |stored| stored.put("v-new", r#"{"CLAUDE_TOKEN":"y"}"#));
    let after = ensured(&service, &environment("")).await.unwrap();
    assert_ne!(revision(&before), revision(&after));
    assert_eq!(before.revision([SUPABASE]), after.revision([SUPABASE]));
}

#[tokio::test]
async fn everything_wrong_is_said_at_once_and_nothing_is_sent() {
    let service = Service::with(&[
        (CLAUDE, None),
        ("leo/dev/empty", None),
        ("leo/dev/deleted", Some("{}")),
        ("leo/dev/long", None),
    ]);
    service.change("leo/dev/deleted", |stored| stored.deleted = true);
    let plans = [
        plan(CLAUDE, &["CLAUDE_TOKEN"]),
        plan("leo/dev/empty", &["E1", "E2"]),
        plan("leo/dev/deleted", &["D"]),
        plan("leo/dev/absent", &["X"]),
        plan("leo/dev/long", &["L"]),
    ];
    let long = format!("CLAUDE_TOKEN=canary-8f3a-one L={}", "x".repeat(65_536));
    let env = environment(&long);
    let error = ensure(&service.client(), &plans, Values::Environment(&env), Blank::Unread, &BTreeMap::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    assert_eq!(service.times_asked("PutSecretValue"), 0);
    insta::assert_snapshot!(told(&error).replace("; ", ";\n  "));
}

#[tokio::test]
async fn of_two_deploys_at_once_the_first_one_s_value_stays() {
    let service = Service::with(&[(CLAUDE, None), (SUPABASE, Some("{}"))]);
    // The other one's first version has the same id.
    let id = {
        let probe = Service::with(&[(CLAUDE, None), (SUPABASE, None)]);
        ensured(&probe, &full_environment()).await.unwrap().versions[CLAUDE].clone()
    };
    service.just_before("PutSecretValue", move |stored| stored.put(&id, r#"{"CLAUDE_TOKEN":"theirs"}"#));
    let report = ensured(&service, &full_environment()).await.unwrap();
    assert!(report.created.is_empty());
    assert_eq!(service.current(CLAUDE)["CLAUDE_TOKEN"], "theirs");
}

#[tokio::test]
async fn an_error_that_quotes_the_value_is_not_repeated() {
    for code in ["ValidationException", "InvalidParameterException", "InternalServiceError"] {
        let service = Service::with(&[(CLAUDE, None), (SUPABASE, None)]);
        let quoting = error(code, r#"Value '{"CLAUDE_TOKEN":"canary-8f3a-one"}' at 'secretString' is bad"#);
        service.refuse("PutSecretValue", quoting);
        let error = ensured(&service, &full_environment()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("call Secrets Manager PutSecretValue for leo/dev/claude: {code}")
        );
        assert_eq!(error.kind(), FailureKind::Failed);
    }
}

#[tokio::test]
async fn expired_credentials_are_a_kind_of_their_own() {
    let service = Service::with(&[(CLAUDE, None), (SUPABASE, None)]);
    let expired = error("ExpiredTokenException", "The security token included in the request is expired");
    service.refuse("DescribeSecret", expired);
    let error = ensured(&service, &full_environment()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Credentials);
    insta::assert_snapshot!(told(&error));
}

#[tokio::test]
async fn the_local_target_gets_marked_dummies_and_no_real_value() {
    let service = Service::with(&[(CLAUDE, Some("")), (SUPABASE, Some(""))]);
    ensure(&service.client(), &plans(), Values::Dummies, Blank::IsNone, &BTreeMap::new()).await.unwrap();
    assert_eq!(service.current(CLAUDE), json!({"CLAUDE_TOKEN": "local-dummy-CLAUDE_TOKEN"}));
}

#[tokio::test]
async fn what_a_deploy_gave_first_is_known_to_this_machine_unless_it_is_a_dummy() {
    let service = Service::with(&[(CLAUDE, None), (SUPABASE, Some(r#"{"SUPABASE_URL":"theirs"}"#))]);
    let report = ensured(&service, &full_environment()).await.unwrap();
    let version = service.version(CLAUDE);
    let expected = json!({"secrets": {service.arn(CLAUDE): {"CLAUDE_TOKEN": version}}});
    assert_eq!(serde_json::to_value(&report.seen).unwrap(), expected);
    let service = Service::with(&[(CLAUDE, Some("")), (SUPABASE, Some(""))]);
    let none = BTreeMap::new();
    let report = ensure(&service.client(), &plans(), Values::Dummies, Blank::IsNone, &none).await.unwrap();
    assert_eq!((report.created.len(), report.seen), (2, Record::default()));
}

/// DescribeSecret may still name the version before, for a moment.
#[tokio::test(start_paused = true)]
async fn a_version_that_was_just_written_is_waited_for() {
    for (stale, unexpected) in [(2, false), (20, true)] {
        let service = Service::with(&[(CLAUDE, Some("{}")), (SUPABASE, Some("{}"))]);
        service.change(CLAUDE, |stored| stored.put("v-new", r#"{"CLAUDE_TOKEN":"new"}"#));
        let old = json!({"Name": CLAUDE, "ARN": "arn", "VersionIdsToStages": {OLD: ["AWSCURRENT"]}});
        service.fail("DescribeSecret", vec![Fault::Refused(200, old); stale]);
        let expected = BTreeMap::from([(CLAUDE.to_owned(), "v-new".to_owned())]);
        let plans = [plan(CLAUDE, &["CLAUDE_TOKEN"])];
        let report =
            ensure(&service.client(), &plans, Values::Dummies, Blank::Unread, &expected).await.unwrap();
        assert_eq!(report.unexpected.is_empty(), !unexpected);
        assert_eq!(report.versions[CLAUDE], if unexpected { OLD } else { "v-new" });
    }
}
