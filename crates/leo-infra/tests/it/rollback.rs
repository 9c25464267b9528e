//! Releases are recorded, listed and brought back, on the local target with real containers.

use crate::{
    http::get,
    workspace::{WorkTree, document, have_docker, shown},
};
use serde_json::Value;

const FIRST: &str = "[load_balancer]\nderegistration_delay_seconds = 31";
const SECOND: &str = "[load_balancer]\nderegistration_delay_seconds = 32";

fn done(tree: &WorkTree, arguments: &[&str]) -> Value {
    let output = tree.leo_infra(arguments).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{}", shown(&output));
    document(&output)
}

fn deploy(tree: &WorkTree, settings: &str, images: &str) -> Value {
    tree.configure(settings);
    done(tree, &["deploy", "--local", "--yes", "--json", "--images", images])
}

/// Number, what it brought back, and whether it runs, newest first.
fn releases(tree: &WorkTree) -> Vec<(u64, Option<u64>, bool)> {
    let listed = done(tree, &["releases", "--local", "--json"]);
    let releases = listed["releases"].as_array().expect("is a list");
    releases
        .iter()
        .map(|release| {
            let number = release["number"].as_u64().expect("has a number");
            (number, release["rollback_of"].as_u64(), release["runs"] == true)
        })
        .collect()
}

#[test]
fn docker_an_earlier_release_comes_back() {
    if !have_docker() {
        return;
    }
    let tree = WorkTree::new();
    deploy(&tree, FIRST, "build");
    assert_eq!(releases(&tree), [(1, None, true)]);
    let before = tree.leo_infra(&["rollback", "--local", "--yes"]).output().expect("runs");
    assert_eq!(before.status.code(), Some(1), "{}", shown(&before));
    assert!(shown(&before).contains("before release 1 there was nothing else"), "{}", shown(&before));

    deploy(&tree, FIRST, "current");
    assert_eq!(releases(&tree), [(1, None, true)], "nothing to change is no release");
    deploy(&tree, SECOND, "current");
    assert_eq!(releases(&tree), [(2, None, true), (1, None, false)]);

    let unasked = tree.leo_infra(&["rollback", "--local"]).output().expect("runs");
    assert_eq!(unasked.status.code(), Some(1), "{}", shown(&unasked));
    assert!(shown(&unasked).contains("there is no terminal to ask on"), "{}", shown(&unasked));

    // What is configured now is not what is brought back.
    tree.configure("[load_balancer]\nderegistration_delay_seconds = 33");
    let output = tree.leo_infra(&["rollback", "--local", "--yes", "--json"]).output().expect("runs");
    let said = shown(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in [
        "roll `dev` back to release 1 (",
        "runs now    2 (",
        "another template",
        "modify TargetGroup",
        "secrets     stay",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let back = document(&output);
    assert_eq!(back["status"], "deployed", "{back}");
    let url = back["url"].as_str().expect("has a URL");
    assert_eq!(get(&format!("{url}/healthz")).status, 200);
    assert_eq!(releases(&tree), [(3, Some(1), true), (2, None, false), (1, None, false)]);

    // Not forth again, unless it is named.
    let again = tree.leo_infra(&["rollback", "--local", "--yes"]).output().expect("runs");
    assert_eq!(again.status.code(), Some(1), "{}", shown(&again));
    let forth = done(&tree, &["rollback", "--local", "--yes", "--json", "--to", "2"]);
    assert_eq!(forth["status"], "deployed", "{forth}");
    assert_eq!(releases(&tree).first(), Some(&(4, Some(2), true)));
    let missing = tree.leo_infra(&["rollback", "--local", "--yes", "--to", "9"]).output().expect("runs");
    assert_eq!(missing.status.code(), Some(2), "{}", shown(&missing));
}
