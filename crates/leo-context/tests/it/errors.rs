//! What a user has to set right first.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::context::Context;

/// The message and the fix, without this machine's paths.
fn said(context: &Context, root: Option<PathBuf>) -> String {
    let root = root.unwrap_or_else(|| context.root());
    let error = context.look_at(&root).unwrap_err();
    let text = format!("failed to {error}\nhint: {}", error.hint().unwrap());
    text.replace(&context.beside("").display().to_string(), "<folder>/")
}

#[test]
fn each_has_a_message_and_a_fix() {
    let mut all = Vec::new();

    let context = Context::new();
    all.push(said(&context, Some(context.beside("missing"))));
    fs::write(context.beside("file"), "").unwrap();
    all.push(said(&context, Some(context.beside("file"))));

    let mut context = Context::new();
    context.dockerfile = context.root().join("missing");
    all.push(said(&context, None));
    context.dockerfile = context.beside("Dockerfile");
    fs::write(&context.dockerfile, "FROM scratch").unwrap();
    all.push(said(&context, None));
    context.dockerfile = context.root().join("linked");
    symlink(context.beside("Dockerfile"), &context.dockerfile).unwrap();
    all.push(said(&context, None));

    let mut context = Context::new();
    all.push(said(&context, Some("/".into())));
    context.home = Some(context.root());
    all.push(said(&context, None));
    context.home = Some(context.root().join("home"));
    fs::create_dir(context.root().join("home")).unwrap();
    all.push(said(&context, None));
    context.home = None;
    context.own_root = Some(context.root());
    all.push(said(&context, None));
    context.own_root = Some(context.root().join("home"));
    all.push(said(&context, None));
    // A folder inside of this repository is none that holds it.
    context.own_root = Some(context.beside(""));
    context.look();

    let context = Context::new();
    context.write(".dockerignore", "a\n!\n");
    all.push(said(&context, None));
    fs::remove_file(context.root().join(".dockerignore")).unwrap();
    fs::create_dir(context.root().join(".dockerignore")).unwrap();
    all.push(said(&context, None));

    insta::assert_snapshot!(all.join("\n\n"));
}

#[test]
fn a_named_context_is_held_to_the_same() {
    let mut context = Context::new();
    context.named.insert("root".into(), "/".into());
    assert!(said(&context, None).contains("it is the root folder"));
}

#[test]
fn a_link_to_a_context_or_a_dockerfile_inside_is_followed() {
    let mut context = Context::new();
    symlink(context.root(), context.beside("link")).unwrap();
    fs::create_dir(context.root().join("docker")).unwrap();
    fs::rename(context.root().join("Dockerfile"), context.root().join("docker/real")).unwrap();
    symlink("docker/real", context.root().join("Dockerfile")).unwrap();
    let look = context.look();
    assert_eq!(context.look_at(&context.beside("link")).unwrap().hash, look.hash);
    context.dockerfile = context.beside("link/Dockerfile");
    assert_eq!(context.look().hash, look.hash);
}
