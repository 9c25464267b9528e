//! What is part of the hash beside the files.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use crate::context::Context;

#[test]
fn everything_that_makes_another_image_is_in_the_hash() {
    let mut context = Context::new();
    let mut hashes = vec![context.look().hash];
    let mut differs = |context: &Context, what: &str| {
        let hash = context.look().hash;
        assert!(!hashes.contains(&hash), "{what}");
        hashes.push(hash);
    };
    context.platform = "linux/arm64".into();
    differs(&context, "platform");
    context.recipe = "attestations=true".into();
    differs(&context, "recipe");
    context.target = Some(String::new());
    differs(&context, "an empty target");
    context.target = Some("release".into());
    differs(&context, "target");
    context.build_args.insert("A".into(), "BC".into());
    differs(&context, "an argument");
    context.build_args = [("AB".into(), "C".into())].into();
    differs(&context, "another argument");
    context.write(".dockerignore", "Dockerfile");
    differs(&context, "a list that is seen itself");
    context.write("Dockerfile", "FROM scratch\nCOPY . /app\n");
    differs(&context, "the Dockerfile, although it is left out");
    let named = context.beside("named");
    fs::create_dir(&named).unwrap();
    context.named.insert("named".into(), named.clone());
    differs(&context, "a named context");
    fs::write(named.join("file"), "").unwrap();
    differs(&context, "a file in it");
    context.named = [("other".into(), named)].into();
    differs(&context, "its name");
}

#[test]
fn where_a_context_is_does_not_matter() {
    let (one, other) = (Context::new(), Context::new());
    one.write("src/main.rs", "fn main() {}");
    other.write("src/main.rs", "fn main() {}");
    assert_eq!(one.look().hash, other.look().hash);
}

#[test]
fn what_is_found_is_counted() {
    let context = Context::new();
    context.write("a/file", "12345");
    context.write("left out", "12345");
    context.write(".dockerignore", "left*\nDockerfile\n");
    symlink("a", context.root().join("link")).unwrap();
    let look = context.look();
    assert_eq!((look.files, look.bytes, look.read), (2, 5 + 17, 2));
}

#[test]
fn a_named_context_has_a_list_of_its_own() {
    let mut context = Context::new();
    let named = context.beside("named");
    fs::create_dir(&named).unwrap();
    fs::write(named.join(".dockerignore"), "out\n.dockerignore\n").unwrap();
    context.named.insert("named".into(), named.clone());
    context.write(".dockerignore", "in\n");
    let before = context.look().hash;
    fs::write(named.join("out"), "").unwrap();
    assert_eq!(context.look().hash, before);
    fs::write(named.join("in"), "").unwrap();
    assert_ne!(context.look().hash, before);
}

#[test]
fn a_dockerfiles_own_list_is_used_in_place_of_the_contexts() {
    let context = Context::new();
    context.write(".dockerignore", "*\n");
    let nothing = context.look();
    assert_eq!(nothing.files, 0);
    context.write("Dockerfile.dockerignore", "Dockerfile*\n");
    assert_eq!(context.look().files, 1);
}

#[test]
fn links_pipes_and_sockets_are_seen_and_not_read() {
    let context = Context::new();
    let without = context.look();
    let _socket = UnixListener::bind(context.root().join("socket")).unwrap();
    let socket = context.look();
    assert_ne!(socket.hash, without.hash);
    symlink("/etc/shadow", context.root().join("link")).unwrap();
    let link = context.look();
    assert_ne!(link.hash, socket.hash);
    let made = std::process::Command::new("mkfifo").arg(context.root().join("pipe")).status().unwrap();
    assert!(made.success());
    assert_ne!(context.look().hash, link.hash);
    assert_eq!(context.look().files, 1);
}

#[test]
fn two_names_of_one_file_are_not_two_files() {
    let context = Context::new();
    context.write("a", "x");
    context.write("b", "x");
    let two = context.look().hash;
    fs::remove_file(context.root().join("b")).unwrap();
    fs::hard_link(context.root().join("a"), context.root().join("b")).unwrap();
    assert_ne!(context.look().hash, two);
    // What a file is called outside of the context can't be seen.
    fs::remove_file(context.root().join("b")).unwrap();
    context.write("b", "x");
    fs::hard_link(context.root().join("a"), context.beside("elsewhere")).unwrap();
    assert_eq!(context.look().hash, two);
}

#[test]
fn an_attribute_of_the_users_is_seen() {
    let context = Context::new();
    context.write("file", "x");
    let without = context.look().hash;
    let set = std::process::Command::new("python3")
        .args(["-c", "import os, sys; os.setxattr(sys.argv[1], 'user.leo', b'1')"])
        .arg(context.root().join("file"))
        .output();
    if set.is_ok_and(|set| set.status.success()) {
        assert_ne!(context.look().hash, without);
    } else {
        println!("skipped: no file system with attributes, or no python3");
    }
}
