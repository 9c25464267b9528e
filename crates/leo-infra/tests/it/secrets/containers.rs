//! What real containers are given.

use super::{STATUS, Values, done, outcomes, push, rotate, states};
use crate::workspace::{WorkTree, document, have_docker, shown};
use leo_local::LocalTarget;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

const DEPLOY: [&str; 5] = ["deploy", "--local", "--with-secrets", "--yes", "--json"];

/// A container of the orchestrator: its id and its variables.
#[derive(Debug, PartialEq, Eq)]
struct Container {
    id: String,
    variables: BTreeMap<String, String>,
}

/// The one that runs, once the ones before it are gone.
fn orchestrator(target: &LocalTarget) -> Container {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let ids = running(target);
        if let [id] = ids.as_slice()
            && let Some(variables) = variables(id)
        {
            return Container { id: id.clone(), variables };
        }
        assert!(Instant::now() < deadline, "there is not one: {ids:?}");
        sleep(Duration::from_millis(300));
    }
}

fn running(target: &LocalTarget) -> Vec<String> {
    let format = "{{.ID}} {{.Names}} {{.Label \"ministack.instance\"}}";
    let output = docker(&["ps", "--no-trunc", "--filter", "label=ministack=ecs", "--format", format]);
    let ours = |line: &str| {
        let mut parts = line.split(' ');
        let (id, name, instance) = (parts.next()?, parts.next()?, parts.next()?);
        let is_ours = name.ends_with("-orchestrator") && instance.ends_with(&format!(":{}", target.port));
        is_ours.then(|| id.to_owned())
    };
    output.lines().filter_map(ours).collect()
}

/// `None` where it has just gone.
fn variables(id: &str) -> Option<BTreeMap<String, String>> {
    let output = Command::new("docker").args(["inspect", "--format", "{{json .Config.Env}}", id]).output();
    let output = output.expect("runs");
    let pairs: Vec<String> = serde_json::from_slice(&output.stdout).ok()?;
    let pairs = pairs.iter().filter_map(|pair| pair.split_once('='));
    Some(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("runs");
    assert!(output.status.success(), "{}", shown(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The variables of the orchestrator are its secrets' values, by name, and no other container's.
fn assert_given(container: &Container, values: &Values) {
    for (key, value) in &values.0 {
        let given = container.variables.get(*key);
        let wanted = (*key != "CLAUDE_CODE_OAUTH_TOKEN").then_some(value);
        assert_eq!(given, wanted, "{key}");
    }
}

#[test]
fn docker_a_secret_goes_from_the_file_into_the_containers_that_consume_it() {
    if !have_docker() {
        return;
    }
    let tree = WorkTree::new();
    let first = Values::numbered(1);
    first.write(&tree);
    let deployed = done(&tree, &DEPLOY, 0);
    assert_eq!((&deployed["status"], &deployed["secrets_changed"]), (&json!("deployed"), &json!(false)));
    let target = tree.local_target();
    let one = orchestrator(&target);
    assert_given(&one, &first);

    // Changed here: pushed without a word about overwriting, since the first value was this machine's own.
    let second = first.with("GITHUB_TOKEN", 2);
    second.write(&tree);
    let pushed = push(&tree, &second, &[], 0);
    assert_eq!(outcomes(&pushed)["leo/dev/github"], "updated", "{pushed}");
    assert_eq!(outcomes(&pushed).values().filter(|outcome| **outcome == "updated").count(), 1, "{pushed}");
    assert_eq!(orchestrator(&target), one, "a push alone starts nothing anew");
    let status = done(&tree, &STATUS, 0);
    assert!(states(&status).values().all(|state| *state == "in-sync"), "{status}");
    assert_eq!(outdated(&status), ["leo/dev/github"], "{status}");

    let deployed = done(&tree, &DEPLOY, 0);
    assert_eq!((&deployed["status"], &deployed["secrets_changed"]), (&json!("deployed"), &json!(true)));
    let two = orchestrator(&target);
    assert_ne!(two.id, one.id);
    assert_given(&two, &second);
    let status = done(&tree, &STATUS, 0);
    assert_eq!(outdated(&status), [""; 0], "{status}");

    // Of the generators alone: the orchestrator stays.
    let claude = Values::numbered(3).0["CLAUDE_CODE_OAUTH_TOKEN"].clone();
    let rotated = rotate(&tree, "CLAUDE_CODE_OAUTH_TOKEN", &claude, &["--deploy", "--yes"]);
    assert_eq!(rotated.status.code(), Some(0), "{}", shown(&rotated));
    assert!(!shown(&rotated).contains(&claude), "{}", shown(&rotated));
    let deployed = &document(&rotated)["deploy"];
    assert_eq!((&deployed["status"], &deployed["secrets_changed"]), (&json!("unchanged"), &json!(false)));
    assert_eq!(orchestrator(&target), two, "it does not get what was rotated");

    // Both at once: the new value is there and is seen.
    let third = second.with("SUPABASE_URL", 4);
    let url = third.0["SUPABASE_URL"].clone();
    let rotated = rotate(&tree, "SUPABASE_URL", &url, &["--with-secrets", "--deploy", "--yes"]);
    assert_eq!(rotated.status.code(), Some(0), "{}", shown(&rotated));
    let said = String::from_utf8_lossy(&rotated.stderr).into_owned();
    assert!(said.contains("secrets changed: orchestrator rolls"), "{said}");
    assert!(said.contains("env/.env:6 still has another value of `SUPABASE_URL`"), "{said}");
    let newest = orchestrator(&target);
    assert_ne!(newest.id, two.id);
    assert_given(&newest, &third);

    // The file has the old value: that was not changed here, so it does not come back.
    let kept = push(&tree, &third, &[], 1);
    assert_eq!(kept["status"], "failed", "{kept}");
    assert_eq!(super::there(&target)["leo/dev/supabase"]["SUPABASE_URL"], json!(url));
    let overwritten = push(&tree, &third, &["--overwrite", "--deploy"], 0);
    assert_eq!(overwritten["deploy"]["secrets_changed"], json!(true), "{overwritten}");
    assert_given(&orchestrator(&target), &second);

    // Without --with-secrets nothing of the file is looked at, and nothing is changed by a deploy.
    let unread = done(&tree, &["deploy", "--local", "--yes", "--json"], 0);
    assert_eq!(unread["secrets_changed"], json!(false), "{unread}");
}

/// The secrets of which running tasks have older values.
fn outdated(status: &Value) -> Vec<&str> {
    let secrets = status["secrets"].as_array().into_iter().flatten();
    secrets
        .filter(|secret| secret["outdated_tasks"].as_array().is_some_and(|tasks| !tasks.is_empty()))
        .filter_map(|secret| secret["name"].as_str())
        .collect()
}
