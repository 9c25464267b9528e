//! `--local` never opens the files with secrets unless it is told to: they are pipes here, which a command that opens one
//! would wait at, or name as what can't be read.

use crate::workspace::{WorkTree, shown};
use std::{
    fs,
    process::{Child, Command, Output, Stdio},
    thread::sleep,
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
    let deploy = || {
        let arguments = ["deploy", "--yes", "--local", "--with-secrets", "--json"];
        let output = ended(start(&mut tree.leo_infra(&arguments))).expect("does not wait");
        assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
        output
    };
    let of_pipes = shown(&deploy());
    for file in FILES {
        assert!(of_pipes.contains(&format!("`{file}` can't be read")), "{of_pipes}");
    }
    let texts =
        ["AWS_REGION=eu-west-3\nAWS_ACCOUNT_ID=111111111111\n", "NOBODYS_KEY=x\nGITHUB_TOKEN=ghp_x\n"];
    for (file, text) in FILES.iter().zip(texts) {
        fs::remove_file(tree.root().join(file)).expect("is ours");
        fs::write(tree.root().join(file), text).expect("writes a file");
    }
    let output = deploy();
    assert!(
        shown(&output).contains("env/.env.dev:1") && shown(&output).contains("NOBODYS_KEY"),
        "{}",
        shown(&output)
    );
}
