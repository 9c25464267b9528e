//! Environment files of sibling repositories, as a last source of secrets.

use std::io;

use leo_diagnostic::Diagnostic;
use secrecy::zeroize::Zeroizing;

use crate::{Env, SecretsPolicy, Source, layer::Layer};

impl Env {
    /// Whether secrets may come from a sibling's file: they are wanted, and this environment has no file of its own, whose
    /// secrets would be the only ones. Where not, such a file is not to be opened.
    pub fn takes_siblings(&self) -> bool {
        self.policy() == SecretsPolicy::Read && !self.has_environment_file()
    }

    /// Adds a sibling's file, `path` as it is to be shown: from it come the secrets of `keys` that no source before has. What
    /// else the file holds is the sibling's, so nothing is said about it.
    pub fn add_sibling(&mut self, path: &str, text: io::Result<String>, keys: &[&str]) -> Vec<Diagnostic> {
        if !self.takes_siblings() {
            return Vec::new();
        }
        let text = match text {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let finding = Diagnostic::warning(format!(
                    "`{path}` is missing, and secrets are looked for there"
                ))
                .hint("clone the sibling and fill in the file, or take `env_file` out of infra/leo.toml");
                return vec![finding];
            }
            Err(error) => {
                let finding = Diagnostic::error(format!("`{path}` can't be read"))
                    .found(format!("\"{error}\""))
                    .hint("it has to be a file with lines `KEY=value`, which you may read");
                return vec![finding];
            }
        };
        let (mut layer, findings) = Layer::of_file(Source::Sibling, path, &text, self.policy);
        layer.settings.clear();
        layer.other_keys.clear();
        layer.secrets.retain(|key, _| keys.contains(&key.as_str()));
        self.layers.push(layer);
        self.layers.sort_by_key(|layer| layer.source);
        let ours = |finding: &Diagnostic| {
            let key = finding.location.as_ref().and_then(|at| Some(at.text.split_once('=')?.0));
            key.is_some_and(|key| keys.contains(&key))
        };
        findings.into_iter().filter(ours).collect()
    }

    /// Those that secrets may come from, the first one added first.
    pub(crate) fn sibling_layers(&self) -> impl Iterator<Item = &Layer> {
        let taken = self.takes_siblings();
        self.layers.iter().filter(move |layer| taken && layer.source == Source::Sibling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 2] = ["GITHUB_TOKEN", "FLY_API_TOKEN"];

    fn env(files: &[(&str, &str)], policy: SecretsPolicy) -> Env {
        let read = |path: &str| {
            let file = files.iter().find(|(name, _)| *name == path);
            file.map(|(_, text)| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        Env::from_parts(read, [], Some("dev"), policy)
    }

    fn secret(env: &Env, key: &str) -> Option<(String, String)> {
        env.secret(key).map(|secret| (secret.secret.expose().to_owned(), secret.origin.to_string()))
    }

    #[test]
    fn what_env_lacks_comes_from_the_siblings_in_their_order() {
        let mut env = env(&[("env/.env", "GITHUB_TOKEN=own\n")], SecretsPolicy::Read);
        let one = "PORT=1\nGITHUB_TOKEN=saas\nnot a line\nAWS_REGION=eu-west-1\nFLY_API_TOKEN=saas\n";
        assert_eq!(env.add_sibling("../leo-saas/.env", Ok(one.to_owned()), &KEYS), []);
        assert_eq!(env.add_sibling("../b/.env", Ok("FLY_API_TOKEN=b\n".to_owned()), &KEYS), []);
        assert_eq!(secret(&env, "GITHUB_TOKEN"), Some(("own".to_owned(), "env/.env:1".to_owned())));
        assert_eq!(secret(&env, "FLY_API_TOKEN"), Some(("saas".to_owned(), "../leo-saas/.env:5".to_owned())));
        assert_eq!(secret(&env, "PORT"), None);
        assert_eq!(env.get(crate::Setting::Region), None);
        let secret = |key| format!("[{key}]\nprovider = 'x'\nconsumers = ['generator']\nhelp = 'h'\n");
        let schema = crate::Schema::parse("env.toml", &KEYS.map(secret).concat()).unwrap();
        assert_eq!(env.check(&schema), []);
    }

    #[test]
    fn an_environment_with_a_file_of_its_own_takes_nothing_from_a_sibling() {
        let mut own = env(&[("env/.env.dev", "GITHUB_TOKEN=own\n")], SecretsPolicy::Read);
        assert!(!own.takes_siblings());
        own.add_sibling("../leo-saas/.env", Ok("FLY_API_TOKEN=x\n".to_owned()), &KEYS);
        assert_eq!(secret(&own, "FLY_API_TOKEN"), None);
    }

    #[test]
    fn nobody_who_reads_no_secrets_reads_a_siblings() {
        let mut ignoring = env(&[], SecretsPolicy::Ignore);
        assert!(!ignoring.takes_siblings());
        ignoring.add_sibling("../leo-saas/.env", Ok("FLY_API_TOKEN=x\n".to_owned()), &KEYS);
        assert_eq!(secret(&ignoring, "FLY_API_TOKEN"), None);
    }

    #[test]
    fn a_finding_is_told_where_it_is_about_a_secret_of_ours() {
        let mut env = env(&[], SecretsPolicy::Read);
        let text = "GITHUB_TOKEN=a\nGITHUB_TOKEN=b\nPORT=1\nPORT=2\n";
        let findings = env.add_sibling("../leo-saas/.env", Ok(text.to_owned()), &KEYS);
        let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, ["`GITHUB_TOKEN` is set twice"]);
        let missing = env.add_sibling("../b/.env", Err(io::ErrorKind::NotFound.into()), &KEYS);
        assert!(!missing[0].is_error());
    }
}
