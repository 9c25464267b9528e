//! Committed files: nothing in them may look like a secret.

use std::collections::BTreeSet;

use leo_diagnostic::{Diagnostic, Location};
use leo_env::{
    Entry, Schema,
    schema::{KeySpec, Kind as Type},
};

use super::{about, line};
use crate::{
    Finding, Kind,
    facts::{EnvFile, Facts},
    placeholder::placeholder,
};

/// `taken`: the lines of which something worse is said already.
pub(super) fn findings(facts: &Facts, taken: &BTreeSet<(&str, usize)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut said: BTreeSet<(String, usize)> = BTreeSet::new();
    for file in &facts.committed {
        for found in leo_token::find(&file.text) {
            let at = file.location(found.range);
            if said.contains(&(at.path.clone(), at.line)) {
                continue;
            }
            let shown =
                key_of(&at.text).map_or_else(|| "<not shown>".to_owned(), |key| format!("{key}=<not shown>"));
            let secret = is_secret(facts, key_of(&at.text)) && taken.contains(&(at.path.as_str(), at.line));
            if !secret {
                let location = Location::hidden(&at.path, at.line, &shown);
                findings.push(about(Kind::Committed, in_committed(found.what).at(location)));
                said.insert((at.path, at.line));
            }
        }
    }
    for file in facts.files.iter().filter(|file| !file.role.is_private()) {
        for entry in file.entries.iter().flatten() {
            let number = *entry.lines.start();
            if !said.contains(&(file.path.clone(), number)) && !is_secret(facts, Some(&entry.key)) {
                findings.extend(looks_secret(file, entry, facts.schema.as_ref()));
            }
        }
    }
    findings
}

fn in_committed(what: &str) -> Diagnostic {
    Diagnostic::error(format!("{what} in a committed file"))
        .hint("take it out, and revoke it if it was ever committed: git keeps what it once had")
}

/// A value that is a secret by the look of it. As random as a key is a guess, so that is a warning, and none about a value
/// that its type explains.
fn looks_secret(file: &EnvFile, entry: &Entry, schema: Option<&Schema>) -> Option<Finding> {
    let (key, value) = (entry.key.as_str(), entry.value.expose());
    let spec = schema.and_then(|schema| schema.key(key));
    if spec.is_some_and(|spec| is_explained(spec, value)) || placeholder(key, value).is_some() {
        return None;
    }
    let what = leo_token::looks_secret(value)?;
    let at = Location {
        text: format!("{key}=<not shown>"),
        columns: key.len() + 1..key.len() + 12,
        ..line(&file.path, *entry.lines.start(), spec, key, value)
    };
    let finding = if what.ends_with("random as a key") {
        Diagnostic::warning(format!("`{key}` holds {what}, in a committed file"))
            .hint("if it is a secret, move it to env/.env and revoke it; if it is none, all is well")
    } else {
        in_committed(what)
    };
    Some(about(Kind::Committed, finding.at(at)))
}

/// Whether a value is what its key wants, of a type or form that no secret has.
fn is_explained(spec: &KeySpec, value: &str) -> bool {
    let formed = !matches!(spec.kind, Type::String | Type::Url) || spec.pattern.is_some();
    formed && spec.check(value).is_ok()
}

fn is_secret(facts: &Facts, key: Option<&str>) -> bool {
    let spec = facts.schema.as_ref().zip(key).and_then(|(schema, key)| schema.key(key));
    spec.is_some_and(|spec| spec.secret.is_some())
}

/// What a line sets, where it has the form of a key.
fn key_of(text: &str) -> Option<&str> {
    let key = text.split_once('=')?.0.trim();
    let formed = key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    (formed && !key.is_empty() && key.len() <= 64).then_some(key)
}
