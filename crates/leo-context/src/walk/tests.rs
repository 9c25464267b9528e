//! What is walked against what real builds see.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::ignore;
use crate::testing::{Tree, all, grow, lines, walked};

/// Builds `dockerfile` with these folders by name, and answers with the folder of what it made. `None`, with the
/// reason printed, on a machine without an engine.
fn build(context: &Path, arguments: &[String], out: &Path) -> Option<Result<(), String>> {
    let mut command = Command::new("docker");
    command.args(["buildx", "build", "--provenance=false", "--progress=plain", "--output"]);
    command.arg(format!("type=local,dest={}", out.display())).args(arguments).arg(context);
    let engine = Command::new("docker").args(["buildx", "inspect"]).output();
    if !engine.is_ok_and(|engine| engine.status.success()) {
        assert!(std::env::var_os("LEO_REQUIRE_ALL").is_none_or(|value| value != "1"), "no engine");
        println!("skipped: no Docker engine with buildx");
        return None;
    }
    let built = command.output().unwrap();
    let said = || String::from_utf8_lossy(&built.stderr).into_owned();
    Some(if built.status.success() { Ok(()) } else { Err(said()) })
}

/// Each case is a named context of one build, so that hundreds cost little more than one.
#[test]
fn docker_generated_trees_are_seen_as_a_build_sees_them() {
    let batches = if std::env::var_os("LEO_FULL").is_some_and(|value| value == "1") { 20 } else { 1 };
    let (mut left_out, mut kept) = (0, 0);
    for seed in 0..batches {
        let mut random = fastrand::Rng::with_seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = Vec::new();
        let mut dockerfile = "FROM scratch\n".to_owned();
        let mut wanted = Vec::new();
        while wanted.len() < 40 {
            let case = wanted.len();
            let root = folder.path().join(format!("case{case}"));
            fs::create_dir(&root).unwrap();
            grow(&mut random, &root, 3);
            let (list, text) = (root.join(ignore::IGNORE_FILE), lines(&mut random));
            fs::write(&list, &text).unwrap();
            if IgnoreList::read(&list).is_err() {
                fs::remove_dir_all(&root).unwrap();
                continue;
            }
            arguments.push(format!("--build-context=case{case}={}", root.display()));
            writeln!(dockerfile, "COPY --from=case{case} . /case{case}/").unwrap();
            let tree = walked(&root, &list);
            kept += tree.len();
            left_out += all(&root).len() - tree.len();
            wanted.push((text, tree));
        }
        let context = folder.path().join("context");
        fs::create_dir(&context).unwrap();
        fs::write(context.join("Dockerfile"), dockerfile).unwrap();
        let out = folder.path().join("out");
        let Some(built) = build(&context, &arguments, &out) else { return };
        built.unwrap();
        for (case, (text, tree)) in wanted.into_iter().enumerate() {
            let root = out.join(format!("case{case}"));
            let seen = if root.exists() { all(&root) } else { Tree::new() };
            assert_eq!(tree, seen, "seed {seed}, case {case}: {text:?}");
        }
    }
    assert!(left_out > 50 && kept > 50, "{left_out} {kept}");
}

/// A context with a Dockerfile that copies all of it, and some files.
fn context(folder: &Path) -> PathBuf {
    let root = folder.join("context");
    for path in ["a/b/c", "a/d", ".env", "x y", "docker"] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if path.ends_with("docker") { fs::create_dir(path).unwrap() } else { fs::write(path, "x").unwrap() }
    }
    fs::write(root.join("docker/Dockerfile"), "FROM scratch\nCOPY . /\n").unwrap();
    root
}

#[test]
fn docker_the_main_context_is_seen_through_the_list_that_a_build_uses() {
    let common = "\u{feff}# comment\r\n/a/b\r\n!a/b/c\r\n  .env  \r\n";
    for (lists, paths) in [
        (&[(".dockerignore", common)][..], 8),
        (&[(".dockerignore", "*"), ("docker/Dockerfile.dockerignore", common)][..], 9),
        (&[(".dockerignore", "**/Dockerfile\n.dockerignore\nx?y")][..], 6),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (root, out) = (context(folder.path()), folder.path().join("out"));
        for (path, text) in lists {
            fs::write(root.join(path), text).unwrap();
        }
        let dockerfile = root.join("docker/Dockerfile");
        let tree = walked(&root, &ignore::list_of(&root, &dockerfile));
        assert_eq!(tree.len(), paths, "{tree:?}");
        let Some(built) = build(&root, &[format!("--file={}", dockerfile.display())], &out) else { return };
        built.unwrap();
        assert_eq!(tree, all(&out), "{lists:?}");
    }
}

#[test]
fn docker_what_is_refused_is_refused_by_a_build() {
    let all_of_them = ["!", "[]a]", "[x-]", "a\\", "[^bc", "[z-a]", "\\p", "a\\é", "\\xZZ", "[[:foo:]]"];
    let full = std::env::var_os("LEO_FULL").is_some_and(|value| value == "1");
    for pattern in &all_of_them[..if full { all_of_them.len() } else { 2 }] {
        let folder = tempfile::tempdir().unwrap();
        let (root, out) = (context(folder.path()), folder.path().join("out"));
        let list = root.join(ignore::IGNORE_FILE);
        fs::write(&list, pattern).unwrap();
        assert!(IgnoreList::read(&list).is_err(), "{pattern}");
        let arguments = [format!("--file={}", root.join("docker/Dockerfile").display())];
        let Some(built) = build(&root, &arguments, &out) else { return };
        assert!(built.is_err(), "{pattern}");
    }
}
