use std::{ffi::OsString, io, path::Path};

use leo_diagnostic::Diagnostic;
use secrecy::zeroize::Zeroizing;

use crate::{
    EnvValue, Origin, SecretValue, Setting, Source,
    layer::{Layer, SECRET_PREFIX},
    memory::{keep_memory_private, not_private},
    regular::{BROKEN_LINK, read_file},
};

/// What becomes of values that may be secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretsPolicy {
    /// They are kept: for commands that send them to AWS, or check them.
    Read,
    /// They are dropped as soon as their line is parsed: for everything else, since the files with the secrets may
    /// override settings as well.
    Ignore,
    /// The files that may hold one are never opened, so what they override does not count either: for the local target,
    /// and for whoever must not see a secret.
    Unopened,
}

/// The environment: settings and secrets, each with where it came from.
#[derive(Clone, Debug)]
pub struct Env {
    /// Lowest first.
    pub(crate) layers: Vec<Layer>,
    pub(crate) policy: SecretsPolicy,
    pub(crate) findings: Vec<Diagnostic>,
}

impl Env {
    /// Reads the files under the repository's root and the process environment. `environment` is the command line's choice;
    /// without one `LEO_ENVIRONMENT` decides, and so which `env/.env.<environment>` is read.
    ///
    /// What is wrong in a file is kept, and reported by [`Env::check`]. Before a file that may hold a secret is read,
    /// this process's memory is [kept private](crate::keep_memory_private).
    pub fn load(root: &Path, environment: Option<&str>, policy: SecretsPolicy) -> Self {
        let private = match policy {
            // A file with secrets is read as a whole, whatever is kept of it.
            SecretsPolicy::Read | SecretsPolicy::Ignore => keep_memory_private(),
            SecretsPolicy::Unopened => Ok(()),
        };
        let read = |path: &str| read_file(&root.join(path));
        let mut env = Self::from_parts(read, std::env::vars_os(), environment, policy);
        env.findings.extend(private.err().map(|error| not_private(&error)));
        env
    }

    /// The same from any reader of files, which gets paths like `env/.env` and answers [`io::ErrorKind::NotFound`] for a
    /// file that isn't there, and any variables.
    pub fn from_parts(
        mut read: impl FnMut(&str) -> io::Result<String>,
        process: impl IntoIterator<Item = (OsString, OsString)>,
        environment: Option<&str>,
        policy: SecretsPolicy,
    ) -> Self {
        let mut env = Self { layers: Vec::new(), policy, findings: Vec::new() };
        env.add_file(Source::Defaults, DEFAULTS, &mut read);
        if policy != SecretsPolicy::Unopened {
            env.add_file(Source::Shared, SHARED, &mut read);
        }
        let process = env.text_of(process);
        env.layers.push(Layer::of_process(process, policy));
        env.layers.extend(environment.map(argument));
        let chosen = env.get(Setting::Environment).map(|value| value.value.clone());
        // A name that isn't one is reported by whoever reads it; here it must not become a path.
        if let Some(name) = chosen.filter(|name| is_file_suffix(name)) {
            if policy != SecretsPolicy::Unopened {
                env.add_file(Source::Environment, &format!("{SHARED}.{name}"), &mut read);
            }
            env.layers.sort_by_key(|layer| layer.source);
            env.refuse_other_environment(&name);
        }
        env
    }

    /// The value of a setting from the highest source that has one.
    pub fn get(&self, setting: Setting) -> Option<&EnvValue> {
        self.layers.iter().rev().find_map(|layer| layer.settings.get(&setting))
    }

    /// The value of a setting from one source.
    pub fn get_from(&self, source: Source, setting: Setting) -> Option<&EnvValue> {
        self.layer(source)?.settings.get(&setting)
    }

    /// The value of a secret: from the process environment, else from the one file that holds this environment's secrets.
    /// Always `None` unless they were [read](SecretsPolicy::Read).
    pub fn secret(&self, key: &str) -> Option<&SecretValue> {
        self.secret_layers().find_map(|layer| layer.secrets.get(key))
    }

    /// What is wrong with the form of the files: all that can be said before the secrets' keys are known.
    pub fn malformed(&self) -> &[Diagnostic] {
        &self.findings
    }

    /// What became of the secrets.
    pub fn policy(&self) -> SecretsPolicy {
        self.policy
    }

    /// Whether `env/.env.<environment>` is there, readable or not; never where it was left
    /// [unopened](SecretsPolicy::Unopened).
    pub fn has_environment_file(&self) -> bool {
        self.layer(Source::Environment).is_some()
    }

    /// Where secrets are looked for, highest first.
    pub(crate) fn secret_layers(&self) -> impl Iterator<Item = &Layer> {
        let file = if self.has_environment_file() { Source::Environment } else { Source::Shared };
        let own = [Source::Process, file].into_iter().filter_map(|source| self.layer(source));
        own.chain(self.sibling_layers())
    }

    pub(crate) fn layer(&self, source: Source) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.source == source)
    }

    fn add_file(&mut self, source: Source, path: &str, read: &mut impl FnMut(&str) -> io::Result<String>) {
        match read(path) {
            Ok(text) => {
                // Overwritten when it is dropped, whatever became of its lines.
                let text = Zeroizing::new(text);
                let (layer, findings) = Layer::of_file(source, path, &text, self.policy);
                self.layers.push(layer);
                self.findings.extend(findings);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                self.findings.push(unreadable(path, &error));
                // It is there with nothing in it: what it was to say must not come from another file.
                self.layers.push(Layer::new(source));
            }
        }
    }

    /// Variables as text. One that isn't is worth a word only where it is ours.
    fn text_of(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        for (name, value) in variables {
            let Ok(name) = name.into_string() else { continue };
            let secret = name.starts_with(SECRET_PREFIX);
            if secret && self.policy != SecretsPolicy::Read {
                continue;
            }
            match value.into_string() {
                Ok(value) => texts.push((name, value)),
                Err(_) if secret || Setting::of_key(&name).is_some() => self.findings.push(
                    Diagnostic::error(format!("`{name}` in the process environment is not UTF-8 text"))
                        .hint("set it again, or unset it"),
                ),
                Err(_) => {}
            }
        }
        texts
    }

    /// The file that is read because of the environment's name must not name another one.
    fn refuse_other_environment(&mut self, name: &str) {
        let other =
            self.get_from(Source::Environment, Setting::Environment).filter(|value| value.value != name);
        if let Some(EnvValue { origin: Origin { location, .. }, .. }) = other {
            let finding = Diagnostic::error("`LEO_ENVIRONMENT` names another environment than its file")
                .at(location.clone())
                .hint(format!("this file is read for `{name}`: delete the line"));
            self.findings.push(finding);
        }
        for layer in self.layers.iter_mut().filter(|layer| layer.source == Source::Environment) {
            layer.settings.remove(&Setting::Environment);
        }
    }
}

const DEFAULTS: &str = "env/.env.defaults";
const SHARED: &str = "env/.env";

fn argument(environment: &str) -> Layer {
    let mut layer = Layer::new(Source::Argument);
    let origin = Origin { source: Source::Argument, location: None };
    layer.settings.insert(Setting::Environment, EnvValue { value: environment.to_owned(), origin });
    layer
}

/// Whether a name can only be the end of a file name in `env/`, and of no other file there.
fn is_file_suffix(name: &str) -> bool {
    !matches!(name, "" | "defaults" | "example")
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn unreadable(path: &str, error: &io::Error) -> Diagnostic {
    let finding = Diagnostic::error(format!("`{path}` can't be read")).found(format!("\"{error}\""));
    match error.kind() {
        io::ErrorKind::InvalidData => finding.hint("save it as UTF-8 text"),
        io::ErrorKind::PermissionDenied => {
            finding.hint(format!("make it yours: chown $USER {path} && chmod 600 {path}"))
        }
        _ if error.to_string() == BROKEN_LINK => finding.hint("make that file, or delete the link"),
        _ => finding.hint("it has to be a file with lines `KEY=value`"),
    }
}
