//! A work tree of its own for a test, and the binary in it.

use leo_local::{LocalTarget, PythonTools};
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
    /// `DOCKER_HOST` of its commands, where it is not the machine's.
    engine: Option<String>,
}

/// Two settings of two stacks that nothing has to be made anew for: together they tell one deploy from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The load balancer's deregistration delay in seconds: platform.
    pub(crate) delay: u32,
    /// How long logs are kept, in days: foundation.
    pub(crate) retention: u32,
}

impl WorkTree {
    /// A copy of this repository's configuration; what is only read or built is shared with it.
    pub(crate) fn new() -> Self {
        let here = repository();
        let folder = tempfile::Builder::new().prefix("leo-").tempdir().expect("makes a folder");
        let tree = Self { folder, engine: None };
        for shared in ["ci", "examples"] {
            symlink(here.join(shared), tree.root().join(shared)).expect("links a folder");
        }
        // The tools in it are installed once for all tests.
        symlink(target(), tree.root().join("target")).expect("links a folder");
        fs::create_dir(tree.root().join("infra")).expect("makes a folder");
        fs::create_dir(tree.root().join("env")).expect("makes a folder");
        fs::copy(here.join("env/.env.defaults"), tree.root().join("env/.env.defaults"))
            .expect("copies a file");
        fs::copy(here.join("infra/env.toml"), tree.root().join("infra/env.toml")).expect("copies a file");
        tree.configure("");
        tree
    }

    /// One whose commands find no Docker engine: stacks come and go in seconds, and no container with them.
    pub(crate) fn without_engine() -> Self {
        let mut tree = Self::new();
        let nowhere = format!("unix://{}", tree.root().join("no-engine.sock").display());
        tree.engine = Some(nowhere);
        tree
    }

    /// Images of a file of its own each, for which nothing has to be compiled.
    pub(crate) fn use_small_images(&self) {
        fs::create_dir(self.root().join("image")).expect("makes a folder");
        fs::write(self.root().join("image/Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n")
            .expect("writes a file");
        self.configure("[images.orchestrator]\ncontext = \"image\"\n[images.generator]\ncontext = \"image\"");
    }

    /// Another work tree that deploys to the same local target, as somebody else's would to the same account.
    pub(crate) fn beside(&self) -> Self {
        let mut tree = Self::new();
        tree.engine.clone_from(&self.engine);
        fs::create_dir(tree.root().join(".leo")).expect("makes a folder");
        symlink(self.state(), tree.state()).expect("links a folder");
        tree
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces `infra/leo.toml` with the defaults and these settings.
    pub(crate) fn set(&self, settings: Settings) {
        let Settings { delay, retention } = settings;
        self.configure(&format!(
            "[logs]\nretention_days = {retention}\n[load_balancer]\nderegistration_delay_seconds = {delay}"
        ));
    }

    /// Replaces `infra/leo.toml` with the defaults and these settings.
    pub(crate) fn configure(&self, settings: &str) {
        let environments =
            "[environments.dev]\n[environments.staging]\n[environments.prod]\nprotected = true\n";
        fs::write(self.root().join("infra/leo.toml"), format!("{settings}\n{environments}"))
            .expect("writes a file");
    }

    /// Replaces `infra/leo.toml` with this, whole.
    pub(crate) fn configure_all(&self, text: &str) {
        fs::write(self.root().join("infra/leo.toml"), text).expect("writes a file");
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
        command.envs(self.engine.iter().map(|host| ("DOCKER_HOST", host)));
        command
    }

    /// Starts the local target before a command does.
    pub(crate) fn start_target(&self) -> LocalTarget {
        // By a command, because it looks for an engine where this tree's commands do; this one is refused right after it
        // has started the target, as there are no secrets.
        let output = self.leo_infra(&["deploy", "--local", "--with-secrets", "--yes", "--demo"]).output();
        let output = output.expect("runs");
        assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
        self.local_target()
    }

    /// Deploys and destroys again, however long that takes: the demo programs may have to be compiled. What stays is the
    /// registry with the images, as `--images` names them.
    pub(crate) fn publish_images(&self) -> String {
        let done = |arguments: &[&str]| {
            let output = self.leo_infra(arguments).output().expect("runs");
            assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
            document(&output)
        };
        let deployed = done(&["deploy", "--local", "--yes", "--json"]);
        done(&["destroy", "--local", "--yes", "--json"]);
        let images = deployed["images"].as_array().cloned().unwrap_or_default();
        let named = |image: &Value| {
            let part = |key: &str| image[key].as_str().expect("is said").to_owned();
            format!("{}={}", part("name"), part("digest"))
        };
        images.iter().map(named).collect::<Vec<_>>().join(",")
    }

    /// The local target that runs in this work tree.
    pub(crate) fn local_target(&self) -> LocalTarget {
        self.running_target().expect("runs")
    }

    /// The same, where one may not have been started yet.
    pub(crate) fn running_target(&self) -> Option<LocalTarget> {
        leo_local::attach(&self.state()).expect("is asked")
    }

    fn state(&self) -> PathBuf {
        self.root().join(leo_local::STATE_DIR)
    }
}

impl Drop for WorkTree {
    fn drop(&mut self) {
        if self.state().is_symlink() {
            // Another tree's.
            return;
        }
        // A target that can't be stopped is worth knowing about, even where the test has failed already.
        if let Err(error) = leo_local::down(&self.state()) {
            eprintln!("the local target was not stopped: {error}");
        }
    }
}

/// This repository.
pub(crate) fn repository() -> PathBuf {
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

/// The pinned Python tools, which every command with a local target has installed already.
pub(crate) fn tools() -> PythonTools {
    let requirements = repository().join("ci/requirements.txt");
    PythonTools::ensure(&target(), &requirements, |message| eprintln!("{message}"))
        .unwrap_or_else(|error| panic!("the Python tools: {error}"))
}

/// Whether a test runs in its long version.
pub(crate) fn is_long() -> bool {
    std::env::var_os("LEO_FULL").is_some_and(|full| full == "1")
}

/// What a test's choices are drawn from: the same in every run, unless `LEO_SEED` gives another one.
pub(crate) fn seed() -> u64 {
    std::env::var("LEO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}
