#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::{stderr, stdout, work_tree, xtask};

/// An executable script in a folder.
fn script(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A cargo that has built `leo-infra`, after saying `progress`.
fn cargo(folder: &Path, progress: &str, leo_infra: &str) -> String {
    let message = format!(r#"{{"target":{{"name":"leo-infra"}},"executable":"{leo_infra}"}}"#);
    script(folder, "cargo", &format!("echo \"$@\" >cargo-args\necho '{progress}' >&2\necho '{message}'"))
}

#[test]
fn the_arguments_the_exit_code_and_the_streams_are_leo_infras() {
    let folder = work_tree("");
    let leo_infra = script(folder.path(), "leo-infra", "echo \"$@\"; echo progress >&2; exit 4");
    let cargo = cargo(folder.path(), "    Finished `dev` profile in 0.1s", &leo_infra);
    let args = ["deploy", "--local", "--yes", "--images", "orchestrator=sha256:0", "-h"];
    let output = xtask(folder.path(), &args).env("CARGO", cargo).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(stdout(&output), "deploy --local --yes --images orchestrator=sha256:0 -h\n");
    assert_eq!(stderr(&output), "progress\n");
    let cargo_args = fs::read_to_string(folder.path().join("cargo-args")).unwrap();
    assert!(cargo_args.starts_with("build --package leo-infra "), "{cargo_args}");
}

#[test]
fn what_has_to_be_compiled_first_is_said() {
    let folder = work_tree("");
    let leo_infra = script(folder.path(), "leo-infra", "true");
    let cargo = cargo(folder.path(), "   Compiling aws-sdk-ecs v1.0.0", &leo_infra);
    let output = xtask(folder.path(), &["push-images"]).env("CARGO", cargo).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stderr(&output),
        "building leo-infra (the AWS-linked commands)…\n   Compiling aws-sdk-ecs v1.0.0\n"
    );
}

#[test]
fn a_build_that_fails_is_shown_and_exits_1() {
    let folder = work_tree("");
    let cargo = script(folder.path(), "cargo", "echo 'error[E0308]: mismatched types' >&2; exit 101");
    let output = xtask(folder.path(), &["deploy"]).env("CARGO", cargo).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("error[E0308]: mismatched types\n"), "{}", stderr(&output));
    assert!(stderr(&output).contains("error: failed to build leo-infra"), "{}", stderr(&output));
}
