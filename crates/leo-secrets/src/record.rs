use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use leo_aws::FailureKind;
use serde::{Deserialize, Serialize};

/// At which version of a secret this machine last saw each key equal to its environment file, or made it so. It holds names
/// of secrets and keys and ids of versions, and nothing of any value.
///
/// It tells a value that was changed here from one that was changed elsewhere: see [`plan_push`](crate::plan_push). A secret
/// is known by its ARN, which has the account, the region and a suffix that each creation gets anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// By the secret's ARN, then by the key's name in the JSON object: the version's id.
    secrets: BTreeMap<String, BTreeMap<String, String>>,
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
        let path = self.path.display();
        match self.source.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => format!(
                "this version of the tool has not written it: `rm {path}`, and a push asks for --overwrite where values differ"
            ),
            _ => format!(
                "make {path} yours and make room on the disk; without it (`rm {path}`) a push asks for --overwrite where \
                 values differ"
            ),
        }
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

    /// Adds this to the record in a file, with its folder, for the owner alone. What else is there stays, also what another
    /// command has added meanwhile. A reader sees the old file or the new one, whenever this ends.
    ///
    /// # Errors
    /// A folder or file that can't be written, or a file that is no record.
    pub fn add_to(&self, path: &Path) -> Result<(), RecordError> {
        if self.secrets.is_empty() {
            return Ok(());
        }
        let failed = |source| RecordError { doing: "write", path: path.to_owned(), source };
        let folder = path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        // Until it is dropped. The file itself is replaced, so it can't be what is locked.
        let lock = File::open(folder).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut all = Self::load(path)?;
        all.add(self);
        all.write(path).map_err(failed)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        // Mode 0600 is tempfile's own.
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.persist(path)?;
        Ok(())
    }

    /// The version at which a key of a secret was last equal to the file.
    pub fn version(&self, arn: &str, json_key: &str) -> Option<&str> {
        self.secrets.get(arn)?.get(json_key).map(String::as_str)
    }

    /// Takes over what a newer one says.
    pub fn add(&mut self, newer: &Self) {
        for (arn, keys) in &newer.secrets {
            self.secrets.entry(arn.clone()).or_default().extend(keys.clone());
        }
    }

    /// Notes that a key is equal at a version. Of a secret without an ARN nothing is known.
    pub(crate) fn set(&mut self, arn: Option<&str>, json_key: &str, version: &str) {
        let Some(arn) = arn else { return };
        self.secrets.entry(arn.to_owned()).or_default().insert(json_key.to_owned(), version.to_owned());
    }
}
