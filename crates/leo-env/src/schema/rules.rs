//! What must hold beyond the form of single entries.

use std::ops::Range;

use leo_diagnostic::{Diagnostic, nearest};

use super::{
    Consumer, KeySpec, SecretSpec,
    read::Entry,
    table::{Report, Table},
};
use crate::{Setting, file::is_key, form, layer, visible::holds_secret};

/// The key that opens everything in Supabase, past its row-level security.
const SERVICE_ROLE_KEY: &str = "SUPABASE_SERVICE_ROLE_KEY";

/// Whether a key can have its name; otherwise that was reported.
pub(super) fn check_name(table: &Table<'_>, secret: bool) -> bool {
    let name = table.name;
    if !is_key(name) || holds_secret(name) {
        let finding = Diagnostic::error(format!("`{}` is not the name of a key", table.shown))
            .hint("at most 64 capital letters, digits and `_`, a letter first: `GITHUB_TOKEN`");
        table.report.add(table.span.clone(), finding);
        return false;
    }
    let setting = Setting::of_key(name).is_some();
    let (what, hint) = if name.starts_with(layer::OUTPUT_PREFIX) {
        (
            "has the name of a stack's output",
            "`LEO_OUT_…` is written by a deploy's outputs and read by nobody: delete the table".to_owned(),
        )
    } else if let Some(key) = name.strip_prefix(layer::SECRET_PREFIX) {
        ("is a name for the process environment", format!("here it is `[{key}]`"))
    } else if secret && setting {
        (
            "is a setting, which the tool itself reads, and can't be a secret",
            "leave out `provider`, `json_key`, `consumers` and `shapes`".to_owned(),
        )
    } else if secret && form::is_reserved(name) {
        (
            "has a reserved name",
            "`LEO_…`, `AWS_…`, `ECS_…` and `PORT` are what the platform itself gives a container: choose another name"
                .to_owned(),
        )
    } else if !secret && !setting {
        ("is no secret, and nothing reads it", hint_for_unread(name))
    } else {
        return true;
    };
    table.refuse(what, &hint);
    false
}

fn hint_for_unread(name: &str) -> String {
    let settings = Setting::ALL.map(Setting::key);
    match nearest(name, settings) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "a secret names its `provider`; the settings are {}; a container's plain variables go into \
             `[orchestrator.environment]` of infra/leo.toml",
            settings.join(", ")
        ),
    }
}

/// What must hold between a key's value and the rest of its table.
pub(super) fn check_values(table: &Table<'_>, spec: &KeySpec, secret: bool) {
    if table.has("required") && secret && !matches!(table.flag("required"), Some(true)) {
        let hint = "leave it out: a container that names a key which its secret lacks doesn't start";
        table.wrong(table.place("required"), "required", "can't be `false`: it is a secret", hint);
    }
    for entry in ["default", "example"] {
        if secret && table.has(entry) {
            let message = format!("`{entry}` of `{}` can't be given: it is a secret", table.shown);
            let finding = Diagnostic::error(message)
                .hint("delete the line: this file is committed; revoke the value if it was ever pushed");
            table.report.add_hidden(table.name_of(entry), entry, finding);
        }
    }
    if secret {
        return;
    }
    if spec.default.is_some() && spec.required {
        let hint = "one of the two: what has a default is never missing";
        table.wrong(table.name_of("default"), "default", "is given together with `required`", hint);
    }
    if spec.default.is_some() && table.name == Setting::Environment.key() {
        let hint = "it decides which files are read, before this one: set it in env/.env.defaults";
        table.wrong(table.name_of("default"), "default", "can't be given", hint);
    }
    // The example itself is no example of what would be right.
    let example = &spec.example;
    let spec = &KeySpec { example: None, ..spec.clone() };
    for (entry, value) in [("default", &spec.default), ("example", example)] {
        let Some(Err(malformed)) = value.as_ref().map(|value| spec.check(value)) else { continue };
        table.wrong(table.place(entry), entry, &malformed.what, &malformed.wanted);
    }
}

/// What must hold between keys.
pub(super) fn check(report: &Report<'_>, entries: &[Entry]) {
    let secrets: Vec<Secret<'_>> = entries.iter().filter_map(Secret::of).collect();
    for (index, secret) in secrets.iter().enumerate() {
        let same = |other: &&Secret<'_>| {
            other.spec.provider == secret.spec.provider && other.spec.json_key == secret.spec.json_key
        };
        if let Some(other) = secrets.iter().take(index).find(same) {
            let (provider, json_key) = (&secret.spec.provider, &secret.spec.json_key);
            let finding = Diagnostic::error(format!(
                "`{}` and `{}` are both kept as `{json_key}` of `{provider}`",
                other.name, secret.name
            ))
            .hint("give one of them another `json_key`, or another provider");
            report.add(secret.entry.json_key.clone(), finding);
        }
        if secret.for_generator() {
            check_generator(report, secret, &secrets);
        }
    }
}

/// The generator's roles may read the secrets that it is given as wholes. So what is not meant for it is in none of them.
fn check_generator(report: &Report<'_>, secret: &Secret<'_>, all: &[Secret<'_>]) {
    if secret.name == SERVICE_ROLE_KEY {
        let finding = Diagnostic::error(format!("the generator must not get `{SERVICE_ROLE_KEY}`"))
            .hint("it goes past row-level security, and generators run generated code: `consumers = [\"orchestrator\"]`");
        report.add(secret.consumers(), finding);
        return;
    }
    let kept_back: Vec<String> = all
        .iter()
        .filter(|other| other.spec.provider == secret.spec.provider && !other.for_generator())
        .map(|other| format!("`{}`", other.name))
        .collect();
    if kept_back.is_empty() {
        return;
    }
    let provider = &secret.spec.provider;
    let finding = Diagnostic::error(format!(
        "the generator gets `{}`, and so could read all of `{provider}`, also {}",
        secret.name,
        kept_back.join(" and ")
    ))
    .hint(
        "put what the generator gets under a provider of its own: who may read a secret may read all of it",
    );
    report.add(secret.consumers(), finding);
}

/// A key that is a secret.
struct Secret<'e> {
    name: &'e str,
    spec: &'e SecretSpec,
    entry: &'e Entry,
}

impl<'e> Secret<'e> {
    fn of(entry: &'e Entry) -> Option<Self> {
        Some(Self { name: &entry.spec.name, spec: entry.spec.secret.as_ref()?, entry })
    }

    fn for_generator(&self) -> bool {
        self.spec.consumers.contains(&Consumer::Generator)
    }

    fn consumers(&self) -> Range<usize> {
        self.entry.consumers.clone()
    }
}
