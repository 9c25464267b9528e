//! The first configuration of a clone: asked for on a terminal, given without one.

mod asked;

use crate::workspace::{WorkTree, document, shown};
use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

/// A token of GitHub's by its form alone.
fn token() -> String {
    ["ghp_", "k8Jq2Lx0VbN7sTz4WmRc9YpD3fHg6Ea1Uo5Q"].concat()
}

fn init(tree: &WorkTree, arguments: &[&str]) -> Command {
    let mut command = tree.leo_infra(&[&["init"], arguments].concat());
    command.env("HOME", tree.root().join("home")).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Runs it with lines on stdin.
fn with_stdin(mut command: Command, lines: &str) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    // A command that refuses its arguments reads none of it.
    let _ = child.stdin.take().expect("is piped").write_all(lines.as_bytes());
    child.wait_with_output().expect("ends")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o7777
}

fn state<'a>(document: &'a Value, key: &str) -> &'a Value {
    let keys = document["keys"].as_array().expect("is a list");
    &keys.iter().find(|one| one["key"] == key).expect("is in it")["state"]
}

#[test]
fn without_a_terminal_values_come_from_arguments_and_stdin() {
    let tree = WorkTree::new();
    let token = token();
    let file = tree.root().join("env/.env");

    let nothing = init(&tree, &["--offline", "--json"]).output().expect("runs");
    assert_eq!(nothing.status.code(), Some(2), "{}", shown(&nothing));
    assert!(shown(&nothing).contains("--stdin"), "{}", shown(&nothing));
    assert_eq!(document(&nothing)["missing"].as_array().map(Vec::len), Some(6));
    assert!(!file.exists());

    let lines = format!("GITHUB_TOKEN={token}\n");
    let arguments = ["--offline", "--json", "--stdin", "--set", "AWS_PROFILE=leo-dev"];
    let given = with_stdin(init(&tree, &arguments), &lines);
    assert_eq!(given.status.code(), Some(2), "the others are still missing: {}", shown(&given));
    assert!(!shown(&given).contains(&token), "{}", shown(&given));
    let said = document(&given);
    assert_eq!(
        (&said["status"], state(&said, "GITHUB_TOKEN"), state(&said, "AWS_PROFILE")),
        (&"written".into(), &"new".into(), &"new".into())
    );
    let written = fs::read_to_string(&file).expect("is written");
    assert!(written.contains("\nAWS_PROFILE=leo-dev\n") && written.contains(&token), "{written}");
    assert_eq!(mode(&file), 0o600);

    // Again: nothing changes but who may read it.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("is ours");
    let again = with_stdin(init(&tree, &arguments), &lines);
    assert_eq!(document(&again)["status"], "unchanged", "{}", shown(&again));
    assert_eq!((fs::read_to_string(&file).expect("is there"), mode(&file)), (written.clone(), 0o600));

    // What is there stays, also where something else is wanted; a secret is no argument.
    let secret = format!("FLY_API_TOKEN={token}");
    for refused in [["--set", "AWS_PROFILE=other"], ["--set", &secret]] {
        let output = init(&tree, &[&["--offline"], refused.as_slice()].concat()).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
        assert!(!shown(&output).contains(&token), "{}", shown(&output));
        assert_eq!(fs::read_to_string(&file).expect("is there"), written);
    }

    // A line that can't be read is told without what it holds.
    let malformed = with_stdin(init(&tree, &["--offline", "--stdin"]), "FLY_API_TOKEN=hush hush\n");
    assert_eq!(malformed.status.code(), Some(2), "{}", shown(&malformed));
    assert!(!shown(&malformed).contains("hush"), "{}", shown(&malformed));
}

#[test]
fn a_protected_environment_gets_its_own_file() {
    let tree = WorkTree::new();
    let shared = tree.root().join("env/.env");
    fs::write(&shared, format!("GITHUB_TOKEN={}\n", token())).expect("writes");
    let arguments = ["--offline", "--json", "--environment", "prod", "--set", "AWS_PROFILE=leo-prod"];
    let output = init(&tree, &arguments).output().expect("runs");
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    let said = document(&output);
    assert_eq!((&said["file"], state(&said, "GITHUB_TOKEN")), (&"env/.env.prod".into(), &"missing".into()));
    let own = tree.root().join("env/.env.prod");
    assert!(fs::read_to_string(&own).expect("is written").contains("AWS_PROFILE=leo-prod"));
    assert_eq!(mode(&own), 0o600);
    assert!(!fs::read_to_string(&shared).expect("is there").contains("AWS_PROFILE"));

    let unknown = init(&tree, &["--offline", "--environment", "qa"]).output().expect("runs");
    assert_eq!(unknown.status.code(), Some(2), "{}", shown(&unknown));
    assert!(
        shown(&unknown).contains("one of dev, prod, staging")
            || shown(&unknown).contains("one of dev, staging, prod"),
        "{}",
        shown(&unknown)
    );
}

#[test]
fn a_file_that_git_publishes_gets_nothing() {
    let tree = WorkTree::new();
    let git = |arguments: &[&str]| {
        let done = Command::new("git").args(arguments).current_dir(tree.root()).output().expect("runs");
        assert!(done.status.success(), "{}", shown(&done));
    };
    git(&["init", "--quiet"]);
    let arguments = ["--offline", "--set", "AWS_PROFILE=leo-dev"];
    let open = init(&tree, &arguments).output().expect("runs");
    assert_eq!(open.status.code(), Some(2), "{}", shown(&open));
    assert!(shown(&open).contains("add the line env/.env to .gitignore"), "{}", shown(&open));

    fs::write(tree.root().join(".gitignore"), "env/.env\n").expect("writes");
    fs::write(tree.root().join("env/.env"), "").expect("writes");
    git(&["add", "--force", "env/.env"]);
    let tracked = init(&tree, &arguments).output().expect("runs");
    assert_eq!(tracked.status.code(), Some(2), "{}", shown(&tracked));
    assert!(shown(&tracked).contains("git rm --cached env/.env"), "{}", shown(&tracked));
    assert_eq!(fs::read_to_string(tree.root().join("env/.env")).expect("is there"), "");
}

#[test]
fn a_link_another_repository_or_no_answer_do_not_get_past_git() {
    let tree = WorkTree::new();
    let root = tree.root();
    let git = |arguments: &[&str]| {
        let done = Command::new("git").args(arguments).current_dir(root).output().expect("runs");
        assert!(done.status.success(), "{}", shown(&done));
    };
    git(&["init", "--quiet"]);
    git(&["init", "--quiet", "elsewhere"]);
    fs::write(root.join(".gitignore"), "/env/*\n").expect("writes");
    let refused = |mut command: Command, why: &str, hint: &str| {
        let output = command.output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
        let said = shown(&output);
        assert!(said.contains(why) && said.contains(hint) && said.contains("nothing was written"), "{said}");
    };
    let arguments = ["--offline", "--set", "AWS_PROFILE=leo-dev"];

    let (env, notes) = (root.join("env/.env"), root.join("notes.txt"));
    fs::write(&notes, "# x\n").expect("writes");
    git(&["add", "notes.txt"]);
    symlink("../notes.txt", &env).expect("links a file");
    refused(
        init(&tree, &arguments),
        "which git tracks",
        "let it be a file of its own: cp --remove-destination",
    );
    assert_eq!(fs::read_to_string(&notes).expect("is there"), "# x\n");

    fs::remove_file(&env).expect("is ours");
    fs::write(&env, "").expect("writes");
    git(&["add", "--force", "env/.env"]);
    let mut misled = init(&tree, &arguments);
    misled.env("GIT_DIR", root.join("elsewhere/.git")).env("GIT_WORK_TREE", root.join("elsewhere"));
    refused(misled, "git tracks it", "git rm --cached env/.env");

    git(&["rm", "--quiet", "--cached", "env/.env"]);
    let mut foreign = init(&tree, &arguments);
    foreign.env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    refused(
        foreign,
        "whether git publishes it can't be found out",
        "git config --global --add safe.directory '",
    );
    assert_eq!(fs::read_to_string(&env).expect("is there"), "");
}

/// `infra/env.toml` without a secret but these.
fn declare(tree: &WorkTree, secrets: &str) {
    let file = tree.root().join("infra/env.toml");
    let text = fs::read_to_string(&file).expect("is there");
    let (settings, _) = text.split_once("[CLAUDE_CODE_OAUTH_TOKEN]").expect("is declared");
    fs::write(file, format!("{settings}{secrets}")).expect("writes");
}

const GITHUB: &str = "[GITHUB_TOKEN]\nprovider = 'github'\nconsumers = ['generator']\n\
                      shapes = ['github-classic-token']\nhelp = 'the token'\n";

#[test]
fn what_was_never_filled_in_is_no_value_and_what_is_none_is_said() {
    let tree = WorkTree::new();
    declare(&tree, GITHUB);
    let (token, file) = (token(), tree.root().join("env/.env"));
    let give = |value: &str| {
        with_stdin(init(&tree, &["--offline", "--stdin", "--json"]), &format!("GITHUB_TOKEN={value}\n"))
    };
    fs::write(&file, "GITHUB_TOKEN=changeme  # later\n").expect("writes");

    let nothing = init(&tree, &["--offline"]).output().expect("runs");
    assert_eq!(nothing.status.code(), Some(2), "{}", shown(&nothing));
    assert!(shown(&nothing).contains("find a value for GITHUB_TOKEN"), "{}", shown(&nothing));
    for placeholder in ["ghp_xxxxxxxxxxxxxxxxxxxx", "changeme"] {
        let refused = give(placeholder);
        assert_eq!(refused.status.code(), Some(2), "{}", shown(&refused));
        assert!(shown(&refused).contains("it was never filled in"), "{}", shown(&refused));
    }
    assert_eq!(fs::read_to_string(&file).expect("is there"), "GITHUB_TOKEN=changeme  # later\n");
    let filled = give(&token);
    assert_eq!(filled.status.code(), Some(0), "{}", shown(&filled));
    assert_eq!(fs::read_to_string(&file).expect("is there"), format!("GITHUB_TOKEN={token}  # later\n"));

    fs::write(&file, "GITHUB_TOKEN=ghp_Hu5hQ7\n").expect("writes");
    let malformed = init(&tree, &["--offline"]).output().expect("runs");
    assert_eq!(malformed.status.code(), Some(2), "{}", shown(&malformed));
    let said = shown(&malformed);
    assert!(
        said.contains("as it was, but it ") && said.contains("take the value of GITHUB_TOKEN, which stays"),
        "{said}"
    );
    assert!(!said.contains("Hu5hQ7"), "{said}");
}

/// Somebody who was told that a value is written finds it there.
#[test]
fn of_many_at_once_none_takes_away_what_another_one_has_written() {
    let tree = WorkTree::new();
    let keys: Vec<String> = (0..6).map(|number| format!("KEY_{number}")).collect();
    let secret = |key: &String| format!("[{key}]\nprovider = 'x'\nconsumers = ['generator']\nhelp = 'h'\n");
    declare(&tree, &keys.iter().map(secret).collect::<String>());
    let give = |key: &str| {
        let output =
            with_stdin(init(&tree, &["--offline", "--stdin", "--json"]), &format!("{key}=of-{key}\n"));
        assert_eq!(document(&output)["status"], "written", "{}", shown(&output));
    };
    thread::scope(|scope| {
        for key in &keys {
            scope.spawn(move || give(key));
        }
    });
    let text = fs::read_to_string(tree.root().join("env/.env")).expect("is written");
    assert!(keys.iter().all(|key| text.contains(&format!("\n{key}=of-{key}\n"))), "{text}");
}

#[test]
fn a_result_that_nobody_reads_is_no_failure_and_one_that_is_lost_is() {
    let tree = WorkTree::new();
    declare(&tree, GITHUB);
    fs::write(tree.root().join("env/.env"), format!("GITHUB_TOKEN={}\n", token())).expect("writes");
    let to = |stdout: Stdio| {
        let child =
            init(&tree, &["--offline"]).stdout(stdout).stderr(Stdio::piped()).spawn().expect("starts");
        child.wait_with_output().expect("ends")
    };
    let (nobody, writer) = std::io::pipe().expect("makes a pipe");
    drop(nobody);
    let unread = to(writer.into());
    assert_eq!((unread.status.code(), unread.stderr.as_slice()), (Some(0), &b""[..]), "{}", shown(&unread));
    let full = to(fs::File::create("/dev/full").expect("opens").into());
    assert_eq!(full.status.code(), Some(1), "{}", shown(&full));
    assert!(shown(&full).contains("error: failed to write to stdout: No space left"), "{}", shown(&full));
}

#[test]
fn a_pipe_for_a_file_is_not_waited_for() {
    let tree = WorkTree::new();
    let pipe = tree.root().join("env/.env");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("runs").success());
    let output = init(&tree, &["--offline"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(shown(&output).contains("it is no regular file"), "{}", shown(&output));
}

#[test]
fn without_credentials_the_account_stays_open_and_is_said_to() {
    let tree = WorkTree::new();
    let output = init(&tree, &["--json", "--set", "AWS_PROFILE=nobody"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(2), "secrets are missing: {}", shown(&output));
    let said = document(&output);
    assert_eq!(said["account"], Value::Null);
    assert!(said["signed_in"]["unknown"].is_string(), "{said}");
    assert!(
        !fs::read_to_string(tree.root().join("env/.env")).expect("is written").contains("AWS_ACCOUNT_ID")
    );
}
