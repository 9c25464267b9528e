use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::text::indented;

/// Why the local target could not be started, found or stopped. Each message reads after "failed to …"; the fix is
/// [`hint`](Self::hint).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// Not a Linux machine.
    #[error("run the local target on this operating system: it needs Linux")]
    NotLinux,
    /// An endpoint outside this machine.
    #[error("use `{endpoint}` as the local target: it is not http://127.0.0.1:<port>")]
    NotLoopback {
        /// What was given.
        endpoint: String,
    },
    /// A file or folder of the target's state.
    #[error("{action} {path}", path = .path.display())]
    File {
        /// What was attempted: "read", "write", "lock".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The state file is not what this version writes.
    #[error("understand {path}", path = .path.display())]
    State {
        /// The state file.
        path: PathBuf,
        /// Why it failed.
        source: serde_json::Error,
    },
    /// The operating system gave no random bytes.
    #[error("draw random credentials: {0}")]
    Random(getrandom::Error),
    /// No free port, on loopback or on the bridge.
    #[error("find a free port on {address}")]
    Port {
        /// The address that was tried.
        address: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("start {program}")]
    Start {
        /// The program.
        program: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The emulator ended before it was ready.
    #[error("start the emulator: it ended at once{}", indented(.log))]
    EndedEarly {
        /// The last lines of its log.
        log: Vec<String>,
        /// The log file.
        log_file: PathBuf,
    },
    /// The emulator did not get ready in time.
    #[error("start the emulator: it was not ready within {} s{}", .within.as_secs(), indented(.log))]
    NotReady {
        /// How long it was waited for.
        within: Duration,
        /// The last lines of its log.
        log: Vec<String>,
        /// The log file.
        log_file: PathBuf,
    },
    /// The emulator runs and does not answer.
    #[error("reach the emulator: process {pid} runs but does not answer at {endpoint}")]
    NotAnswering {
        /// Its process id.
        pid: u32,
        /// Where it should answer.
        endpoint: String,
    },
    /// Our containers could not reach the emulator.
    #[error("forward the Docker bridge's {listen} to the emulator{}", indented(.log))]
    NotForwarding {
        /// The address on the bridge.
        listen: String,
        /// What the forwarder said.
        log: Vec<String>,
    },
    /// It runs for another region or account.
    #[error("use the running local target: it was started for {running}, not for {wanted}")]
    OtherSettings {
        /// Account and region of the running one.
        running: String,
        /// Account and region that were asked for.
        wanted: String,
    },
    /// Containers of the target are still there.
    #[error("remove the local target's containers: {message}")]
    Containers {
        /// What the engine said.
        message: String,
    },
    /// The emulator did not end.
    #[error("stop the emulator: process {pid} is still there")]
    NotStopping {
        /// Its process id.
        pid: u32,
    },
}

impl LocalError {
    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotLinux => {
                Some("the AWS commands work here; run `--local` on a Linux machine or in a Linux VM".into())
            }
            Self::State { path, .. } => {
                Some(format!("run `cargo xtask local down`, or delete {} if nothing of it runs", path.display()))
            }
            Self::EndedEarly { log_file, .. } | Self::NotReady { log_file, .. } => {
                Some(format!("the whole log is {}", log_file.display()))
            }
            Self::NotAnswering { .. } | Self::OtherSettings { .. } => {
                Some("run `cargo xtask local down`, then the same command again".into())
            }
            Self::NotForwarding { .. } => Some(
                "the engine's bridge has to be an address of this machine: a rootless or virtualised engine's is not".into(),
            ),
            Self::Containers { .. } => {
                Some("is the engine running? `docker ps -a --filter label=ministack` shows what is left".into())
            }
            Self::File { .. }
            | Self::NotLoopback { .. }
            | Self::Random(_)
            | Self::Port { .. }
            | Self::Start { .. }
            | Self::NotStopping { .. } => None,
        }
    }

    pub(crate) fn file(action: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
