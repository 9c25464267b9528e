//! What a person is asked, on a terminal of its own.

use super::{GITHUB, declare, init, mode, token};
use crate::{
    terminal::Terminal,
    workspace::{WorkTree, document, shown},
};
use serde_json::Value;
use std::fs;

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

/// The terminal must not stay as it is while a secret is typed.
#[test]
fn a_question_for_a_secret_that_is_left_leaves_the_terminal_as_it_was() {
    let tree = WorkTree::new();
    for leave in
        [|terminal: &mut Terminal| terminal.terminate(), |terminal: &mut Terminal| terminal.type_in("\x03")]
    {
        let mut terminal = Terminal::start(&init(&tree, &["--offline"]));
        terminal.until("CLAUDE_CODE_OAUTH_TOKEN: ");
        terminal.until_hidden();
        leave(&mut terminal);
        let code = terminal.wait();
        assert!(terminal.echoes(), "what is typed is shown again");
        let (_, said) = terminal.finish();
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("it was interrupted; nothing was written"), "{said}");
    }
    assert!(!tree.root().join("env/.env").exists());
}

#[test]
fn a_person_is_asked_which_environment_is_meant() {
    let tree = WorkTree::new();
    declare(&tree, GITHUB);
    fs::write(tree.root().join("env/.env.defaults"), "AWS_REGION=us-east-1\n").expect("writes");
    let nobody = init(&tree, &["--offline"]).output().expect("runs");
    assert_eq!(nobody.status.code(), Some(2), "{}", shown(&nobody));
    let mut terminal = Terminal::start(&init(&tree, &["--offline"]));
    terminal.until("Which environment (");
    terminal.type_in("staging\n");
    terminal.until("GITHUB_TOKEN: ");
    terminal.until_hidden();
    terminal.type_in("\n");
    let (code, said) = terminal.finish();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("environment  staging") && said.contains("next: cargo xtask env-check\r\n"),
        "{said}"
    );
    let written = fs::read_to_string(tree.root().join("env/.env")).expect("is written");
    assert!(written.contains("\nLEO_ENVIRONMENT=staging\n"), "{written}");

    // Named by an argument, it is named to the next command as well.
    let dev = init(&tree, &["--offline", "--environment", "dev"]).output().expect("runs");
    assert!(shown(&dev).contains("next: cargo xtask env-check --environment dev\n"), "{}", shown(&dev));
}

#[test]
fn python_the_account_of_the_credentials_is_written_down_where_that_is_wanted() {
    let tree = WorkTree::without_engine();
    let output = tree.leo_infra(&["env-sync", "--local"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(1), "nothing is deployed, but the target runs: {}", shown(&output));
    let target = tree.local_target();
    declare(&tree, GITHUB);
    let signed_in = |arguments: &[&str]| {
        let mut command = init(&tree, arguments);
        command
            .env("AWS_ENDPOINT_URL", &target.endpoint)
            .env("AWS_ACCESS_KEY_ID", &target.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", target.secret_access_key.expose());
        command
    };
    let id = &target.account_id;
    let (shared, staging) = (tree.root().join("env/.env"), tree.root().join("env/.env.staging"));
    let line = format!("\nAWS_ACCOUNT_ID={id}\n");

    // Never without a word.
    let unasked = signed_in(&["--json"]).output().expect("runs");
    let said = document(&unasked);
    assert_eq!((&said["account"], &said["account_pinned_in"]), (&Value::Null, &Value::Null), "{said}");
    assert_eq!(said["signed_in"]["account"], **id, "{said}");
    assert!(!shared.exists());
    let told = signed_in(&[]).output().expect("runs");
    assert!(shown(&told).contains("not pinned: --pin-account writes it into env/.env"), "{}", shown(&told));

    // For one environment, into its own file.
    let own = ["--pin-account", "--own-file", "--environment", "staging", "--json"];
    let said = document(&signed_in(&own).output().expect("runs"));
    assert_eq!((&said["account"], &said["account_pinned_in"]), (&(**id).into(), &"env/.env.staging".into()));
    assert!(fs::read_to_string(&staging).expect("is written").ends_with(&line) && !shared.exists());

    // Asked, for all that name none.
    for (answer, pinned) in [("n", false), ("y", true)] {
        let mut terminal = Terminal::start(&signed_in(&[]));
        terminal.until(&format!(
            "Your credentials are for account {id}. Let every environment that names no account"
        ));
        terminal.until("(in env/.env)? [y/N] ");
        terminal.type_in(&format!("{answer}\n"));
        terminal.until("GITHUB_TOKEN: ");
        terminal.until_hidden();
        terminal.type_in("\n");
        let (code, said) = terminal.finish();
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(said.contains("pinned in env/.env, for every environment"), pinned, "{said}");
        assert_eq!(fs::read_to_string(&shared).is_ok_and(|text| text.ends_with(&line)), pinned, "{said}");
    }
}
