//! The files themselves: who may read them, and what git does with them.

use std::path::Path;

use leo_config::EnvironmentName;
use leo_diagnostic::{Diagnostic, nearest};

use super::about_file;
use crate::{
    Finding, Kind, Published,
    facts::{EnvFile, Facts, Role},
    git::{Answer, Tracking},
};

/// How git ignores whatever is in `env/`.
const EVERYTHING: &str =
    "add the lines `/env/*`, `!/env/.env.defaults` and `!/env/.env.example` to .gitignore";

/// The bits that let a file's group and everyone else in.
const OTHERS: u32 = 0o077;

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    if let Some(why) = &facts.closed {
        let finding = Diagnostic::error("`env` can't be looked at")
            .found(format!("\"{why}\""))
            .hint("it has to be a folder of yours: sudo chown $USER env && chmod u+rwx env");
        return vec![about_file(Kind::Unknown, "env", finding)];
    }
    let mut findings: Vec<Finding> = facts.files.iter().flat_map(|file| of_file(file, facts)).collect();
    findings.extend(only_in_git(facts));
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
            Role::Defaults if file.unseen.is_none() => {
                let finding = Diagnostic::error("`env/.env.defaults` is missing")
                    .hint("it is committed: git restore env/.env.defaults");
                vec![about_file(Kind::Missing, path, finding)]
            }
            _ => Vec::new(),
        };
    };
    let mut findings = Vec::new();
    let mut add = |kind, diagnostic| findings.push(about_file(kind, path, diagnostic));
    if let Role::Stray(environment) = &file.role {
        add(Kind::Stray, stray(path, environment.as_deref(), facts));
    }
    if !found.regular {
        // Of the files that are read leo-env says so.
        return findings;
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
                add(Kind::Tracked, tracked(path, &untrack(file)));
            }
            Some(Tracking::Untracked) => {
                let finding =
                    Diagnostic::error(format!("git doesn't ignore `{path}`, which may hold secrets"))
                        .hint(ignore(file));
                add(Kind::NotIgnored, finding);
            }
            Some(Tracking::Ignored) | None => {}
        }
        findings.extend(file.behind.as_ref().and_then(|published| behind(path, published)));
    } else if file.tracking == Some(Tracking::Ignored) {
        let finding = Diagnostic::error(format!("git ignores `{path}`, so no other clone gets it"))
            .hint(format!("`git check-ignore -v {path}` says which line does: put `!{path}` behind it"));
        add(Kind::Tracked, finding);
    }
    findings
}

fn tracked(path: &str, untrack: &str) -> Diagnostic {
    Diagnostic::error(format!("git tracks `{path}`, which may hold secrets"))
        .hint(format!("{untrack}, commit that, and revoke every secret that was ever pushed"))
}

/// What git has of `env/` besides what is there to be seen.
fn only_in_git(facts: &Facts) -> Vec<Finding> {
    let Answer::Files(files) = &facts.git else { return Vec::new() };
    let looked_at = |path: &str| {
        facts.files.iter().any(|file| file.path == path && (file.found.is_some() || !file.role.is_private()))
    };
    let finding = |(path, tracked_there): (&String, &bool)| {
        let (kind, finding) = if *tracked_there {
            let untrack = format!("git rm --cached {path}");
            (Kind::Tracked, tracked(path, &untrack).found("it is no file here, but git still has it"))
        } else {
            let finding = Diagnostic::error(format!("git doesn't ignore `{path}`, which may hold secrets"));
            (Kind::NotIgnored, finding.hint(EVERYTHING))
        };
        about_file(kind, path, finding)
    };
    files.iter().filter(|(path, _)| !looked_at(path)).map(finding).collect()
}

/// What a private file is a link to.
fn behind(path: &str, published: &Published) -> Option<Finding> {
    let (what, file) = match published {
        Published::Tracked { file } => ("tracks", file),
        Published::NotIgnored { file } => ("doesn't ignore", file),
        Published::Unknown { .. } => return None,
    };
    let finding = Diagnostic::error(format!(
        "git {what} `{}`, which `{path}` is a link to: it may hold secrets",
        file.display()
    ));
    let folder = file.parent().unwrap_or(Path::new("."));
    let hint = match published {
        Published::Tracked { .. } => format!(
            "let it be a file of its own: cp --remove-destination {0} {path}; then git -C {1} rm --cached {2}, and revoke \
             every secret that was ever pushed",
            file.display(),
            folder.display(),
            file.file_name().unwrap_or_default().display()
        ),
        _ => format!("let it be a file of its own: cp --remove-destination {} {path}", file.display()),
    };
    Some(about_file(Kind::Tracked, path, finding.hint(hint)))
}

fn stray(path: &str, environment: Option<&str>, facts: &Facts) -> Diagnostic {
    let environments: Vec<&str> = facts.outline.environments.iter().map(EnvironmentName::as_str).collect();
    let Some(suffix) = environment else {
        return Diagnostic::warning(format!("nothing reads `{path}`"))
            .hint("delete it, or keep it elsewhere: env/ is for the environment files alone");
    };
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
    if let Role::Stray(_) = file.role {
        return EVERYTHING.to_owned();
    }
    match (file.role == Role::Sibling, file.path.rsplit_once('/')) {
        (true, Some((folder, name))) => format!("add the line `{name}` to {folder}/.gitignore"),
        _ => format!("add the line `{}` to .gitignore", file.path),
    }
}
