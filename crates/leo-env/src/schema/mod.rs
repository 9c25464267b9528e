//! What the environment files may hold: `infra/env.toml`, which declares every key with its type, the file it belongs in and,
//! for a secret, the provider that it is kept under and the containers that get it.

mod generated;
mod pattern;
mod read;
mod rules;
mod table;
mod value;

use std::{collections::BTreeSet, fmt, fs, io, path::Path};

use leo_diagnostic::{Diagnostic, Location, SourceFile};
pub use leo_token::Shape;

pub use pattern::Pattern;
pub use value::Malformed;

/// Every key, in the order of the file.
#[derive(Clone, Debug)]
pub struct Schema {
    keys: Vec<KeySpec>,
    path: String,
}

impl Schema {
    /// Where the schema is, below the repository's root.
    pub const PATH: &str = "infra/env.toml";

    /// A schema without a key, for whoever goes on though there is none that can be read.
    pub fn empty() -> Self {
        Self { keys: Vec::new(), path: Self::PATH.to_owned() }
    }

    /// Reads the schema below the repository's root. What comes back otherwise is everything that is wrong with it; a file
    /// that isn't there is one finding.
    pub fn load(root: &Path) -> Result<Self, Vec<Diagnostic>> {
        match fs::read_to_string(root.join(Self::PATH)) {
            Ok(text) => Self::parse(Self::PATH, &text),
            Err(error) => Err(vec![unreadable(&error)]),
        }
    }

    /// Reads a schema from its text. What comes back otherwise is everything that is wrong with it, each entry with its line.
    pub fn parse(path: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let keys = read::keys(&SourceFile::new(path, text))?;
        Ok(Self { keys, path: path.to_owned() })
    }

    /// The file that it was read from.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Every key, in the order of the file.
    pub fn keys(&self) -> &[KeySpec] {
        &self.keys
    }

    /// The key of a name.
    pub fn key(&self, name: &str) -> Option<&KeySpec> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Where a key is declared: the line with its name.
    pub fn location(&self, name: &str) -> Option<Location> {
        let KeySpec { name, line, .. } = self.key(name)?;
        let text = format!("[{name}]");
        Some(Location { path: self.path.clone(), line: *line, columns: 1..text.len() - 1, text })
    }

    /// The keys that are secrets, in the order of the file.
    pub fn secrets(&self) -> impl Iterator<Item = (&KeySpec, &SecretSpec)> {
        self.keys.iter().filter_map(|key| Some((key, key.secret.as_ref()?)))
    }

    /// The keys that are no secrets, in the order of the file.
    pub fn settings(&self) -> impl Iterator<Item = &KeySpec> {
        self.keys.iter().filter(|key| key.secret.is_none())
    }
}

fn unreadable(error: &io::Error) -> Diagnostic {
    let path = Schema::PATH;
    match error.kind() {
        io::ErrorKind::NotFound => Diagnostic::error(format!("`{path}` is missing")).hint(
            "it declares every key of the environment files, and is committed: `git restore infra/env.toml`, or run this \
             inside the repository",
        ),
        io::ErrorKind::InvalidData => {
            Diagnostic::error(format!("`{path}` can't be read")).found("bytes that aren't text").hint("save it as UTF-8 text")
        }
        _ => Diagnostic::error(format!("`{path}` can't be read"))
            .found(format!("\"{error}\""))
            .hint("it has to be a file of TOML that you may read"),
    }
}

/// One key of the environment files.
#[derive(Clone, Debug)]
pub struct KeySpec {
    /// Its name, also the variable's: capital letters, digits and `_`.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// Whether it needs a value; every secret does.
    pub required: bool,
    /// What counts where no file and no variable has a value; never for a secret.
    pub default: Option<String>,
    /// The file that it belongs in.
    pub file: FilePlace,
    /// What is only a secret's; `None`: it is none.
    pub secret: Option<SecretSpec>,
    /// The shapes of tokens of which a value has one; empty: any.
    pub shapes: Vec<Shape>,
    /// What a value has to match as well.
    pub pattern: Option<Pattern>,
    /// A value as it could be, for a message; never a secret's.
    pub example: Option<String>,
    /// What it is, in one line.
    pub help: String,
    /// Where to get a value.
    pub get: Option<String>,
    /// The line of its table in the schema, from 1.
    pub line: usize,
}

/// What is only a secret's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSpec {
    /// Whose secret it is: it is kept in `leo/<environment>/<provider>`.
    pub provider: String,
    /// The key of the JSON object that holds it there.
    pub json_key: String,
    /// The containers that get it; never none.
    pub consumers: BTreeSet<Consumer>,
}

/// A container that gets secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consumer {
    /// The always-on web service.
    Orchestrator,
    /// The container of one job.
    Generator,
}

impl Consumer {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Orchestrator, Self::Generator];

    /// Its name in the schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::Orchestrator => "orchestrator",
            Self::Generator => "generator",
        }
    }
}

impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The file that a key belongs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FilePlace {
    /// `env/.env.defaults`, committed. A value in `env/.env` is an override on this machine.
    Defaults,
    /// `env/.env` and `env/.env.<environment>`, never committed.
    Env,
    /// Either.
    Any,
}

impl FilePlace {
    /// Its name in the schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::Defaults => "defaults",
            Self::Env => "env",
            Self::Any => "any",
        }
    }
}

/// What a key's values are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    String,
    /// A whole number, perhaps within bounds.
    Integer {
        /// The smallest.
        min: Option<i64>,
        /// The largest.
        max: Option<i64>,
    },
    /// `true` or `false`.
    Bool,
    /// A URL with a scheme and a host.
    Url,
    /// An AWS region.
    Region,
    /// An ARN, perhaps of one service alone.
    Arn {
        /// The service's short name: `acm`.
        service: Option<String>,
    },
    /// A range of addresses.
    Cidr,
    /// A host's name as DNS has it.
    HostName,
    /// An AWS account.
    AccountId,
    /// A time: `30s`, `5m`, `1h30m`, `7d`.
    Duration,
    /// One of these words.
    Choice(Vec<String>),
}
