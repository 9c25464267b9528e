//! One context: the main one, or one that the Dockerfile names.

use std::collections::HashMap;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::cache::{Cache, Moment, Stamp};
use crate::content::{Content, Reader};
use crate::error::ContextError;
use crate::hash::{Fields, SourceHash};
use crate::ignore::{self, IgnoreList};
use crate::leak::{IgnoreLine, Leak, LeakSource, Scanner, kind_name, named_secret};
use crate::walk::{Found, walk};

/// A context to be looked at.
#[derive(Debug)]
pub(crate) struct Folder<'a> {
    /// Its path, without links.
    pub(crate) root: PathBuf,
    /// Its list of what a build does not see.
    pub(crate) list: PathBuf,
    /// What it is called where something is found.
    pub(crate) source: LeakSource,
    /// The Dockerfile in it, whose own secrets are another matter: no list helps.
    pub(crate) dockerfile: Option<&'a Path>,
}

/// What a build would see of a context.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) hash: SourceHash,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) read: u64,
    /// Whether allowed or not.
    pub(crate) leaks: Vec<Finding>,
}

/// A leak, and the file that makes it one: the leak itself may be of a folder around it.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) file: PathBuf,
    pub(crate) leak: Leak,
}

impl Folder<'_> {
    pub(crate) fn look(
        &self,
        cache: Option<&Path>,
        started: Moment,
        scanner: &Scanner,
    ) -> Result<Seen, ContextError> {
        let mut found = walk(&self.root, &IgnoreList::read(&self.list)?)?;
        let cache = Cache::open(cache, &self.root, &self.list);
        let (contents, read) = self.contents(&mut found, &cache, scanner)?;
        remember(&cache, &found, &contents, read, started);

        let mut hash = Fields::new("context");
        let mut first_names: HashMap<(u64, u64), &Path> = HashMap::new();
        let mut seen = Seen { hash: hash.finish(), files: 0, bytes: 0, read, leaks: Vec::new() };
        for found in &found {
            let metadata = &found.metadata;
            let kind = metadata.file_type();
            let mode = u64::from(metadata.permissions().mode() & 0o7777);
            hash.add(found.path.as_os_str().as_bytes());
            if kind.is_dir() {
                hash.add(b"folder");
                hash.number(mode);
                continue;
            }
            let content = contents.get(&found.path);
            self.leaks(found, content, &mut seen.leaks);
            if kind.is_symlink() {
                hash.add(b"link");
                let path = self.root.join(&found.path);
                let target = path.read_link().map_err(|source| ContextError::Unreadable { path, source })?;
                hash.add(target.as_os_str().as_bytes());
            } else if let Some(content) = content {
                hash.add(b"file");
                hash.number(mode);
                hash.add(&content.hash);
                hash.add(&content.attributes);
                // Two names of one file are one file in the image, too.
                let several = metadata.nlink() > 1;
                let first = several
                    .then(|| *first_names.entry((metadata.dev(), metadata.ino())).or_insert(&found.path));
                hash.optional(
                    first.filter(|first| *first != found.path).map(|first| first.as_os_str().as_bytes()),
                );
                seen.files += 1;
                seen.bytes += metadata.size();
            } else {
                // A device, a pipe, or a socket, of which BuildKit makes an empty file.
                hash.add(b"special");
                hash.number(u64::from(metadata.mode()));
                hash.number(metadata.rdev());
            }
        }
        seen.hash = hash.finish();
        Ok(seen)
    }

    /// What of a file looks like a secret: its name, or else what is in it.
    fn leaks(&self, found: &Found, content: Option<&Content>, leaks: &mut Vec<Finding>) {
        let mut leak = |path: &Path, line, what| {
            let ignore = IgnoreLine { file: self.list.clone(), line: ignore::line_for(path) };
            let source = self.source.clone();
            let leak = Leak { context: source, path: path.to_owned(), line, what, ignore: Some(ignore) };
            leaks.push(Finding { file: found.path.clone(), leak });
        };
        if let Some((path, what)) = named_secret(&found.path) {
            leak(path, None, what);
        } else if self.dockerfile != Some(&found.path) {
            for token in content.map(|content| content.tokens.as_slice()).unwrap_or_default() {
                if let Some(what) = kind_name(token.kind) {
                    leak(&found.path, Some(token.line), what);
                }
            }
        }
    }

    /// What is in each regular file, and how many of them were read now. A file that has gone since it was found is
    /// taken out.
    fn contents(
        &self,
        found: &mut Vec<Found>,
        cache: &Cache,
        scanner: &Scanner,
    ) -> Result<(HashMap<PathBuf, Content>, u64), ContextError> {
        let mut contents = HashMap::with_capacity(found.len());
        let mut unread = Vec::new();
        for found in found.iter().filter(|found| found.metadata.is_file()) {
            match cache.get(&found.path, &Stamp::of(&found.metadata)) {
                Some(content) => {
                    contents.insert(found.path.clone(), content.clone());
                }
                None => unread.push(found),
            }
        }
        // The largest first, so that no worker is left with it at the end.
        unread.sort_by_key(|found| std::cmp::Reverse(found.metadata.size()));
        let mut gone = Vec::new();
        let mut read = 0;
        for (path, content) in read_all(&self.root, &unread, scanner) {
            match content {
                Ok(content) => {
                    contents.insert(path.to_owned(), content);
                    read += 1;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => gone.push(path.to_owned()),
                Err(source) => {
                    return Err(ContextError::Unreadable { path: self.root.join(path), source });
                }
            }
        }
        found.retain(|found| !gone.contains(&found.path));
        Ok((contents, read))
    }
}

/// Reads files with as many threads as there are processors. After the first failure no other file is begun.
fn read_all<'a>(root: &Path, files: &[&'a Found], scanner: &Scanner) -> Vec<(&'a Path, io::Result<Content>)> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(files.len()));
    let work = || {
        let mut reader = Reader::new(scanner);
        let mut own = Vec::new();
        while let Some(found) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let content = reader.read(&root.join(&found.path));
            if content.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
                next.store(files.len(), Ordering::Relaxed);
            }
            own.push((found.path.as_path(), content));
        }
        done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(files.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps what was read for the next look, where that is worth writing.
fn remember(
    cache: &Cache,
    found: &[Found],
    contents: &HashMap<PathBuf, Content>,
    read: u64,
    started: Moment,
) {
    let entries: Vec<_> = found
        .iter()
        .filter_map(|found| {
            let content = contents.get(&found.path)?;
            let stamp = Stamp::of(&found.metadata);
            stamp.settled(started).then_some((found.path.as_path(), stamp, content))
        })
        .collect();
    if read > 0 || entries.len() != cache.len() {
        cache.replace(entries.into_iter());
    }
}
