//! The files themselves: who may read them, and what git does with them.

use leo_diagnostic::{Diagnostic, nearest};

use super::about_file;
use crate::{
    Finding, Kind,
    facts::{EnvFile, Facts, Role},
    git::{Answer, Tracking},
};

/// The bits that let a file's group and everyone else in.
const OTHERS: u32 = 0o077;

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = facts.files.iter().flat_map(|file| of_file(file, facts)).collect();
    if let Answer::Unknown { why } = &facts.git {
        let finding = Diagnostic::warning("git can't say which files it has, so that was not checked")
            .found(format!("\"{why}\""))
            .hint("`git ls-files env` has to work in this folder");
        findings.push(Finding { kind: Kind::Unknown, path: None, diagnostic: finding });
    }
    findings
}

fn of_file(file: &EnvFile, facts: &Facts) -> Vec<Finding> {
    let path = file.path.as_str();
    let Some(found) = file.found else {
        return match file.role {
            Role::Defaults => {
                let finding = Diagnostic::error("`env/.env.defaults` is missing")
                    .hint("it is committed: git restore env/.env.defaults");
                vec![about_file(Kind::Missing, path, finding)]
            }
            _ => Vec::new(),
        };
    };
    let mut findings = Vec::new();
    let mut add = |kind, diagnostic| findings.push(about_file(kind, path, diagnostic));
    if !found.regular {
        // Of the files that are read leo-env says so.
        return findings;
    }
    if let Role::Stray(suffix) = &file.role {
        add(Kind::Stray, stray(path, suffix, facts));
    }
    if file.role.is_private() {
        if found.mode & OTHERS != 0 {
            let finding = Diagnostic::error(format!("others may read `{path}`"))
                .found(format!("the permissions {:04o}", found.mode))
                .hint(format!("chmod 600 {path}, or cargo xtask env-check --fix"));
            add(Kind::Readable, finding);
        }
        match file.tracking {
            Some(Tracking::Tracked) => {
                let finding = Diagnostic::error(format!("git tracks `{path}`, which may hold secrets")).hint(
                    format!("{}, commit that, and revoke every secret that was ever pushed", untrack(file)),
                );
                add(Kind::Tracked, finding);
            }
            Some(Tracking::Untracked) => {
                let finding =
                    Diagnostic::error(format!("git doesn't ignore `{path}`, which may hold secrets"))
                        .hint(ignore(file));
                add(Kind::NotIgnored, finding);
            }
            Some(Tracking::Ignored) | None => {}
        }
    } else if file.tracking == Some(Tracking::Ignored) {
        let finding = Diagnostic::error(format!("git ignores `{path}`, so no other clone gets it"))
            .hint(format!("`git check-ignore -v {path}` says which line does: put `!{path}` behind it"));
        add(Kind::Tracked, finding);
    }
    findings
}

fn stray(path: &str, suffix: &str, facts: &Facts) -> Diagnostic {
    let environments: Vec<&str> = facts.outline.environments.iter().map(|name| name.as_str()).collect();
    let finding = Diagnostic::warning(format!("nothing reads `{path}`: there is no environment `{suffix}`"));
    match nearest(suffix, environments.iter().copied()) {
        Some(near) => finding.hint(format!("did you mean `env/.env.{near}`? else delete it")),
        None => finding.hint(format!("delete it; the environments are {}", environments.join(", "))),
    }
}

fn untrack(file: &EnvFile) -> String {
    match (file.role == Role::Sibling, file.path.rsplit_once('/')) {
        (true, Some((folder, name))) => format!("git -C {folder} rm --cached {name}"),
        _ => format!("git rm --cached {}", file.path),
    }
}

fn ignore(file: &EnvFile) -> String {
    match (file.role == Role::Sibling, file.path.rsplit_once('/')) {
        (true, Some((folder, name))) => format!("add the line `{name}` to {folder}/.gitignore"),
        _ => format!("add the line `{}` to .gitignore", file.path),
    }
}
