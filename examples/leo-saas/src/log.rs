//! One line on standard error for each thing worth knowing; ECS adds the time.

use std::fmt;
use std::io::Write as _;

/// What failed, and in a line of its own what to do about it.
pub(crate) fn failure(text: impl fmt::Display, hint: Option<String>) {
    line(text);
    if let Some(hint) = hint {
        line(format_args!("hint: {hint}"));
    }
}

/// Writes one line. Where even that fails, nobody is left to be told.
pub fn line(text: impl fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
