//! The first configuration of a clone: asked for on a terminal, given without one.

use crate::{
    terminal::Terminal,
    workspace::{WorkTree, document, shown},
};
use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
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
fn a_person_is_asked_for_what_is_missing_and_secrets_are_not_shown() {
    let tree = WorkTree::new();
    let token = token();
    let file = tree.root().join("env/.env");
    let mut terminal = Terminal::start(&init(&tree, &["--offline"]));
    for key in ["CLAUDE_CODE_OAUTH_TOKEN", "FLY_API_TOKEN"] {
        terminal.until(&format!("{key}: "));
        terminal.until_hidden();
        terminal.type_in("\n");
    }
    terminal.until("GITHUB_TOKEN: ");
    terminal.until_hidden();
    terminal.type_in("nonsense-of-mine\n");
    terminal.until("wanted ");
    terminal.until("> ");
    terminal.until_hidden();
    terminal.type_in(&format!("  {token} \n"));
    for key in ["SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY"] {
        terminal.until(&format!("{key}: "));
        terminal.until_hidden();
        terminal.type_in("\n");
    }
    let (code, said) = terminal.finish();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(&token) && !said.contains("nonsense"), "{said}");
    assert!(said.contains("•••• (40 characters), new"), "{said}");
    let written = fs::read_to_string(&file).expect("is written");
    assert!(written.ends_with(&format!("\nGITHUB_TOKEN={token}\n")), "{written}");
    assert_eq!(mode(&file), 0o600);

    // Ctrl-C leaves the terminal and the files as they were.
    let mut terminal = Terminal::start(&init(&tree, &["--offline"]));
    terminal.until("CLAUDE_CODE_OAUTH_TOKEN: ");
    terminal.until_hidden();
    terminal.type_in("\u{3}");
    terminal.until("nothing was written");
    while !terminal.echoes() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let (code, said) = terminal.finish();
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(fs::read_to_string(&file).expect("is there"), written);
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

#[test]
fn python_the_account_of_the_credentials_is_written_down() {
    let tree = WorkTree::without_engine();
    let output = tree.leo_infra(&["env-sync", "--local"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(1), "nothing is deployed, but the target runs: {}", shown(&output));
    let target = tree.local_target();
    let found = init(&tree, &["--json"])
        .env("AWS_ENDPOINT_URL", &target.endpoint)
        .env("AWS_ACCESS_KEY_ID", &target.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", target.secret_access_key.expose())
        .output()
        .expect("runs");
    let said = document(&found);
    assert_eq!(
        (&said["account"], state(&said, "AWS_ACCOUNT_ID")),
        (&target.account_id.clone().into(), &"new".into())
    );
    let written = fs::read_to_string(tree.root().join("env/.env")).expect("is written");
    assert!(written.ends_with(&format!("\nAWS_ACCOUNT_ID={}\n", target.account_id)), "{written}");
}
