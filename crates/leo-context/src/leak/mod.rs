//! Secrets that a build would see: by the names of files and by the shapes of tokens, which `leo-token` knows.

mod names;

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

pub(crate) use leo_token::{OVERLAP, Scanner, Window};
pub(crate) use names::named_secret;

/// A token that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Which shape.
    pub(crate) kind: u8,
    /// The line, from 1.
    pub(crate) line: u32,
}

/// The kind of secret that a [`Token`] is.
pub(crate) fn kind_name(kind: u8) -> Option<Secret> {
    leo_token::kind_name(kind).map(Secret)
}

/// What decides which tokens are found: with other rules, what was found before is worth nothing.
pub(crate) fn rules() -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    leo_token::rules(|part| {
        hasher.update(part);
    });
    *hasher.finalize().as_bytes()
}

/// A kind of secret, in words: "a GitHub token". Never a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Secret(pub(crate) &'static str);

impl Display for Secret {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Where a build would see a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeakSource {
    /// In the build context.
    Context,
    /// In the named context of this name.
    Named(String),
    /// In the Dockerfile, which a build sees whatever `.dockerignore` says.
    Dockerfile,
    /// In the value of the build argument of this name.
    BuildArgument(String),
}

/// Something a build would see that looks like a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// Where it is.
    pub context: LeakSource,
    /// The file, relative to its context. For a build argument its name.
    pub path: PathBuf,
    /// Its line in the file, from 1, where it was found by its shape.
    pub line: Option<u32>,
    /// What it looks like.
    pub what: Secret,
    /// The line that keeps it out of the build, and the list where it belongs. `None` where no list helps.
    pub ignore: Option<IgnoreLine>,
}

/// A line for a `.dockerignore`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IgnoreLine {
    /// The list, with its whole path. It need not be there yet.
    pub file: PathBuf,
    /// The line, to be put at its end.
    pub line: String,
}

impl Leak {
    /// The line for `.dockerignore`, where one helps.
    pub fn ignore_line(&self) -> Option<&str> {
        self.ignore.as_ref().map(|ignore| ignore.line.as_str())
    }

    /// What to do about it, where it is none that may be there.
    pub fn fix(&self) -> String {
        match (&self.ignore, &self.context) {
            (Some(IgnoreLine { file, line }), _) => format!("add `{line}` to {}", file.display()),
            (None, LeakSource::BuildArgument(_)) => {
                "take it out of the image's build_args: anyone can read them in the image's history"
                    .to_owned()
            }
            (None, _) => {
                "take it out of the Dockerfile: anyone can read it in the image's history".to_owned()
            }
        }
    }
}

/// `.env: an environment file with secrets`; with the line and the context where there are such.
impl Display for Leak {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.context {
            LeakSource::BuildArgument(name) => return write!(f, "build argument {name}: {}", self.what),
            LeakSource::Named(name) => write!(f, "{name}: {}", self.path.display())?,
            LeakSource::Context | LeakSource::Dockerfile => write!(f, "{}", self.path.display())?,
        }
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)
    }
}
