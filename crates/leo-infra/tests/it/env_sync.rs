//! The outputs of what is deployed reach the committed file, and change nothing of what is deployed.

use crate::workspace::{WorkTree, document, shown};
use leo_env::SecretsPolicy;
use leo_project::Project;
use serde_json::Value;
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::{Command, Output},
};

const DEFAULTS: &str = "env/.env.defaults";

fn done(command: &mut Command, code: i32) -> Output {
    let output = command.output().expect("runs");
    assert_eq!(output.status.code(), Some(code), "{}", shown(&output));
    output
}

/// The templates that the work tree gives.
fn synthesized(tree: &WorkTree) -> Vec<String> {
    let project = Project::load(tree.root(), None, SecretsPolicy::Ignore).expect("is valid");
    let stacks = leo_stack::compose(&project.config).expect("composes");
    stacks.all().map(|stack| stack.template.to_minified_json()).collect()
}

#[test]
fn python_outputs_are_written_once_and_nothing_is_deployed_anew() {
    let tree = WorkTree::without_engine();
    let defaults = tree.root().join(DEFAULTS);
    let text = || fs::read_to_string(&defaults).expect("reads");
    let odd = format!("{}\r\n  # mine\r\nLEO_OUT_PROD_URL = \"https://leo.example.com\"  # by hand", text());
    fs::write(&defaults, &odd).expect("writes");
    fs::set_permissions(&defaults, fs::Permissions::from_mode(0o640)).expect("is ours");
    let before = synthesized(&tree);

    done(&mut tree.leo_infra(&["deploy", "--local", "--yes", "--json"]), 0);
    // As on AWS: by an endpoint and credentials from the process, not as the local target.
    let target = tree.local_target();
    let sync = |arguments: &[&str], code: i32| {
        let mut command = tree.leo_infra(&[&["env-sync"], arguments].concat());
        command
            .env("AWS_ENDPOINT_URL", &target.endpoint)
            .env("AWS_ACCESS_KEY_ID", &target.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", target.secret_access_key.expose());
        done(&mut command, code)
    };
    // What failed where nothing listens is the reading: nothing was to be deployed.
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("is free");
    let mut unheard = tree.leo_infra(&["env-sync"]);
    unheard
        .env("AWS_ENDPOINT_URL", &target.endpoint)
        .env("AWS_ENDPOINT_URL_CLOUDFORMATION", format!("http://{nobody}"))
        .env("AWS_ACCESS_KEY_ID", &target.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", target.secret_access_key.expose());
    let unheard = done(&mut unheard, 1);
    assert!(shown(&unheard).contains("failed to read the outputs of leo-"), "{}", shown(&unheard));
    assert_eq!(text(), odd);

    let checked = document(&sync(&["--check", "--json"], 3));
    assert_eq!(checked["status"], "differs");
    assert_eq!(text(), odd, "a look writes nothing");

    let written = sync(&[], 0);
    let said = shown(&written);
    assert!(said.contains("+LEO_OUT_DEV_CLUSTER_NAME=leo-dev\n"), "{said}");
    let after = text();
    assert!(after.starts_with(&format!("{odd}\n")), "all that was there is there, byte for byte:\n{after}");
    assert_eq!(fs::metadata(&defaults).expect("is there").permissions().mode() & 0o777, 0o640);
    let region = &target.region;
    for key in [
        format!("LEO_OUT_DEV_APPS_BUCKET_NAME=leo-dev-apps-{}-{region}", target.account_id),
        format!("LEO_OUT_DEV_SECRET_ARN_GITHUB=arn:aws:secretsmanager:{region}:"),
        "LEO_OUT_DEV_ORCHESTRATOR_TASK_ROLE_ARN=arn:aws:iam::".to_owned(),
        "LEO_OUT_DEV_URL=http://".to_owned(),
    ] {
        assert!(after.contains(&key), "{key} in\n{after}");
    }

    let again = document(&sync(&["--json"], 0));
    assert_eq!((&again["status"], text()), (&Value::from("unchanged"), after.clone()));
    sync(&["--check"], 0);

    assert_eq!(synthesized(&tree), before, "what is written is never read");
    let second = document(&done(&mut tree.leo_infra(&["deploy", "--local", "--yes", "--json"]), 0));
    let stacks = second["stacks"].as_array().expect("is a list");
    assert!(stacks.len() == 3 && stacks.iter().all(|stack| stack["changed"] == false), "{second}");

    // The local target's are this machine's alone.
    let local = document(&done(&mut tree.leo_infra(&["env-sync", "--local", "--json"]), 0));
    assert_eq!(local["file"], ".leo/local/outputs.env");
    assert_eq!(text(), after);
    let kept = tree.root().join(".leo/local/outputs.env");
    assert_eq!(fs::metadata(&kept).expect("is there").permissions().mode() & 0o777, 0o600);
    assert_eq!(local["outputs"], again["outputs"]);

    // What is not there any more is not said any longer.
    done(&mut tree.leo_infra(&["destroy", "--local", "--yes", "--json"]), 0);
    let removed = document(&sync(&["--json"], 0));
    assert_eq!(removed["outputs"].get("LEO_OUT_DEV_URL"), None);
    assert!(!text().contains("LEO_OUT_DEV_URL") && text().contains("LEO_OUT_PROD_URL"), "{}", text());
}

#[test]
fn nothing_is_written_but_the_committed_file() {
    let tree = WorkTree::new();
    for file in ["env/.env", ".env", "xtask/src/main.rs"] {
        done(&mut tree.leo_infra(&["env-sync", "--file", file]), 2);
    }
    let defaults = tree.root().join(DEFAULTS);
    let target = tree.root().join("env/.env.other");
    fs::rename(&defaults, &target).expect("is ours");
    symlink(&target, &defaults).expect("links a file");
    let before = fs::read(&target).expect("reads");
    let output = done(&mut tree.leo_infra(&["env-sync"]), 2);
    assert!(shown(&output).contains("write env/.env.defaults: it is a link"), "{}", shown(&output));
    assert_eq!(fs::read(&target).expect("reads"), before);
}
