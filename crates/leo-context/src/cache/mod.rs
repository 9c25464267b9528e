//! What was read before, so that only what has changed is read again.

mod format;
mod stamp;

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::iter::Peekable;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::vec;

use crate::content::Content;
use crate::hash::Fields;

pub(crate) use self::stamp::{Moment, Stamp};

/// How the files of a cache end.
const ENDING: &str = "context";
/// As many contexts are remembered.
const KEPT: usize = 20;

/// The files of one context as they were when they were read.
#[derive(Debug)]
pub(crate) struct Cache {
    /// Where it is kept; `None` where nothing is to be remembered.
    file: Option<PathBuf>,
    /// Those that were not asked for yet, in the order of their paths.
    entries: Peekable<vec::IntoIter<format::Entry>>,
    /// How many entries it had when it was opened.
    len: usize,
}

impl Cache {
    /// What is remembered of `root`, when it is filtered by `list`. A cache that is damaged, of another version or
    /// not readable is an empty one.
    pub(crate) fn open(folder: Option<&Path>, root: &Path, list: &Path) -> Self {
        let of = |file, entries: Vec<_>| Self {
            file,
            len: entries.len(),
            entries: entries.into_iter().peekable(),
        };
        let Some(folder) = folder else { return of(None, Vec::new()) };
        let mut name = Fields::new("cache");
        name.add(root.as_os_str().as_bytes());
        name.add(list.as_os_str().as_bytes());
        let file = folder.join(format!("{}.{ENDING}", name.finish().short()));
        let entries = fs::read(&file).ok().and_then(|bytes| format::decode(&bytes)).unwrap_or_default();
        of(Some(file), entries)
    }

    /// Takes out what the file of this path holds, if it still is the one that was read. Paths are asked for in their
    /// order.
    pub(crate) fn take(&mut self, path: &Path, stamp: &Stamp) -> Option<Content> {
        while self.entries.next_if(|(own, ..)| own.as_os_str() < path.as_os_str()).is_some() {}
        let (_, own, content) = self.entries.next_if(|(own, ..)| own == path.as_os_str())?;
        (own == *stamp).then_some(content)
    }

    /// How many files were remembered.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Remembers these in place of what was remembered. That it fails is no concern: everything is read again then.
    pub(crate) fn replace<'a>(&self, entries: impl Iterator<Item = (&'a Path, Stamp, &'a Content)>) {
        if let Some(file) = &self.file {
            let _ = write(file, &format::encode(entries));
        }
    }
}

/// Writes all of it or nothing, for this user's eyes alone.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Its mode is 0600 from the start.
    let mut new = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    new.write_all(bytes)?;
    new.persist(file).map_err(|error| error.error)?;
    prune(folder)
}

/// Forgets the contexts that were looked at longest ago.
fn prune(folder: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            files.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    files.sort();
    let gone = files.len().saturating_sub(KEPT);
    files.iter().take(gone).try_for_each(|(_, path)| fs::remove_file(path))
}
