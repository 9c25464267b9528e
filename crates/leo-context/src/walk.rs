//! The paths of a context that a build sees, as BuildKit's client walks them.

use std::fs::{DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::ContextError;
use crate::ignore::{IgnoreList, Matched};
use crate::side_by_side::side_by_side;

/// One path that a build sees.
#[derive(Debug)]
pub(crate) struct Found {
    /// Relative to the context.
    pub(crate) path: PathBuf,
    /// Of the path itself, not of where a link leads. In a box: these are many, and are moved and sorted.
    pub(crate) metadata: Box<Metadata>,
}

/// A folder to walk into.
struct Folder {
    /// The folder that it is in; `None` for the context itself.
    parent: Option<Arc<Folder>>,
    /// Relative to the context.
    path: PathBuf,
    /// How many folders below the context it is.
    depth: usize,
    /// What it matched; `None` for the context itself.
    matched: Option<Matched>,
    /// Taken out once the folder is seen: at once where it is not left out, else as soon as something in it is seen.
    unseen: Mutex<Option<Found>>,
}

/// What is in one folder.
#[derive(Default)]
struct Inside {
    seen: Vec<Found>,
    folders: Vec<Arc<Folder>>,
}

struct Walk<'a> {
    root: &'a Path,
    list: &'a IgnoreList,
    /// Whether the walk goes into a folder, which is so many folders below the root.
    enter: fn(folder: &Path, depth: usize) -> bool,
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
    let walk = Walk { root, list, enter };
    let mut level = vec![Arc::new(Folder {
        parent: None,
        path: PathBuf::new(),
        depth: 0,
        matched: None,
        unseen: Mutex::default(),
    })];
    let mut found = Vec::new();
    while !level.is_empty() {
        let insides = side_by_side(&level, || (), |(), folder| walk.folder(folder))?;
        level.clear();
        for mut inside in insides {
            found.append(&mut inside.seen);
            level.append(&mut inside.folders);
        }
    }
    found.sort_unstable_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    Ok(found)
}

impl Walk<'_> {
    fn folder(&self, folder: &Arc<Folder>) -> Result<Inside, ContextError> {
        let place = self.root.join(&folder.path);
        let entries = std::fs::read_dir(&place).and_then(Iterator::collect::<io::Result<Vec<DirEntry>>>);
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) if folder.may_be_unreadable(&error) => return Ok(Inside::default()),
            Err(source) => return Err(ContextError::Unreadable { path: place, source }),
        };
        let mut inside = Inside::default();
        for entry in entries {
            match entry.metadata() {
                Ok(metadata) => {
                    let path = folder.path.join(entry.file_name());
                    self.path(folder, Found { path, metadata: Box::new(metadata) }, &mut inside);
                }
                // Gone since its folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(ContextError::Unreadable { path: entry.path(), source }),
            }
        }
        Ok(inside)
    }

    fn path(&self, folder: &Arc<Folder>, found: Found, inside: &mut Inside) {
        let name = found.path.as_os_str().as_bytes();
        let (excluded, matched) = self.list.excludes(name, folder.matched.as_ref());
        if !found.metadata.is_dir() {
            if !excluded {
                folder.show(&mut inside.seen);
                inside.seen.push(found);
            }
            return;
        }
        if excluded && self.list.nothing_below(name) {
            return;
        }
        let own = Folder {
            parent: Some(Arc::clone(folder)),
            path: found.path.clone(),
            depth: folder.depth + 1,
            matched: Some(matched),
            unseen: Mutex::new(Some(found)),
        };
        if !excluded {
            own.show(&mut inside.seen);
        }
        if (self.enter)(&own.path, own.depth) {
            inside.folders.push(Arc::new(own));
        }
    }
}

impl Folder {
    fn unseen(&self) -> MutexGuard<'_, Option<Found>> {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is seen, so all folders that lead to it are.
    fn show(&self, seen: &mut Vec<Found>) {
        let mut folder = Some(self);
        // What leads to one that is seen already is seen, too.
        while let Some((own, found)) = folder.and_then(|own| Some((own, own.unseen().take()?))) {
            seen.push(found);
            folder = own.parent.as_deref();
        }
    }

    /// Whether a folder's not being readable is no concern: it is left out itself, or gone.
    fn may_be_unreadable(&self, error: &io::Error) -> bool {
        match error.kind() {
            io::ErrorKind::PermissionDenied => self.unseen().is_some(),
            io::ErrorKind::NotFound => self.parent.is_some(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
