//! The judgement: facts in, findings out. Nothing is opened here.

mod committed;
mod files;
mod keys;
mod siblings;
mod values;

use std::collections::{BTreeSet, HashSet};

use leo_diagnostic::{Diagnostic, Location, first_of_each_file};
use leo_env::{Entry, Secret, SecretValue, Setting, Source, schema::KeySpec};

use crate::{
    FileReport, Finding, Kind, Report,
    facts::{EnvFile, Facts, Role},
    git::Tracking,
    placeholder::placeholder,
    shown::{self, Mask},
};

/// Judges the facts: everything that is wrong at once, and what each key is set to.
pub fn audit(facts: &Facts) -> Report {
    let mut findings = values::findings(facts);
    let configured = configured(facts, &findings);
    // What leo-config says of a malformed setting is the more precise.
    let errors = configured.iter().filter(|finding| finding.diagnostic.is_error());
    let places: BTreeSet<_> = errors.filter_map(line_of).collect();
    findings.retain(|finding| {
        finding.kind != Kind::Malformed || line_of(finding).is_none_or(|line| !places.contains(&line))
    });
    findings.extend(configured);
    let taken: BTreeSet<_> = findings.iter().filter_map(line_of).collect();
    let committed = committed::findings(facts, &taken);
    // Of a secret in a committed file it does not matter which value it is not.
    let leaked: BTreeSet<_> =
        committed.iter().filter(|finding| finding.diagnostic.is_error()).filter_map(line_of).collect();
    findings.retain(|finding| {
        !matches!(finding.kind, Kind::Configuration | Kind::Malformed)
            || line_of(finding).is_none_or(|line| !leaked.contains(&line))
    });
    findings.extend(committed);
    findings.extend(files::findings(facts));
    findings.extend(siblings::findings(facts));

    let order = |finding: &Finding| {
        let at = finding.diagnostic.location.as_ref();
        let place = (at.map_or(0, |at| at.line), at.map_or(0, |at| at.columns.start));
        (finding.path.is_none(), finding.path.clone(), place, finding.diagnostic.severity, finding.kind)
    };
    findings.sort_by_cached_key(order);
    findings.dedup_by(|one, other| one.diagnostic == other.diagnostic);
    let mut findings =
        first_of_each_file(findings, |finding| &finding.diagnostic, |more| about(Kind::File, more));

    let mask = Mask::new(secrets(facts));
    for finding in &mut findings {
        masked(&mut finding.diagnostic, &mask);
    }
    let mut keys = keys::keys(facts);
    for key in &mut keys {
        key.shown = mask.apply(&key.shown);
        key.help = mask.apply(&key.help);
    }
    Report {
        environment: facts.outline.environment.as_ref().map(ToString::to_string),
        environment_unless: keys::environment_unless(facts),
        public: facts.public,
        files: facts.files.iter().map(file_report).collect(),
        keys,
        siblings: siblings::reports(facts),
        findings,
    }
}

/// Every value of a private file that may be a secret: all but those of settings, and of what was never filled in.
fn secrets(facts: &Facts) -> impl Iterator<Item = &Secret> {
    let entries = facts
        .files
        .iter()
        .filter(|file| file.role.is_private())
        .flat_map(|file| file.entries.iter().flatten());
    let may_be = |entry: &&Entry| {
        Setting::of_key(&entry.key).is_none() && placeholder(&entry.key, entry.value.expose()).is_none()
    };
    entries.filter(may_be).map(|entry| &entry.value)
}

/// What is wrong with the form of the files and with the configuration.
fn configured(facts: &Facts, values: &[Finding]) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        facts.findings.iter().cloned().map(|diagnostic| about(Kind::File, diagnostic)).collect();
    let Some(schema) = &facts.schema else {
        for finding in findings.iter_mut().filter(|finding| finding.path.as_deref() == Some("infra/env.toml"))
        {
            finding.kind = Kind::Schema;
        }
        return findings;
    };
    let of_files = facts.env.check(schema);
    let loaded = leo_config::load(&facts.leo_toml, schema, &facts.env, None);
    let of_configuration = match loaded {
        // What it lacks is perhaps in there.
        _ if facts.closed.is_some() => Vec::new(),
        Ok(config) => leo_config::warnings(&config, schema, &facts.env),
        Err(findings) => findings,
    };
    let said: HashSet<&Diagnostic> = of_files.iter().collect();
    let of_configuration =
        of_configuration.into_iter().filter(|finding| !said.contains(finding)).filter(|finding| {
            // A value that was never filled in, or a key that is nowhere, is one mistake and not two.
            let said = |ours: &Finding| match (ours.kind, line_of(ours)) {
                (Kind::Placeholder, Some((path, line))) => {
                    finding.location.as_ref().is_some_and(|at| (at.path.as_str(), at.line) == (path, line))
                }
                (Kind::Missing | Kind::Empty, _) => {
                    let text = ours.diagnostic.message.as_str();
                    finding.location.is_none()
                        && finding
                            .hint
                            .as_deref()
                            .is_some_and(|hint| key_in(text).is_some_and(|key| hint.contains(key)))
                }
                _ => false,
            };
            !values.iter().any(said)
        });
    let of_configuration: Vec<Finding> =
        of_configuration.map(|finding| about(Kind::Configuration, finding)).collect();
    findings.extend(of_files.into_iter().map(|finding| about(Kind::File, finding)));
    findings.extend(of_configuration);
    findings
}

/// The first word in backticks.
fn key_in(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

/// A finding about the file of its line.
fn about(kind: Kind, diagnostic: Diagnostic) -> Finding {
    let path = diagnostic.location.as_ref().map(|at| at.path.clone());
    Finding { kind, path, diagnostic }
}

/// A finding about a file as a whole.
fn about_file(kind: Kind, path: &str, diagnostic: Diagnostic) -> Finding {
    Finding { kind, path: Some(path.to_owned()), diagnostic }
}

fn line_of(finding: &Finding) -> Option<(&str, usize)> {
    finding.diagnostic.location.as_ref().map(|at| (at.path.as_str(), at.line))
}

/// A line that sets a key, with as much of the value as may be seen.
fn line(path: &str, number: usize, spec: Option<&KeySpec>, key: &str, value: &str) -> Location {
    let plain = spec.is_some_and(|spec| spec.secret.is_none()) && !value.contains(['\n', '\r']);
    let shown = if plain { shown::plain(value) } else { shown::hidden(value) };
    let text = format!("{key}={shown}");
    Location { path: path.to_owned(), line: number, columns: key.len() + 1..text.len(), text }
}

fn masked(diagnostic: &mut Diagnostic, mask: &Mask<'_>) {
    diagnostic.message = mask.apply(&diagnostic.message);
    for text in [&mut diagnostic.found, &mut diagnostic.hint].into_iter().flatten() {
        *text = mask.apply(text);
    }
    if let Some(at) = &mut diagnostic.location {
        let text = mask.apply(&at.text);
        if text != at.text {
            // The columns were those of what is no longer shown.
            let start = text.find('=').map_or(0, |equals| equals + 1);
            at.columns = start..text.len();
            at.text = text;
        }
    }
}

fn file_report(file: &EnvFile) -> FileReport {
    FileReport {
        path: file.path.clone(),
        mode: file.found.map(|found| found.mode),
        unseen: file.unseen.clone(),
        git: file.tracking.map(|tracking| match tracking {
            Tracking::Tracked => "tracked",
            Tracking::Untracked => "untracked",
            Tracking::Ignored => "ignored",
        }),
        opened: file.entries.is_some(),
    }
}

/// A secret's value, but for one that a protected environment would have from the file of all.
fn secret_of<'f>(facts: &'f Facts, key: &str) -> Option<&'f SecretValue> {
    let counts = |value: &&SecretValue| !(facts.outline.protected && value.origin.source == Source::Shared);
    facts.env.secret(key).filter(counts)
}

/// The file that this environment's secrets belong in.
fn secrets_file(facts: &Facts) -> String {
    let own = facts.files.iter().find(|file| file.role == Role::Own);
    own.map_or_else(|| "env/.env".to_owned(), |file| file.path.clone())
}
