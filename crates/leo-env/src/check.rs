use leo_diagnostic::{Diagnostic, nearest};

use crate::{
    Env, Schema, SecretsPolicy, Source,
    layer::{Layer, SECRET_PREFIX},
    schema::KeySpec,
    visible::holds_secret,
};

impl Env {
    /// Everything that is wrong with the files and the process environment, given what they may hold: malformed lines, keys
    /// that aren't declared, a secret in the committed file, a secret that only its bare name in the process environment has.
    ///
    /// What a value should look like is not asked.
    pub fn check(&self, schema: &Schema) -> Vec<Diagnostic> {
        let mut findings = self.findings.clone();
        findings.extend(self.no_secrets_names(schema));
        for layer in &self.layers {
            findings.extend(undeclared_settings(layer, schema));
            findings.extend(misplaced_keys(layer, schema));
        }
        findings.extend(self.bare_secrets(schema));
        findings
    }

    /// A warning for each variable that is named like a secret's and whose end is no key, so that it is not read.
    fn no_secrets_names(&self, schema: &Schema) -> Vec<Diagnostic> {
        let names = self.layer(Source::Process).map(|process| process.names.iter()).into_iter().flatten();
        names
            .filter_map(|name| Some((name, name.strip_prefix(SECRET_PREFIX)?)))
            .map(|(name, key)| {
                let shown = if holds_secret(name) { "<not shown>" } else { name };
                Diagnostic::warning(format!(
                    "`{shown}` in the process environment is not read: its end is no key"
                ))
                .hint(name_instead(&key.to_ascii_uppercase(), schema, SECRET_PREFIX))
            })
            .collect()
    }

    /// A warning for each secret that is set in the process environment under its bare name and nowhere else.
    fn bare_secrets(&self, schema: &Schema) -> Vec<Diagnostic> {
        let Some(process) = self.layer(Source::Process).filter(|_| self.policy == SecretsPolicy::Read) else {
            return Vec::new();
        };
        let only_there = |key: &str| process.names.contains(key) && self.secret(key).is_none();
        schema
            .secrets()
            .map(|(KeySpec { name, .. }, _)| name)
            .filter(|key| only_there(key))
            .map(|key| {
                Diagnostic::warning(format!("`{key}` in the process environment is not read"))
                    .hint(format!("if it is meant, set `{SECRET_PREFIX}{key}`, or write it into env/.env"))
            })
            .collect()
    }
}

/// The settings of a file that the schema doesn't have.
fn undeclared_settings(layer: &Layer, schema: &Schema) -> Vec<Diagnostic> {
    let settings = layer.settings.iter().filter(|(setting, _)| schema.key(setting.key()).is_none());
    settings
        .filter_map(|(setting, value)| {
            let location = value.origin.location.clone()?;
            let finding = Diagnostic::error(format!("`{setting}` is not declared in {}", schema.path()));
            Some(finding.at(location).hint(format!("a table `[{setting}]` there, or delete the line here")))
        })
        .collect()
}

/// The keys of one source that have no business there.
fn misplaced_keys(layer: &Layer, schema: &Schema) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (key, origin) in &layer.other_keys {
        let known = schema.key(key).is_some();
        let looks_like_a_key = origin.location.as_ref().is_none_or(|at| at.text.starts_with(key.as_str()));
        let finding = match layer.source {
            Source::Defaults if known => {
                Diagnostic::error(format!("`{key}` is a secret, and this file is committed"))
                    .hint("move it to env/.env, and revoke the value if it was ever pushed")
            }
            _ if known => continue,
            Source::Process => {
                Diagnostic::warning(format!("`{SECRET_PREFIX}{key}` is no secret of any provider"))
                    .hint(name_instead(key, schema, SECRET_PREFIX))
            }
            _ if !looks_like_a_key && nearest(key, names(schema)).is_none() => {
                Diagnostic::error("the line's key is none of this file, and not shown: it may be a value")
                    .hint(format!("a value goes behind its key; {}", name_instead(key, schema, "")))
            }
            _ if key.starts_with(SECRET_PREFIX) => {
                Diagnostic::error(format!("`{key}` is a name for the process environment"))
                    .hint(format!("in a file it is `{}`", key.trim_start_matches(SECRET_PREFIX)))
            }
            _ => Diagnostic::error(format!("`{key}` is not a key of this file"))
                .hint(name_instead(key, schema, "")),
        };
        findings.push(finding.at(origin.location.clone()));
    }
    findings
}

fn names(schema: &Schema) -> impl Iterator<Item = &str> + Clone {
    schema.keys().iter().map(|key| key.name.as_str())
}

/// The key that was probably meant, or all of them. `prefix` stands before a key where it was written.
fn name_instead(key: &str, schema: &Schema, prefix: &str) -> String {
    match nearest(key, names(schema)) {
        Some(near) => format!("did you mean `{prefix}{near}`?"),
        None => {
            format!(
                "the keys are those of {}: {}",
                schema.path(),
                names(schema).collect::<Vec<_>>().join(", ")
            )
        }
    }
}
