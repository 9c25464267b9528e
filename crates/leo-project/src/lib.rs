//! This repository as a command finds it: its root, and one environment's configuration.
//!
//! The one place that reads `infra/leo.toml`, `infra/env.toml` and the `.env` files, so that every command sees the same configuration and
//! says the same of what is wrong with it.
//!
//! Deliberately absent: printing, and every judgement; `leo-env` and `leo-config` make those.

use leo_config::Config;
use leo_diagnostic::{Diagnostic, SourceFile};
use leo_env::{Env, Schema, SecretsPolicy, read_file};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// The configuration's file, relative to the root.
pub const LEO_TOML: &str = "infra/leo.toml";

/// A work tree of this repository, and one environment's configuration in it.
#[derive(Debug)]
pub struct Project {
    /// The folder that holds `infra/` and `env/`.
    pub root: PathBuf,
    /// What the environment files may hold, and who gets which secret.
    pub schema: Schema,
    /// What the files and the process environment say.
    pub env: Env,
    /// What follows from it.
    pub config: Config,
    /// What is worth knowing and stops nothing.
    pub warnings: Vec<Diagnostic>,
}

impl Project {
    /// Reads the configuration of `environment`, or of the one that the environment files name, below `root`.
    ///
    /// # Errors
    /// Everything that is wrong with it, not only the first thing.
    pub fn load(
        root: &Path,
        environment: Option<&str>,
        secrets: SecretsPolicy,
    ) -> Result<Self, Vec<Diagnostic>> {
        let text = fs::read_to_string(root.join(LEO_TOML)).map_err(|error| vec![unreadable(&error)])?;
        let mut env = Env::load(root, environment, secrets);
        let schema = Schema::load(root).map_err(|mut findings| {
            // Which keys are secrets is unknown now, so of the files only what is wrong in itself can be said.
            findings.extend_from_slice(env.malformed());
            findings
        })?;
        let config = leo_config::load(&SourceFile::new(LEO_TOML, text), &schema, &env, None)?;
        let of_siblings = add_siblings(root, &config, &schema, &mut env);
        if of_siblings.iter().any(Diagnostic::is_error) {
            return Err(of_siblings);
        }
        let mut warnings = leo_config::warnings(&config, &schema, &env);
        warnings.extend(of_siblings);
        Ok(Self { root: root.to_owned(), schema, env, config, warnings })
    }

    /// The same configuration with its environment's secrets. What the files that hold them override does not count: the
    /// local target is the same one with real values as without.
    ///
    /// # Errors
    /// Everything that is wrong with those files.
    pub fn with_secrets(self) -> Result<Self, Vec<Diagnostic>> {
        let name = self.config.environment.name.as_str();
        let Self { env, warnings, .. } = Self::load(&self.root, Some(name), SecretsPolicy::Read)?;
        Ok(Self { env, warnings, ..self })
    }
}

impl Project {
    /// The names of the environments that the configuration declares, whatever else is wrong with it.
    #[must_use]
    pub fn environments(&self) -> Vec<String> {
        let text = fs::read_to_string(self.root.join(LEO_TOML)).unwrap_or_default();
        let names = leo_config::environments(&SourceFile::new(LEO_TOML, text));
        names.iter().map(ToString::to_string).collect()
    }

    /// The environments of this repository that are in an account and region: those that say so, and those that don't
    /// say where they are. One whose settings can't be read is among them, since it may be.
    #[must_use]
    pub fn environments_in(&self, account: &str, region: &str) -> BTreeSet<String> {
        let policy = match self.env.policy() {
            SecretsPolicy::Unopened => SecretsPolicy::Unopened,
            SecretsPolicy::Ignore | SecretsPolicy::Read => SecretsPolicy::Ignore,
        };
        let mut names: BTreeSet<String> = self.environments().into_iter().collect();
        names.insert(self.config.environment.name.to_string());
        names.retain(|name| match Self::load(&self.root, Some(name), policy) {
            Err(_) => true,
            Ok(Self { config, .. }) => {
                let environment = config.environment;
                environment.region.as_str() == region
                    && environment.account.is_none_or(|configured| configured.as_str() == account)
            }
        });
        names
    }
}

/// Adds the environment files of siblings that the images name, as a last source of secrets. A protected environment has
/// its secrets from its own file alone.
fn add_siblings(root: &Path, config: &Config, schema: &Schema, env: &mut Env) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    if config.environment.protected || !env.takes_siblings() {
        return findings;
    }
    let keys: Vec<&str> = schema.secrets().map(|(key, _)| key.name.as_str()).collect();
    let images = &config.images;
    let mut files: Vec<&PathBuf> = [&images.orchestrator, &images.generator]
        .into_iter()
        .filter_map(|image| image.env_file.as_ref())
        .collect();
    files.dedup();
    for file in files {
        findings.extend(env.add_sibling(&file.to_string_lossy(), read_file(&root.join(file)), &keys));
    }
    findings
}

fn unreadable(error: &io::Error) -> Diagnostic {
    let finding = Diagnostic::error(format!("`{LEO_TOML}` can't be read: {error}"));
    if error.kind() == io::ErrorKind::NotFound {
        finding.hint("run this inside the repository; a new one starts from the committed file")
    } else {
        finding
    }
}

/// The root of the work tree that `from` is in: the nearest folder upwards that has the configuration's file.
#[must_use]
pub fn find_root(from: &Path) -> Option<PathBuf> {
    from.ancestors().find(|folder| folder.join(LEO_TOML).is_file()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = "[environments.dev]\n[environments.prod]\nprotected = true\n\
        [images.orchestrator]\nenv_file = \"../leo-saas/.env\"\n[images.generator]\nenv_file = \"../leo-saas/.env\"\n";

    /// A repository whose sibling has a secret that it lacks.
    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("leo-infra/infra/leo.toml", TOML),
            ("leo-infra/infra/env.toml", include_str!("../../../infra/env.toml")),
            ("leo-infra/env/.env.defaults", "AWS_REGION=us-east-1\nLEO_ENVIRONMENT=dev\n"),
            ("leo-infra/env/.env", "FLY_API_TOKEN=ours\n"),
            ("leo-saas/.env", "PORT=1\nFLY_API_TOKEN=theirs\nGITHUB_TOKEN=theirs\n"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn secret(project: &Project, key: &str) -> Option<String> {
        project.env.secret(key).map(|secret| secret.origin.to_string())
    }

    #[test]
    fn a_siblings_file_is_a_last_source_of_secrets_where_none_is_protected() {
        let folder = repository();
        let root = folder.path().join("leo-infra");
        let load = |name: &str, policy| Project::load(&root, Some(name), policy);
        let dev = load("dev", SecretsPolicy::Read).unwrap();
        assert_eq!(secret(&dev, "FLY_API_TOKEN").as_deref(), Some("env/.env:1"));
        assert_eq!(secret(&dev, "GITHUB_TOKEN").as_deref(), Some("../leo-saas/.env:3"));
        assert_eq!(dev.warnings, []);
        assert_eq!(secret(&load("dev", SecretsPolicy::Ignore).unwrap(), "GITHUB_TOKEN"), None);
        fs::write(root.join("env/.env.prod"), "FLY_API_TOKEN=ours\n").unwrap();
        assert_eq!(secret(&load("prod", SecretsPolicy::Read).unwrap(), "GITHUB_TOKEN"), None);
        fs::remove_file(folder.path().join("leo-saas/.env")).unwrap();
        let warned = load("dev", SecretsPolicy::Read).unwrap();
        assert_eq!(warned.warnings.len(), 1);
    }
}
