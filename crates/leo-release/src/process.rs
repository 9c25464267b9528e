//! Which process is meant, also after it is gone.

use rustix::{
    io::Errno,
    process::{Pid, test_kill_process},
};
use serde::{Deserialize, Serialize};
use std::fs;

/// A process that can't be mistaken for another one with the same id: not for a later one on this machine, not for one
/// in another container, not for one on another machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// What makes the id unique. `None` where the system does not say (it takes Linux's `/proc`): such a process is
    /// never taken for ended.
    #[serde(default)]
    origin: Option<Origin>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    /// The run of the kernel.
    boot: String,
    /// The namespace that process ids are counted in: each container has its own.
    namespace: String,
    /// Clock ticks from boot to its start.
    started: u64,
}

impl Process {
    /// This process.
    pub fn current() -> Self {
        Self::of(std::process::id())
    }

    /// The process that has this id now.
    pub fn of(pid: u32) -> Self {
        let origin = || {
            let (boot, namespace) = here()?;
            Some(Origin { boot, namespace, started: stat(pid)?.1 })
        };
        Self { pid, origin: origin() }
    }

    /// One that nothing is known of, so that it is never taken for ended.
    pub(crate) fn unknown() -> Self {
        Self { pid: 0, origin: None }
    }

    /// Whether it was one of this machine and has ended. Never true of a process that can't be judged from here.
    pub fn has_ended(&self) -> bool {
        let Some(origin) = &self.origin else { return false };
        if here() != Some((origin.boot.clone(), origin.namespace.clone())) {
            return false;
        }
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return false };
        // Where `/proc` hides other users' processes, only this tells that there is one.
        if test_kill_process(pid) == Err(Errno::SRCH) {
            return true;
        }
        // One that ended and was not waited for holds nothing any more.
        stat(self.pid).is_some_and(|(state, started)| started != origin.started || state == 'Z')
    }
}

/// The run of the kernel and the namespace of process ids that this process is in.
fn here() -> Option<(String, String)> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some((boot.trim().to_owned(), namespace.to_string_lossy().into_owned()))
}

/// A process's state and start, from `/proc/<pid>/stat` (proc_pid_stat(5), fields 3 and 22).
fn stat(pid: u32) -> Option<(char, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, spaces and parentheses too.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn an_ended_process_is_known_by_more_than_its_id() {
        let me = Process::current();
        assert!(!me.has_ended());
        let text = serde_json::to_string(&me).unwrap();
        assert_eq!(serde_json::from_str::<Process>(&text).unwrap(), me);

        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::of(child.id());
        assert!(!process.has_ended());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(process.has_ended());
    }

    #[test]
    fn the_same_id_elsewhere_or_later_is_another_process() {
        let me = Process::current();
        let with = |change: fn(&mut Origin)| {
            let mut process = me.clone();
            change(process.origin.as_mut().unwrap());
            process.has_ended()
        };
        assert!(with(|origin| origin.started -= 1), "the id came back: its first bearer has ended");
        assert!(!with(|origin| origin.boot = "another machine, or this one before".to_owned()));
        assert!(!with(|origin| origin.namespace = "pid:[1]".to_owned()));
        assert!(!Process { pid: me.pid, origin: None }.has_ended());
        assert!(!Process { pid: u32::MAX, ..me }.has_ended());
    }
}
