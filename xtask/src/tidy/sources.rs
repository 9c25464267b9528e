//! Source files: one idea each, a crate says what it is for, nothing of one person's machine.

use anyhow::Result;
use leo_diagnostic::{Diagnostic, SourceFile};

use super::{Files, text};
use crate::repository::Repository;

/// Past about this many lines a file holds a second idea.
const MOST_LINES: usize = 400;

/// What no file may contain. Put together from halves, so that this file doesn't.
const BANNED: [(&str, &str); 6] = [
    (concat!("/ho", "me/"), "a path of one person's machine: make it relative, or a setting"),
    (concat!("/Us", "ers/"), "a path of one person's machine: make it relative, or a setting"),
    (concat!("/ro", "ot/"), "a path of one person's machine: make it relative, or a setting"),
    (concat!("db", "g!("), "remove it: it prints whatever it is given, secrets too"),
    (concat!("to", "do!("), "write what is missing"),
    (concat!("unimpl", "emented!("), "write what is missing"),
];

pub(super) fn check(repository: &Repository, files: &Files) -> Result<Vec<Diagnostic>> {
    let mut findings = Vec::new();
    for path in &files.paths {
        // Cargo's own.
        if path.ends_with("Cargo.lock") {
            continue;
        }
        let Some(text) = text(&repository.path(path))? else { continue };
        let file = SourceFile::new(path, text);
        findings.extend(banned(&file));
        if is_crate_root(path) {
            findings.extend(purpose(&file));
        }
    }
    for path in files.ending(".rs") {
        let Some(text) = text(&repository.path(path))? else { continue };
        let file = SourceFile::new(path, text);
        findings.extend(length(&file));
        findings.extend(children(&file));
    }
    Ok(findings)
}

/// Where a child process may be made: each takes from its environment what is for us alone.
const MAKE_CHILDREN: [&str; 5] = [
    "crates/leo-env-check/src/git.rs",
    "crates/leo-image/src/process.rs",
    "crates/leo-local/src/process.rs",
    "xtask/src/repository.rs",
    // Descriptions of commands, which are run with the environment of the one above.
    "xtask/src/commands/bench/",
];

/// Children that inherit `LEO_SECRET_*`. Tests may make any.
fn children(file: &SourceFile) -> Vec<Diagnostic> {
    let tests = file.path.contains("/tests/") || file.path.ends_with("/tests.rs");
    if tests || MAKE_CHILDREN.iter().any(|place| file.path.starts_with(place)) {
        return Vec::new();
    }
    let source = file.text.split("\nmod tests {").next().unwrap_or_default();
    let made = source.match_indices(concat!("Command::", "new("));
    made.map(|(at, made)| {
        Diagnostic::error("a child process that inherits secrets")
            .at(file.location(at..at + made.len()))
            .hint("make it with the crate's own `command`, which removes `leo_env::secret_variables`")
    })
    .collect()
}

fn is_crate_root(path: &str) -> bool {
    ["/src/lib.rs", "/src/main.rs"].iter().any(|end| path.ends_with(end))
}

fn banned(file: &SourceFile) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (needle, fix) in BANNED {
        for (at, _) in file.text.match_indices(needle) {
            findings.push(
                Diagnostic::error(format!("`{needle}` in a committed file"))
                    .at(file.location(at..at + needle.len()))
                    .hint(fix),
            );
        }
    }
    findings
}

fn length(file: &SourceFile) -> Option<Diagnostic> {
    let lines = file.text.lines().count();
    (lines > MOST_LINES).then(|| {
        Diagnostic::error(format!("the file has {lines} lines"))
            .at(file.location(file.text.len()..file.text.len()))
            .hint(format!(
                "at most {MOST_LINES}: look for the second idea in it, and give that a file of its own"
            ))
    })
}

fn purpose(file: &SourceFile) -> Option<Diagnostic> {
    (!file.text.lines().any(|line| line.starts_with("//! "))).then(|| {
        Diagnostic::error("the crate doesn't say what it is for")
            .at(file.location(0..0))
            .hint("start the file with `//!`: what the crate is for, and what it deliberately does not do")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust(text: impl Into<String>) -> SourceFile {
        SourceFile::new("crates/a/src/lib.rs", text)
    }

    #[test]
    fn every_place_of_a_banned_text_is_found() {
        let text = format!("fn a() {{}}\n{}x);\nlet p = \"{}me\";\n", BANNED[3].0, BANNED[0].0);
        let lines: Vec<usize> =
            banned(&rust(text)).into_iter().map(|finding| finding.location.unwrap().line).collect();
        assert_eq!(lines, [3, 2]);
        assert_eq!(banned(&rust("a.home/b, homes")), []);
    }

    #[test]
    fn a_long_file_is_found() {
        assert_eq!(length(&rust("x\n".repeat(MOST_LINES))), None);
        assert!(length(&rust("x\n".repeat(MOST_LINES + 1))).unwrap().message.contains("401 lines"));
    }

    #[test]
    fn a_child_that_inherits_secrets_is_found() {
        let text = concat!("Command::", "new(\"git\")\nmod tests {\nCommand::", "new(\"sh\")\n");
        assert_eq!(children(&rust(text)).len(), 1);
        for allowed in ["crates/leo-image/src/process.rs", "crates/a/tests/it/main.rs"] {
            assert_eq!(children(&SourceFile::new(allowed, text)), []);
        }
    }

    #[test]
    fn a_crate_says_what_it_is_for() {
        assert_eq!(purpose(&rust("//! Does a thing.\n")), None);
        assert!(purpose(&rust("/// Does a thing.\nfn a() {}\n")).is_some());
        assert!(is_crate_root("crates/a/src/lib.rs") && is_crate_root("xtask/src/main.rs"));
        assert!(!is_crate_root("crates/a/src/types/mod.rs"));
    }
}
