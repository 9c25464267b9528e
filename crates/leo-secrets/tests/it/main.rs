//! `ensure` against Secrets Manager's wire format.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test panics where its own setup is wrong"
)]

mod service;

use std::fmt::Debug;
use std::io;

use leo_aws::FailureKind;
use leo_env::{Env, SecretsPolicy};
use leo_secrets::{Report, SecretPlan, SecretsError, Values, ensure};
use serde_json::json;

use crate::service::{Service, error};

const CLAUDE: &str = "leo/dev/claude";
const SUPABASE: &str = "leo/dev/supabase";

/// A value that must be seen nowhere.
const CANARY: &str = "canary-8f3a";

fn plan(name: &str, keys: &[&str]) -> SecretPlan {
    SecretPlan { name: name.to_owned(), keys: keys.iter().map(|&key| key.to_owned()).collect() }
}

fn plans() -> [SecretPlan; 2] {
    [plan(CLAUDE, &["CLAUDE_TOKEN"]), plan(SUPABASE, &["SUPABASE_URL", "SUPABASE_KEY"])]
}

fn environment(file: &'static str) -> Env {
    let read = move |path: &str| {
        if path == "env/.env" { Ok(file.to_owned()) } else { Err(io::ErrorKind::NotFound.into()) }
    };
    Env::from_parts(read, [], None, SecretsPolicy::Read)
}

fn full_environment() -> Env {
    environment(
        "CLAUDE_TOKEN=canary-8f3a-one\nSUPABASE_URL=canary-8f3a-two\nSUPABASE_KEY=canary-8f3a-three\n",
    )
}

fn assert_silent(shown: impl Debug) {
    let text = format!("{shown:?} {shown:#?}");
    assert!(!text.contains(CANARY), "{text}");
}

async fn ensured(service: &Service, env: &Env) -> Result<Report, SecretsError> {
    let result = ensure(&service.client(), &plans(), Values::Environment(env)).await;
    assert_silent(&result);
    if let Err(error) = &result {
        assert_silent((error.to_string(), error.hint()));
    }
    result
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
        service.current(SUPABASE).unwrap(),
        json!({"SUPABASE_URL": "canary-8f3a-two", "SUPABASE_KEY": "canary-8f3a-three"})
    );

    let second = ensured(&service, &environment("")).await.unwrap();
    assert_eq!((second.created.len(), second.kept.len()), (0, 2));
    assert_eq!(second.revision, first.revision);
    assert_eq!(service.times_asked("PutSecretValue"), 2);
}

#[tokio::test]
async fn a_value_that_exists_is_never_overwritten() {
    let theirs = r#"{"CLAUDE_TOKEN":"theirs","MORE":"kept"}"#;
    let service = Service::with(&[(CLAUDE, Some(theirs)), (SUPABASE, None)]);
    let report = ensured(&service, &full_environment()).await.unwrap();
    assert_eq!((report.created, report.kept), (vec![SUPABASE.to_owned()], vec![CLAUDE.to_owned()]));
    assert_eq!(service.current(CLAUDE).unwrap()["CLAUDE_TOKEN"], "theirs");
}

#[tokio::test]
async fn an_empty_text_is_no_value_but_anything_else_is() {
    let service = Service::with(&[(CLAUDE, Some("")), (SUPABASE, None)]);
    let report = ensured(&service, &full_environment()).await.unwrap();
    assert_eq!(report.created, [CLAUDE, SUPABASE]);

    let service = Service::with(&[(CLAUDE, Some(" ")), (SUPABASE, None)]);
    let error = ensured(&service, &full_environment()).await.unwrap_err();
    assert!(error.to_string().contains("leo/dev/claude has is not a JSON object"), "{error}");
    assert_eq!(service.times_asked("PutSecretValue"), 0);
}

#[tokio::test]
async fn a_changed_version_changes_the_revision() {
    let both = [
        (CLAUDE, Some(r#"{"CLAUDE_TOKEN":"x"}"#)),
        (SUPABASE, Some(r#"{"SUPABASE_URL":"x","SUPABASE_KEY":"x"}"#)),
    ];
    let service = Service::with(&both);
    let before = ensured(&service, &environment("")).await.unwrap().revision;
    {
        let mut secrets = service.secrets.lock().unwrap();
        let stored = secrets.get_mut(CLAUDE).unwrap();
        stored.versions.insert("v-new".to_owned(), r#"{"CLAUDE_TOKEN":"y"}"#.to_owned());
        stored.current = Some("v-new".to_owned());
    }
    let after = ensured(&service, &environment("")).await.unwrap().revision;
    assert_ne!(before, after);
}

#[tokio::test]
async fn everything_wrong_is_said_at_once_and_nothing_is_sent() {
    let service = Service::with(&[
        (CLAUDE, None),
        ("leo/dev/empty", None),
        ("leo/dev/partial", Some(r#"{"A":"canary-8f3a"}"#)),
        ("leo/dev/text", Some("canary-8f3a")),
        ("leo/dev/deleted", Some("{}")),
    ]);
    service.secrets.lock().unwrap().get_mut("leo/dev/deleted").unwrap().deleted = true;
    let plans = [
        plan(CLAUDE, &["CLAUDE_TOKEN"]),
        plan("leo/dev/empty", &["E1", "E2"]),
        plan("leo/dev/partial", &["A", "B"]),
        plan("leo/dev/text", &["T"]),
        plan("leo/dev/deleted", &["D"]),
        plan("leo/dev/absent", &["X"]),
    ];
    let env = full_environment();
    let error = ensure(&service.client(), &plans, Values::Environment(&env)).await.unwrap_err();
    assert_silent(&error);
    assert_eq!(error.kind(), FailureKind::Usage);
    assert_eq!(service.times_asked("PutSecretValue"), 0);
    insta::assert_snapshot!(
        format!("failed to {error}\nhint: {}", error.hint().unwrap()).replace("; ", ";\n  ")
    );
}

#[tokio::test]
async fn keys_that_may_not_be_looked_at_are_reported_and_no_error() {
    let service = Service::with(&[(CLAUDE, Some("{}")), (SUPABASE, Some("{}"))]);
    let denied = error("AccessDeniedException", "explicit deny");
    service.refused.lock().unwrap().insert("GetSecretValue", denied);
    let report = ensured(&service, &environment("")).await.unwrap();
    assert_eq!(report.unchecked, report.kept);
    assert_eq!(report.unchecked.len(), 2);
}

#[tokio::test]
async fn of_two_deploys_at_once_the_first_one_s_value_stays() {
    let service =
        Service::with(&[(CLAUDE, None), (SUPABASE, Some(r#"{"SUPABASE_URL":"x","SUPABASE_KEY":"x"}"#))]);
    *service.rival.lock().unwrap() = Some(r#"{"CLAUDE_TOKEN":"theirs"}"#.to_owned());
    let report = ensured(&service, &full_environment()).await.unwrap();
    assert!(report.created.is_empty());
    assert_eq!(service.current(CLAUDE).unwrap()["CLAUDE_TOKEN"], "theirs");
}

#[tokio::test]
async fn an_error_that_quotes_the_value_is_not_repeated() {
    for code in ["ValidationException", "InvalidParameterException", "InternalServiceError"] {
        let service = Service::with(&[(CLAUDE, None), (SUPABASE, None)]);
        let quoting = error(code, r#"Value '{"CLAUDE_TOKEN":"canary-8f3a-one"}' at 'secretString' is bad"#);
        service.refused.lock().unwrap().insert("PutSecretValue", quoting);
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
    service.refused.lock().unwrap().insert("DescribeSecret", expired);
    let error = ensured(&service, &full_environment()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Credentials);
    insta::assert_snapshot!(format!("failed to {error}\nhint: {}", error.hint().unwrap()));
}

#[tokio::test]
async fn the_local_target_gets_marked_dummies_and_no_real_value() {
    let service = Service::with(&[(CLAUDE, None), (SUPABASE, None)]);
    ensure(&service.client(), &plans(), Values::Dummies).await.unwrap();
    assert_eq!(service.current(CLAUDE).unwrap(), json!({"CLAUDE_TOKEN": "local-dummy-CLAUDE_TOKEN"}));
}
