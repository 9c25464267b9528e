//! What is walked against what real builds see.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::ignore;

/// What a build can tell of a path: its type and mode, and what is in it.
type Tree = BTreeMap<PathBuf, String>;

fn described(root: &Path, path: &Path) -> String {
    let path = root.join(path);
    let metadata = fs::symlink_metadata(&path).unwrap();
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_symlink() {
        format!("link to {}", fs::read_link(&path).unwrap().display())
    } else if metadata.is_dir() {
        format!("folder {mode:o}")
    } else {
        format!("file {mode:o} {:?}", fs::read(&path).unwrap())
    }
}

/// What we say that a build sees.
fn walked(root: &Path, list: &Path) -> Tree {
    let found = walk(root, &IgnoreList::read(list).unwrap()).unwrap();
    found.into_iter().map(|found| (found.path.clone(), described(root, &found.path))).collect()
}

/// All of a folder.
fn all(root: &Path) -> Tree {
    walked(root, Path::new("/there/is/no/list"))
}

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

const NAMES: &[&[u8]] = &[
    b"a",
    b"b",
    b"ab",
    b"a.b",
    b".a",
    b"a*",
    b"[a]",
    b"^a",
    b"a b",
    b"\xc3\xa9",
    b"a\xff",
    b"#a",
    b"!b",
    b"A",
];
const PARTS: &[&str] = &[
    "a", "b", "ab", "a.b", ".a", "a b", "é", "*", "**", "?", "??", "a*", "*b", "*.b", "**a", "a**", ".*",
    "[ab]", "[^a]", "[!a]", "[a-z]*", "\\a*", "\\[a\\]", "^a", "^*", "[*]", "\\*", "a\\*", "..", ".", "\\w",
    "#a", "\\#a", "A", "\\!b",
];

fn choose<'a, T: ?Sized>(random: &mut fastrand::Rng, from: &[&'a T]) -> &'a T {
    from[random.usize(..from.len())]
}

/// Fills a folder with whatever comes.
fn grow(random: &mut fastrand::Rng, folder: &Path, depth: usize) {
    for _ in 0..random.usize(..5) {
        let path = folder.join(OsStr::from_bytes(choose(random, NAMES)));
        if path.symlink_metadata().is_ok() {
            continue;
        }
        match random.u8(..10) {
            0 => symlink(choose(random, &["a", "../b", "/nowhere", "."]), &path).unwrap(),
            1..=5 if depth > 0 => {
                fs::create_dir(&path).unwrap();
                grow(random, &path, depth - 1);
                let mode = *random.choice(&[0o755, 0o750, 0o1777]).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            _ => {
                fs::write(&path, [random.u8(b'0'..=b'9')]).unwrap();
                let mode = *random.choice(&[0o644, 0o600, 0o755, 0o4755]).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
    }
}

fn lines(random: &mut fastrand::Rng) -> String {
    let mut lines = String::new();
    for _ in 0..random.usize(..7) {
        lines.push_str(choose(random, &["", "", "", "!", "!", "! ", "#", "  "]));
        lines.push_str(choose(random, &["", "", "", "", "/", "./", "//"]));
        for number in 0..random.usize(1..4) {
            lines.push_str(if number == 0 { "" } else { "/" });
            lines.push_str(choose(random, PARTS));
        }
        lines.push_str(choose(random, &["", "", "", "", "/", "/**", "/*", " "]));
        lines.push_str(choose(random, &["\n", "\n", "\r\n"]));
    }
    lines
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
            let (list, lines) = (root.join(ignore::IGNORE_FILE), lines(&mut random));
            fs::write(&list, &lines).unwrap();
            if IgnoreList::read(&list).is_err() {
                fs::remove_dir_all(&root).unwrap();
                continue;
            }
            arguments.push(format!("--build-context=case{case}={}", root.display()));
            dockerfile.push_str(&format!("COPY --from=case{case} . /case{case}/\n"));
            let tree = walked(&root, &list);
            kept += tree.len();
            left_out += all(&root).len() - tree.len();
            wanted.push((lines, tree));
        }
        let context = folder.path().join("context");
        fs::create_dir(&context).unwrap();
        fs::write(context.join("Dockerfile"), dockerfile).unwrap();
        let out = folder.path().join("out");
        let Some(built) = build(&context, &arguments, &out) else { return };
        built.unwrap();
        for (case, (lines, tree)) in wanted.into_iter().enumerate() {
            let root = out.join(format!("case{case}"));
            let seen = if root.exists() { all(&root) } else { Tree::new() };
            assert_eq!(tree, seen, "seed {seed}, case {case}: {lines:?}");
        }
    }
    assert!(left_out > 100 && kept > 100, "{left_out} {kept}");
}
