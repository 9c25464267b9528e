//! Secrets that a build would see.

use std::fs;

use leo_context::LeakSource;

use crate::context::Context;

/// A token of GitHub's, made here so that this file holds none.
pub(crate) fn token() -> String {
    format!("{}{}", "ghp_", "A1b2C3d4E5f6G7h8J9k0LmNoPqRsTuVwXyZ1")
}

/// A private key, which opens nothing.
pub(crate) fn private_key() -> String {
    let line = "MIIEowIBAAKCAQEAx7Qk2bnDmVwYcT3uE8fJ5sLh9RzPaGtXiN4oKyUdSvBqWeHj";
    format!("-----BEGIN {}-----\n{line}\n{line}\n-----END RSA PRIVATE KEY-----\n", "RSA PRIVATE KEY")
}

#[test]
fn each_is_said_with_its_place_and_the_line_that_keeps_it_out() {
    let mut context = Context::new();
    context.write(".env", "A=1");
    context.write("app/.env.production", "A=1");
    context.write("app/.env.example", "A=");
    context.write(".env.defaults", "A=");
    context.write(".aws/config", "");
    context.write(".aws/credentials", "");
    context.write(".ssh/id_ed25519", "");
    context.write("certs/server[1].key", private_key());
    context.write("src/client.ts", format!("// one\nconst token = \"{}\";\n", token()));
    context.write("Dockerfile", format!("FROM scratch\nENV TOKEN={}\nCOPY . /\n", token()));
    context.build_args.insert("TOKEN".into(), token());
    context.build_args.insert("VERSION".into(), "1.0".into());
    let named = context.beside("named");
    fs::create_dir(&named).unwrap();
    fs::write(named.join(".git-credentials"), "").unwrap();
    context.named.insert("tools".into(), named.clone());

    let look = context.look();
    let said: Vec<String> = look.leaks.iter().map(|leak| format!("{leak}\n  {}", leak.fix())).collect();
    insta::assert_snapshot!(said.join("\n").replace(&context.beside("").display().to_string(), "<folder>/"));
    for leak in &look.leaks {
        let list = leak.ignore.as_ref().map(|ignore| ignore.file.clone());
        match leak.context {
            LeakSource::Context => assert_eq!(list, Some(context.root().join(".dockerignore"))),
            LeakSource::Named(_) => assert_eq!(list, Some(named.join(".dockerignore"))),
            LeakSource::Dockerfile | LeakSource::BuildArgument(_) => assert_eq!(list, None),
        }
    }
    assert!(!format!("{look:?}").contains(&token()));
}

#[test]
fn with_those_lines_nothing_is_left_but_what_they_cannot_help() {
    let context = Context::new();
    context.write(".dockerignore", "*\n!app\n!.env\n!Dockerfile");
    context.write(".env", "");
    context.write("app/.env.local", "");
    context.write("app/ odd *name#", token());
    context.write("app/deep/.ssh/known_hosts", "");
    let leaks = context.look().leaks;
    assert_eq!(leaks.len(), 4);
    let mut list = fs::read_to_string(context.root().join(".dockerignore")).unwrap();
    for leak in &leaks {
        list.push('\n');
        list.push_str(leak.ignore_line().unwrap());
    }
    context.write(".dockerignore", list);
    assert_eq!(context.leaks(), [""; 0]);
}

#[test]
fn what_a_build_does_not_see_is_no_leak() {
    let context = Context::new();
    context.write(".env", "A=1");
    context.write("keys/server.key", private_key());
    context.write(".dockerignore", "**/.env\nkeys\n");
    assert_eq!(context.leaks(), [""; 0]);
    fs::create_dir(context.root().join(".aws")).unwrap();
    assert_eq!(context.leaks(), [""; 0]);
}

#[test]
fn what_is_allowed_is_no_leak_and_what_is_allowed_without_need_is_said() {
    let mut context = Context::new();
    context.write("tests/key.pem", private_key());
    context.write("tests/other.pem", private_key());
    context.write(".aws/task-definition.json", "{}");
    context.allowed = ["tests/key.pem", ".aws", "tests/none", "Dockerfile"].map(Into::into).to_vec();
    assert_eq!(context.leaks(), ["tests/other.pem:1: a private key [tests/other.pem]"]);
    assert_eq!(context.look().unused_allowed, ["tests/none", "Dockerfile"].map(std::path::PathBuf::from));

    // A folder's other files are not allowed with the one.
    context.write(".aws/credentials", "");
    context.allowed = vec!["tests".into(), ".aws/task-definition.json".into()];
    assert_eq!(context.leaks(), [".aws: a cloud's saved credentials [.aws]"]);
    // What is allowed does not change what a build sees.
    let hash = context.look().hash;
    context.allowed.clear();
    assert_eq!(context.look().hash, hash);
}

#[test]
fn an_own_list_is_where_the_line_belongs() {
    let mut context = Context::new();
    context.write("docker/app.Dockerfile", "FROM scratch\n");
    context.write("docker/app.Dockerfile.dockerignore", "");
    context.write(".env", "");
    context.dockerfile = context.root().join("docker/app.Dockerfile");
    let leaks = context.look().leaks;
    let list = leaks[0].ignore.clone().unwrap().file;
    assert_eq!(list, context.root().join("docker/app.Dockerfile.dockerignore"));
}
