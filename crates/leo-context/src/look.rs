use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::cache::{Moment, Stamp};
use crate::dockerfile::{self, MovingBase};
use crate::error::ContextError;
use crate::folder::{Finding, Folder};
use crate::hash::{Fields, SourceHash};
use crate::ignore;
use crate::leak::{Leak, LeakSource, Scanner, kind_name};
use crate::place;

/// What is looked at: all that decides what an image becomes.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The build context.
    pub context: &'a Path,
    /// The Dockerfile, with its whole path. It has to lie in the context.
    pub dockerfile: &'a Path,
    /// Further folders that the Dockerfile reads by name (`COPY --from=<name>`).
    pub named: &'a BTreeMap<String, PathBuf>,
    /// Build arguments.
    pub build_args: &'a BTreeMap<String, String>,
    /// The stage to build; `None`: the last.
    pub target: Option<&'a str>,
    /// What it is built for, like `linux/arm64`.
    pub platform: &'a str,
    /// Anything else that makes another image of the same sources, like how it is exported.
    pub recipe: &'a str,
    /// Files and folders that look like secrets and are none, relative to their context.
    pub allowed: &'a [PathBuf],
    /// The folder where what was read is remembered; `None` reads everything each time.
    pub cache: Option<&'a Path>,
    /// This repository, which holds `env/.env`: no context may be it or around it.
    pub own_root: Option<&'a Path>,
    /// The user's home folder: no context may be it or around it.
    pub home: Option<&'a Path>,
}

/// What a build would see.
#[derive(Clone, Debug)]
pub struct Look {
    /// All of it as one number.
    pub hash: SourceHash,
    /// When the files were last written, as one number: where it is the same at two looks, none of them was another one
    /// in between, not even one that was put back. It means nothing on another machine.
    pub stamps: SourceHash,
    /// Files that a build would see, all contexts together.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were read now; the others are as they were at an earlier look.
    pub read: u64,
    /// Whether git's own files are among them: they are others in every checkout, so the hash is another one, too.
    pub repository: bool,
    /// What the Dockerfile takes from outside that can be another thing tomorrow. Where there is any, the same hash
    /// stands for the same image for a while only.
    pub moving: Vec<MovingBase>,
    /// What looks like a secret, by place and path. A build must not go on while there is any.
    pub leaks: Vec<Leak>,
    /// What is allowed without need: it is not there, or does not look like a secret.
    pub unused_allowed: Vec<PathBuf>,
}

/// Looks at what a build would see.
///
/// # Errors
/// What the user has to set right first: a context or Dockerfile that is missing or where it must not be, a bad
/// pattern, a file that can't be read.
pub fn look(request: &Request<'_>) -> Result<Look, ContextError> {
    let started = Moment::now();
    let context = place::context(request.context, request.own_root, request.home)?;
    let dockerfile = place::dockerfile(request.dockerfile, &context)?;
    let mut stamps = Fields::new("stamps");
    if let Ok(metadata) = dockerfile.metadata() {
        Stamp::of(&metadata).add_to(&mut stamps);
    }
    let text = std::fs::read(&dockerfile)
        .map_err(|source| ContextError::Dockerfile { path: request.dockerfile.to_owned(), source })?;
    let scanner = Scanner::new();
    let own_name = dockerfile.strip_prefix(&context).unwrap_or(&dockerfile).to_owned();

    let mut folders = vec![Folder {
        list: ignore::list_of(&context, &dockerfile),
        root: context,
        source: LeakSource::Context,
        dockerfile: Some(&own_name),
    }];
    for (name, path) in request.named {
        let root = place::context(path, request.own_root, request.home)?;
        let list = root.join(ignore::IGNORE_FILE);
        folders.push(Folder { root, list, source: LeakSource::Named(name.clone()), dockerfile: None });
    }

    let mut found = own_leaks(&own_name, &text, &scanner);
    let mut hash = Fields::new("leo-context 1");
    hash.add(request.recipe.as_bytes());
    hash.add(request.platform.as_bytes());
    hash.optional(request.target.map(str::as_bytes));
    hash.number(request.build_args.len() as u64);
    for (name, value) in request.build_args {
        hash.add(name.as_bytes());
        hash.add(value.as_bytes());
    }
    hash.add(&text);
    let (mut files, mut bytes, mut read, mut repository) = (0, 0, 0, false);
    for folder in &folders {
        let seen = folder.look(request.cache, started, &scanner)?;
        if let LeakSource::Named(name) = &folder.source {
            hash.add(name.as_bytes());
        }
        hash.add(seen.hash.to_string().as_bytes());
        stamps.add(seen.stamps.to_string().as_bytes());
        (files, bytes, read) = (files + seen.files, bytes + seen.bytes, read + seen.read);
        repository |= seen.repository;
        found.extend(seen.leaks);
    }

    let (mut leaks, unused_allowed) = judge(found, request.allowed);
    leaks.extend(arguments(request, &scanner));
    let moving = dockerfile::moving(&String::from_utf8_lossy(&text), request);
    let (hash, stamps) = (hash.finish(), stamps.finish());
    Ok(Look { hash, stamps, files, bytes, read, repository, moving, leaks, unused_allowed })
}

/// Secrets in the values of build arguments, which anyone can read in the image's history.
fn arguments(request: &Request<'_>, scanner: &Scanner) -> Vec<Leak> {
    let mut leaks = Vec::new();
    for (name, value) in request.build_args {
        let kinds = scanner.scan_all(value.as_bytes());
        leaks.extend(kinds.into_iter().filter_map(kind_name).map(|what| Leak {
            context: LeakSource::BuildArgument(name.clone()),
            path: name.into(),
            line: None,
            what,
            ignore: None,
        }));
    }
    leaks
}

/// Secrets in the Dockerfile itself.
fn own_leaks(name: &Path, text: &[u8], scanner: &Scanner) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line) in (1_u32..).zip(text.split(|&byte| byte == b'\n')) {
        for what in scanner.scan_all(line).into_iter().filter_map(kind_name) {
            let (context, path) = (LeakSource::Dockerfile, name.to_owned());
            let leak = Leak { context, path, line: Some(number), what, ignore: None };
            found.push(Finding { file: name.to_owned(), leak });
        }
    }
    found
}

/// The leaks that are not allowed, and what is allowed without need.
pub(crate) fn judge(found: Vec<Finding>, allowed: &[PathBuf]) -> (Vec<Leak>, Vec<PathBuf>) {
    let mut used = BTreeSet::new();
    let mut leaks = BTreeSet::new();
    for Finding { file, leak } in found {
        let mut by = allowed.iter().filter(|allowed| file.starts_with(allowed)).peekable();
        if by.peek().is_none() {
            leaks.insert(leak);
        }
        used.extend(by);
    }
    let unused = allowed.iter().filter(|allowed| !used.contains(allowed)).cloned().collect();
    (leaks.into_iter().collect(), unused)
}

#[cfg(test)]
mod tests;
