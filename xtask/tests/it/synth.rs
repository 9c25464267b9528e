use std::fs;

use serde_json::Value;

use crate::{run, stderr, stdout, work_tree, xtask};

const TEMPLATES: [&str; 3] =
    ["leo-registry.template.json", "leo-dev-foundation.template.json", "leo-dev-platform.template.json"];
const TOML: &str = "[environments.dev]\n[environments.prod]\nprotected = true\n";

#[test]
fn it_writes_the_three_templates_and_nothing_else() {
    let folder = work_tree(TOML);
    let output = run(folder.path(), &["synth", "--out", "out/here"]);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    let lines: Vec<String> = TEMPLATES.iter().map(|name| format!("out/here/{name}")).collect();
    assert_eq!(stdout(&output).lines().collect::<Vec<_>>(), lines);
    for name in TEMPLATES {
        let text = fs::read_to_string(folder.path().join("out/here").join(name)).unwrap();
        let template: Value = serde_json::from_str(&text).unwrap();
        assert!(!template["Resources"].as_object().unwrap().is_empty(), "{name}");
    }
    assert_eq!(fs::read_dir(folder.path().join("out/here")).unwrap().count(), TEMPLATES.len());
}

#[test]
fn a_second_time_it_changes_nothing() {
    let folder = work_tree(TOML);
    let changed = || {
        let output = run(folder.path(), &["synth", "--json"]);
        let document: Value = serde_json::from_str(stdout(&output)).unwrap();
        assert_eq!(document["environment"], "dev");
        let templates = document["templates"].as_array().unwrap().clone();
        templates.into_iter().map(|template| template["changed"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(changed(), [true, true, true]);
    let platform = folder.path().join("target/templates").join(TEMPLATES[2]);
    let first = fs::metadata(&platform).unwrap().modified().unwrap();
    assert_eq!(changed(), [false, false, false]);
    assert_eq!(fs::metadata(&platform).unwrap().modified().unwrap(), first);
    fs::write(&platform, "edited").unwrap();
    assert_eq!(changed(), [false, false, true]);
}

#[test]
fn the_command_line_chooses_the_environment_over_the_files() {
    let folder = work_tree(TOML);
    let output = run(folder.path(), &["synth", "--environment", "prod"]);
    assert!(stdout(&output).contains("leo-prod-platform"), "{}", stderr(&output));
}

#[test]
fn from_a_folder_below_the_root_paths_are_that_folders() {
    let folder = work_tree(TOML);
    let output = run(&folder.path().join("env"), &["synth", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(folder.path().join("env/out").join(TEMPLATES[0]).is_file());
}

#[test]
fn every_problem_is_shown_at_its_line_and_nothing_is_written() {
    let folder = work_tree(
        "[orchestrator]\nvcpu = 3\ncolour = 1\n[network]\nvpc_cidr = \"10.0.0.0/33\"\n[environments.dev]\n",
    );
    let output = run(folder.path(), &["synth", "--out", "out"]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""));
    for place in ["infra/leo.toml:2:", "infra/leo.toml:3:", "infra/leo.toml:5:"] {
        assert!(stderr(&output).contains(place), "{place}\n{}", stderr(&output));
    }
    assert!(!folder.path().join("out").exists());
}

#[test]
fn a_missing_configuration_exits_2() {
    let folder = work_tree("");
    fs::remove_file(folder.path().join("infra/leo.toml")).unwrap();
    let output = run(folder.path(), &["synth"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("infra/leo.toml"), "{}", stderr(&output));
}

#[test]
fn a_folder_that_can_not_be_made_fails_with_its_name() {
    let folder = work_tree(TOML);
    let output = run(folder.path(), &["synth", "--out", "infra/leo.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).starts_with("error: failed to make the folder infra/leo.toml"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn no_secret_is_read() {
    let folder = work_tree(TOML);
    fs::write(folder.path().join("env/.env"), "GITHUB_TOKEN=hush-hush\n").unwrap();
    let output =
        xtask(folder.path(), &["synth"]).env("LEO_SECRET_GITHUB_TOKEN", "hush-hush").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for name in TEMPLATES {
        let text = fs::read_to_string(folder.path().join("target/templates").join(name)).unwrap();
        assert!(!text.contains("hush-hush"), "{name}");
    }
    assert!(!stderr(&output).contains("hush-hush"));
}

#[test]
fn the_public_form_opens_no_file_that_may_hold_a_secret() {
    let folder = work_tree(TOML);
    fs::write(folder.path().join("env/.env"), "AWS_REGION=eu-west-1\nLEO_ENVIRONMENT=prod\nnot a line\n")
        .unwrap();
    let opened = run(folder.path(), &["synth"]);
    assert_eq!(opened.status.code(), Some(2), "{}", stderr(&opened));
    let output = run(folder.path(), &["synth", "--public"]);
    assert_eq!(
        (output.status.code(), stderr(&output)),
        (Some(0), "note: not opened: env/.env; settings that it overrides are not in these templates\n")
    );
    assert!(stdout(&output).contains("leo-dev-platform"), "{}", stdout(&output));
    fs::remove_file(folder.path().join("env/.env")).unwrap();
    let output = run(folder.path(), &["synth", "--public", "--json"]);
    let document: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!((stderr(&output), &document["public"]), ("", &Value::Bool(true)));
}
