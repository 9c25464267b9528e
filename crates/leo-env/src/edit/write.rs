//! A file is there whole, old or new, whenever this ends.

use std::{
    fs::{self, File, Permissions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use secrecy::zeroize::Zeroizing;

use super::{EditError, EnvFile};
use crate::{BROKEN_LINK, is_broken_link, read_file};

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever could before; a new file is everybody's to read.
    Kept,
    /// Its owner alone (0600), whatever it was before.
    Private,
}

/// The bits that let a file's group and everyone else in.
const OTHERS: u32 = 0o077;

/// What a file came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Whether its text was replaced.
    pub changed: bool,
    /// The permission bits that it had before, where it is now its owner's alone and was not.
    pub was_open: Option<u32>,
}

impl EnvFile {
    /// Reads a file below the repository's root. One that isn't there is an empty one that will be made.
    pub fn read(root: &Path, path: &str) -> Result<Self, EditError> {
        match read_file(&root.join(path)) {
            Ok(text) => Ok(Self::new(path, Some(text))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::new(path, None)),
            Err(error) => Err(EditError::Read { path: path.to_owned(), error }),
        }
    }

    /// Replaces the file below the repository's root, where anything was changed: a new file in the same folder takes its
    /// place once it is on the disk. A link stays one, and what it points to is replaced.
    pub fn write(&self, root: &Path, access: Access) -> Result<Written, EditError> {
        let failed = |error| EditError::Write { path: self.path.clone(), error };
        let file = target(&root.join(&self.path)).map_err(failed)?;
        let mode = match fs::metadata(&file) {
            Ok(metadata) => Some(metadata.mode() & 0o7777),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let was_open = mode.filter(|mode| access == Access::Private && mode & OTHERS != 0);
        if !self.is_changed() {
            if was_open.is_some() {
                fs::set_permissions(&file, Permissions::from_mode(0o600)).map_err(failed)?;
            }
            return Ok(Written { changed: false, was_open });
        }
        let mode = match access {
            Access::Private => 0o600,
            Access::Kept => mode.unwrap_or(0o644),
        };
        if put_in_place(&file, &self.text, mode, || self.is_as_read(&file)).map_err(failed)? {
            Ok(Written { changed: true, was_open })
        } else {
            Err(EditError::ChangedElsewhere { path: self.path.clone() })
        }
    }

    /// Whether the file still is what was read.
    fn is_as_read(&self, file: &Path) -> io::Result<bool> {
        match read_file(file).map(Zeroizing::new) {
            Ok(now) => Ok(self.original.as_ref().is_some_and(|original| **original == *now)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(self.original.is_none()),
            Err(error) => Err(error),
        }
    }
}

/// Puts a text in a file's place, old or new, whole or not at all. A link stays one, a file keeps its permissions, and a new
/// one is everybody's to read.
///
/// # Errors
/// What the system says; the file is then as it was.
pub fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let file = target(path)?;
    let mode = fs::metadata(&file).map_or(0o644, |metadata| metadata.mode() & 0o7777);
    put_in_place(&file, text, mode, || Ok(true)).map(drop)
}

/// Puts a text in a file's place, unless that `may` not be done after all; whether it did.
fn put_in_place(
    file: &Path,
    text: &str,
    mode: u32,
    may: impl FnOnce() -> io::Result<bool>,
) -> io::Result<bool> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // A name that git ignores like every `.env.*`, and that no environment can have. Until it is whole it is its owner's
    // alone, and it goes with whatever goes wrong.
    let mut fresh = tempfile::Builder::new().prefix(".env.~").tempfile_in(folder)?;
    fresh.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(file) {
        // Whoever may write it for somebody else leaves it theirs; anybody else can't, and need not.
        let _ = fchown(fresh.as_file(), Some(old.uid()), Some(old.gid()));
    }
    fresh.as_file().set_permissions(Permissions::from_mode(mode))?;
    fresh.as_file().sync_all()?;
    let folder = File::open(folder)?;
    // From looking to renaming one writer at a time, or the second would undo what the first has done. It ends with the
    // folder's handle. A file system that has no locks has the look alone.
    let _ = folder.lock();
    if !may()? {
        return Ok(false);
    }
    fresh.persist(file).map_err(|error| error.error)?;
    // The name is in the folder, which has to reach the disk as well.
    folder.sync_all()?;
    Ok(true)
}

/// The file itself, past links to it.
fn target(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(target) => Ok(target),
        // A plain file in its place would be another one than the one that was meant.
        Err(error) if is_broken_link(&error, path) => Err(io::Error::other(BROKEN_LINK)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(path.to_owned()),
        Err(error) => Err(error),
    }
}
