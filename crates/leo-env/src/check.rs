use leo_diagnostic::{Diagnostic, nearest};

use crate::{
    Env, SecretsPolicy, Setting, Source,
    layer::{Layer, SECRET_PREFIX},
};

impl Env {
    /// Everything that is wrong with the files and the process environment, given the keys that are secrets: malformed
    /// lines, unknown keys, a secret in the committed file, a secret that only its bare name in the process environment has.
    pub fn check(&self, secret_keys: &[&str]) -> Vec<Diagnostic> {
        let mut findings = self.findings.clone();
        for layer in &self.layers {
            findings.extend(misplaced_keys(layer, secret_keys));
        }
        findings.extend(self.bare_secrets(secret_keys));
        findings
    }

    /// A warning for each secret that is set in the process environment under its bare name and nowhere else.
    fn bare_secrets(&self, secret_keys: &[&str]) -> Vec<Diagnostic> {
        let Some(process) = self.layer(Source::Process).filter(|_| self.policy == SecretsPolicy::Read) else {
            return Vec::new();
        };
        let only_there = |key: &&str| process.names.contains(*key) && self.secret(key).is_none();
        secret_keys
            .iter()
            .copied()
            .filter(only_there)
            .map(|key| {
                Diagnostic::warning(format!("`{key}` in the process environment is not read"))
                    .hint(format!("if it is meant, set `{SECRET_PREFIX}{key}`, or write it into env/.env"))
            })
            .collect()
    }
}

/// The keys of one source that have no business there.
fn misplaced_keys(layer: &Layer, secret_keys: &[&str]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (key, origin) in &layer.other_keys {
        let known = secret_keys.contains(&key.as_str());
        let finding = match layer.source {
            Source::Defaults if known => {
                Diagnostic::error(format!("`{key}` is a secret, and this file is committed"))
                    .hint("move it to env/.env, and revoke the value if it was ever pushed")
            }
            _ if known => continue,
            Source::Process => {
                Diagnostic::warning(format!("`{SECRET_PREFIX}{key}` is no secret of any provider"))
                    .hint(name_instead(key, secret_keys))
            }
            _ if key.starts_with(SECRET_PREFIX) => {
                Diagnostic::error(format!("`{key}` is a name for the process environment"))
                    .hint(format!("in a file it is `{}`", key.trim_start_matches(SECRET_PREFIX)))
            }
            _ => Diagnostic::error(format!("`{key}` is not a key of this file"))
                .hint(name_instead(key, secret_keys)),
        };
        findings.push(finding.at(origin.location.clone()));
    }
    findings
}

/// The key that was probably meant, or all of them.
fn name_instead(key: &str, secret_keys: &[&str]) -> String {
    let settings = Setting::ALL.map(Setting::key);
    match nearest(key, settings.into_iter().chain(secret_keys.iter().copied())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "the keys are {} and the ones that the providers in infra/leo.toml name ({})",
            settings.join(", "),
            secret_keys.join(", ")
        ),
    }
}
