//! `cargo xtask` from outside: exit codes, and what goes to which stream.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod canaries;
mod env_check;
mod env_generate;
mod hand_over;
mod synth;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// A work tree with nothing in it but what makes it one, and a configuration.
fn work_tree(leo_toml: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("xtask/Cargo.toml", ""),
        ("Cargo.lock", ""),
        ("infra/leo.toml", leo_toml),
        ("infra/env.toml", include_str!("../../../infra/env.toml")),
        ("env/.env.defaults", "AWS_REGION=us-east-1\nLEO_ENVIRONMENT=dev\n"),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// `cargo xtask` in a folder, with an environment that is not this process's.
fn xtask(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(args).current_dir(folder).env_clear();
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    xtask(folder, args).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn help_lists_every_command() {
    let output = run(work_tree("").path(), &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(stdout(&output));
}

#[test]
fn bad_usage_exits_2() {
    for args in [&["no-such-command"][..], &["synth", "--no-such-option"], &[], &["local"]] {
        let output = run(work_tree("").path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(stdout(&output), "", "{args:?}");
    }
}

#[test]
fn outside_a_work_tree_it_says_so_and_exits_2() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["synth"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("error: no leo-infra work tree in "), "{}", stderr(&output));
}

#[test]
fn a_local_target_that_was_never_started_is_not_running() {
    let folder = work_tree("");
    let status = run(folder.path(), &["local", "status", "--json"]);
    assert_eq!(status.status.code(), Some(0), "{}", stderr(&status));
    let document: serde_json::Value = serde_json::from_str(stdout(&status)).unwrap();
    assert_eq!(document["running"], false);
    let down = run(folder.path(), &["local", "down"]);
    assert_eq!((down.status.code(), stdout(&down)), (Some(0), "it was not running\n"));
    assert!(!folder.path().join(".leo").exists());
}
