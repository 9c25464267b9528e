use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    mem::take,
};

use leo_diagnostic::{Diagnostic, Location};

use crate::{
    Secret, SecretsPolicy, Setting,
    file::{self, is_key, may_be_shown},
};

/// Where a value can come from, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// An environment file of a sibling repository: for secrets alone.
    Sibling,
    /// `env/.env.defaults`, committed: speaks of all environments and holds no secret.
    Defaults,
    /// `env/.env`, ignored by git: speaks of all environments on this machine.
    Shared,
    /// `env/.env.<environment>`, ignored by git: speaks of one environment.
    Environment,
    /// The process environment.
    Process,
    /// The command line.
    Argument,
}

/// A value's source and, for a file, its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Which of the sources.
    pub source: Source,
    /// The line of the file; its text is hidden unless it is a setting's.
    pub location: Option<Location>,
}

impl fmt::Display for Origin {
    /// As a phrase that reads after "from": `env/.env:3`, `the process environment`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.location, self.source) {
            (Some(location), _) => write!(f, "{}:{}", location.path, location.line),
            (None, Source::Process) => f.write_str("the process environment"),
            (None, Source::Argument) => f.write_str("the command line"),
            (None, Source::Sibling | Source::Defaults | Source::Shared | Source::Environment) => {
                f.write_str("an environment file")
            }
        }
    }
}

/// The value of a setting; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvValue {
    /// The text.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// The value of a secret; never empty.
#[derive(Clone, Debug)]
pub struct SecretValue {
    /// The value.
    pub secret: Secret,
    /// Where it came from.
    pub origin: Origin,
}

/// One source, read.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) source: Source,
    pub(crate) settings: BTreeMap<Setting, EnvValue>,
    /// What may be a secret, by key; empty where secrets are ignored.
    pub(crate) secrets: BTreeMap<String, SecretValue>,
    /// Every key that is neither a setting nor an output, with its place, whether or not its value was kept.
    pub(crate) other_keys: BTreeMap<String, Origin>,
    /// The names of all variables; kept for the process alone.
    pub(crate) names: BTreeSet<String>,
}

impl Layer {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            settings: BTreeMap::new(),
            secrets: BTreeMap::new(),
            other_keys: BTreeMap::new(),
            names: BTreeSet::new(),
        }
    }

    /// A file's layer, and what is wrong with its lines.
    pub(crate) fn of_file(
        source: Source,
        path: &str,
        text: &str,
        policy: SecretsPolicy,
    ) -> (Self, Vec<Diagnostic>) {
        let mut layer = Self::new(source);
        let (entries, mut findings) = file::parse(path, text);
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for mut entry in entries {
            let line = entry.lines.start + 1;
            let location = |shown: &str| Location::hidden(path, line, shown);
            if !is_key(&entry.key) {
                let hint = "capital letters, digits and `_`: `GITHUB_TOKEN=…`";
                findings.push(
                    Diagnostic::error("the line's key is not one").at(location("<not shown>")).hint(hint),
                );
                continue;
            }
            let named = may_be_shown(&entry.key, &entry.value);
            let masked = if named { format!("{}=<not shown>", entry.key) } else { "<not shown>".to_owned() };
            if let Some(first) = seen.insert(entry.key.clone(), line) {
                let key = if named { format!("`{}`", entry.key) } else { "a key".to_owned() };
                findings.push(
                    Diagnostic::error(format!("{key} is set twice"))
                        .at(location(&masked))
                        .found(format!("the first in line {first}"))
                        .hint("delete one of them"),
                );
            }
            if let Some(setting) = Setting::of_key(&entry.key) {
                if entry.lines.len() > 1 || entry.value.contains(['\n', '\r']) {
                    findings.push(
                        Diagnostic::error(format!("`{setting}` goes over several lines"))
                            .at(location(&masked))
                            .hint("close the quote in the line where it is opened"),
                    );
                } else if !entry.value.is_empty() {
                    let origin = Origin {
                        source,
                        location: Some(setting_location(path, line, setting, &entry.value)),
                    };
                    layer.settings.insert(setting, EnvValue { value: take(&mut *entry.value), origin });
                }
            } else if !entry.key.starts_with(OUTPUT_PREFIX) {
                let origin = Origin { source, location: Some(location(&masked)) };
                layer.other_keys.insert(entry.key.clone(), origin.clone());
                if policy == SecretsPolicy::Read && !entry.value.is_empty() {
                    let secret = Secret::new(take(&mut *entry.value));
                    layer.secrets.insert(entry.key, SecretValue { secret, origin });
                }
            }
        }
        (layer, findings)
    }

    /// The process environment's layer: the settings, `LEO_SECRET_*` unless secrets are ignored, and of all the rest only
    /// the names.
    pub(crate) fn of_process(
        variables: impl IntoIterator<Item = (String, String)>,
        policy: SecretsPolicy,
    ) -> Self {
        let mut layer = Self::new(Source::Process);
        let origin = Origin { source: Source::Process, location: None };
        for (name, value) in variables {
            if value.is_empty() {
                continue;
            }
            if let Some(setting) = Setting::of_key(&name) {
                layer.settings.insert(setting, EnvValue { value, origin: origin.clone() });
            } else if let Some(key) = name.strip_prefix(SECRET_PREFIX).filter(|key| is_key(key)) {
                if policy == SecretsPolicy::Read {
                    layer.other_keys.insert(key.to_owned(), origin.clone());
                    let secret = SecretValue { secret: Secret::new(value), origin: origin.clone() };
                    layer.secrets.insert(key.to_owned(), secret);
                }
            } else {
                layer.names.insert(name);
            }
        }
        layer
    }
}

/// What the keys of outputs begin with: they are kept for outputs of the stacks, and never read.
pub(crate) const OUTPUT_PREFIX: &str = "LEO_OUT_";

/// What a secret's key is prefixed with in the process environment.
pub(crate) const SECRET_PREFIX: &str = "LEO_SECRET_";

/// A setting's line: the value is no secret, so it is shown unless it looks like one that was written here by mistake; a
/// comment behind it may be anything, so it isn't.
fn setting_location(path: &str, line: usize, setting: Setting, value: &str) -> Location {
    if leo_token::looks_secret(value).or_else(|| leo_token::describe(value)).is_some() {
        return Location::hidden(path, line, &format!("{setting}=<not shown>"));
    }
    let text = format!("{setting}={value}");
    Location { path: path.to_owned(), line, columns: setting.key().len() + 1..text.len(), text }
}
