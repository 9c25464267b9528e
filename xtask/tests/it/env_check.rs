use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::Value;

use crate::{run, stderr, stdout, work_tree, xtask};

const TOML: &str = "[environments.dev]\n[environments.prod]\nprotected = true\n";
/// A part of the only secret.
const HUSH: &str = "Hu5hQ7";

/// A work tree whose siblings are in it, with these lines in `env/.env`.
fn tree(env: &str) -> tempfile::TempDir {
    let images = "[images.orchestrator]\ncontext = \"saas\"\n[images.generator]\ncontext = \"container\"\n";
    let folder = work_tree(&format!("{TOML}{images}"));
    for path in ["saas", "container"] {
        fs::create_dir(folder.path().join(path)).unwrap();
    }
    fs::write(folder.path().join("env/.env"), env).unwrap();
    mode(folder.path(), 0o600);
    folder
}

fn mode(root: &Path, mode: u32) {
    fs::set_permissions(root.join("env/.env"), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn findings_are_on_stdout_and_exit_2_and_warnings_alone_exit_0() {
    let folder = tree(&format!("GITHUB_TOKEN={HUSH}\nGITHUB_TOKN={HUSH}\n"));
    let output = run(folder.path(), &["env-check"]);
    assert_eq!((output.status.code(), stderr(&output)), (Some(2), ""));
    let text = stdout(&output);
    assert!(text.contains("error: `GITHUB_TOKN` is not a key of this file"), "{text}");
    assert!(text.contains("error: `FLY_API_TOKEN` is missing"), "{text}");
    assert!(!text.contains(HUSH), "{text}");

    fs::remove_dir(folder.path().join("saas")).unwrap();
    let output = run(folder.path(), &["env-check", "--public"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stdout(&output).contains("0 errors, 1 warning"), "{}", stdout(&output));
}

#[test]
fn json_is_one_document() {
    let folder = tree("");
    let output = xtask(folder.path(), &["env-check", "--json", "--environment", "prod"])
        .env("LEO_SECRET_GITHUB_TOKEN", HUSH)
        .output()
        .unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(2), ""));
    assert!(!stdout(&output).contains(HUSH));
    let document: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(document["environment"], "prod");
    assert_eq!(document["errors"], document["findings"].as_array().unwrap().len());
    let token = document["keys"].as_array().unwrap().iter().find(|key| key["key"] == "GITHUB_TOKEN").unwrap();
    assert_eq!((&token["secret"], &token["shown"]), (&Value::Bool(true), &Value::from("•••• (6)")));
}

#[test]
fn fix_makes_the_file_private_and_says_so() {
    let folder = tree("");
    mode(folder.path(), 0o644);
    let readable = "others may read `env/.env`";
    assert!(stdout(&run(folder.path(), &["env-check"])).contains(readable));
    let output = run(folder.path(), &["env-check", "--fix"]);
    assert!(stdout(&output).starts_with("fixed: env/.env is its owner's alone\n"), "{}", stdout(&output));
    assert!(!stdout(&output).contains(readable));
    let mode = fs::metadata(folder.path().join("env/.env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let output = run(folder.path(), &["env-check", "--fix", "--json"]);
    let document: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(document["fixed"], Value::Array(Vec::new()));
}

/// A file of the kernel's about this process, whose permissions root can't change either.
#[test]
fn what_can_not_be_fixed_takes_nothing_of_the_report_away() {
    let folder = tree("");
    let path = folder.path().join("env/.env");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/proc/self/status", &path).unwrap();
    let output = run(folder.path(), &["env-check", "--fix"]);
    assert_eq!((output.status.code(), stderr(&output)), (Some(2), ""));
    let said = stdout(&output);
    assert!(said.starts_with("environment dev\n") && said.contains("which could not be changed"), "{said}");
    assert!(said.contains("hint: make it yours: sudo chown $USER env/.env"), "{said}");
}

#[test]
fn the_public_form_never_opens_the_file() {
    let folder = tree("");
    let path = folder.path().join("env/.env");
    fs::remove_file(&path).unwrap();
    // Whoever opened it would say that it can't be read.
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let output = run(folder.path(), &["env-check", "--public"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stdout(&output).contains("not opened"));
}
