use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use leo_aws::FailureKind;
use serde::{Deserialize, Serialize};

/// Which version of each secret this machine last saw equal to its environment file, or made so. It holds ids of versions
/// and nothing of any value.
///
/// It tells a value that was changed here from one that was changed elsewhere: see [`plan_push`](crate::plan_push).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    versions: BTreeMap<String, String>,
}

/// A record that can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {}: {source}", path.display())]
pub struct RecordError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl RecordError {
    /// Which exit code it ends in.
    pub fn kind(&self) -> FailureKind {
        FailureKind::Failed
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        format!(
            "make {0} yours and make room on the disk; without it (`rm {0}`) a push asks for --overwrite where values differ",
            self.path.display()
        )
    }
}

impl Record {
    /// The record in a file; an empty one where there is no file.
    ///
    /// # Errors
    /// A file that can't be read, or is no record.
    pub fn load(path: &Path) -> Result<Self, RecordError> {
        let failed = |source| RecordError { doing: "read", path: path.to_owned(), source };
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Writes it, with its folder, for the owner alone. A reader sees the old file or the new one, whenever this ends.
    ///
    /// # Errors
    /// A folder or file that can't be written.
    pub fn save(&self, path: &Path) -> Result<(), RecordError> {
        self.write(path).map_err(|source| RecordError { doing: "write", path: path.to_owned(), source })
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // A name of its own each time: two commands may write at once. Mode 0600 is tempfile's own.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.persist(path)?;
        Ok(())
    }

    /// The version of a secret that was last equal to the file.
    pub fn version(&self, secret: &str) -> Option<&str> {
        self.versions.get(secret).map(String::as_str)
    }

    pub(crate) fn set(&mut self, secret: &str, version: &str) {
        self.versions.insert(secret.to_owned(), version.to_owned());
    }
}
