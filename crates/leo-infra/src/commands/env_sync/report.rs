//! What was written, for a person and as a document.

use super::keys::Owned;
use leo_deploy::StackStatus;
use leo_env::EnvFile;
use serde::Serialize;
use serde_json::{Value as Json, json};
use similar::{ChangeTag, TextDiff};
use std::{collections::BTreeMap, fmt::Write as _};

/// What became of a file.
pub(super) struct Outcome {
    pub(super) environment: String,
    /// Which keys are its outputs'.
    pub(super) owned: Owned,
    /// As it is, or would be.
    pub(super) file: EnvFile,
    /// `false`: it was only looked at.
    pub(super) written: bool,
    /// The keys of the outputs with their values.
    pub(super) wanted: BTreeMap<String, String>,
    pub(super) changes: Vec<Change>,
    /// Outputs that have no key.
    pub(super) left_out: Vec<String>,
    pub(super) stacks: Vec<StackState>,
}

/// A stack, and its status where there is one.
pub(super) struct StackState {
    pub(super) name: String,
    pub(super) status: Option<StackStatus>,
}

/// What becomes of a key.
#[derive(Serialize)]
pub(super) struct Change {
    pub(super) key: String,
    pub(super) action: Action,
    /// What it was; it may have been written by anybody, so it is shown like a line of the file.
    #[serde(serialize_with = "shown_value")]
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// How a key changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Added,
    Changed,
    Removed,
}

impl Outcome {
    /// What is worth knowing besides.
    pub(super) fn note(&self) {
        for stack in &self.stacks {
            match &stack.status {
                None => eprintln!("note: {}: not deployed", stack.name),
                Some(status) if status.as_str().ends_with("_IN_PROGRESS") => eprintln!(
                    "note: {}: {}: these are its outputs of before; run this again once that has ended",
                    stack.name,
                    status.as_str()
                ),
                Some(_) => {}
            }
        }
        for name in &self.left_out {
            eprintln!("note: left out the output {name}: it is empty, or its key would be too long");
        }
    }

    fn status(&self) -> &'static str {
        match (self.changes.is_empty(), self.written) {
            (true, _) => "unchanged",
            (false, true) => "written",
            (false, false) => "differs",
        }
    }

    pub(super) fn text(&self) -> String {
        let path = self.file.path();
        let count = self.wanted.len();
        match self.status() {
            "unchanged" => format!("{path}: nothing to change, {count} outputs of `{}`", self.environment),
            status => {
                let said = if status == "written" { "written" } else { "not written" };
                let counted = |action| self.changes.iter().filter(|change| change.action == action).count();
                format!(
                    "{}{path}: {said}: {} added, {} changed, {} removed",
                    diff(&self.file, &self.owned),
                    counted(Action::Added),
                    counted(Action::Changed),
                    counted(Action::Removed)
                )
            }
        }
    }

    pub(super) fn json(&self) -> Json {
        let stacks: Vec<Json> = self
            .stacks
            .iter()
            .map(|stack| {
                let status = stack.status.as_ref().map_or("absent", StackStatus::as_str);
                json!({"name": stack.name, "status": status})
            })
            .collect();
        json!({
            "status": self.status(),
            "environment": self.environment,
            "file": self.file.path(),
            "outputs": self.wanted,
            "changes": self.changes,
            "left_out": self.left_out,
            "stacks": stacks,
        })
    }
}

/// The lines of a file that change, and none around them: what else is in the file is nobody's business here. Of an output
/// the value is shown, unless somebody left a secret there.
pub(super) fn diff(file: &EnvFile, owned: &Owned) -> String {
    let path = file.path();
    let diff = TextDiff::from_lines(file.original(), file.text());
    let old = if file.existed() { format!("a/{path}") } else { "/dev/null".to_owned() };
    let mut text = format!("--- {old}\n+++ b/{path}\n");
    for hunk in diff.unified_diff().context_radius(0).iter_hunks() {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{}", hunk.header());
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let _ = writeln!(text, "{sign}{}", line(change.value().trim_end_matches(['\r', '\n']), owned));
        }
    }
    text
}

/// A line of the file as it may be seen: all of it only where it is an output's, or the line above them.
fn line(line: &str, owned: &Owned) -> String {
    let key = line.split_once('=').map(|(key, _)| key.trim());
    match key {
        _ if line.trim().is_empty() || line.trim_end() == owned.head() => line.to_owned(),
        Some(key) if owned.has(key.trim_start_matches("export ").trim_start()) => shown(line),
        Some(key) if !leo_env::holds_secret(key) => format!("{key}=<not shown>"),
        _ => "<not shown>".to_owned(),
    }
}

/// A line of an output, or its value, as it may be seen.
fn shown(line: &str) -> String {
    let value = line.split_once('=').map_or(line, |(_, value)| value).trim().trim_matches(['"', '\'']);
    let secret = leo_token::looks_secret(value).is_some() || !leo_token::find(line).is_empty();
    match line.split_once('=') {
        _ if !secret => line.to_owned(),
        Some((key, _)) if leo_token::looks_secret(key).is_none() => format!("{key}=<not shown>"),
        _ => "<not shown>".to_owned(),
    }
}

#[expect(clippy::ref_option, reason = "serde gives the field as it is")]
fn shown_value<S: serde::Serializer>(value: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_deref().map(shown).serialize(serializer)
}
