//! Commands in documents: what a document shows can be typed.
//!
//! A command is a line `cargo xtask …` of a fenced block, with or without a `$ ` prompt. Where the block's info string has the
//! word `run`, as in `console run`, a test runs it too.

use anyhow::{Context, Result};
use clap::Parser;
use leo_diagnostic::{Diagnostic, SourceFile};

use super::{Files, text};
use crate::{Cli, repository::Repository};

pub(super) fn check(repository: &Repository, files: &Files) -> Result<Vec<Diagnostic>> {
    let mut findings = Vec::new();
    for path in files.ending(".md") {
        let text = text(&repository.path(path))?.with_context(|| format!("{path} is no UTF-8"))?;
        let file = SourceFile::new(path, text);
        for command in commands(&file.text) {
            if let Err(refusal) = parse(&command.words) {
                findings.push(
                    Diagnostic::error(format!("`cargo xtask` refuses this command: {refusal}"))
                        .at(file.location(command.start..command.start + command.line.len())),
                );
            }
        }
    }
    Ok(findings)
}

/// The command, `None` where it only asks for help, or the first line of why it isn't one.
fn parse(words: &[String]) -> Result<Option<Cli>, String> {
    match Cli::try_parse_from(std::iter::once("cargo xtask").chain(words.iter().map(String::as_str))) {
        Ok(cli) => Ok(Some(cli)),
        Err(error) if error.use_stderr() => {
            let text = error.to_string();
            Err(text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned())
        }
        Err(_) => Ok(None),
    }
}

/// A command that a document shows.
struct Shown<'a> {
    /// The byte of the document that its line starts at.
    start: usize,
    /// The line, without blanks at its end.
    line: &'a str,
    /// What follows `cargo xtask`.
    words: Vec<String>,
    /// Whether a test may run it.
    #[cfg_attr(not(test), expect(dead_code, reason = "only a test runs commands"))]
    run: bool,
}

fn commands(text: &str) -> Vec<Shown<'_>> {
    let mut commands = Vec::new();
    // The info string of the block that we are in.
    let mut block = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            block = if block.is_some() { None } else { Some(info) };
        } else if let Some(info) = block
            && let Some(words) = words_after_xtask(line)
        {
            let run = info.split_whitespace().any(|word| word == "run");
            commands.push(Shown { start, line: line.trim_end(), words, run });
        }
        start += line.len();
    }
    commands
}

fn words_after_xtask(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let rest = line.strip_prefix("$ ").unwrap_or(line).strip_prefix("cargo xtask")?;
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    // Where a quote is not closed the line is no command that a shell would take; as one word it is refused.
    Some(shlex::split(rest).unwrap_or_else(|| vec![rest.to_owned()]))
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use super::*;

    const DOCUMENT: &str = "cargo xtask prose\n```console run\n$ cargo xtask synth --out 'a b' # where\nleo-registry\n```\n\
        ```\ncargo xtask test --fast\ncargo xtasks\n```\n";

    #[test]
    fn commands_are_read_from_blocks_as_a_shell_reads_them() {
        let found: Vec<(String, bool)> =
            commands(DOCUMENT).into_iter().map(|command| (command.words.join("|"), command.run)).collect();
        assert_eq!(found, [("synth|--out|a b".to_owned(), true), ("test|--fast".to_owned(), false)]);
        for command in commands(DOCUMENT) {
            assert!(DOCUMENT[command.start..].starts_with(command.line));
        }
    }

    #[test]
    fn a_command_that_does_not_parse_is_refused_with_the_reason() {
        let refusal = |line: &str| parse(&shlex::split(line).unwrap()).err();
        assert_eq!(refusal("synth --out x"), None);
        assert_eq!(refusal("--help"), None);
        assert_eq!(refusal("deploy --local --yes"), None);
        assert_eq!(refusal("test --fast").unwrap(), "unexpected argument '--fast' found");
    }

    #[test]
    fn the_commands_that_documents_run_succeed() {
        let repository = Repository::find().unwrap();
        for path in Files::list(&repository).unwrap().ending(".md") {
            let text = text(&repository.path(path)).unwrap().unwrap();
            for command in commands(&text).into_iter().filter(|command| command.run) {
                let Some(cli) = parse(&command.words).unwrap() else { continue };
                assert_eq!(
                    crate::run(&repository, cli).unwrap(),
                    ExitCode::SUCCESS,
                    "{path}: {}",
                    command.line
                );
            }
        }
    }
}
