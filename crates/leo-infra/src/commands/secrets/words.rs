//! What is said of secrets: names of secrets and keys, never a value.

use leo_release::rfc3339;
use leo_secrets::{
    Change, KeyAction, KeyName, Outcome, Overwrite, PlannedKey, PlannedSecret, PushPlan, PushReport, Pushed,
    SecretsError,
};
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, time::SystemTime};

/// The containers that get something of a secret, by its name.
pub(super) type Consumers = BTreeMap<String, Vec<&'static str>>;

/// A plan as it is shown before it is agreed to.
pub(super) fn plan(environment: &str, plan: &PushPlan) -> String {
    let mut lines = vec![if plan.has_work() {
        format!("{environment}: a push would")
    } else {
        format!("{environment}: nothing to push")
    }];
    let width = plan.secrets.iter().map(|secret| secret.name.len()).max().unwrap_or_default();
    for secret in &plan.secrets {
        let parts = parts(secret, plan.overwrite);
        for (at, part) in parts.iter().enumerate() {
            let name = if at == 0 { secret.name.as_str() } else { "" };
            lines.push(format!("  {name:<width$}  {part}"));
        }
    }
    lines.extend(plan.blocked.iter().flat_map(left_out));
    lines.join("\n")
}

/// What can't be pushed, a line each.
fn left_out(error: &SecretsError) -> Vec<String> {
    match error {
        SecretsError::Blocked { problems, .. } => {
            problems.iter().map(|problem| format!("  left out: {problem}")).collect()
        }
        SecretsError::ReadDenied { secrets, permission } => {
            vec![format!("  left out: {} may not be read ({permission})", secrets.join(", "))]
        }
        _ => vec![format!("  left out: failed to {error}")],
    }
}

/// What would happen to one secret, a line each.
fn parts(secret: &PlannedSecret, overwrite: Overwrite) -> Vec<String> {
    match secret.change {
        Change::Create => return vec![format!("create: {}", keys(secret.keys.iter()))],
        Change::Restore => return vec![
                "restore: it is scheduled for deletion; then add and update keys, and leave what else differs to the next push"
                    .to_owned(),
            ],
        Change::Replace if overwrite == Overwrite::Yes => {
            return vec!["replace: its value is no JSON object".to_owned()];
        }
        Change::Replace => {
            return vec!["stays: its value is no JSON object (--overwrite replaces it)".to_owned()];
        }
        Change::Update | Change::Unchanged => {}
    }
    let elsewhere = secret.last_changed.map(|time| format!(" ({})", when(time))).unwrap_or_default();
    let (elsewhere, unseen) = match overwrite {
        Overwrite::Yes => (
            format!("overwrite what was changed elsewhere{elsewhere}"),
            "overwrite what may have been changed elsewhere",
        ),
        Overwrite::No => (
            format!("stay, changed elsewhere{elsewhere}, without --overwrite"),
            "stay, since this machine can't tell who changed them, without --overwrite",
        ),
    };
    let kinds = [
        (KeyAction::Add, "add"),
        (KeyAction::Update, "update"),
        (KeyAction::Remove, "remove"),
        (KeyAction::ChangedElsewhere, elsewhere.as_str()),
        (KeyAction::Unseen, unseen),
        (KeyAction::NotHere, "stay, with no value here"),
        (KeyAction::Undeclared, "stay, not declared (--prune removes them)"),
    ];
    let mut lines = vec![];
    for (action, what) in kinds {
        if let Some(found) = with_action(&secret.keys, action) {
            lines.push(format!("{what}: {found}"));
        }
    }
    if lines.is_empty() {
        lines.push("unchanged".to_owned());
    }
    lines
}

/// The keys with this action, if there are any.
fn with_action(all: &[PlannedKey], action: KeyAction) -> Option<String> {
    let found: Vec<&PlannedKey> = all.iter().filter(|key| key.action == action).collect();
    (!found.is_empty()).then(|| keys(found.into_iter()))
}

/// `GITHUB_TOKEN, SUPABASE_URL (url)`
pub(super) fn keys<'a>(keys: impl Iterator<Item = &'a PlannedKey>) -> String {
    let name = |key: &PlannedKey| match &key.variable {
        Some(variable) if variable != key.json_key.shown() => format!("{variable} ({})", key.json_key),
        Some(_) | None => key.json_key.to_string(),
    };
    keys.map(name).collect::<Vec<_>>().join(", ")
}

/// What a push did.
pub(super) fn report(environment: &str, report: &PushReport, consumers: &Consumers) -> String {
    let changed: Vec<&str> = report.changed().map(|pushed| pushed.name.as_str()).collect();
    let count = |number: usize| if number == 1 { "1 secret".to_owned() } else { format!("{number} secrets") };
    let mut lines = vec![format!("{environment}: {} changed", count(changed.len()))];
    for pushed in &report.done {
        lines.push(format!("  {}: {}", pushed.name, what(pushed)));
    }
    let gets = |container: &str| {
        changed.iter().any(|name| consumers.get(*name).is_some_and(|all| all.contains(&container)))
    };
    if gets("orchestrator") {
        lines.push(
            "the orchestrator's tasks get them with the next `cargo xtask deploy`, or `--deploy` here"
                .to_owned(),
        );
    }
    if gets("generator") {
        lines.push("generators that start from now on get them".to_owned());
    }
    lines.join("\n")
}

fn what(pushed: &Pushed) -> String {
    let mut parts = vec![];
    if pushed.restored {
        parts.push("restored".to_owned());
    }
    match pushed.outcome {
        Outcome::Created => parts.push(format!("created with {}", names(&pushed.written))),
        Outcome::Updated => {
            if !pushed.written.is_empty() {
                parts.push(format!("updated {}", names(&pushed.written)));
            }
            if !pushed.removed.is_empty() {
                parts.push(format!("removed {}", names(&pushed.removed)));
            }
        }
        Outcome::Unchanged => parts.push("unchanged".to_owned()),
    }
    for (action, why) in [
        (KeyAction::ChangedElsewhere, "changed elsewhere"),
        (KeyAction::Unseen, "changed here or elsewhere"),
        (KeyAction::Undeclared, "not declared, and in no plan until now"),
    ] {
        if let Some(keys) = with_action(&pushed.kept_back, action) {
            parts.push(format!("left {keys}: {why}"));
        }
    }
    parts.join("; ")
}

fn names(keys: &[KeyName]) -> String {
    keys.iter().map(KeyName::shown).collect::<Vec<_>>().join(", ")
}

/// The document of a plan that is shown, or that has nothing to do.
pub(super) fn plan_json(environment: &str, plan: &PushPlan) -> Json {
    let secrets = plan.secrets.iter().map(|secret| {
        json!({
            "name": secret.name,
            "change": change(secret.change),
            "would_change": secret.has_work(plan.overwrite),
            "last_changed": secret.last_changed.map(rfc3339),
            "keys": keys_json(&secret.keys),
        })
    });
    let status = if plan.has_work() { "planned" } else { "unchanged" };
    json!({"environment": environment, "status": status, "secrets": secrets.collect::<Vec<_>>()})
}

fn keys_json(keys: &[PlannedKey]) -> Json {
    let key = |key: &PlannedKey| json!({"key": key.variable, "json_key": key.json_key.shown(), "action": action(key.action)});
    keys.iter().map(key).collect()
}

fn change(change: Change) -> &'static str {
    match change {
        Change::Create => "create",
        Change::Update => "update",
        Change::Restore => "restore",
        Change::Replace => "replace",
        Change::Unchanged => "unchanged",
    }
}

fn action(action: KeyAction) -> &'static str {
    match action {
        KeyAction::Add => "add",
        KeyAction::Update => "update",
        KeyAction::Same => "same",
        KeyAction::ChangedElsewhere => "changed-elsewhere",
        KeyAction::Unseen => "unseen",
        KeyAction::NotHere => "not-here",
        KeyAction::Undeclared => "undeclared",
        KeyAction::Remove => "remove",
    }
}

/// The document of a push.
pub(super) fn pushed_json(environment: &str, report: &PushReport) -> Json {
    let secrets = report.done.iter().map(|pushed| {
        json!({
            "name": pushed.name,
            "outcome": match pushed.outcome {
                Outcome::Created => "created",
                Outcome::Updated => "updated",
                Outcome::Unchanged => "unchanged",
            },
            "restored": pushed.restored,
            "written": pushed.written.iter().map(KeyName::shown).collect::<Vec<_>>(),
            "removed": pushed.removed.iter().map(KeyName::shown).collect::<Vec<_>>(),
            "kept_back": keys_json(&pushed.kept_back),
            "version": pushed.version,
        })
    });
    let status = if report.changed().next().is_some() { "pushed" } else { "unchanged" };
    json!({"environment": environment, "status": status, "secrets": secrets.collect::<Vec<_>>()})
}

/// `2026-11-22 21:40 UTC`
pub(super) fn when(time: SystemTime) -> String {
    let text = rfc3339(time);
    format!("{} UTC", text.get(..16).unwrap_or(&text).replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn secret(name: &str, change: Change, actions: &[(&str, KeyAction)]) -> PlannedSecret {
        let key = |(key, action): &(&str, KeyAction)| PlannedKey {
            variable: (!matches!(action, KeyAction::Undeclared | KeyAction::Remove))
                .then(|| (*key).to_owned()),
            json_key: KeyName::declared(if *key == "SUPABASE_URL" { "url" } else { key }),
            action: *action,
        };
        PlannedSecret {
            name: name.to_owned(),
            arn: None,
            change,
            keys: actions.iter().map(key).collect(),
            version: Some("v1".to_owned()),
            last_changed: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)),
        }
    }

    #[test]
    fn a_plan_names_every_key_and_what_becomes_of_it() {
        use KeyAction::{Add, ChangedElsewhere, NotHere, Remove, Same, Undeclared, Unseen, Update};
        let secrets = [
            secret("leo/dev/claude", Change::Create, &[("CLAUDE_CODE_OAUTH_TOKEN", Add)]),
            secret("leo/dev/flyio", Change::Unchanged, &[("FLY_API_TOKEN", Same)]),
            secret("leo/dev/github", Change::Restore, &[]),
            secret(
                "leo/dev/supabase",
                Change::Update,
                &[
                    ("SUPABASE_URL", Update),
                    ("SUPABASE_ANON_KEY", ChangedElsewhere),
                    ("SUPABASE_JWT_KEY", Unseen),
                    ("SUPABASE_SERVICE_ROLE_KEY", NotHere),
                    ("OLD", Undeclared),
                    ("OLDER", Remove),
                ],
            ),
            secret("leo/dev/other", Change::Replace, &[]),
        ];
        for overwrite in [Overwrite::No, Overwrite::Yes] {
            let lines: Vec<String> = secrets.iter().flat_map(|secret| parts(secret, overwrite)).collect();
            insta::assert_snapshot!(lines.join("\n"));
        }
    }

    #[test]
    fn a_report_says_who_gets_what_and_when() {
        let pushed = |name: &str, outcome| Pushed {
            name: name.to_owned(),
            outcome,
            restored: name.ends_with("github"),
            written: vec![KeyName::declared("GITHUB_TOKEN")],
            removed: vec![KeyName::found("not a name")],
            kept_back: secret(
                "",
                Change::Update,
                &[("A", KeyAction::ChangedElsewhere), ("B", KeyAction::Unseen), ("C", KeyAction::Undeclared)],
            )
            .keys,
            version: Some("v2".to_owned()),
        };
        let done =
            vec![pushed("leo/dev/github", Outcome::Updated), pushed("leo/dev/flyio", Outcome::Unchanged)];
        let done = PushReport { done, failed: vec![], seen: leo_secrets::Record::default() };
        let both = Consumers::from([("leo/dev/github".to_owned(), vec!["orchestrator", "generator"])]);
        insta::assert_snapshot!(report("dev", &done, &both));
        let generator = Consumers::from([("leo/dev/github".to_owned(), vec!["generator"])]);
        assert!(!report("dev", &done, &generator).contains("orchestrator"));
    }
}
