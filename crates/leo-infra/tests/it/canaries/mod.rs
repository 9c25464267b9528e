//! No secret gets out of any command: of none that succeeds, none that fails and none that ends in a panic; not on a screen,
//! into a file, an argument or a variable of a child; plain or encoded, whole or in part.

mod echo;
mod layers;
mod nest;

use crate::workspace::{WorkTree, shown};
use echo::{Echo, Words};
use nest::{Files, Nest, Run};
use std::{io::Write, process::Stdio};

/// Every command, with what it needs to get as far as it can. One that is not here fails
/// [`every_command_is_looked_at`].
const COMMANDS: &[&[&str]] = &[
    &["deploy", "--yes"],
    &["deploy", "--yes", "--images", "current"],
    &["push-images"],
    &["push-images", "--dry-run"],
    &["push-images", "--promote", "dev:staging"],
    &["images", "ls"],
    &["images", "gc", "--dry-run"],
    &["drift"],
    &["diagnose"],
    &["diagnose", "--live"],
    &["releases"],
    &["rollback", "--yes"],
    &["init", "--no-questions", "--offline"],
    &["init", "--no-questions", "--stdin"],
    &["env-sync"],
    &["secrets", "status"],
    &["secrets", "push", "--dry-run"],
    &["secrets", "push", "--yes"],
    &["secrets", "push", "--yes", "--overwrite", "--prune"],
    &["secrets", "rotate", "GITHUB_TOKEN"],
    &["secrets", "rotate", "SUPABASE_URL"],
    &["secrets", "rotate", "GITHUB_TOKEN", "--write-env"],
    &["secrets", "status", "--exit-code"],
    &["destroy", "--yes"],
];

/// A command with more arguments.
fn with<'a>(command: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, more].concat()
}

#[test]
fn every_command_is_looked_at() {
    let tree = WorkTree::new();
    let help = tree.leo_infra(&["--help"]).output().expect("runs");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let listed =
        help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("lists them");
    let listed: Vec<&str> = listed
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(listed.len() >= 8, "{help}");
    let missing: Vec<_> =
        listed.iter().filter(|name| !COMMANDS.iter().any(|command| command.first() == Some(name))).collect();
    assert!(missing.is_empty(), "not looked at for secrets: {missing:?}");
}

#[test]
fn what_is_wrong_with_the_files_is_said_without_a_value() {
    let nest = Nest::without_engine();
    nest.put(Files::Malformed);
    for command in COMMANDS {
        for more in [&[][..], &["--json"], &["-vvv"], &["--environment", "prod"], &["--no-such-option"]] {
            let run = nest.check(&with(command, more), NO_AWS);
            assert!(run.code.is_some_and(|code| code != 0), "{}", run.shown());
        }
    }
    let run = nest.check(&["deploy", "--yes", "--local", "--with-secrets"], &[]);
    assert!(run.code == Some(2) && run.said("env/.env:"), "{}", run.shown());
}

/// An environment in which nobody is signed in.
const NO_AWS: &[(&str, &str)] =
    &[("HOME", "nowhere"), ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_CONFIG_FILE", "nowhere")];

#[test]
fn python_no_command_shows_a_secret() {
    let nest = Nest::without_engine();
    let deploy = ["deploy", "--yes", "--local", "--with-secrets"];
    let first = nest.check(&deploy, &[]);
    assert_eq!(first.code, Some(0), "{}", first.shown());
    // Otherwise nothing was proved: the values have got to where they belong.
    let truth = crate::truth::Truth::of(&nest.tree.local_target());
    let there = format!("{:?}", truth.account().secrets);
    for name in ["claude", "fly", "url", "anon", "service", "variable"] {
        assert!(there.contains(nest.canaries.value(name)), "{name} is not in {there}");
    }
    assert_core_dumps_are_off(&first);
    assert!(!nest.started().is_empty() || !first.seen.children.is_empty(), "no child was seen");

    let target = nest.tree.local_target();
    let aws = [
        ("AWS_ENDPOINT_URL", target.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", &target.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", target.secret_access_key.expose()),
    ];
    // Somebody pasted a token where the name of a key belongs.
    let mut pasted = serde_json::json!({nest.canaries.value("name of a key"): "by hand"});
    pasted["FLY_API_TOKEN"] = nest.canaries.value("fly").into();
    let body = serde_json::json!({"SecretId": "leo/dev/flyio", "SecretString": pasted.to_string()});
    crate::http::api(&target, "secretsmanager", "secretsmanager.PutSecretValue", &body);
    for (number, command) in COMMANDS.iter().enumerate() {
        // Each with and without --json, once here and once as if it were AWS.
        let (here, there) =
            if number % 2 == 0 { (&[][..], &["--json"][..]) } else { (&["--json"][..], &[][..]) };
        nest.check(&with(&with(command, &["--local"]), here), &[]);
        nest.check(&with(command, there), &aws);
    }
    nest.check(&with(&deploy, &["--json"]), &[]);
    nest.check(&["rollback", "--yes", "--local", "--with-secrets", "--json"], &[]);
}

/// While a command has secrets its limits say so, and so do its children's.
fn assert_core_dumps_are_off(run: &Run) {
    let limit = run.seen.limits.lines().find(|line| line.starts_with("Max core file size"));
    let words: Vec<&str> = limit.unwrap_or_default().split_whitespace().skip(4).take(2).collect();
    assert_eq!(words, ["0", "0"], "{}", run.seen.limits);
}

#[test]
fn python_an_answer_that_quotes_what_was_sent_is_not_repeated() {
    let nest = Nest::without_engine();
    let target = nest.tree.start_target();
    nest.put(Files::Good);
    let deploy = ["deploy", "--yes", "--local", "--with-secrets"];
    for operation in ["PutSecretValue", "DescribeSecret", "GetSecretValue"] {
        for words in Words::ALL {
            let echo = Echo::start(&target, operation, words);
            for more in [&[][..], &["--json"]] {
                let run = nest.check(&with(&deploy, more), &[("LEO_LOCAL_PROXY", &echo.url)]);
                if operation == "PutSecretValue" {
                    assert_eq!(run.code.map(|code| code != 0), Some(true), "{words:?}: {}", run.shown());
                }
            }
            if operation == "PutSecretValue" {
                assert!(echo.quoted() > 0, "{operation} was not called");
            }
        }
    }
    // Nothing that was echoed has spoiled anything.
    let run = nest.check(&deploy, &[]);
    assert_eq!(run.code, Some(0), "{}", run.shown());
}

#[test]
fn python_a_result_that_can_not_be_written_and_a_panic_show_no_secret() {
    let nest = Nest::without_engine();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("is there");
    let mut command = nest.tree.leo_infra(&["deploy", "--yes", "--local", "--with-secrets", "--json"]);
    command.env("LEO_SECRET_GITHUB_TOKEN", nest.canaries.value("variable"));
    let output = command.stdout(full()).stderr(Stdio::piped()).output().expect("runs");
    let leaks = nest.canaries.in_bytes("stderr", &output.stderr);
    assert!(leaks.is_empty(), "{leaks:?}");
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    assert!(shown(&output).contains("failed to write to stdout"), "{}", shown(&output));

    // A warning that can't be written is a panic of the standard library, while the old and the new value are in memory.
    let value = format!("{}A", nest.canaries.value("fly"));
    let mut command =
        nest.tree.leo_infra(&["secrets", "rotate", "FLY_API_TOKEN", "--local", "--with-secrets"]);
    let mut rotate =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(full()).spawn().expect("starts");
    rotate.stdin.take().expect("is piped").write_all(value.as_bytes()).expect("is read");
    let output = rotate.wait_with_output().expect("ends");
    let leaks = nest.canaries.in_bytes("stdout", &output.stdout);
    assert!(leaks.is_empty(), "{leaks:?}");
    assert_eq!(output.status.code(), Some(101), "{}", shown(&output));
}
