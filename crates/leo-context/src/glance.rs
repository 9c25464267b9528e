//! A first glance at a context, for a check that has to be quick: nothing is read but the names near the top.

use std::path::{Path, PathBuf};

use crate::error::ContextError;
use crate::folder::Finding;
use crate::ignore::{self, IgnoreList};
use crate::leak::{IgnoreLine, Leak, LeakSource, named_secret};
use crate::look::judge;
use crate::place;
use crate::walk::walk_into;

/// What is glanced at.
#[derive(Clone, Debug)]
pub struct Glance<'a> {
    /// The build context.
    pub context: &'a Path,
    /// The Dockerfile, with its whole path; it need not be there.
    pub dockerfile: &'a Path,
    /// Files and folders that look like secrets and are none, relative to the context.
    pub allowed: &'a [PathBuf],
    /// This repository, which holds `env/.env`: no context may be it or around it.
    pub own_root: Option<&'a Path>,
    /// The user's home folder: no context may be it or around it.
    pub home: Option<&'a Path>,
}

/// So many folders below the context are looked into: `apps/web/.env` is seen.
const DEEPEST: usize = 2;

/// Where other people's files are, thousands of them.
const FOREIGN: [&str; 6] = [".git", ".venv", "node_modules", "target", "vendor", "venv"];

/// The secrets that a build would see, as far as their names and the two topmost levels of folders tell: what is deeper
/// or has to be read is found by [`look`](crate::look), before a build.
///
/// # Errors
/// A context that is missing or too wide, a bad pattern, a folder that can't be read.
pub fn glance(glance: &Glance<'_>) -> Result<Vec<Leak>, ContextError> {
    let context = place::context(glance.context, glance.own_root, glance.home)?;
    let list = ignore::list_of(&context, glance.dockerfile);
    let found = walk_into(&context, &IgnoreList::read(&list)?, |folder, depth| {
        let foreign = folder.file_name().is_some_and(|name| FOREIGN.iter().any(|own| name == *own));
        depth <= DEEPEST && !foreign
    })?;
    let findings = found.into_iter().filter(|found| !found.metadata.is_dir()).filter_map(|found| {
        let (path, what) = named_secret(&found.path)?;
        let ignore = IgnoreLine { file: list.clone(), line: ignore::line_for(path) };
        let leak = Leak {
            context: LeakSource::Context,
            path: path.to_owned(),
            line: None,
            what,
            ignore: Some(ignore),
        };
        Some(Finding { file: found.path, leak })
    });
    Ok(judge(findings.collect(), glance.allowed).0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn seen(list: &str, allowed: &[PathBuf]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in [
            ".env",
            ".env.example",
            "apps/web/.env.local",
            "apps/web/src/deep/.env",
            "node_modules/x/.env",
            "src/main.rs",
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), "x").unwrap();
        }
        fs::write(root.join(".dockerignore"), list).unwrap();
        let leaks = glance(&Glance {
            context: root,
            dockerfile: &root.join("Dockerfile"),
            allowed,
            own_root: None,
            home: None,
        });
        let leaks = leaks.unwrap();
        assert!(leaks.iter().all(|leak| leak.fix().ends_with(".dockerignore")));
        leaks.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn secrets_near_the_top_are_seen_unless_they_are_left_out_or_allowed() {
        let (top, web) = (".env: an environment file", "apps/web/.env.local: an environment file");
        assert_eq!(seen("", &[]), [top, web]);
        assert_eq!(seen(".env\n", &[]), [web]);
        assert_eq!(seen("**/.env*\n", &[]), [""; 0]);
        assert_eq!(seen("*\n!apps/web\n", &[]), [web]);
        assert_eq!(seen("", &["apps".into()]), [top]);
    }
}
