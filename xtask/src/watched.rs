//! Children whose lines are copied as they come, counted where they close a run of tests, and kept at the end: a log may
//! be cut where it is read, and why something failed has to be in what is left of it.

use std::{
    collections::VecDeque,
    error::Error,
    fmt,
    io::{self, BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context, Result};

use crate::{counts::Counts, repository::shown};

/// How many of a child's last lines are kept.
const KEPT: usize = 80;

/// What a build says while all is well.
const PROGRESS: [&str; 6] =
    ["   Compiling ", "    Checking ", "    Finished ", " Downloading ", "  Downloaded ", "PASS ["];

/// A child that did not exit 0.
#[derive(Debug)]
pub(crate) struct Failed {
    what: String,
    /// Its last lines, without line ends.
    pub(crate) last: Vec<String>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Failed {}

/// Runs a child to its end, and adds up its closing lines.
///
/// # Errors
/// [`Failed`] unless it exits 0, with what it counted until then.
pub(crate) fn watched(command: &mut Command, counts: &mut Counts) -> Result<()> {
    let shown = shown(command);
    let mut child = command
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to start `{shown}`"))?;
    let (results, progress) =
        child.stdout.take().zip(child.stderr.take()).context("a child has no output")?;
    let last = Last::default();
    let counted = thread::scope(|scope| {
        let results = scope.spawn(|| copy(results, io::stdout(), &last));
        let progress = copy(progress, io::stderr(), &last);
        [progress, results.join().unwrap_or_default()]
    });
    for counted in counted {
        *counts += counted;
    }
    let status = child.wait().with_context(|| format!("failed to wait for `{shown}`"))?;
    if status.success() {
        return Ok(());
    }
    let what = match status.code() {
        Some(code) => format!("`{shown}` exited with {code}"),
        None => format!("`{shown}` was ended by a signal"),
    };
    Err(Failed { what, last: last.into_lines() }.into())
}

/// The last lines of a child's two streams, in the order in which they came.
#[derive(Default)]
struct Last(Mutex<VecDeque<String>>);

impl Last {
    fn add(&self, line: &str) {
        let line = line.trim_end();
        if line.is_empty() || PROGRESS.iter().any(|progress| line.contains(progress)) {
            return;
        }
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    fn into_lines(self) -> Vec<String> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).into()
    }
}

/// Copies a child's lines as they come, and adds up the closing lines among them.
fn copy(from: impl Read, mut to: impl Write, last: &Last) -> Counts {
    let mut counts = Counts::default();
    let mut lines = BufReader::new(from);
    let mut line = Vec::new();
    // A child that can't be read from any more has ended; one that can't be copied any more must still be read to its end.
    while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        drop(to.write_all(&line).and_then(|()| to.flush()));
        let text = String::from_utf8_lossy(&line);
        if let Some(closing) = Counts::read(&text) {
            counts += closing;
        }
        last.add(&text);
        line.clear();
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_childs_lines_are_copied_and_its_closing_lines_added_up() {
        let printed: &[u8] = b"a\ntest result: ok. 2 passed; 0 failed; 1 ignored\n\xff\n\
            test result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured";
        let mut written = Vec::new();
        let counts = copy(printed, &mut written, &Last::default());
        assert_eq!(written, printed);
        assert_eq!(counts.to_string(), "3 passed, 3 failed, 1 skipped");
    }

    #[test]
    fn what_a_child_said_last_is_kept_without_its_progress() {
        let mut printed = String::from("error: one\n   Compiling leo-cfn v0.1.0\n\n --> two\n");
        let last = Last::default();
        copy(printed.as_bytes(), io::sink(), &last);
        assert_eq!(last.into_lines(), ["error: one", " --> two"]);

        printed.extend((0..KEPT).map(|number| format!("{number}\n")).collect::<Vec<_>>());
        let last = Last::default();
        copy(printed.as_bytes(), io::sink(), &last);
        let lines = last.into_lines();
        assert_eq!((lines.len(), lines.first().map(String::as_str)), (KEPT, Some("0")));
    }

    #[test]
    fn a_child_that_fails_says_how_and_what_it_said() {
        let mut counts = Counts::default();
        let mut shell = Command::new("sh");
        let error = watched(shell.args(["-c", "echo why >&2; exit 3"]), &mut counts).unwrap_err();
        let failed = error.downcast_ref::<Failed>().unwrap();
        assert!(failed.to_string().ends_with("exited with 3"), "{failed}");
        assert_eq!(failed.last, ["why"]);
    }
}
