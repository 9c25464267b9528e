//! Secrets that a task does not get.

use super::words::{after, denial, environment, first_word, secret_name};
use super::{CauseKind, Diagnosis, line, stop_where};
use crate::evidence::Evidence;

/// "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT", "Secrets Manager can't find the
/// specified secret" ("GetSecretValue", AWS Secrets Manager API Reference) and "retrieved secret from Secrets Manager did
/// not contain json key" ("Troubleshooting Amazon ECS ResourceInitializationError errors", Amazon ECS Developer Guide).
pub(super) fn without_value(evidence: &Evidence) -> Option<Diagnosis> {
    let stop = stop_where(evidence, |text| {
        text.contains("staging label: awscurrent")
            || text.contains("can't find the specified secret")
            || text.contains("did not contain json key")
    })?;
    let line = line(stop);
    let name = secret_name(&line).unwrap_or_else(|| format!("leo/{}/<provider>", environment(evidence)));
    let (text, fix) = if let Some(key) = after(&line, "json key ").and_then(first_word) {
        (
            format!("the secret {name} has no key {key}"),
            format!(
                "add {key} to its value, a JSON object, in Secrets Manager (a deploy leaves a value that is there alone), or take \
                 it out of `keys` of [secrets.…] in infra/leo.toml; then `cargo xtask deploy`"
            ),
        )
    } else {
        (
            format!("the secret {name} has no value yet"),
            "put its keys into env/.env (env/.env.<environment> where that exists), then `cargo xtask deploy`: it gives a \
             secret without a value its first one"
                .to_owned(),
        )
    };
    Some(Diagnosis { cause: CauseKind::SecretWithoutValue, text, evidence: line, log: Vec::new(), fix })
}

/// "Troubleshooting Amazon ECS ResourceInitializationError errors" (Amazon ECS Developer Guide); "Access to KMS is not
/// allowed" where the key of the secret refuses.
pub(super) fn not_readable(evidence: &Evidence) -> Option<Diagnosis> {
    let stop = stop_where(evidence, |text| {
        let secret = text.contains("secretsmanager")
            || text.contains("secret from asm")
            || text.contains("secrets manager");
        secret
            && ["accessdenied", "is not authorized to perform", "access to kms is not allowed"]
                .iter()
                .any(|mark| text.contains(mark))
    })?;
    let line = line(stop);
    let name = secret_name(&line).unwrap_or_else(|| format!("leo/{}/<provider>", environment(evidence)));
    let denial = denial(&line);
    let role = denial.who.unwrap_or_else(|| "the tasks' execution role".to_owned());
    let what = match denial.action {
        _ if line.contains("KMS") => "use the key that encrypts it (kms:Decrypt)".to_owned(),
        Some(action) => format!("do {action}"),
        None => "read it".to_owned(),
    };
    Some(Diagnosis {
        cause: CauseKind::SecretNotReadable,
        text: format!("the secret {name} can't be read: {role} may not {what}"),
        evidence: line,
        log: Vec::new(),
        fix: "the role may read exactly the secrets that `secrets` of [orchestrator] in infra/leo.toml names: `cargo xtask \
              deploy` brings it up to date, `cargo xtask drift` shows what else was changed (a permissions boundary, the \
              secret's own policy and its key can deny it as well)"
            .to_owned(),
    })
}
