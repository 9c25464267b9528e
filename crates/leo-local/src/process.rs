//! Processes that outlive their starter: who they are, whether they still are, and how they end.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{io, path::Path};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use crate::text::last_lines;

/// A process that can't be mistaken for a later one with the same id: a pid comes back, and after a reboot quickly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    pub(crate) pid: u32,
    /// Clock ticks from boot to its start.
    pub(crate) started: u64,
    pub(crate) boot: String,
}

impl ProcessId {
    /// The process that has this id now, or `None` if there is none.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let (_, started) = stat(pid)?;
        Some(Self { pid, started, boot: boot_id()? })
    }

    /// Whether that very process still runs. One that ended and was not waited for does not.
    pub(crate) fn is_alive(&self) -> bool {
        stat(self.pid).is_some_and(|(state, started)| state != 'Z' && started == self.started)
            && boot_id().as_deref() == Some(self.boot.as_str())
    }

    /// Asks it to end, waits for `grace`, then ends it. Returns whether it is gone.
    pub(crate) fn stop(&self, grace: Duration) -> bool {
        for (signal, patience) in [(Signal::TERM, grace), (Signal::KILL, Duration::from_secs(2))] {
            if !self.is_alive() {
                return true;
            }
            if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
                // It may end between the look and the signal.
                let _ = kill_process(pid, signal);
            }
            if wait_until(patience, || !self.is_alive()) {
                return true;
            }
        }
        false
    }
}

/// Looks every 20 ms until `done` or `within` is over; says which.
pub(crate) fn wait_until(within: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + within;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// State letter and start time of a process, from `/proc/<pid>/stat`. The name in it may hold spaces and parentheses.
fn stat(pid: u32) -> Option<(char, u64)> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_stat(text: &str) -> Option<(char, u64)> {
    let (_, fields) = text.rsplit_once(") ")?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    // Field 22 of proc(5); the state is field 3.
    let started = fields.nth(18)?.parse().ok()?;
    Some((state, started))
}

fn boot_id() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned())
}

/// A child with none of the secrets that are given to us as variables.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in leo_env::secret_variables() {
        command.env_remove(name);
    }
    command
}

/// Runs a program to its end, or ends it after `within`.
pub(crate) fn output_within(command: &mut Command, within: Duration) -> io::Result<Output> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let id = ProcessId::of(child.id());
    let (done, waiting) = std::sync::mpsc::channel();
    thread::spawn(move || {
        // The receiver is gone once the time is up.
        let _ = done.send(child.wait_with_output());
    });
    waiting.recv_timeout(within).unwrap_or_else(|_| {
        if let Some(id) = id {
            id.stop(Duration::ZERO);
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", within.as_secs())))
    })
}

/// The last `count` lines of a text file that are not empty; none if it can't be read.
pub(crate) fn tail(path: &Path, count: usize) -> Vec<String> {
    last_lines(&fs::read(path).unwrap_or_default(), count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_is_read_past_a_strange_name() {
        let line = "42 (a) R b) S 1 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1";
        assert_eq!(parse_stat(line), Some(('S', 987_654)));
        assert_eq!(parse_stat("nonsense"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_is_known_until_it_ends() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let id = ProcessId::of(child.id()).unwrap();
        assert!(id.is_alive());
        assert!(!ProcessId { started: id.started + 1, ..id.clone() }.is_alive());
        assert!(!ProcessId { boot: "another".into(), ..id.clone() }.is_alive());
        assert!(id.stop(Duration::from_secs(5)));
        child.wait().unwrap();
        assert!(!id.is_alive());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_that_hangs_is_ended() {
        let error = output_within(Command::new("sleep").arg("60"), Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
