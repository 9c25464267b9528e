use std::fs;

use serde_json::Value;

use crate::{run, stderr, stdout, work_tree};

const PAGE: &str = "docs/environment-configuration.md";
const EXAMPLE: &str = "env/.env.example";

fn tree() -> tempfile::TempDir {
    let folder = work_tree("[environments.dev]\n");
    fs::create_dir(folder.path().join("docs")).unwrap();
    let committed = include_str!("../../../docs/environment-configuration.md");
    fs::write(folder.path().join(PAGE), committed).unwrap();
    folder
}

#[test]
fn what_it_wrote_is_not_stale_until_the_schema_changes() {
    let folder = tree();
    let check = || {
        let output = run(folder.path(), &["env-generate", "--check", "--json"]);
        let document: Value = serde_json::from_str(stdout(&output)).unwrap();
        let stale = |file: &Value| file["stale"].as_bool().unwrap();
        (output.status.code(), document["files"].as_array().unwrap().iter().map(stale).collect::<Vec<_>>())
    };
    assert_eq!(
        check(),
        (Some(3), vec![true, false]),
        "there is no example yet, and the page is as committed"
    );
    let output = run(folder.path(), &["env-generate"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    insta::assert_snapshot!(stdout(&output), @"
    env/.env.example  written
    docs/environment-configuration.md  unchanged
    ");
    assert_eq!(check(), (Some(0), vec![false, false]));

    let schema = folder.path().join("infra/env.toml");
    let more = "[NEW_TOKEN]\nprovider = 'new'\nconsumers = ['generator']\nhelp = 'something <new> | else'\n";
    fs::write(&schema, fs::read_to_string(&schema).unwrap() + more).unwrap();
    assert_eq!(check(), (Some(3), vec![true, true]));
    run(folder.path(), &["env-generate"]);
    let page = fs::read_to_string(folder.path().join(PAGE)).unwrap();
    let row = "| `NEW_TOKEN` | something \\<new\\> \\| else | text | `leo/<environment>/new` | generator |";
    assert!(page.contains(row), "{page}");
    assert!(fs::read_to_string(folder.path().join(EXAMPLE)).unwrap().contains("\nNEW_TOKEN=\n"));
    assert_eq!(check(), (Some(0), vec![false, false]));
    let left = fs::read_dir(folder.path().join("env")).unwrap().count();
    assert_eq!(left, 2, "nothing unfinished stays");
}

#[test]
fn a_schema_that_is_wrong_writes_nothing() {
    let folder = tree();
    fs::write(folder.path().join("infra/env.toml"), "[AWS_REGION]\ntype = 'regoin'\n").unwrap();
    let output = run(folder.path(), &["env-generate"]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""));
    assert!(stderr(&output).contains("did you mean `region`?"), "{}", stderr(&output));
    assert!(!folder.path().join(EXAMPLE).exists());
}

#[test]
fn a_page_without_the_marks_is_left_alone() {
    let folder = tree();
    fs::write(folder.path().join(PAGE), "# Variables\n").unwrap();
    let output = run(folder.path(), &["env-generate"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("failed to find the tables"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(folder.path().join(PAGE)).unwrap(), "# Variables\n");
}
