//! Where a build reads from, and which folders are too wide for it.

use std::path::{Path, PathBuf};

use crate::error::ContextError;

/// A context with no links in its own path.
pub(crate) fn context(
    path: &Path,
    own_root: Option<&Path>,
    home: Option<&Path>,
) -> Result<PathBuf, ContextError> {
    let error = |source| ContextError::Context { path: path.to_owned(), source };
    let real = path.canonicalize().map_err(error)?;
    if !real.is_dir() {
        return Err(error(std::io::ErrorKind::NotADirectory.into()));
    }
    let real_of = |path: Option<&Path>| path.and_then(|path| path.canonicalize().ok());
    let what = if real.parent().is_none() {
        "the root folder"
    } else if real_of(home).is_some_and(|home| home == real) {
        "the home folder"
    } else if real_of(home).is_some_and(|home| home.starts_with(&real)) {
        "around the home folder"
    } else if real_of(own_root).is_some_and(|root| root.starts_with(&real)) {
        "this repository or around it, where env/.env is"
    } else {
        return Ok(real);
    };
    Err(ContextError::TooWide { path: path.to_owned(), what })
}

/// The Dockerfile with no links in its path but its own name; it has to lie in `context`, which has none either.
pub(crate) fn dockerfile(path: &Path, context: &Path) -> Result<PathBuf, ContextError> {
    let error = |source| ContextError::Dockerfile { path: path.to_owned(), source };
    let real = path.canonicalize().map_err(error)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(error(std::io::ErrorKind::InvalidInput.into()));
    };
    let place = folder.canonicalize().map_err(error)?.join(name);
    if place.starts_with(context) && real.starts_with(context) {
        return Ok(place);
    }
    Err(ContextError::DockerfileOutside { path: path.to_owned(), context: context.to_owned() })
}
