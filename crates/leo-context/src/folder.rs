//! One context: the main one, or one that the Dockerfile names.

use std::collections::HashMap;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use crate::cache::{Cache, Moment, Stamp};
use crate::content::{Content, Reader};
use crate::error::ContextError;
use crate::hash::{Fields, SourceHash};
use crate::ignore::{self, IgnoreList};
use crate::leak::{IgnoreLine, Leak, LeakSource, Scanner, kind_name, named_secret};
use crate::side_by_side::side_by_side;
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
    /// Over the stamps of the files, and over nothing of the folders: a build may write into those.
    pub(crate) stamps: SourceHash,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) read: u64,
    /// Whether git's own files are among them.
    pub(crate) repository: bool,
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
        let list = IgnoreList::read(&self.list)?;
        let (mut cache, found) = thread::scope(|scope| {
            // Both take about as long.
            let cache = scope.spawn(|| Cache::open(cache, &self.root, &self.list));
            let found = walk(&self.root, &list);
            (cache.join().unwrap_or_else(|panic| resume_unwind(panic)), found)
        });
        let found = found?;
        let Contents { found, read } = self.contents(found, &mut cache, scanner)?;
        remember(&cache, &found, read, started);

        let mut hash = Fields::new("context");
        let mut first_names: HashMap<(u64, u64), &Path> = HashMap::new();
        let mut stamps = Fields::new("stamps");
        if let Ok(list) = self.list.metadata() {
            Stamp::of(&list).add_to(&mut stamps);
        }
        let mut seen = Seen {
            hash: hash.finish(),
            stamps: stamps.finish(),
            files: 0,
            bytes: 0,
            read,
            repository: false,
            leaks: Vec::new(),
        };
        for (found, content) in &found {
            let metadata = &found.metadata;
            let kind = metadata.file_type();
            let mode = u64::from(metadata.permissions().mode() & 0o7777);
            hash.add(found.path.as_os_str().as_bytes());
            if kind.is_dir() {
                hash.add(b"folder");
                hash.number(mode);
                continue;
            }
            Stamp::of(metadata).add_to(&mut stamps);
            seen.repository |= found.path == Path::new(".git/index");
            self.leaks(found, content.as_ref(), &mut seen.leaks);
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
        seen.stamps = stamps.finish();
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

    /// What is in each regular file. A file that has gone since it was found is no longer among them.
    fn contents(
        &self,
        found: Vec<Found>,
        cache: &mut Cache,
        scanner: &Scanner,
    ) -> Result<Contents, ContextError> {
        let mut contents: Vec<(Found, Option<Content>)> = Vec::with_capacity(found.len());
        let mut unread = Vec::new();
        for (index, found) in found.into_iter().enumerate() {
            let is_file = found.metadata.is_file();
            let content = if is_file { cache.take(&found.path, &Stamp::of(&found.metadata)) } else { None };
            if is_file && content.is_none() {
                unread.push((found.metadata.size(), index));
            }
            contents.push((found, content));
        }
        // The largest first, so that no worker is left with it at the end.
        unread.sort_unstable_by(|a, b| b.cmp(a));
        let read = unread.len() as u64;
        let path = |index: usize| {
            self.root.join(contents.get(index).map_or(Path::new(""), |(found, _)| &found.path))
        };
        let files: Vec<(usize, PathBuf)> =
            unread.into_iter().map(|(_, index)| (index, path(index))).collect();
        let read_now = side_by_side(
            &files,
            || Reader::new(scanner),
            |reader, (index, path)| match reader.read(path) {
                Ok(content) => Ok((*index, Some(content))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((*index, None)),
                Err(source) => Err(ContextError::Unreadable { path: path.clone(), source }),
            },
        )?;
        let mut gone = Vec::new();
        for (index, content) in read_now {
            match (content, contents.get_mut(index)) {
                (Some(content), Some((_, own))) => *own = Some(content),
                _ => gone.push(index),
            }
        }
        gone.sort_unstable();
        for index in gone.iter().rev() {
            contents.remove(*index);
        }
        Ok(Contents { found: contents, read: read - gone.len() as u64 })
    }
}

/// What was found, with the content of the regular files.
struct Contents {
    found: Vec<(Found, Option<Content>)>,
    /// How many were read now.
    read: u64,
}

/// Keeps what was read for the next look, where that is worth writing.
fn remember(cache: &Cache, found: &[(Found, Option<Content>)], read: u64, started: Moment) {
    let settled = |(found, content): &'_ (Found, Option<Content>)| {
        let stamp = Stamp::of(&found.metadata);
        content.is_some() && stamp.settled(started)
    };
    if read == 0 && found.iter().filter(|entry| settled(entry)).count() == cache.len() {
        return;
    }
    cache.replace(found.iter().filter(|entry| settled(entry)).filter_map(|(found, content)| {
        Some((found.path.as_path(), Stamp::of(&found.metadata), content.as_ref()?))
    }));
}
