//! Files: their form, and those that are missing or no files.

use std::{
    fs,
    os::unix::fs::symlink,
    process::Command,
    time::{Duration, Instant},
};

use leo_diagnostic::MOST_OF_A_FILE;
use leo_env_check::Finding;

use crate::{
    table,
    tree::{Tree, said, with_others},
};

/// Lines of `env/.env`.
const FORMS: [(&str, &str); 18] = [
    ("the line ends of Windows", "AWS_PROFILE=me\r\nGITHUB_TOKEN=@GITHUB_TOKEN@\r\n"),
    ("a byte order mark", "\u{feff}AWS_PROFILE=me\n"),
    ("a tab", "AWS_PROFILE=\tme\n"),
    ("a quote that is never closed", "GITHUB_TOKEN=\"@GITHUB_TOKEN@\n"),
    ("a quote that is closed lines later", "GITHUB_TOKEN='@GITHUB_TOKEN@\nFLY_API_TOKEN=@FLY_API_TOKEN@'\n"),
    ("a value over several lines", "AWS_PROFILE='a\nb'\n"),
    ("`export`", "export AWS_PROFILE=me\n"),
    ("`$` without quotes", "GITHUB_TOKEN=Hu5hQ7$TOKEN\n"),
    ("`$` in double quotes", "GITHUB_TOKEN=\"Hu5hQ7${TOKEN}\"\n"),
    ("`#` behind the value", "AWS_PROFILE=me # mine\n"),
    ("`#` in the value", "AWS_PROFILE=me#1\n"),
    ("spaces around `=`", "AWS_PROFILE = me\n"),
    ("words without quotes", "AWS_PROFILE=my own\n"),
    ("spaces at the end", "AWS_PROFILE=me  \n"),
    ("quotes that nobody needs", "AWS_PROFILE=\"me\"\n"),
    ("no assignment", "@GITHUB_TOKEN@\n"),
    ("YAML", "AWS_PROFILE: me\n"),
    ("a key in lower case", "aws_profile=me\n"),
];

pub(crate) const TITLES: fn() -> usize = || FORMS.len() + files().len();

#[test]
fn forms() {
    insta::assert_snapshot!(table(FORMS.iter().map(|(title, lines)| {
        let tree = Tree::new();
        tree.env(lines);
        (*title, tree.messages())
    })));
}

type PutOutOfOrder = fn(&Tree);

fn files() -> Vec<(&'static str, PutOutOfOrder)> {
    vec![
        ("no env/.env", |tree| fs::remove_file(tree.root().join("env/.env")).unwrap()),
        ("no env/.env.defaults", |tree| fs::remove_file(tree.root().join("env/.env.defaults")).unwrap()),
        ("no infra/leo.toml", |tree| fs::remove_file(tree.root().join("infra/leo.toml")).unwrap()),
        ("no infra/env.toml", |tree| fs::remove_file(tree.root().join("infra/env.toml")).unwrap()),
        ("a schema that can't be read", |tree| {
            tree.write("infra/env.toml", "[GITHUB_TOKEN]\nprovider = 1\n");
        }),
        ("a folder", |tree| {
            fs::remove_file(tree.root().join("env/.env")).unwrap();
            fs::create_dir(tree.root().join("env/.env")).unwrap();
        }),
        ("a pipe, which is never opened", |tree| {
            let path = tree.root().join("env/.env");
            fs::remove_file(&path).unwrap();
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        }),
        ("a link to nowhere", |tree| {
            fs::remove_file(tree.root().join("env/.env")).unwrap();
            symlink("nowhere", tree.root().join("env/.env")).unwrap();
        }),
        ("a link to itself", |tree| {
            fs::remove_file(tree.root().join("env/.env.defaults")).unwrap();
            symlink(".env.defaults", tree.root().join("env/.env.defaults")).unwrap();
        }),
        // Nobody is kept out of a folder that root may not enter.
        ("a folder that can't be entered", |tree| {
            fs::remove_dir_all(tree.root().join("env")).unwrap();
            tree.write("env", "");
        }),
        ("no text", |tree| tree.write("env/.env", b"GITHUB_TOKEN=\xff\xfeHu5hQ7\n")),
        ("far too much", |tree| tree.write("env/.env", "# x\n".repeat(300_000))),
        ("nothing in it", |tree| tree.write("env/.env", "")),
    ]
}

#[test]
fn files_that_are_not_there_or_are_none() {
    insta::assert_snapshot!(table(files().into_iter().map(|(title, put)| {
        let tree = Tree::new();
        put(&tree);
        (title, tree.messages())
    })));
}

#[test]
fn the_file_of_a_protected_environment() {
    let tree = Tree::new();
    insta::assert_snapshot!("missing", said(&tree.report(Some("prod"), false)));
    tree.write("env/.env.prod", with_others("LEO_ENVIRONMENT=dev\nFLY_API_TOKEN=\n"));
    insta::assert_snapshot!("there", said(&tree.report(Some("prod"), false)));
    tree.write("env/.env.prod", with_others(""));
    assert_eq!(said(&tree.report(Some("prod"), false)), "");
}

/// A wrong line each: what is said is short, and the time that it takes grows with the lines, not with their square.
#[test]
fn a_file_full_of_mistakes_is_no_flood() {
    for line in ["A{}=x\n", "A{}=\"x\n", "GITHUB_TOKEN=Hu5hQ7{}\n"] {
        let time = |wrong: usize| {
            let tree = Tree::new();
            tree.env(&(0..wrong).map(|number| line.replace("{}", &number.to_string())).collect::<String>());
            let started = Instant::now();
            let report = tree.report(None, false);
            let taken = started.elapsed();
            let of_file = |finding: &&Finding| finding.path.as_deref() == Some("env/.env");
            let of_file: Vec<_> = report.findings.iter().filter(of_file).collect();
            assert_eq!(of_file.len(), MOST_OF_A_FILE + 1, "{line}");
            let last = &of_file[MOST_OF_A_FILE].diagnostic;
            let more = last.message.split(' ').next().unwrap().parse::<usize>().unwrap();
            assert!(more + MOST_OF_A_FILE >= wrong / 2, "{}", last.message);
            assert!(last.is_error() && last.message.contains(" more errors"), "{}", last.message);
            taken
        };
        let (short, long) = (time(1_000), time(8_000));
        assert!(long < 20 * short + Duration::from_secs(1), "{line:?}: {short:?} and {long:?}");
    }
}
