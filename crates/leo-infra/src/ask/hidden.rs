//! A question whose answer is not shown.

use crate::{failure::Problem, interrupt};
use leo_aws::FailureKind;
use leo_env::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::zeroize::Zeroizing;
use std::{
    fs::File,
    io::{self, Write as _},
};

/// More than a terminal takes in one line, in bytes.
const LONGEST: usize = 64 * 1024;

/// What is typed after `prompt`, up to the end of the line and without it, on the terminal that this process has, and without
/// showing it; empty at the end of input.
///
/// Whatever becomes of the question, the terminal shows afterwards what is typed, also where the question is left by Ctrl-C
/// or by the signal with which a workflow is cancelled, or where this future is dropped. Once it was asked, those signals do
/// nothing by themselves any more: whoever goes on listens with [`interrupt::first`].
///
/// # Errors
/// That there is no terminal, that it was interrupted.
pub(crate) async fn hidden(prompt: &str) -> Result<Secret, Problem> {
    let terminal = File::options().read(true).write(true).open("/dev/tty").map_err(|error| unread(&error))?;
    // Before the question is seen, so that nothing that is typed after it is.
    let hiding = Hiding::begin(&terminal).map_err(|error| unread(&error))?;
    (&terminal).write_all(prompt.as_bytes()).map_err(|error| unread(&error))?;
    let keyboard = terminal.try_clone().map_err(|error| unread(&error))?;
    // A thread that reads can't be stopped; whoever is asked nothing any more ends with the process.
    let typed = tokio::task::spawn_blocking(move || line(keyboard));
    let answer = tokio::select! {
        biased;
        () = interrupt::first() => {
            Err(Problem::new(FailureKind::Failed, "read the answer from the terminal: it was interrupted"))
        }
        typed = typed => typed.map_err(io::Error::other).flatten().map_err(|error| unread(&error)),
    };
    drop(hiding);
    // The line's end was not shown either.
    let _ = (&terminal).write_all(b"\n");
    answer
}

fn unread(error: &io::Error) -> Problem {
    Problem::new(FailureKind::Failed, format!("read the answer from the terminal: {error}"))
}

/// A terminal that does not show what is typed, as long as this lives.
struct Hiding {
    terminal: File,
    before: Termios,
}

impl Hiding {
    fn begin(terminal: &File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut hiding = before.clone();
        hiding.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        let terminal = terminal.try_clone()?;
        tcsetattr(&terminal, OptionalActions::Now, &hiding)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hiding {
    fn drop(&mut self) {
        // A terminal that has gone away shows nothing.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

fn line(mut keyboard: impl io::Read) -> io::Result<Secret> {
    // One place from the beginning, which is overwritten: nothing of what is typed stays behind.
    let mut typed = Zeroizing::new(vec![0; LONGEST]);
    let mut length = 0;
    loop {
        let room = typed.get_mut(length..).unwrap_or_default();
        if room.is_empty() {
            // Cut off, it would be another answer.
            return Err(io::Error::other(format!("it has more than {LONGEST} bytes")));
        }
        let read = match keyboard.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        length += read;
        let so_far = typed.get(..length).unwrap_or_default();
        if read == 0 || so_far.ends_with(b"\n") {
            let text = str::from_utf8(so_far)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no UTF-8 text"))?;
            return Ok(Secret::new(text.trim_end_matches(['\n', '\r'])));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_line_is_read_to_its_end_and_no_further() {
        let read = |typed: &[u8]| line(typed).map(|answer| answer.expose().to_owned());
        assert_eq!(read(b" hush \r\n").expect("reads"), " hush ");
        assert_eq!(read(b"").expect("reads"), "");
        let in_parts = b"hu".chain(&b"sh\n"[..]).chain(&b"next\n"[..]);
        assert_eq!(line(in_parts).expect("reads").expose(), "hush");
        let error = read(b"\xff\xfe\n").expect_err("is no text");
        assert_eq!(error.to_string(), "it is no UTF-8 text");
        let endless = line(io::repeat(b'x')).expect_err("has no end");
        assert_eq!(endless.to_string(), "it has more than 65536 bytes");
    }
}
