//! What the tests start from.

use std::fmt::Debug;
use std::io;

use leo_config::SecretKey;
use leo_env::{Env, SecretsPolicy};
use leo_secrets::{
    Overwrite, PushPlan, PushReport, Record, SecretPlan, SecretsError, Undeclared, Values, Wanted, plan_push,
    push,
};
use serde_json::json;

use crate::service::Service;

pub(crate) const CLAUDE: &str = "leo/dev/claude";
pub(crate) const SUPABASE: &str = "leo/dev/supabase";

/// What every secret value of these tests begins with.
pub(crate) const CANARY: &str = "canary-8f3a";

pub(crate) fn plan(name: &str, keys: &[&str]) -> SecretPlan {
    let keys = keys.iter().map(|&key| SecretKey { variable: key.to_owned(), json_key: key.to_owned() });
    SecretPlan { name: name.to_owned(), keys: keys.collect() }
}

pub(crate) fn claude() -> SecretPlan {
    plan(CLAUDE, &["A", "B"])
}

/// The environment whose `env/.env` has these lines.
pub(crate) fn environment(lines: &str) -> Env {
    let file = lines.replace(' ', "\n");
    let read = move |path: &str| {
        if path == "env/.env" { Ok(file.clone()) } else { Err(io::ErrorKind::NotFound.into()) }
    };
    Env::from_parts(read, [], None, SecretsPolicy::Read)
}

/// The secret with keys `A` and `B`, and the values of these lines.
pub(crate) fn wanted(lines: &str) -> Vec<Wanted> {
    Wanted::all(&[claude()], Values::Environment(&environment(lines)))
}

/// Neither value is in any form of the text that this type shows itself as.
pub(crate) fn assert_silent(shown: impl Debug) {
    let text = format!("{shown:?} {shown:#?}");
    assert!(!text.contains(CANARY) && !text.contains("Y2FuYXJ5"), "{text}");
}

/// Plans a push of the lines to the secret with keys `A` and `B`.
pub(crate) async fn planned(
    service: &Service,
    lines: &str,
    record: &Record,
) -> Result<PushPlan, SecretsError> {
    planned_over(service, lines, record, Overwrite::No).await
}

pub(crate) async fn planned_over(
    service: &Service,
    lines: &str,
    record: &Record,
    overwrite: Overwrite,
) -> Result<PushPlan, SecretsError> {
    let plan = plan_push(&service.client(), wanted(lines), record.clone(), Undeclared::Keep, overwrite).await;
    assert_silent(&plan);
    if let Ok(plan) = &plan {
        assert_silent(&plan.blocked);
    }
    plan
}

/// What keeps the one secret of a plan from being pushed.
pub(crate) fn blocked(plan: &PushPlan) -> &SecretsError {
    assert!(plan.secrets.is_empty());
    plan.blocked.first().unwrap()
}

/// Whether nothing at all differs.
pub(crate) fn is_equal(plan: &PushPlan) -> bool {
    plan.blocked.is_empty() && !plan.secrets.iter().any(|secret| secret.has_work(Overwrite::Yes))
}

/// A record with what was seen since.
pub(crate) fn after(record: &Record, seen: &Record) -> Record {
    let mut record = record.clone();
    record.add(seen);
    record
}

/// What is kept where a key is equal at the present version of the secret with keys `A` and `B`.
pub(crate) fn equal(service: &Service, keys: &[&str]) -> Record {
    let version = service.version(CLAUDE);
    let keys: serde_json::Map<_, _> =
        keys.iter().map(|key| ((*key).to_owned(), json!(version.as_str()))).collect();
    serde_json::from_value(json!({"secrets": {service.arn(CLAUDE): keys}})).unwrap()
}

/// Plans and carries out.
pub(crate) async fn pushed(
    service: &Service,
    lines: &str,
    record: &Record,
    overwrite: Overwrite,
) -> PushReport {
    let plan = planned_over(service, lines, record, overwrite).await.unwrap();
    carried_out(service, plan).await
}

pub(crate) async fn carried_out(service: &Service, plan: PushPlan) -> PushReport {
    let report = push(&service.client(), plan).await;
    assert_silent(&report);
    for error in &report.failed {
        assert_silent((error.to_string(), error.hint()));
    }
    report
}

/// How an error and its hint are shown.
pub(crate) fn told(error: &SecretsError) -> String {
    assert_silent((error, error.to_string(), error.hint()));
    format!("failed to {error}\nhint: {}", error.hint().unwrap_or_default())
}
