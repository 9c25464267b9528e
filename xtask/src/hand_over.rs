//! Hands a command over to `leo-infra`, the binary that links the AWS SDK.
//!
//! It is built first. Where that has something to compile it is said and cargo's own progress is seen; where it has
//! nothing to compile cargo stays silent, so that a command's stderr is its own.

use std::{
    env,
    ffi::OsString,
    io::{self, BufRead, BufReader, IsTerminal, Read, Write},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    thread,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::repository::{Repository, shown};

const PACKAGE: &str = "leo-infra";

/// The arguments of a command that is handed over: all of them are `leo-infra`'s, `--help` too.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct HandedOver {
    /// The command's own `--help` lists them
    #[arg(value_name = "OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<OsString>,
}

/// Runs `leo-infra <command> <args…>` in our place: its stdio, its signals and its exit code are ours.
pub(crate) fn hand_over(repository: &Repository, command: &str, args: &[OsString]) -> Result<ExitCode> {
    let binary = build(repository)?;
    // From where the person stands, so that relative paths in the arguments keep their meaning.
    let mut leo_infra = repository.successor(binary);
    leo_infra.current_dir(env::current_dir().context("failed to find the current folder")?);
    become_child(leo_infra.arg(command).args(args))
}

#[cfg(unix)]
fn become_child(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(error).with_context(|| format!("failed to start `{}`", shown(command)))
}

#[cfg(not(unix))]
fn become_child(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| format!("failed to start `{}`", shown(command)))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// Builds `leo-infra` and gives the path of its binary.
fn build(repository: &Repository) -> Result<PathBuf> {
    let mut cargo = repository.cargo();
    cargo.args(["build", "--package", PACKAGE, "--message-format", "json-render-diagnostics"]);
    if io::stderr().is_terminal() {
        // Cargo sees our pipe, not the terminal behind it.
        cargo.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "80");
        if env::var_os("NO_COLOR").is_none() {
            cargo.env("CARGO_TERM_COLOR", "always");
        }
    }
    cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let command = shown(&cargo);
    let mut child = cargo.spawn().with_context(|| format!("failed to start `{command}`"))?;
    let (messages, progress) = child.stdout.take().zip(child.stderr.take()).context("cargo has no output")?;
    let progress = thread::spawn(move || show_unless_fresh(progress, io::stderr()));
    let binary = executable(BufReader::new(messages)).with_context(|| format!("failed to read `{command}`"));
    let status = child.wait().with_context(|| format!("failed to wait for `{command}`"))?;
    // What could not be shown is no reason to stop.
    drop(progress.join());
    if !status.success() {
        bail!("failed to build {PACKAGE}: cargo ended with {status}");
    }
    binary?.with_context(|| format!("`{command}` named no binary"))
}

/// The path of the binary in cargo's messages.
fn executable(messages: impl BufRead) -> io::Result<Option<PathBuf>> {
    let mut found = None;
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Value>(&line?) else { continue };
        if message.pointer("/target/name").and_then(Value::as_str) == Some(PACKAGE)
            && let Some(path) = message.get("executable").and_then(Value::as_str)
        {
            found = Some(PathBuf::from(path));
        }
    }
    Ok(found)
}

/// Copies cargo's progress as it comes, after a line that says what is being built; nothing, if all it says is that it has
/// finished.
fn show_unless_fresh(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut held = Vec::new();
    let mut showing = false;
    let mut buffer = [0; 4096];
    loop {
        let count = from.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { return Ok(()) };
        if showing {
            to.write_all(chunk)?;
        } else {
            held.extend_from_slice(chunk);
            match first_word(&held) {
                None | Some("Finished") => continue,
                Some(_) => {
                    showing = true;
                    writeln!(to, "building {PACKAGE} (the AWS-linked commands)…")?;
                    to.write_all(&held)?;
                }
            }
        }
        to.flush()?;
    }
}

/// The first whole word that is letters, past colours and blanks; `None` while it may still be coming.
fn first_word(bytes: &[u8]) -> Option<&str> {
    let mut rest = bytes;
    loop {
        rest = rest.trim_ascii_start();
        let Some(escape) = rest.strip_prefix(b"\x1b[") else { break };
        let end = escape.iter().position(u8::is_ascii_alphabetic)?;
        rest = escape.get(end + 1..)?;
    }
    let end = rest.iter().position(|byte| !byte.is_ascii_alphabetic())?;
    str::from_utf8(rest.get(..end)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(cargo: &str) -> String {
        let mut shown = Vec::new();
        show_unless_fresh(cargo.as_bytes(), &mut shown).unwrap();
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn a_fresh_build_is_silent() {
        assert_eq!(shows("    Finished `dev` profile [unoptimized] target(s) in 0.31s\n"), "");
        assert_eq!(shows("\x1b[1m\x1b[92m    Finished\x1b[0m `dev` profile in 0.31s\n"), "");
        assert_eq!(shows(""), "");
    }

    #[test]
    fn a_build_that_compiles_is_announced_and_shown_whole() {
        for cargo in [
            "   Compiling aws-sdk-ecs v1.157.0\n    Finished x\n",
            "\x1b[1m\x1b[92m   Compiling\x1b[0m a\n",
            "error: no\n",
        ] {
            assert_eq!(shows(cargo), format!("building leo-infra (the AWS-linked commands)…\n{cargo}"));
        }
    }

    #[test]
    fn a_word_that_is_still_coming_is_awaited() {
        assert_eq!(first_word(b"   Finis"), None);
        assert_eq!(first_word(b"\x1b[1"), None);
        assert_eq!(first_word(b"\x1b[1m  Finished\x1b[0m"), Some("Finished"));
        assert_eq!(first_word(b"= building"), Some(""));
    }

    #[test]
    fn the_binary_is_read_from_cargo_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}"#,
            "\nnot json\n",
            r#"{"reason":"compiler-artifact","target":{"name":"leo-infra"},"executable":"/t/debug/leo-infra"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(executable(messages.as_bytes()).unwrap(), Some(PathBuf::from("/t/debug/leo-infra")));
        assert_eq!(executable(&b""[..]).unwrap(), None);
    }
}
