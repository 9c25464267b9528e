//! Looks at real folders.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test panics where its own setup is wrong"
)]

use std::collections::BTreeMap;
use std::fs;

use leo_context::{Request, look};

#[test]
fn thin() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\nCOPY . /\n").unwrap();
    let request = Request {
        context: folder.path(),
        dockerfile: &folder.path().join("Dockerfile"),
        named: &BTreeMap::new(),
        build_args: &BTreeMap::new(),
        target: None,
        platform: "linux/amd64",
        recipe: "",
        allowed: &[],
        cache: None,
        own_root: None,
        home: None,
    };
    let first = look(&request).unwrap();
    assert_eq!(first.hash, look(&request).unwrap().hash);
    fs::write(folder.path().join(".env"), "A=1").unwrap();
    let second = look(&request).unwrap();
    assert_ne!(first.hash, second.hash);
    assert_eq!(second.leaks[0].ignore_line(), Some(".env"));
}
