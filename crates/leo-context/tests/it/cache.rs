//! What is remembered between two looks.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::context::{Context, settle};

fn remembering() -> Context {
    let mut context = Context::new();
    context.cache = Some(context.beside("state/contexts"));
    context
}

fn files(context: &Context) -> Vec<PathBuf> {
    let folder = context.cache.clone().unwrap();
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_second_look_reads_only_what_has_changed() {
    let context = remembering();
    context.write("a", "1");
    context.write("b", "2");
    settle();
    let first = context.look();
    assert_eq!((first.files, first.read), (3, 3));
    let second = context.look();
    assert_eq!((second.hash, second.files, second.read), (first.hash, 3, 0));

    // The same size, and a modification time of long ago.
    context.write("b", "3");
    let b = fs::File::open(context.root().join("b")).unwrap();
    b.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let changed = context.look();
    assert_ne!(changed.hash, first.hash);
    assert_eq!(changed.read, 1);
    settle();
    context.look();
    assert_eq!(context.look().read, 0);

    // Another inode under the same name.
    context.write("new", "3");
    fs::rename(context.root().join("new"), context.root().join("b")).unwrap();
    let moved = context.look();
    assert_eq!((moved.hash, moved.read), (changed.hash, 1));
}

#[test]
fn a_file_that_was_written_just_now_is_read_again() {
    let context = remembering();
    settle();
    context.look();
    let mut seen = Vec::new();
    for round in 0..50 {
        // Always the same size, and mostly within one tick of the clock.
        context.write("file", format!("{round:03}"));
        let hash = context.look().hash;
        assert!(!seen.contains(&hash), "{round}");
        seen.push(hash);
    }
}

#[test]
fn what_is_remembered_is_private_and_found_secrets_stay_found() {
    let context = remembering();
    let value = format!("{}{}", "ghp_", "A1b2C3d4E5f6G7h8J9k0LmNoPqRsTuVwXyZ1");
    context.write("config.ts", format!("\n\nconst token = '{value}'"));
    settle();
    let first = context.leaks();
    assert_eq!(first, ["config.ts:3: a GitHub token [config.ts]"]);
    assert_eq!((context.leaks(), context.look().read), (first, 0));
    for file in files(&context) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let bytes = fs::read(file).unwrap();
        assert!(!bytes.windows(value.len()).any(|part| part == value.as_bytes()));
    }
    for folder in [context.beside("state"), context.beside("state/contexts")] {
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn a_damaged_cache_is_no_cache() {
    let context = remembering();
    settle();
    let hash = context.look().hash;
    let file = files(&context).pop().unwrap();
    for damage in [&b""[..], b"rubbish", &fs::read(&file).unwrap()[1..]] {
        fs::write(&file, damage).unwrap();
        let look = context.look();
        assert_eq!((look.hash, look.read), (hash, 1));
        assert_eq!(context.look().read, 0);
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_no_failure() {
    let mut context = remembering();
    fs::write(context.beside("state"), "a file").unwrap();
    settle();
    let hash = context.look().hash;
    assert_eq!((context.look().hash, context.look().read), (hash, 1));
    context.cache = None;
    assert_eq!(context.look().hash, hash);
}

#[test]
fn each_list_of_a_context_has_a_cache_and_old_ones_go() {
    let mut context = remembering();
    context.write("other.Dockerfile", "FROM scratch\n");
    context.write("other.Dockerfile.dockerignore", "Dockerfile\n");
    settle();
    context.look();
    context.dockerfile = context.root().join("other.Dockerfile");
    context.look();
    assert_eq!(files(&context).len(), 2);
    for number in 0..30 {
        context.write(&format!("{number}.Dockerfile"), "FROM scratch\n");
        context.write(&format!("{number}.Dockerfile.dockerignore"), "");
        context.dockerfile = context.root().join(format!("{number}.Dockerfile"));
        context.look();
    }
    assert_eq!(files(&context).len(), 20);
}
