//! A command on a terminal, as a person sees it.

use crate::running::LIMIT;
use rustix::{
    fs::{Mode, OFlags, open},
    io::{FdFlags, fcntl_setfd},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Child, Command},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// A command that has a terminal of its own. Dropping it kills it.
pub(crate) struct Terminal {
    ours: File,
    name: String,
    child: Child,
    output: Receiver<Vec<u8>>,
    /// All that was shown.
    shown: String,
    /// How much of it was waited for already.
    at: usize,
    deadline: Instant,
}

impl Terminal {
    /// Starts a command as the leader of a session on a terminal.
    pub(crate) fn start(command: &Command) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there is a terminal");
        // A child that had it would keep its own terminal from ever being hung up, and outlive a test that is ended.
        fcntl_setfd(&ours, FdFlags::CLOEXEC).expect("is ours");
        grantpt(&ours).expect("is ours");
        unlockpt(&ours).expect("is ours");
        let name = ptsname(&ours, Vec::new()).expect("has a name").into_string().expect("is text");
        let theirs = File::from(
            open(&*name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).expect("opens"),
        );
        let mut session = Command::new("setsid");
        session.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
        session.current_dir(command.get_current_dir().expect("has one"));
        for (variable, value) in command.get_envs() {
            match value {
                Some(value) => session.env(variable, value),
                None => session.env_remove(variable),
            };
        }
        let again = || theirs.try_clone().expect("is cloned");
        let child = session.stdin(again()).stdout(again()).stderr(again()).spawn().expect("starts");
        let ours = File::from(ours);
        let mut reader = ours.try_clone().expect("is cloned");
        let (send, output) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The end of a terminal looks like an error.
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if send.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let deadline = Instant::now() + LIMIT;
        Self { ours, name, child, output, shown: String::new(), at: 0, deadline }
    }

    /// Waits until this is shown, behind what was waited for before.
    pub(crate) fn until(&mut self, text: &str) {
        loop {
            if let Some(found) = self.shown[self.at..].find(text) {
                self.at += found + text.len();
                return;
            }
            assert!(self.read(), "`{text}` never came:\n{}", self.shown);
        }
    }

    /// Waits until what is typed is not shown.
    pub(crate) fn until_hidden(&mut self) {
        while self.echoes() {
            assert!(Instant::now() < self.deadline, "it would show what is typed:\n{}", self.shown);
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        let stty = Command::new("stty").args(["-F", &self.name, "-a"]).output().expect("runs");
        let said = String::from_utf8_lossy(&stty.stdout).into_owned();
        !said.split_whitespace().any(|word| word == "-echo")
    }

    /// Types.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.ours.write_all(text.as_bytes()).expect("is typed");
    }

    /// Sends the signal with which a workflow is cancelled.
    pub(crate) fn terminate(&self) {
        let process = Pid::from_child(&self.child);
        kill_process(process, Signal::TERM).expect("is sent");
    }

    /// Waits for the end: the exit code, and all that was shown.
    pub(crate) fn finish(mut self) -> (Option<i32>, String) {
        (self.wait(), std::mem::take(&mut self.shown))
    }

    /// Waits for the end, whatever is still to be seen of the terminal then: the exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        loop {
            if let Some(status) = self.child.try_wait().expect("is waited for") {
                while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(200)) {
                    self.shown.push_str(&String::from_utf8_lossy(&bytes));
                }
                return status.code();
            }
            assert!(Instant::now() < self.deadline, "it does not end:\n{}", self.shown);
            self.read_for(Duration::from_millis(50));
        }
    }

    fn read(&mut self) -> bool {
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.read_for(left)
    }

    fn read_for(&mut self, time: Duration) -> bool {
        let Ok(bytes) = self.output.recv_timeout(time) else { return false };
        self.shown.push_str(&String::from_utf8_lossy(&bytes));
        true
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended, and been waited for, already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
