//! What a destroy takes, what it leaves, and what it refuses.

use crate::{
    http::{object, put_object},
    workspace::{WorkTree, document, shown},
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
};

/// A command without a Docker engine: stacks and data are there as with one, and nothing has to be built.
fn command(tree: &WorkTree, arguments: &[&str]) -> Command {
    let nowhere = format!("unix://{}", tree.root().join("no-engine.sock").display());
    let mut command = tree.leo_infra(arguments);
    command.env("DOCKER_HOST", nowhere);
    command
}

fn run(tree: &WorkTree, arguments: &[&str]) -> Output {
    command(tree, arguments).output().expect("runs")
}

fn done(tree: &WorkTree, arguments: &[&str]) -> Value {
    let output = run(tree, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", shown(&output));
    document(&output)
}

/// The names of what is still there.
fn kept(destroyed: &Value) -> Vec<&str> {
    destroyed["kept"].as_array().into_iter().flatten().filter_map(|kept| kept["name"].as_str()).collect()
}

/// Starts a command and kills it once it says this.
fn killed_at(tree: &WorkTree, arguments: &[&str], line: &str) {
    let mut child =
        command(tree, arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
    let said = BufReader::new(child.stderr.take().expect("is piped"));
    assert!(said.lines().map_while(Result::ok).any(|said| said == line), "it never says {line:?}");
    child.kill().expect("is killed");
    child.wait().expect("has ended");
}

const SECRETS: [&str; 4] = ["leo/dev/claude", "leo/dev/flyio", "leo/dev/github", "leo/dev/supabase"];

#[test]
fn python_data_stays_until_its_name_is_typed_and_the_next_deploy_takes_it_over() {
    let tree = WorkTree::new();
    let deploy = ["deploy", "--local", "--yes", "--json"];
    let destroy = ["destroy", "--local", "--yes", "--json"];
    let with_data = ["destroy", "--local", "--json", "--delete-data", "--confirm", "dev"];
    done(&tree, &deploy);
    let target = tree.local_target();
    let bucket = format!("leo-dev-apps-{}-{}", target.account_id, target.region);
    for key in ["one", "two", "three"] {
        assert_eq!(put_object(&target, &bucket, key, "kept").status, 200);
    }

    let first = done(&tree, &destroy);
    assert_eq!(first["status"], "destroyed");
    assert_eq!(first["found"]["stacks"], json!(["leo-dev-platform", "leo-dev-foundation"]));
    assert_eq!(first["found"]["inventory"]["buckets"][0]["bytes"], 12);
    assert_eq!(kept(&first), [&[bucket.as_str()], &SECRETS[..], &["leo-registry"]].concat());
    let again = done(&tree, &destroy);
    assert_eq!((&again["status"], kept(&again)), (&json!("unchanged"), kept(&first)));

    let adopting = run(&tree, &deploy);
    assert_eq!(adopting.status.code(), Some(0), "{}", shown(&adopting));
    assert!(shown(&adopting).contains(&format!("adopting what an earlier stack left: {bucket}")));
    assert_eq!(object(&target, &bucket, "two").body, "kept");

    let registry = run(&tree, &["destroy", "--local", "--registry", "--yes"]);
    assert_eq!(registry.status.code(), Some(2), "{}", shown(&registry));
    assert!(shown(&registry).contains("leo-dev-platform"), "{}", shown(&registry));

    killed_at(&tree, &with_data, "foundation: started");
    let ended = done(&tree, &with_data);
    assert_eq!(ended["status"], "destroyed");
    assert_eq!(ended["deleted_buckets"], json!([{"name": bucket, "versions": 3, "bytes": 12, "uploads": 0}]));
    assert_eq!(kept(&ended), [&SECRETS[..], &["leo-registry"]].concat());
    assert_eq!(object(&target, &bucket, "two").status, 404);
    assert_eq!(done(&tree, &with_data)["status"], "unchanged");

    // They can be restored, so the next deploy does.
    done(&tree, &deploy);
    assert_eq!(kept(&done(&tree, &destroy)).len(), 1 + SECRETS.len() + 1);

    let registry = ["destroy", "--local", "--registry", "--json", "--delete-data", "--confirm", "registry"];
    let destroyed = done(&tree, &registry);
    assert_eq!((&destroyed["status"], kept(&destroyed).len()), (&json!("destroyed"), 0), "{destroyed}");
}

#[test]
fn what_may_not_be_destroyed_is_refused_before_anything_is_sent() {
    let tree = WorkTree::new();
    let refused = |arguments: &[&str], code: i32, says: &str| {
        let output = tree.leo_infra(arguments).output().expect("runs");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", shown(&output));
        assert!(shown(&output).contains(says), "{}", shown(&output));
    };
    refused(&["destroy", "--environment", "prod", "--yes"], 2, "it is protected");
    refused(&["destroy", "--local"], 1, "--yes");
    refused(&["destroy", "--local", "--delete-data", "--yes"], 1, "--confirm dev");
    refused(&["destroy", "--local", "--delete-data", "--confirm", "prod"], 2, "--confirm says `prod`");
    refused(&["destroy", "--local", "--confirm", "dev"], 2, "--delete-data");
    assert!(!tree.root().join(".leo").exists(), "nothing was started");
}
