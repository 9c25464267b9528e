//! A command that is watched while it runs: bounded in time, read line by line, killed where a test wants it.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// For how long any command of these tests may run: far beyond what each takes, and so that a machine with much else to
/// do is not taken for a command that hangs.
pub(crate) const LIMIT: Duration = Duration::from_mins(3);

/// A command that runs. Dropping it kills it.
pub(crate) struct Running {
    child: Child,
    started: Instant,
    /// Its lines on stderr as they come.
    progress: Receiver<String>,
    result: Receiver<String>,
    seen: Vec<String>,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None`: a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    /// Its lines on stderr.
    pub(crate) lines: Vec<String>,
    pub(crate) took: Duration,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let (line, progress) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("is piped"));
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        let (all, result) = channel();
        let mut stdout = child.stdout.take().expect("is piped");
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // What came before an error is what there is.
            let _ = stdout.read_to_end(&mut bytes);
            all.send(String::from_utf8_lossy(&bytes).into_owned())
        });
        Self { child, started: Instant::now(), progress, result, seen: Vec::new() }
    }

    /// Reads on until this line; `false` where the command ended without it.
    pub(crate) fn until(&mut self, line: &str) -> bool {
        while let Some(next) = self.next() {
            if next == line {
                return true;
            }
        }
        false
    }

    /// Ends it as nothing else does: it learns nothing of it and tidies nothing up.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().expect("is killed");
        let code = self.child.wait().expect("has ended").code();
        self.ended(code, Duration::from_secs(1))
    }

    /// Ctrl-C, as it reaches a command that has no terminal.
    pub(crate) fn interrupt(&self) {
        let sent = Command::new("kill").args(["-s", "INT", &self.child.id().to_string()]).status();
        assert!(sent.expect("runs").success(), "there is no such process");
    }

    /// Reads to the end, which has to come in time.
    pub(crate) fn finish(mut self) -> Ended {
        while self.next().is_some() {}
        let code = self.child.wait().expect("has ended").code();
        self.ended(code, LIMIT)
    }

    fn next(&mut self) -> Option<String> {
        let left = LIMIT.saturating_sub(self.started.elapsed());
        match self.progress.recv_timeout(left) {
            Ok(line) => {
                self.seen.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                let _ = self.child.kill();
                panic!("it hangs since more than {LIMIT:?}:\n{}", self.seen.join("\n"));
            }
        }
    }

    fn ended(mut self, code: Option<i32>, wait: Duration) -> Ended {
        // A child of a killed command may hold the other end for as long as it likes.
        let stdout = self.result.recv_timeout(wait).unwrap_or_default();
        Ended { code, stdout, lines: std::mem::take(&mut self.seen), took: self.started.elapsed() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended, and been waited for, already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        Running::start(command).finish()
    }

    /// The document that `--json` prints.
    pub(crate) fn document(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.shown()))
    }

    /// All of it.
    pub(crate) fn shown(&self) -> String {
        let Self { code, stdout, lines, took } = self;
        format!("exit {code:?} after {took:?}\n--- stdout\n{stdout}\n--- stderr\n{}", lines.join("\n"))
    }
}
