//! What is refused before anything is sent.

use crate::workspace::{WorkTree, document, shown};

#[test]
fn without_a_terminal_nothing_is_done_unless_it_was_said() {
    let tree = WorkTree::new();
    let output = tree.leo_infra(&["deploy", "--local"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    assert!(shown(&output).contains("--yes"), "{}", shown(&output));
    assert!(!tree.root().join(".leo").exists(), "nothing was started");
}

#[test]
fn every_mistake_in_the_configuration_is_named_with_its_place() {
    let tree = WorkTree::new();
    tree.configure("[network]\nvpc_cidr = \"10.0.0.0/30\"\n[orchestrator]\nvcpu = 3\nports = 80");
    let output = tree.leo_infra(&["deploy", "--local", "--yes", "--json"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    let errors = document(&output)["errors"].clone();
    let lines: Vec<_> = errors.as_array().into_iter().flatten().map(|error| error["line"].as_u64()).collect();
    assert_eq!(lines, [Some(2), Some(4), Some(5)], "{errors}");
    assert!(!tree.root().join(".leo").exists(), "nothing was started");
}

#[test]
fn a_missing_sibling_is_named_with_its_setting() {
    let tree = WorkTree::new();
    let output = tree.leo_infra(&["push-images"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    let said = shown(&output);
    assert!(said.contains("leo-saas") && said.contains("images.orchestrator.context"), "{said}");
}

#[test]
fn without_credentials_the_exit_code_says_so() {
    let tree = WorkTree::new();
    let home = tree.root().join("home");
    let output = tree
        .leo_infra(&["deploy", "--yes", "--demo"])
        .env("HOME", &home)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(4), "{}", shown(&output));
    assert!(shown(&output).contains("hint: "), "{}", shown(&output));
}

/// Whoever pastes a token where a key's name or nothing is wanted sees no more of it.
#[test]
fn an_argument_that_is_a_token_is_not_repeated() {
    let tree = WorkTree::new();
    let token = format!("gh{}_{}", "p", "Zz3q8Xw1Rb7Lk5Vt9Yc2Nd4Mf6Hg0Js1Pa3Q");
    let option = format!("--{token}");
    for arguments in [
        ["secrets", "rotate", "GITHUB_TOKEN", &token].as_slice(),
        &["secrets", &token],
        &["deploy", &option],
        &["env-sync", &token],
    ] {
        let output = tree.leo_infra(arguments).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
        let said = shown(&output);
        assert!(!said.contains(&token) && said.contains("revoke it"), "{said}");
    }
}

#[test]
fn a_limit_for_findings_that_nothing_could_be_held_to_is_refused() {
    let tree = WorkTree::new();
    for (arguments, said) in [
        (["push-images", "--fail-on", "worst"].as_slice(), "wanted one of critical, high, medium, low"),
        (&["push-images", "--fail-on", "high", "--local"], "cannot be used with"),
    ] {
        let output = tree.leo_infra(arguments).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
        assert!(shown(&output).contains(said), "{}", shown(&output));
    }
}
