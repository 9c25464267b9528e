//! Generated build contexts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::ignore::IgnoreList;
use crate::walk::walk;

/// What a build can tell of a path: its type and mode, and what is in it.
pub(crate) type Tree = BTreeMap<PathBuf, String>;

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
pub(crate) fn walked(root: &Path, list: &Path) -> Tree {
    let found = walk(root, &IgnoreList::read(list).unwrap()).unwrap();
    found.into_iter().map(|found| (found.path.clone(), described(root, &found.path))).collect()
}

/// All of a folder.
pub(crate) fn all(root: &Path) -> Tree {
    walked(root, Path::new("/there/is/no/list"))
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

pub(crate) fn choose<'a, T: ?Sized>(random: &mut fastrand::Rng, from: &[&'a T]) -> &'a T {
    from[random.usize(..from.len())]
}

/// Fills a folder with whatever comes.
pub(crate) fn grow(random: &mut fastrand::Rng, folder: &Path, depth: usize) {
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

pub(crate) fn lines(random: &mut fastrand::Rng) -> String {
    let mut lines = String::new();
    for _ in 0..random.usize(1..8) {
        lines.push_str(choose(random, &["", "", "", "!", "!", "! ", "#", "  "]));
        lines.push_str(choose(random, &["", "", "", "", "/", "./", "//"]));
        for number in 0..*random.choice(&[1, 1, 1, 2, 2, 3]).unwrap() {
            lines.push_str(if number == 0 { "" } else { "/" });
            lines.push_str(choose(random, PARTS));
        }
        lines.push_str(choose(random, &["", "", "", "", "/", "/**", "/*", " "]));
        lines.push_str(choose(random, &["\n", "\n", "\r\n"]));
    }
    lines
}
