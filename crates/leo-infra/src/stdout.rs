//! A command's result, on stdout.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether something of the result was lost.
static LOST: AtomicBool = AtomicBool::new(false);

/// Prints one line of the result. A reader that has gone away, as behind `| head`, has seen what it wanted; anything else,
/// as a full disk, is said, and [`exit_code`] knows it.
pub(crate) fn line(text: impl Display) {
    let Err(error) = print(&mut io::stdout().lock(), &text) else { return };
    if !LOST.swap(true, Ordering::Relaxed) {
        eprintln!("error: failed to write to stdout: {error}");
    }
}

/// A command's exit code; that of a failure where its result did not get out.
pub(crate) fn exit_code(of_command: ExitCode) -> ExitCode {
    let lost = LOST.load(Ordering::Relaxed);
    if lost && of_command == ExitCode::SUCCESS { ExitCode::FAILURE } else { of_command }
}

fn print(to: &mut impl Write, text: &impl Display) -> io::Result<()> {
    match writeln!(to, "{text}").and_then(|()| to.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
