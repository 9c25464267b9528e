//! A build context that a test fills.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use leo_context::{ContextError, Look, Request, look};

/// A folder with a Dockerfile, and all that is asked about it.
pub(crate) struct Context {
    folder: tempfile::TempDir,
    pub(crate) dockerfile: PathBuf,
    pub(crate) named: BTreeMap<String, PathBuf>,
    pub(crate) build_args: BTreeMap<String, String>,
    pub(crate) target: Option<String>,
    pub(crate) platform: String,
    pub(crate) recipe: String,
    pub(crate) allowed: Vec<PathBuf>,
    pub(crate) cache: Option<PathBuf>,
    pub(crate) own_root: Option<PathBuf>,
    pub(crate) home: Option<PathBuf>,
}

impl Context {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("context")).unwrap();
        let dockerfile = folder.path().join("context/Dockerfile");
        let context = Self {
            folder,
            dockerfile,
            named: BTreeMap::new(),
            build_args: BTreeMap::new(),
            target: None,
            platform: "linux/amd64".to_owned(),
            recipe: String::new(),
            allowed: Vec::new(),
            cache: None,
            own_root: None,
            home: None,
        };
        context.write("Dockerfile", "FROM scratch\nCOPY . /\n");
        context
    }

    /// The context's folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("context")
    }

    /// A place beside the context.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn try_look(&self) -> Result<Look, ContextError> {
        self.look_at(&self.root())
    }

    pub(crate) fn look_at(&self, root: &Path) -> Result<Look, ContextError> {
        look(&Request {
            context: root,
            dockerfile: &self.dockerfile,
            named: &self.named,
            build_args: &self.build_args,
            target: self.target.as_deref(),
            platform: &self.platform,
            recipe: &self.recipe,
            allowed: &self.allowed,
            cache: self.cache.as_deref(),
            own_root: self.own_root.as_deref(),
            home: self.home.as_deref(),
        })
    }

    pub(crate) fn look(&self) -> Look {
        self.try_look().unwrap()
    }

    /// What looks like a secret, one a line, with the line that leaves it out.
    pub(crate) fn leaks(&self) -> Vec<String> {
        let said = |leak: &leo_context::Leak| match leak.ignore_line() {
            Some(line) => format!("{leak} [{line}]"),
            None => leak.to_string(),
        };
        self.look().leaks.iter().map(said).collect()
    }
}

/// Lets every file be as old as a file is that is not being worked on.
pub(crate) fn settle() {
    // The change time can't be set, so this waits until it is past the clock's tick.
    let written = SystemTime::now();
    while written.elapsed().unwrap() < Duration::from_millis(40) {
        std::thread::yield_now();
    }
}
