//! Everything that is judged, gathered: the only part of this crate that opens files or starts a program.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use leo_config::{EnvironmentName, Outline};
use leo_diagnostic::{Diagnostic, SourceFile};
use leo_env::{
    BROKEN_LINK, Entry, Env, LARGEST, Schema, Secret, SecretsPolicy, entries, is_broken_link, read_file,
};

use crate::{
    git::{self, Answer, Tracking},
    published::{Published, behind, published},
    sibling::{self, SiblingFacts},
};

/// What is checked.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The repository's root.
    pub root: &'a Path,
    /// The environment, where the command line names one.
    pub environment: Option<&'a str>,
    /// Whether files that may hold a secret stay unopened.
    pub public: bool,
    /// The process environment.
    pub process: Vec<(OsString, OsString)>,
    /// The user's home folder, which is too wide for a build context.
    pub home: Option<PathBuf>,
}

/// All that is judged.
#[derive(Debug)]
pub struct Facts {
    pub(crate) public: bool,
    /// What infra/leo.toml says; empty where it could not be read.
    pub(crate) leo_toml: SourceFile,
    /// What infra/env.toml declares; `None`: it could not be read.
    pub(crate) schema: Option<Schema>,
    pub(crate) env: Env,
    pub(crate) outline: Outline,
    pub(crate) files: Vec<EnvFile>,
    pub(crate) git: Answer,
    /// Why `env/` can't be entered, where it is there and can't.
    pub(crate) closed: Option<String>,
    pub(crate) siblings: Vec<SiblingFacts>,
    /// What was found wrong already while the facts were gathered.
    pub(crate) findings: Vec<Diagnostic>,
    /// Texts of committed files, in which no secret belongs.
    pub(crate) committed: Vec<SourceFile>,
}

/// A file with variables.
#[derive(Debug)]
pub(crate) struct EnvFile {
    /// As it is shown.
    pub(crate) path: String,
    pub(crate) role: Role,
    /// `None`: it is not there, or can't be seen.
    pub(crate) found: Option<Found>,
    /// Why it can't be seen.
    pub(crate) unseen: Option<String>,
    pub(crate) tracking: Option<Tracking>,
    /// How git publishes what it is a link to.
    pub(crate) behind: Option<Published>,
    /// What it sets; `None`: it was not opened, or is no text.
    pub(crate) entries: Option<Vec<Entry>>,
}

/// What there is under a file's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// The permission bits.
    pub(crate) mode: u32,
    /// A folder, pipe or device is no file.
    pub(crate) regular: bool,
    pub(crate) bytes: u64,
}

/// What a file is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `env/.env.defaults`.
    Defaults,
    /// `env/.env.example`.
    Example,
    /// `env/.env`.
    Shared,
    /// `env/.env.<environment>` of the environment that is meant.
    Own,
    /// That of another environment.
    Other,
    /// Whatever else is in `env/`, which nothing reads; with the environment that it would be of, if there were one.
    Stray(Option<String>),
    /// A sibling's, which an image's `env_file` names.
    Sibling,
}

impl Role {
    /// Whether the file may hold secrets, so that it must be nobody else's.
    pub(crate) fn is_private(&self) -> bool {
        !matches!(self, Self::Defaults | Self::Example)
    }
}

const LEO_TOML: &str = "infra/leo.toml";

/// Gathers the facts. Nothing can go wrong that is not a fact itself.
pub fn look(request: &Request<'_>) -> Facts {
    let asked = git::ask(request.root, "env");
    let mut findings = Vec::new();
    let policy = if request.public { SecretsPolicy::Unopened } else { SecretsPolicy::Read };
    if !request.public
        && let Err(error) = leo_env::keep_memory_private()
    {
        findings.push(leo_env::not_private(&error));
    }
    let leo_toml = match fs::read_to_string(request.root.join(LEO_TOML)) {
        Ok(text) => SourceFile::new(LEO_TOML, text),
        Err(error) => {
            let finding =
                Diagnostic::error(format!("`{LEO_TOML}` can't be read")).found(format!("\"{error}\""));
            findings.push(finding.hint("it is committed: git restore infra/leo.toml"));
            SourceFile::new(LEO_TOML, "")
        }
    };
    let schema = Schema::load(request.root).map_err(|wrong| findings.extend(wrong)).ok();

    let closed = closed(request.root);
    let read = |path: &str| match &closed {
        // Of every file in it the same would be said.
        Some(_) => Err(io::ErrorKind::NotFound.into()),
        None => read_file(&request.root.join(path)),
    };
    let mut env = Env::from_parts(read, request.process.iter().cloned(), request.environment, policy);
    let empty = Schema::empty();
    let outline = leo_config::outline(&leo_toml, schema.as_ref().unwrap_or(&empty), &env);
    let mut files = own_files(request, &outline);
    let mut committed = vec![leo_toml.clone()];
    for file in files.iter_mut().filter(|file| !(file.role.is_private() && request.public)) {
        if file.found.is_none_or(|found| !found.regular || found.bytes > LARGEST)
            || matches!(file.role, Role::Other | Role::Stray(_))
        {
            continue;
        }
        // What can't be read is reported by whoever reads it for its values.
        let Ok(text) = read_file(&request.root.join(&file.path)) else { continue };
        if file.role != Role::Example {
            findings.extend(leo_env::differences(&file.path, &text));
        }
        if file.role.is_private() {
            let text = Secret::new(text);
            file.entries = Some(entries(&file.path, text.expose()));
        } else {
            file.entries = Some(entries(&file.path, &text));
            committed.push(SourceFile::new(&file.path, text));
        }
    }
    if let Ok(text) = fs::read_to_string(request.root.join(Schema::PATH)) {
        committed.push(SourceFile::new(Schema::PATH, text));
    }

    let siblings = sibling::look(request, &outline);
    let keys: Vec<&str> = schema.iter().flat_map(Schema::secrets).map(|(key, _)| key.name.as_str()).collect();
    for path in sibling::env_files(&outline) {
        let (file, wrong) = sibling_file(request, &path, &mut env, outline.protected, &keys);
        findings.extend(wrong);
        files.push(file);
    }
    let git = asked.answer();
    for file in files.iter_mut().filter(|file| file.found.is_some() && file.role != Role::Sibling) {
        file.tracking = git.of(&file.path);
        if file.role.is_private() {
            file.behind = behind(&request.root.join(&file.path)).and_then(|target| published(&target));
        }
    }
    Facts {
        public: request.public,
        leo_toml,
        schema,
        env,
        outline,
        files,
        git,
        closed,
        siblings,
        findings,
        committed,
    }
}

/// Why nothing in `env/` can be seen. It may well be a folder that is not there.
fn closed(root: &Path) -> Option<String> {
    let entered = fs::metadata(root.join("env").join("."));
    let error = entered.err().filter(|error| error.kind() != io::ErrorKind::NotFound)?;
    Some(error.to_string())
}

/// The files in `env/`: those that are wanted, there or not, and what else is there.
fn own_files(request: &Request<'_>, outline: &Outline) -> Vec<EnvFile> {
    let own = outline.environment.as_ref().map(|name| format!(".env.{name}"));
    let mut names: Vec<String> = [".env.defaults", ".env.example", ".env"].map(str::to_owned).to_vec();
    names.extend(own.clone());
    let listed = fs::read_dir(request.root.join("env")).into_iter().flatten().flatten();
    let mut others: Vec<String> = listed
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !names.contains(name))
        .collect();
    others.sort();
    names.extend(others);
    let file = |name: String| {
        let path = format!("env/{name}");
        let role = match name.as_str() {
            ".env.defaults" => Role::Defaults,
            ".env.example" => Role::Example,
            ".env" => Role::Shared,
            _ if own.as_ref() == Some(&name) => Role::Own,
            _ => match name.strip_prefix(".env.").filter(|suffix| EnvironmentName::parse(suffix).is_ok()) {
                Some(suffix) if may_be(suffix, outline) => Role::Other,
                suffix => Role::Stray(suffix.map(str::to_owned)),
            },
        };
        EnvFile::at(&request.root.join(&path), path, role)
    };
    // Of the environment that is meant a file may well not be there.
    names
        .into_iter()
        .map(file)
        .filter(|file| file.role != Role::Own || file.is_there() || outline.protected)
        .collect()
}

/// Whether there is such an environment; where none is declared, every one may be.
fn may_be(environment: &str, outline: &Outline) -> bool {
    let declared = &outline.environments;
    declared.is_empty() || declared.iter().any(|name| name.as_str() == environment)
}

impl EnvFile {
    /// What there is at a place, still unopened.
    fn at(place: &Path, path: String, role: Role) -> Self {
        let (found, unseen) = match fs::metadata(place) {
            Ok(metadata) => {
                let mode = metadata.permissions().mode() & 0o7777;
                (Some(Found { mode, regular: metadata.is_file(), bytes: metadata.len() }), None)
            }
            Err(error) if is_broken_link(&error, place) => (None, Some(BROKEN_LINK.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (None, None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { path, role, found, unseen, tracking: None, behind: None, entries: None }
    }

    /// Whether it is there, or may be.
    pub(crate) fn is_there(&self) -> bool {
        self.found.is_some() || self.unseen.is_some()
    }
}

/// A sibling's file, added to the environment where secrets may come from there.
fn sibling_file(
    request: &Request<'_>,
    path: &Path,
    env: &mut Env,
    protected: bool,
    keys: &[&str],
) -> (EnvFile, Vec<Diagnostic>) {
    let place = request.root.join(path);
    let shown = path.to_string_lossy().into_owned();
    let mut file = EnvFile::at(&place, shown, Role::Sibling);
    file.tracking = file.found.and_then(|_| sibling::tracking(&place));
    if protected || !env.takes_siblings() {
        return (file, Vec::new());
    }
    let text = read_file(&place);
    if let Ok(text) = &text {
        let mut all = entries(&file.path, text);
        all.retain(|entry| keys.contains(&entry.key.as_str()));
        file.entries = Some(all);
    }
    let wrong = env.add_sibling(&file.path, text, keys);
    (file, wrong)
}
