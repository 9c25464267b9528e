//! `--local` never opens the files with secrets unless it is told to: they are pipes here, which a command that opens one
//! would wait at for ever.

use crate::workspace::{WorkTree, shown};
use std::{
    fs::OpenOptions,
    io::Write as _,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread::{self, sleep},
    time::{Duration, Instant},
};

const FILES: [&str; 2] = ["env/.env", "env/.env.dev"];
/// Far longer than any of them takes.
const LIMIT: Duration = Duration::from_mins(2);

const COMMANDS: &[&[&str]] = &[
    &["deploy", "--yes"],
    &["push-images", "--dry-run"],
    &["push-images"],
    &["images", "ls"],
    &["images", "gc", "--dry-run"],
    &["drift"],
    &["diagnose"],
    &["diagnose", "--live"],
    &["releases"],
    &["rollback", "--yes"],
    &["env-sync"],
    &["secrets", "status"],
    &["secrets", "push", "--yes"],
    &["secrets", "rotate", "GITHUB_TOKEN"],
    &["destroy", "--yes"],
];

/// A work tree whose files with secrets are pipes.
fn tree() -> WorkTree {
    let tree = WorkTree::without_engine();
    tree.use_small_images();
    for file in FILES {
        let made = Command::new("mkfifo").arg(tree.root().join(file)).status().expect("runs");
        assert!(made.success());
    }
    tree
}

/// What a command said that ends in time; `None` where it waits, which it then does no longer.
fn ended(mut child: Child) -> Option<Output> {
    let deadline = Instant::now() + LIMIT;
    while child.try_wait().expect("is asked").is_none() {
        if Instant::now() >= deadline {
            let _ = child.kill();
            return None;
        }
        sleep(Duration::from_millis(20));
    }
    Some(child.wait_with_output().expect("has ended"))
}

fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
}

#[test]
fn python_local_commands_open_no_file_with_secrets() {
    let tree = tree();
    for command in COMMANDS {
        for more in [&["--local"][..], &["--local", "--json"]] {
            let arguments = [command, more].concat();
            let output = ended(start(&mut tree.leo_infra(&arguments)));
            let output =
                output.unwrap_or_else(|| panic!("{arguments:?} waits for a file that it must not open"));
            let said = shown(&output);
            // Without an engine nothing is built; whatever else was to come, came.
            let expected = if command[0] == "deploy" {
                output.status.code() == Some(0)
            } else {
                !said.contains("env/.env`")
            };
            assert!(expected, "{arguments:?}: {said}");
        }
    }
}

#[test]
fn python_told_to_a_local_deploy_takes_the_secrets_and_only_those() {
    let tree = tree();
    // Opening a pipe to write waits until somebody has opened it to read: that they are read is seen, too.
    let texts =
        ["AWS_REGION=eu-west-3\nAWS_ACCOUNT_ID=111111111111\n", "NOBODYS_KEY=x\nGITHUB_TOKEN=ghp_x\n"];
    let writers: Vec<_> = FILES
        .iter()
        .zip(texts)
        .map(|(file, text)| {
            let path: PathBuf = tree.root().join(file);
            thread::spawn(move || OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes()))
        })
        .collect();
    let output =
        ended(start(&mut tree.leo_infra(&["deploy", "--yes", "--local", "--with-secrets", "--json"])));
    let output = output.expect("does not wait");
    for writer in writers {
        writer.join().expect("ends").expect("is read");
    }
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(
        shown(&output).contains("env/.env.dev:1") && shown(&output).contains("NOBODYS_KEY"),
        "{}",
        shown(&output)
    );
}
