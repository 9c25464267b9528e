//! What the target keeps in its folder: one private file, and what the emulator needs.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::error::LocalError;
use crate::process::ProcessId;
use crate::secret::Secret;
use crate::target::LocalTarget;

/// What `local status` says. It holds no credential and serializes to its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whether the emulator runs and answers.
    pub running: bool,
    /// `http://127.0.0.1:<port>`, where one was started.
    pub endpoint: Option<String>,
    /// The account that everything is in.
    pub account_id: Option<String>,
    /// The region that everything is in.
    pub region: Option<String>,
    /// What runs its containers.
    pub engine: Option<Engine>,
    /// Whether containers can reach the emulator; `None` where no container can run.
    pub forwarding: Option<bool>,
    /// The containers that it started and that are still there, running or not.
    pub containers: Vec<Container>,
    /// The emulator's log.
    pub log_file: Option<PathBuf>,
}

/// A container of the local target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Its id, in full.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The engine's word on it: `Up 2 minutes`.
    pub status: String,
}

/// The state file. Plain text on disk (0600 in a folder of 0700), never shown.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub(crate) port: u16,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) registry_password: String,
    pub(crate) account_id: String,
    pub(crate) region: String,
    pub(crate) engine: Engine,
    /// The value of the label that marks this target's containers.
    pub(crate) instance: String,
    pub(crate) emulator: ProcessId,
    pub(crate) forwarder: Option<ProcessId>,
}

impl Saved {
    pub(crate) fn target(&self) -> LocalTarget {
        LocalTarget {
            endpoint: format!("http://127.0.0.1:{}", self.port),
            port: self.port,
            access_key_id: self.access_key_id.clone(),
            secret_access_key: Secret::new(self.secret_access_key.clone()),
            account_id: self.account_id.clone(),
            region: self.region.clone(),
            engine: self.engine.clone(),
            registry_password: Secret::new(self.registry_password.clone()),
        }
    }
}

/// The target's folder, locked against other commands while this value lives.
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is missing, takes its rights from everybody else, and waits for its lock.
    pub(crate) fn open(path: &Path) -> Result<Self, LocalError> {
        make_private_dir(path)?;
        let path = path.canonicalize().map_err(LocalError::file("find", path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700))
            .map_err(LocalError::file("protect", &path))?;
        let lock = File::open(&path).map_err(LocalError::file("open", &path))?;
        lock.lock().map_err(LocalError::file("lock", &path))?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        log_file(&self.path)
    }

    pub(crate) fn read(&self) -> Result<Option<Saved>, LocalError> {
        read(&self.path)
    }

    pub(crate) fn save(&self, saved: &Saved) -> Result<(), LocalError> {
        let path = state_file(&self.path);
        let bytes = serde_json::to_vec_pretty(saved)
            .map_err(|source| LocalError::State { path: path.clone(), source })?;
        // A reader without the lock sees the old file or the new one.
        let fresh = self.join("state.json.new");
        write_private(&fresh, &bytes)?;
        fs::rename(&fresh, &path).map_err(LocalError::file("write", &path))
    }

    /// Writes a private file, with its folders.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, LocalError> {
        let path = self.join(name);
        if let Some(parent) = path.parent() {
            make_private_dir(parent)?;
        }
        write_private(&path, bytes)?;
        Ok(path)
    }

    pub(crate) fn make_dir(&self, name: &str) -> Result<PathBuf, LocalError> {
        let path = self.join(name);
        make_private_dir(&path)?;
        Ok(path)
    }

    /// An empty private log file.
    pub(crate) fn create_log(&self, name: &str) -> Result<File, LocalError> {
        let path = self.join(name);
        write_private(&path, b"")?;
        OpenOptions::new().append(true).open(&path).map_err(LocalError::file("open", &path))
    }

    /// Removes what a target left, by name: the folder may hold other things.
    pub(crate) fn clear(&self, with_logs: bool) -> Result<(), LocalError> {
        let logs: &[&str] = if with_logs { &["emulator.log", "forwarder.log"] } else { &[] };
        for name in ["guard", "docker", "tmp", "state.json.new", "state.json"].iter().chain(logs) {
            let path = self.join(name);
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(LocalError::file("remove", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The state of a target, without waiting for its lock; `None` where there is none.
pub(crate) fn read(folder: &Path) -> Result<Option<Saved>, LocalError> {
    let path = state_file(folder);
    match fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map(Some).map_err(|source| LocalError::State { path, source })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LocalError::file("read", &path)(error)),
    }
}

pub(crate) fn log_file(folder: &Path) -> PathBuf {
    folder.join("emulator.log")
}

fn state_file(folder: &Path) -> PathBuf {
    folder.join("state.json")
}

fn make_private_dir(path: &Path) -> Result<(), LocalError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(LocalError::file("create", path))
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), LocalError> {
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).and_then(
        |mut file| {
            // The mode above is for a new file only.
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
            file.write_all(bytes)
        },
    );
    written.map_err(LocalError::file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> Saved {
        Saved {
            port: 4711,
            access_key_id: "LEO".into(),
            secret_access_key: "s".into(),
            registry_password: "p".into(),
            account_id: "000000000000".into(),
            region: "eu-central-1".into(),
            engine: Engine::None { reason: "a test".into() },
            instance: "leo-1:4711".into(),
            emulator: ProcessId { pid: 1, started: 2, boot: "b".into() },
            forwarder: None,
        }
    }

    #[test]
    fn state_comes_back_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/local");
        assert!(read(&path).unwrap().is_none());
        let opened = Folder::open(&path).unwrap();
        opened.save(&saved()).unwrap();
        opened.write("guard/x.py", b"x").unwrap();
        assert_eq!(opened.read().unwrap().unwrap().target(), saved().target());
        let mode = |name: &str| fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode("."), mode("state.json"), mode("guard"), mode("guard/x.py")),
            (0o700, 0o600, 0o700, 0o600)
        );
        opened.clear(true).unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[test]
    fn a_broken_state_file_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("state.json"), "{").unwrap();
        let Err(error) = read(folder.path()) else { panic!("a broken file was read") };
        assert!(error.to_string().contains("state.json"), "{error}");
        assert!(error.hint().is_some());
    }
}
