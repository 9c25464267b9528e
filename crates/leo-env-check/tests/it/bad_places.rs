//! Places: secrets where others see them, and what is around the files.

use std::{fs, os::unix::fs::symlink};

use crate::{
    table,
    tree::{Tree, filled, with_others},
};

type PutOutOfOrder = fn(Tree) -> Tree;

/// In committed files.
fn committed() -> Vec<(&'static str, PutOutOfOrder)> {
    fn defaults(tree: Tree, lines: &str) -> Tree {
        tree.defaults(lines);
        tree
    }
    vec![
        ("a secret's key", |tree| defaults(tree, "GITHUB_TOKEN=@GITHUB_TOKEN@\n")),
        ("a token under another key", |tree| defaults(tree, "AWS_PROFILE=@GITHUB_TOKEN@\n")),
        ("a token for a region", |tree| defaults(tree, "AWS_REGION=@GITHUB_TOKEN@\n")),
        ("a token in a comment", |tree| defaults(tree, "# the old one: @GITHUB_TOKEN@\n")),
        ("a token under a key that is commented", |tree| defaults(tree, "#OLD=@CLAUDE_CODE_OAUTH_TOKEN@\n")),
        ("a URL with a password", |tree| defaults(tree, "LEO_OUT_URL=https://ada:Hu5hQ7xK2@leo.dev/\n")),
        ("a value as random as a key", |tree| {
            defaults(tree, "LEO_OUT_ID=qX7fT2mZ9bK4hL1vR8cN5pW3sD6gJ0yA\n")
        }),
        ("the name for the process", |tree| defaults(tree, "LEO_SECRET_GITHUB_TOKEN=@GITHUB_TOKEN@\n")),
        ("a filled example", |tree| {
            tree.write(
                "env/.env.example",
                filled("GITHUB_TOKEN=@GITHUB_TOKEN@\nFLY_API_TOKEN=\nSUPABASE_URL=@SUPABASE_URL@\n"),
            );
            tree
        }),
        ("a token in infra/leo.toml", |tree| {
            let text = "[environments.dev]\n[environments.prod]\n[generator.environment]\nLOG = \"@GITHUB_TOKEN@\"\n";
            tree.write("infra/leo.toml", filled(text));
            tree
        }),
    ]
}

/// Around private files.
fn private() -> Vec<(&'static str, PutOutOfOrder)> {
    fn repository(tree: &Tree, ignored: &str) {
        tree.write(".gitignore", ignored);
        tree.git("", &["init", "--quiet"]);
        tree.git("", &["add", "."]);
    }
    fn linked(tree: &Tree, target: &str) {
        fs::remove_file(tree.root().join("env/.env")).unwrap();
        symlink(target, tree.root().join("env/.env")).unwrap();
    }
    vec![
        ("readable by all", |tree| {
            tree.mode("env/.env", 0o644);
            tree
        }),
        ("readable by the group", |tree| {
            tree.mode("env/.env", 0o640);
            tree
        }),
        ("tracked", |tree| {
            repository(&tree, "");
            tree
        }),
        ("tracked, though ignored", |tree| {
            repository(&tree, "env/.env\n");
            tree.git("", &["add", "--force", "env/.env"]);
            tree
        }),
        ("tracked, and no file here", |tree| {
            tree.write("env/.env.prod", with_others(""));
            tree.write("env/old/.env", "");
            repository(&tree, "env/.env\n");
            fs::remove_file(tree.root().join("env/.env.prod")).unwrap();
            fs::remove_dir_all(tree.root().join("env/old")).unwrap();
            tree
        }),
        ("a link to a file that is tracked", |tree| {
            tree.write("notes.txt", with_others(""));
            tree.mode("notes.txt", 0o600);
            repository(&tree, "env/.env\n");
            linked(&tree, "../notes.txt");
            tree
        }),
        ("a link to a file that is not ignored", |tree| {
            repository(&tree, "env/.env\n");
            tree.write("notes.txt", with_others(""));
            tree.mode("notes.txt", 0o600);
            linked(&tree, "../notes.txt");
            tree
        }),
        ("not ignored", |tree| {
            repository(&tree, "env/.env\n");
            tree.write(".gitignore", "");
            tree
        }),
        ("the defaults are ignored", |tree| {
            repository(&tree, "env/.env*\n");
            tree
        }),
        ("a file for no environment", |tree| {
            tree.write("env/.env.prd", "");
            tree.write("env/.env~", "");
            tree
        }),
        ("files that are none of the environment's", |tree| {
            tree.write("env/.envrc", "");
            tree.write("env/prod.env", with_others(""));
            tree.write("env/old/.env", "");
            repository(&tree, "env/.env\n");
            tree.git("", &["rm", "-r", "--cached", "--quiet", "env/.envrc", "env/prod.env", "env/old"]);
            tree
        }),
        ("another environment's file is open", |tree| {
            tree.write("env/.env.prod", with_others(""));
            tree.mode("env/.env.prod", 0o664);
            tree
        }),
        ("git is broken", |tree| {
            tree.write(".git", "gitdir: nowhere\n");
            tree
        }),
    ]
}

fn siblings() -> Vec<(&'static str, PutOutOfOrder)> {
    fn configured(tree: &Tree, lines: &str) {
        tree.write(
            "infra/leo.toml",
            format!("[environments.dev]\n[environments.prod]\n[images.orchestrator]\n{lines}\n"),
        );
    }
    vec![
        ("missing", |tree| {
            fs::remove_dir(tree.root().join("../leo-saas")).unwrap();
            tree
        }),
        ("on another branch", |tree| {
            configured(&tree, "branch = \"main\"");
            tree.git("../leo-saas", &["init", "--quiet", "--initial-branch=feature/x"]);
            tree
        }),
        ("on no branch", |tree| {
            configured(&tree, "branch = \"main\"");
            tree.git("../leo-saas", &["init", "--quiet"]);
            tree.write("../leo-saas/a", "x");
            tree.git("../leo-saas", &["add", "."]);
            tree.git("../leo-saas", &["commit", "--quiet", "--message", "one"]);
            tree.git("../leo-saas", &["checkout", "--quiet", "--detach"]);
            tree
        }),
        ("in no repository", |tree| {
            configured(&tree, "branch = \"main\"");
            tree
        }),
        ("with files that a build would see", |tree| {
            tree.write("../leo-saas/.env", "A=1\n");
            tree.write("../leo-saas/apps/web/.env.local", "A=1\n");
            tree.write("../leo-container/.ssh/id_ed25519", "x");
            tree
        }),
        ("with a list that Docker refuses", |tree| {
            tree.write("../leo-saas/.dockerignore", "a[\n");
            tree
        }),
        ("around this repository", |tree| {
            configured(&tree, "context = \"..\"");
            tree
        }),
        ("a further source that is not there", |tree| {
            configured(&tree, "env_file = \"../leo-saas/.env\"");
            tree
        }),
        ("a further source that is tracked, open and wrong", |tree| {
            configured(&tree, "env_file = \"../leo-saas/.env\"");
            tree.git("../leo-saas", &["init", "--quiet"]);
            tree.write("../leo-saas/.dockerignore", ".env\n");
            tree.write("../leo-saas/.env", "PORT=eight\nGITHUB_TOKEN=changeme\nnot a line\n");
            tree.mode("../leo-saas/.env", 0o644);
            tree.git("../leo-saas", &["add", "."]);
            tree
        }),
        ("a further source in this repository", |tree| {
            configured(&tree, "env_file = \"env/.env.prod\"");
            tree
        }),
    ]
}

fn process() -> Vec<(&'static str, PutOutOfOrder)> {
    vec![
        ("a token under its bare name", |tree| {
            tree.write("env/.env", with_others("").replace("GITHUB_TOKEN=", "# GITHUB_TOKEN="));
            tree.process("GITHUB_TOKEN", "@GITHUB_TOKEN@")
        }),
        ("a malformed secret", |tree| tree.process("LEO_SECRET_GITHUB_TOKEN", "Hu5hQ7")),
        ("a secret that was never filled in", |tree| {
            tree.process("LEO_SECRET_GITHUB_TOKEN", "${TOKEN}".trim_start_matches('$'))
        }),
        ("an unknown secret", |tree| tree.process("LEO_SECRET_GITHUB_TOKN", "@GITHUB_TOKEN@")),
        ("another region than the environment's file", |tree| {
            tree.write("env/.env.dev", with_others("AWS_REGION=us-east-2\n"));
            tree.process("AWS_REGION", "us-west-2")
        }),
        ("a token for a profile", |tree| tree.process("AWS_PROFILE", "'@GITHUB_TOKEN@'")),
    ]
}

pub(crate) const TITLES: fn() -> usize =
    || committed().len() + private().len() + siblings().len() + process().len();

fn messages(cases: Vec<(&'static str, PutOutOfOrder)>) -> String {
    table(cases.into_iter().map(|(title, put)| {
        let tree = put(Tree::new());
        let root = tree.root().canonicalize().unwrap();
        let messages = tree.messages().replace(root.to_str().unwrap(), "<root>");
        let above = root.parent().unwrap().to_str().unwrap();
        (title, messages.replace(above, "<above>").replace(tree.root().to_str().unwrap(), "<root>"))
    }))
}

#[test]
fn secrets_in_committed_files() {
    insta::assert_snapshot!(messages(committed()));
}

#[test]
fn private_files_that_are_not() {
    insta::assert_snapshot!(messages(private()));
}

#[test]
fn sibling_repositories() {
    insta::assert_snapshot!(messages(siblings()));
}

#[test]
fn the_process_environment() {
    insta::assert_snapshot!(messages(process()));
}
