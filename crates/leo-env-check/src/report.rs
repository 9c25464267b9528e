//! What comes of a check.

use leo_diagnostic::Diagnostic;
use serde_json::{Value, json};

/// What is wrong, and what each key is set to. Nothing in it shows a secret.
#[derive(Clone, Debug)]
pub struct Report {
    /// The environment that was checked; `None`: none is chosen.
    pub environment: Option<String>,
    /// The unopened files that may name another one.
    pub environment_unless: Vec<String>,
    /// Whether files that may hold secrets were left unopened.
    pub public: bool,
    /// The files with variables.
    pub files: Vec<FileReport>,
    /// The keys, in the schema's order, and then outputs of the stacks.
    pub keys: Vec<Key>,
    /// The sibling repositories.
    pub siblings: Vec<Sibling>,
    /// All that is wrong, by file and line; what is about no file comes last.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What kind of thing.
    pub kind: Kind,
    /// The file that it is about, where it is about one.
    pub path: Option<String>,
    /// What is said of it, with its line where it has one.
    pub diagnostic: Diagnostic,
}

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// With the schema, `infra/env.toml`.
    Schema,
    /// With `infra/leo.toml`, or between it and the environment files.
    Configuration,
    /// With the form of a file or with its keys.
    File,
    /// A key that needs a value is nowhere.
    Missing,
    /// It is there without a value.
    Empty,
    /// It was never filled in.
    Placeholder,
    /// A value is none of its key.
    Malformed,
    /// A key is in a file that it doesn't belong in.
    Misplaced,
    /// Something in a committed file looks like a secret.
    Committed,
    /// Git has a file that it must not have.
    Tracked,
    /// Git would take it.
    NotIgnored,
    /// Others may read it.
    Readable,
    /// Nothing reads the file.
    Stray,
    /// A build would see a secret.
    InContext,
    /// A sibling repository is missing.
    SiblingMissing,
    /// It is on another branch than it should be.
    OtherBranch,
    /// Something could not be found out.
    Unknown,
}

impl Kind {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Configuration => "configuration",
            Self::File => "file",
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::Placeholder => "placeholder",
            Self::Malformed => "malformed",
            Self::Misplaced => "misplaced",
            Self::Committed => "secret-in-committed-file",
            Self::Tracked => "tracked",
            Self::NotIgnored => "not-ignored",
            Self::Readable => "readable-by-others",
            Self::Stray => "stray-file",
            Self::InContext => "in-image-context",
            Self::SiblingMissing => "sibling-missing",
            Self::OtherBranch => "other-branch",
            Self::Unknown => "unknown",
        }
    }
}

/// A key and what it is set to.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// The provider of a secret; `None`: it is none.
    pub provider: Option<String>,
    /// Whether it has a value.
    pub state: State,
    /// The value as it may be seen; empty where there is none.
    pub shown: String,
    /// Where the value is from.
    pub from: Option<Place>,
    /// Where else there is a value, which does not count.
    pub overrides: Vec<Place>,
    /// The unopened files that may give a setting another value.
    pub unless: Vec<String>,
    /// What it is, in one line.
    pub help: String,
}

/// Whether a key has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has.
    Set,
    /// It has the schema's.
    Default,
    /// It has none, and needs none.
    Unset,
    /// It has none, and needs one.
    Missing,
    /// Where it may be was not opened.
    NotOpened,
}

impl State {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Default => "default",
            Self::Unset => "unset",
            Self::Missing => "missing",
            Self::NotOpened => "not-opened",
        }
    }
}

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, or words for what is none: "the process environment".
    pub source: String,
    /// The line of a file, from 1.
    pub line: Option<usize>,
}

/// `env/.env:3`, `the process environment`.
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.source),
            None => f.write_str(&self.source),
        }
    }
}

/// A file with variables.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// From the repository's root.
    pub path: String,
    /// Its permissions; `None`: it is not there, or can't be seen.
    pub mode: Option<u32>,
    /// Why it can't be seen.
    pub unseen: Option<String>,
    /// What git says of it: `tracked`, `untracked` or `ignored`.
    pub git: Option<&'static str>,
    /// Whether it was opened.
    pub opened: bool,
}

/// A sibling repository.
#[derive(Clone, Debug)]
pub struct Sibling {
    /// Which image is built from it.
    pub image: &'static str,
    /// Its build context, from the repository's root.
    pub context: String,
    /// Whether it is there.
    pub there: bool,
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// The branch that should be.
    pub wanted_branch: Option<String>,
}

impl Report {
    /// Says of a file that [`fix`](crate::fix) could not make its owner's alone why not.
    pub fn not_fixed(&mut self, path: &str, why: &std::io::Error) {
        let of_file =
            |finding: &&mut Finding| finding.kind == Kind::Readable && finding.path.as_deref() == Some(path);
        for finding in self.findings.iter_mut().filter(of_file) {
            let found = finding.diagnostic.found.take().unwrap_or_default();
            finding.diagnostic.found = Some(format!("{found}, which could not be changed: \"{why}\""));
            finding.diagnostic.hint =
                Some(format!("make it yours: sudo chown $USER {path} && chmod 600 {path}"));
        }
    }

    /// How many of the findings are errors.
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.diagnostic.is_error()).count()
    }

    /// How many are not.
    pub fn warnings(&self) -> usize {
        self.findings.len() - self.errors()
    }

    /// The whole of it as one document.
    pub fn to_json(&self) -> Value {
        json!({
            "environment": self.environment,
            "environment_may_be_overridden": !self.environment_unless.is_empty(),
            "public": self.public,
            "errors": self.errors(),
            "warnings": self.warnings(),
            "keys": self.keys.iter().map(Key::to_json).collect::<Vec<_>>(),
            "files": self.files.iter().map(FileReport::to_json).collect::<Vec<_>>(),
            "siblings": self.siblings.iter().map(Sibling::to_json).collect::<Vec<_>>(),
            "findings": self.findings.iter().map(Finding::to_json).collect::<Vec<_>>(),
        })
    }
}

impl Finding {
    fn to_json(&self) -> Value {
        let Diagnostic { message, location, found, hint, .. } = &self.diagnostic;
        json!({
            "kind": self.kind.name(),
            "severity": if self.diagnostic.is_error() { "error" } else { "warning" },
            "message": message,
            "path": self.path,
            "line": location.as_ref().map(|location| location.line),
            "text": location.as_ref().map(|location| location.text.as_str()),
            "found": found,
            "hint": hint,
        })
    }
}

impl Key {
    fn to_json(&self) -> Value {
        json!({
            "key": self.name,
            "secret": self.provider.is_some(),
            "provider": self.provider,
            "state": self.state.name(),
            "shown": self.shown,
            "from": self.from.as_ref().map(Place::to_json),
            "overrides": self.overrides.iter().map(Place::to_json).collect::<Vec<_>>(),
            "may_be_overridden": !self.unless.is_empty(),
            "may_be_overridden_by": self.unless,
            "help": self.help,
        })
    }
}

impl Place {
    fn to_json(&self) -> Value {
        json!({"source": self.source, "line": self.line})
    }
}

impl FileReport {
    fn to_json(&self) -> Value {
        json!({
            "path": self.path,
            "there": self.unseen.is_none().then_some(self.mode.is_some()),
            "mode": self.mode.map(|mode| format!("{mode:04o}")),
            "git": self.git,
            "opened": self.opened,
        })
    }
}

impl Sibling {
    fn to_json(&self) -> Value {
        json!({
            "image": self.image,
            "context": self.context,
            "there": self.there,
            "branch": self.branch,
            "wanted_branch": self.wanted_branch,
        })
    }
}
