//! Questions on the terminal. Anything but yes, and the end of input, is no.

mod hidden;

pub(crate) use hidden::hidden;

use crate::failure::Problem;
use leo_aws::FailureKind;
use std::io::{self, BufRead, IsTerminal, Write};

/// Whether somebody can be asked.
pub(crate) fn possible() -> bool {
    io::stdin().is_terminal()
}

/// Refuses to go on where a question would be needed and nobody can be asked.
pub(crate) fn needs_terminal(command: &str) -> Problem {
    Problem::new(
        FailureKind::Failed,
        format!("{command}: there is no terminal to ask on; nothing was changed"),
    )
    .hint(format!("add --yes to {command} without a question"))
}

/// A question that yes or no answers.
pub(crate) fn yes(question: &str) -> Result<bool, Problem> {
    let answer = line(&format!("{question} [y/N] "))?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// The line that is typed after `prompt`, without blanks around it; empty at the end of input.
pub(crate) fn line(prompt: &str) -> Result<String, Problem> {
    read(io::stdin().lock(), io::stderr(), prompt)
}

fn read(mut from: impl BufRead, mut to: impl Write, prompt: &str) -> Result<String, Problem> {
    let mut answer = String::new();
    write!(to, "{prompt}")
        .and_then(|()| to.flush())
        .and_then(|()| from.read_line(&mut answer))
        .map_err(|error| Problem::new(FailureKind::Failed, format!("read the answer: {error}")))?;
    if answer.is_empty() {
        // The cursor still stands behind the question.
        let _ = writeln!(to);
    }
    Ok(answer.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_input_is_an_empty_answer() {
        let mut shown = vec![];
        assert_eq!(read(&b""[..], &mut shown, "go on? ").expect("reads"), "");
        assert_eq!(shown, b"go on? \n");
        assert_eq!(read(&b" yes \nno\n"[..], io::sink(), "").expect("reads"), "yes");
    }
}
