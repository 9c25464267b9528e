//! The paths of a context that a build sees, as BuildKit's client walks them.

use std::fs::{DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::ContextError;
use crate::ignore::{IgnoreList, Matched};

/// One path that a build sees.
#[derive(Debug)]
pub(crate) struct Found {
    /// Relative to the context.
    pub(crate) path: PathBuf,
    /// Of the path itself, not of where a link leads.
    pub(crate) metadata: Metadata,
}

/// A folder on the way down.
struct Folder {
    /// Taken out once the folder is seen: at once where it is not left out, else as soon as something in it is seen.
    unseen: Option<Found>,
    matched: Matched,
}

struct Walk<'a> {
    root: &'a Path,
    list: &'a IgnoreList,
    /// Whether the walk goes into a folder, which is so many folders below the root.
    enter: fn(folder: &Path, depth: usize) -> bool,
    /// The folders that lead to where the walk is.
    above: Vec<Folder>,
    found: Vec<Found>,
}

/// All that a build sees of `root`, sorted by path.
pub(crate) fn walk(root: &Path, list: &IgnoreList) -> Result<Vec<Found>, ContextError> {
    walk_into(root, list, |_, _| true)
}

/// The same of the folders that are entered alone.
pub(crate) fn walk_into(
    root: &Path,
    list: &IgnoreList,
    enter: fn(folder: &Path, depth: usize) -> bool,
) -> Result<Vec<Found>, ContextError> {
    let mut walk = Walk { root, list, enter, above: Vec::new(), found: Vec::new() };
    walk.folder(Path::new(""))?;
    walk.found.sort_unstable_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    Ok(walk.found)
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path) -> Result<(), ContextError> {
        let place = self.root.join(folder);
        let entries = std::fs::read_dir(&place).and_then(Iterator::collect::<io::Result<Vec<DirEntry>>>);
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) if self.may_be_unreadable(&error) => return Ok(()),
            Err(source) => return Err(ContextError::Unreadable { path: place, source }),
        };
        for entry in entries {
            match entry.metadata() {
                Ok(metadata) => self.path(Found { path: folder.join(entry.file_name()), metadata })?,
                // Gone since its folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(ContextError::Unreadable { path: entry.path(), source }),
            }
        }
        Ok(())
    }

    fn path(&mut self, found: Found) -> Result<(), ContextError> {
        let name = found.path.as_os_str().as_bytes();
        let (excluded, matched) = self.list.excludes(name, self.above.last().map(|folder| &folder.matched));
        let is_folder = found.metadata.is_dir();
        if excluded && (!is_folder || self.list.nothing_below(name)) {
            return Ok(());
        }
        if !is_folder {
            if !excluded {
                self.show_folders();
                self.found.push(found);
            }
            return Ok(());
        }
        let path = found.path.clone();
        self.above.push(Folder { unseen: Some(found), matched });
        if !excluded {
            self.show_folders();
        }
        let entered = (self.enter)(&path, self.above.len());
        let result = if entered { self.folder(&path) } else { Ok(()) };
        self.above.pop();
        result
    }

    /// Something is seen, so all folders that lead to it are.
    fn show_folders(&mut self) {
        self.found.extend(self.above.iter_mut().filter_map(|folder| folder.unseen.take()));
    }

    /// Whether a folder's not being readable is no concern: it is left out itself, or gone.
    fn may_be_unreadable(&self, error: &io::Error) -> bool {
        let Some(folder) = self.above.last() else { return false };
        match error.kind() {
            io::ErrorKind::PermissionDenied => folder.unseen.is_some(),
            io::ErrorKind::NotFound => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
