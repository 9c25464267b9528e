//! What was changed behind CloudFormation's back is told, with exit code 3.

use crate::{
    truth::Truth,
    workspace::{WorkTree, document, shown},
};
use std::process::Output;

/// The command against a local target without containers.
fn local(tree: &WorkTree, arguments: &[&str]) -> Output {
    let nowhere = format!("unix://{}", tree.root().join("no-engine.sock").display());
    tree.leo_infra(arguments).env("DOCKER_HOST", nowhere).output().expect("runs")
}

#[test]
fn python_what_was_changed_by_hand_is_told() {
    let tree = WorkTree::new();
    let nothing = local(&tree, &["drift", "--local"]);
    assert_eq!(nothing.status.code(), Some(1), "{}", shown(&nothing));

    let deployed = local(&tree, &["deploy", "--local", "--yes", "--json"]);
    assert_eq!(deployed.status.code(), Some(0), "{}", shown(&deployed));
    let same = local(&tree, &["drift", "--local", "--json"]);
    assert_eq!(same.status.code(), Some(0), "{}", shown(&same));
    assert_eq!(document(&same)["status"], "in-sync");

    Truth::of(&tree.local_target()).set_retention("/leo/dev/orchestrator", 1);
    let drifted = local(&tree, &["drift", "--local", "--json"]);
    assert_eq!(drifted.status.code(), Some(3), "{}", shown(&drifted));
    let document = document(&drifted);
    assert_eq!(document["status"], "drifted");
    let stack = &document["stacks"][1];
    assert_eq!(stack["name"], "leo-dev-foundation");
    assert_eq!(stack["drifted"][0]["resource"], "OrchestratorLogs");
    let difference = &stack["drifted"][0]["differences"][0];
    assert_eq!((&difference["path"], &difference["actual"]), (&"/RetentionInDays".into(), &"1".into()));
    let unchecked = stack["unchecked"].as_array().expect("is a list");
    assert!(
        unchecked.iter().any(|one| one["logical_id"] == "Vpc"),
        "what can't be checked is named: {stack:#}"
    );

    let text = local(&tree, &["drift", "--local"]);
    let said = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(said.contains("OrchestratorLogs") && said.contains("/RetentionInDays"), "{said}");
}
