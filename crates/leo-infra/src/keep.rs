//! What commands keep in the work tree's `.leo/`: for its owner alone, and only the newest of it.

use crate::failure::Problem;
use leo_aws::FailureKind;
use serde::Serialize;
use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// How many operations are kept; the recorder keeps the evidence of as many.
pub(crate) const KEPT: usize = 20;

const FOLDER: &str = ".leo";

/// Where a record of each operation is.
pub(crate) fn operations(root: &Path) -> PathBuf {
    root.join(FOLDER).join("operations")
}

/// Where the evidence of operations is, a folder each.
pub(crate) fn evidence(root: &Path) -> PathBuf {
    root.join(FOLDER).join("evidence")
}

/// Where it is kept which versions of an environment's secrets were last equal to its files; the local target has its own.
pub(crate) fn secrets(root: &Path, environment: &str, local: bool) -> PathBuf {
    let folder = root.join(FOLDER).join("secrets");
    let folder = if local { folder.join("local") } else { folder };
    folder.join(format!("{environment}.json"))
}

/// Where the hashes of files in build contexts are remembered.
pub(crate) fn hashes(root: &Path) -> PathBuf {
    root.join(FOLDER).join("hashes")
}

/// Writes a private JSON file and its folders. A reader sees the old file or the new one, whenever this ends.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Problem> {
    write(path, value).map_err(|error| {
        Problem::new(FailureKind::Failed, format!("write {}: {error}", path.display()))
            .hint("make room on the disk, or give this folder back to its owner")
    })
}

fn write(path: &Path, value: &impl Serialize) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let fresh = path.with_extension("new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(&serde_json::to_vec_pretty(value)?)?;
    fs::rename(&fresh, path)
}

/// Removes all but the newest entries of a folder whose names begin with the time.
///
/// What can't be removed stays: nothing depends on its absence.
pub(crate) fn prune(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let old = paths.len().saturating_sub(KEPT);
    for path in paths.into_iter().take(old) {
        let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_kept_is_private() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let path = operations(folder.path()).join("one.json");
        write_json(&path, &["x"]).expect("writes");
        write_json(&path, &["y"]).expect("writes again");
        assert_eq!(fs::read_to_string(&path).expect("reads"), "[\n  \"y\"\n]");
        let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().expect("has a folder")), 0o700);
        assert_eq!(mode(&folder.path().join(FOLDER)), 0o700);
    }

    #[test]
    fn the_newest_twenty_stay() {
        let folder = tempfile::tempdir().expect("makes a folder");
        for number in 0..25 {
            fs::create_dir(folder.path().join(format!("{number:02}-x"))).expect("makes a folder");
        }
        prune(folder.path());
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).expect("reads").flatten().map(|entry| entry.file_name()).collect();
        left.sort();
        assert_eq!(left.len(), KEPT);
        assert_eq!(left.first().and_then(|name| name.to_str()), Some("05-x"));
    }
}
