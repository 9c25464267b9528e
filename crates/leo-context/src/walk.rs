//! The paths of a context that a build sees, as BuildKit's client walks them.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::ContextError;
use crate::ignore::{IgnoreList, Matched};

/// One path that a build sees.
#[derive(Debug)]
pub(crate) struct Found {
    /// Relative to the context, with `/` between its parts.
    pub(crate) path: String,
    /// Of the path itself, not of where a link leads.
    pub(crate) metadata: Metadata,
}

/// A folder on the way down.
struct Folder {
    found: Option<Found>,
    matched: Matched,
}

struct Walk<'a> {
    root: &'a Path,
    list: &'a IgnoreList,
    /// The folders that lead to where the walk is; those that are left out themselves are still to be seen, if
    /// something in them is.
    above: Vec<Folder>,
    found: Vec<Found>,
}

/// All that a build sees of `root`, sorted by path.
pub(crate) fn walk(root: &Path, list: &IgnoreList) -> Result<Vec<Found>, ContextError> {
    let mut walk = Walk { root, list, above: Vec::new(), found: Vec::new() };
    walk.folder("")?;
    walk.found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(walk.found)
}

impl Walk<'_> {
    fn folder(&mut self, folder: &str) -> Result<(), ContextError> {
        let place = self.root.join(folder);
        let entries = match std::fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(place, error),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.unreadable(place, error),
            };
            let name = entry.file_name();
            let path = match name.to_str() {
                Some(name) if folder.is_empty() => name.to_owned(),
                Some(name) => format!("{folder}/{name}"),
                None => return Err(ContextError::NotUtf8 { path: place.join(name) }),
            };
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                // Gone since its folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(ContextError::Unreadable { path: entry.path(), source }),
            };
            self.path(path, metadata)?;
        }
        Ok(())
    }

    fn path(&mut self, path: String, metadata: Metadata) -> Result<(), ContextError> {
        let (excluded, matched) = self.list.excludes(&path, self.above.last().map(|folder| &folder.matched));
        let is_folder = metadata.is_dir();
        if excluded && (!is_folder || self.list.nothing_below(&path)) {
            return Ok(());
        }
        let found = Found { path: path.clone(), metadata };
        if !is_folder {
            self.show_folders();
            self.found.push(found);
            return Ok(());
        }
        self.above.push(Folder { found: Some(found), matched });
        if !excluded {
            self.show_folders();
        }
        self.folder(&path)?;
        self.above.pop();
        Ok(())
    }

    /// Something is seen, so all folders that lead to it are.
    fn show_folders(&mut self) {
        self.found.extend(self.above.iter_mut().filter_map(|folder| folder.found.take()));
    }

    fn unreadable(&self, path: PathBuf, source: io::Error) -> Result<(), ContextError> {
        let left_out = self.above.last().is_some_and(|folder| folder.found.is_some());
        match source.kind() {
            io::ErrorKind::PermissionDenied if left_out => Ok(()),
            io::ErrorKind::NotFound if !self.above.is_empty() => Ok(()),
            _ => Err(ContextError::Unreadable { path, source }),
        }
    }
}
