//! A work tree of its own for a test, and the binary in it.

use leo_local::LocalTarget;
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// A work tree with its own configuration and its own local target; dropping it stops that.
pub(crate) struct WorkTree {
    folder: TempDir,
}

impl WorkTree {
    /// A copy of this repository's configuration; what is only read or built is shared with it.
    pub(crate) fn new() -> Self {
        let here = repository();
        let folder = tempfile::Builder::new().prefix("leo-").tempdir().expect("makes a folder");
        let tree = Self { folder };
        for shared in ["ci", "examples"] {
            symlink(here.join(shared), tree.root().join(shared)).expect("links a folder");
        }
        // The tools in it are installed once for all tests.
        symlink(target(), tree.root().join("target")).expect("links a folder");
        fs::create_dir(tree.root().join("infra")).expect("makes a folder");
        fs::create_dir(tree.root().join("env")).expect("makes a folder");
        fs::copy(here.join("env/.env.defaults"), tree.root().join("env/.env.defaults"))
            .expect("copies a file");
        tree.configure("");
        tree
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces `infra/leo.toml` with the defaults and these settings.
    pub(crate) fn configure(&self, settings: &str) {
        let environments =
            "[environments.dev]\n[environments.staging]\n[environments.prod]\nprotected = true\n";
        fs::write(self.root().join("infra/leo.toml"), format!("{settings}\n{environments}"))
            .expect("writes a file");
    }

    /// The binary in this work tree, with nothing of AWS in its environment.
    pub(crate) fn leo_infra(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leo-infra"));
        command.args(arguments).current_dir(self.root()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("AWS_") || name.starts_with("LEO_") {
                command.env_remove(&*name);
            }
        }
        command
    }

    /// The local target that runs in this work tree.
    pub(crate) fn local_target(&self) -> LocalTarget {
        leo_local::attach(&self.state()).expect("is asked").expect("runs")
    }

    fn state(&self) -> PathBuf {
        self.root().join(leo_local::STATE_DIR)
    }
}

impl Drop for WorkTree {
    fn drop(&mut self) {
        // A target that can't be stopped is worth knowing about, even where the test has failed already.
        if let Err(error) = leo_local::down(&self.state()) {
            eprintln!("the local target was not stopped: {error}");
        }
    }
}

/// This repository.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("is there")
}

/// Where cargo builds, which is where this test's binary came from.
fn target() -> PathBuf {
    repository().join("target")
}

/// What a command printed on stdout, as JSON.
pub(crate) fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{}", shown(output)))
}

/// All that a command printed.
pub(crate) fn shown(output: &Output) -> String {
    format!(
        "{}\n--- stdout\n{}\n--- stderr\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Whether a test that needs this goes on: where it is missing that is said, and where everything is required it fails.
pub(crate) fn have(what: &str, found: Result<(), String>) -> bool {
    match found {
        Ok(()) => true,
        Err(reason) => {
            assert!(std::env::var_os("LEO_REQUIRE_ALL").is_none(), "{what} is required: {reason}");
            eprintln!("skipped: {what} is missing: {reason}");
            false
        }
    }
}

pub(crate) fn have_docker() -> bool {
    let found = match leo_local::Engine::detect() {
        leo_local::Engine::Docker(_) => Ok(()),
        leo_local::Engine::None { reason } => Err(reason),
    };
    have("a Docker engine", found)
}
