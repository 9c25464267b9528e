//! Evidence on disk: `<evidence>/<operation>/evidence.json`, private, complete at every moment.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::evidence::Evidence;

/// The file in an operation's folder.
const FILE: &str = "evidence.json";
/// How many operations' evidence is kept.
const KEPT: usize = 20;

/// Why evidence could not be saved or read. Messages read after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system said no.
    #[error("{verb} {}: {source}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not evidence.
    #[error("read {}: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Evidence {
    /// Saves it in an operation's folder, which is made where it isn't there. Whoever reads meanwhile, or after this
    /// process was killed, finds the state of before or of now, never half of one.
    pub fn save(&self, folder: &Path) -> Result<(), StoreError> {
        let path = folder.join(FILE);
        let io = |verb: &'static str| {
            let path = path.clone();
            move |source| StoreError::Io { verb, path, source }
        };
        make_private(folder).map_err(io("make the folder of"))?;
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|source| StoreError::Format { path: path.clone(), source })?;
        text.push(b'\n');
        // Of this process alone: two that record one operation must not write into one file.
        let temporary = folder.join(format!(".{FILE}.{}", std::process::id()));
        write_private(&temporary, &text).map_err(io("write"))?;
        fs::rename(&temporary, &path).map_err(io("write"))
    }

    /// What was saved in an operation's folder; `None` where nothing was.
    pub fn load(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::Io { verb: "read", path, source }),
        };
        serde_json::from_slice(&text).map(Some).map_err(|source| StoreError::Format { path, source })
    }
}

/// The operations that have evidence in `folder`, the newest first: their ids begin with their time.
pub fn saved_operations(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(StoreError::Io { verb: "read", path: folder.to_owned(), source }),
    };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join(FILE).is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}

/// Removes all but the newest operations' evidence beside `folder`. What can't be removed stays.
pub(crate) fn forget_old(folder: &Path) {
    let Some(parent) = folder.parent() else { return };
    let Ok(names) = saved_operations(parent) else { return };
    for name in names.into_iter().skip(KEPT) {
        let old = parent.join(name);
        if old != folder {
            // What can't be removed now will be tried again by the next operation.
            drop(fs::remove_dir_all(old));
        }
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut permissions = fs::metadata(folder)?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(0o700);
        fs::set_permissions(folder, permissions)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_what_is_read() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("evidence").join("20261101T120000Z-dev-deploy-0001");
        assert!(Evidence::load(&folder).unwrap().is_none());
        let evidence = Evidence { mismatches: vec!["no targets".to_owned()], ..Evidence::default() };
        evidence.save(&folder).unwrap();
        evidence.save(&folder).unwrap();
        assert_eq!(Evidence::load(&folder).unwrap(), Some(evidence));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no temporary file stays");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("evidence").join("one");
        Evidence::default().save(&folder).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&root.path().join("evidence")), 0o700);
        assert_eq!(mode(&folder.join(FILE)), 0o600);
    }

    #[test]
    fn only_the_newest_are_kept() {
        let root = tempfile::tempdir().unwrap();
        for index in 0..25 {
            Evidence::default().save(&root.path().join(format!("20261101T1200{index:02}Z"))).unwrap();
        }
        forget_old(&root.path().join("20261101T120024Z"));
        let left = saved_operations(root.path()).unwrap();
        assert_eq!(
            (left.len(), left[0].as_str(), left[19].as_str()),
            (20, "20261101T120024Z", "20261101T120005Z")
        );
        assert!(saved_operations(&root.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_evidence_is_an_error_that_names_the_file() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(FILE), "{").unwrap();
        let error = Evidence::load(root.path()).unwrap_err().to_string();
        assert!(error.contains(FILE) && error.contains("EOF"), "{error}");
    }

    #[test]
    fn evidence_of_another_version_is_still_read() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(FILE), r#"{"began":"x","invented":{"later":1}}"#).unwrap();
        assert_eq!(Evidence::load(root.path()).unwrap().unwrap().began, "x");
    }
}
