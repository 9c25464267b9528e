//! Values: missing, empty, never filled in, malformed, in the wrong file.

use std::collections::BTreeMap;

use leo_diagnostic::{Diagnostic, Location};
use leo_env::{
    Entry, Schema, SecretValue, Source,
    schema::{FilePlace, KeySpec},
};

use super::{about, about_file, keys, line, secret_of, secrets_file};
use crate::{
    Finding, Kind,
    facts::{EnvFile, Facts, Role},
    placeholder::placeholder,
    text::any_of,
};

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let Some(schema) = &facts.schema else { return Vec::new() };
    let mut findings = Vec::new();
    for file in &facts.files {
        for entry in file.entries.iter().flatten() {
            findings.extend(written(file, entry, schema));
        }
    }
    findings.extend(from_process(facts, schema));
    findings.extend(missing(facts, schema));
    findings.extend(same_values(facts, schema));
    findings
}

/// What is wrong with what a line sets.
fn written(file: &EnvFile, entry: &Entry, schema: &Schema) -> Option<Finding> {
    let (key, value) = (entry.key.as_str(), entry.value.expose());
    let number = *entry.lines.start();
    if key.starts_with("LEO_OUT_") && file.role.is_private() {
        let finding =
            Diagnostic::warning(format!("`{key}` is an output of a stack, and nothing reads it here"))
                .at(line(&file.path, number, None, key, value))
                .hint("delete the line: outputs are kept in env/.env.defaults");
        return Some(about(Kind::Misplaced, finding));
    }
    let spec = schema.key(key)?;
    let at = line(&file.path, number, Some(spec), key, value);
    if file.role == Role::Example {
        // It is a form: no value has to be there, and of a secret none may be.
        let filled = spec.secret.is_some() && !value.is_empty() && placeholder(key, value).is_none();
        let finding = Diagnostic::error(format!("`{key}` is a secret, and this file is committed"))
            .at(at)
            .hint("leave it empty here, and revoke the value if it was ever pushed");
        return filled.then(|| about(Kind::Committed, finding));
    }
    if file.role == Role::Defaults {
        if spec.secret.is_some() {
            // Said by leo-env, and nothing else matters then.
            return None;
        }
        if spec.file == FilePlace::Env && !value.is_empty() {
            let finding =
                Diagnostic::error(format!("`{key}` doesn't belong in this file, which everyone gets"))
                    .at(at)
                    .hint("move it to env/.env");
            return Some(about(Kind::Misplaced, finding));
        }
    }
    judged(spec, value).map(|(kind, finding)| about(kind, finding.at(at)))
}

/// What is wrong with a value of a key, still without its place.
fn judged(spec: &KeySpec, value: &str) -> Option<(Kind, Diagnostic)> {
    let key = &spec.name;
    if value.is_empty() {
        return None;
    }
    if let Some(what) = placeholder(key, value) {
        let finding = Diagnostic::error(format!("`{key}` was never filled in")).found(what);
        return Some((Kind::Placeholder, finding.hint(source_of(spec))));
    }
    if value.trim() != value {
        let finding = Diagnostic::error(format!("`{key}` begins or ends with white space"))
            .hint("take it away, also inside the quotes");
        return Some((Kind::Malformed, finding));
    }
    let malformed = spec.check(value).err()?;
    let mut hint = malformed.wanted.clone();
    if let Some(get) = spec.get.as_ref().filter(|get| spec.secret.is_some() && !hint.contains(get.as_str())) {
        hint = format!("{hint}; to get one: {get}");
    }
    Some((Kind::Malformed, Diagnostic::error(format!("`{key}` {malformed}")).hint(hint)))
}

/// Where to get a value, or what it is.
fn source_of(spec: &KeySpec) -> String {
    match (&spec.get, spec.required) {
        (Some(get), _) => format!("{}; to get one: {get}", spec.help),
        (None, true) => format!("it is {}", spec.help),
        (None, false) => format!("it is {}; empty where there is none", spec.help),
    }
}

/// What is wrong with secrets that the process environment gives. Settings there are judged with the configuration.
fn from_process(facts: &Facts, schema: &Schema) -> Vec<Finding> {
    let given = |spec: &KeySpec| {
        let SecretValue { secret, origin } = facts.env.secret(&spec.name)?;
        let (kind, mut finding) =
            judged(spec, secret.expose()).filter(|_| origin.source == Source::Process)?;
        let prefixed = format!("`LEO_SECRET_{}` in the process environment", spec.name);
        finding.message = finding.message.replacen(&format!("`{}`", spec.name), &prefixed, 1);
        Some(about(kind, finding))
    };
    schema.secrets().filter_map(|(spec, _)| given(spec)).collect()
}

/// The keys that need a value and have none.
fn missing(facts: &Facts, schema: &Schema) -> Vec<Finding> {
    let mut findings = Vec::new();
    if facts.closed.is_some() {
        return findings;
    }
    let file = secrets_file(facts);
    for spec in schema.keys().iter().filter(|spec| spec.required) {
        let (set, belongs) = if spec.secret.is_some() {
            (facts.public || secret_of(facts, &spec.name).is_some(), file.as_str())
        } else {
            let set = facts.outline.settings.iter().any(|settled| settled.setting.key() == spec.name);
            (set, "env/.env.defaults")
        };
        if !set {
            findings.extend(nowhere(facts, spec, schema, belongs));
        }
    }
    let wanted = findings.iter().any(|finding| finding.path.as_deref() == Some(schema.path()));
    let there = facts.files.iter().any(|own| own.path == file && own.is_there());
    if wanted && !there && !facts.public && !facts.outline.protected {
        let finding = Diagnostic::error(format!("`{file}` is missing")).hint(
            "`cargo xtask init` makes it and asks for what belongs there; a CI sets `LEO_SECRET_<KEY>` for every secret \
             instead",
        );
        findings.push(about_file(Kind::Missing, &file, finding));
    }
    findings
}

/// A required key that has no value: it is nowhere, or its line is empty. `None` where something else is said of its line or
/// of its file, which is one mistake and not two.
fn nowhere(facts: &Facts, spec: &KeySpec, schema: &Schema, belongs: &str) -> Option<Finding> {
    let key = &spec.name;
    let unreadable = |at: &Location| {
        at.path == belongs && at.text.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with('='))
    };
    if facts.env.malformed().iter().filter_map(|finding| finding.location.as_ref()).any(unreadable) {
        return None;
    }
    let file = facts.files.iter().find(|file| file.path == belongs);
    if file.is_some_and(|file| file.is_there() && file.entries.is_none()) {
        return None;
    }
    // What was not opened may have it.
    let unopened = keys::unless(facts, spec, None);
    let said = |what: &str| match unopened.as_slice() {
        [] => Diagnostic::error(format!("`{key}` is {what}")),
        files => Diagnostic::warning(format!("`{key}` is {what}, unless {} sets it", any_of(files))),
    };
    match file.into_iter().flat_map(|file| file.entries.iter().flatten()).find(|entry| entry.key == *key) {
        Some(entry) if !entry.value.expose().is_empty() => None,
        Some(entry) => {
            let at = Location::hidden(belongs, *entry.lines.start(), &format!("{key}="));
            Some(about(Kind::Empty, said("empty").at(at).hint(source_of(spec))))
        }
        None => {
            let at = Location::hidden(schema.path(), spec.line, &format!("[{key}]"));
            let how = format!("write `{key}=…` into {belongs}: {}", source_of(spec));
            Some(about(Kind::Missing, said("missing").at(at).hint(how)))
        }
    }
}

/// Secrets that have the same value: one of them was pasted into the wrong line.
fn same_values(facts: &Facts, schema: &Schema) -> Vec<Finding> {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let mut findings = Vec::new();
    for (spec, _) in schema.secrets() {
        let Some(SecretValue { secret, origin }) = secret_of(facts, &spec.name) else { continue };
        if placeholder(&spec.name, secret.expose()).is_some() {
            continue;
        }
        if let Some(other) = first.insert(secret.expose(), &spec.name) {
            let mut finding = Diagnostic::warning(format!("`{}` has the same value as `{other}`", spec.name))
                .hint("one of them is probably another one's: compare where they are from");
            if let Some(at) = &origin.location {
                finding = finding.at(line(&at.path, at.line, Some(spec), &spec.name, secret.expose()));
            }
            findings.push(about(Kind::Malformed, finding));
        }
    }
    findings
}
