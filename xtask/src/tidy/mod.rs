//! The repository's conventions, as checks: what a compiler and a linter can't see.
//!
//! A check is a function from the repository to its findings; all of them run, whatever the others find.

mod commands;
mod docs;
mod graph;
mod manifests;
mod sources;

use std::{fs, path::Path};

use anyhow::{Context, Result};
use leo_diagnostic::Diagnostic;

use crate::repository::{Repository, output};

/// The files that git has or would take, relative to the root, sorted.
pub(crate) struct Files {
    paths: Vec<String>,
}

impl Files {
    /// Asks git.
    pub(crate) fn list(repository: &Repository) -> Result<Self> {
        let listed = output(repository.command("git").args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
        ]))?;
        // A file that was removed but not yet from the index is still listed.
        let mut paths: Vec<String> = listed
            .split('\0')
            .filter(|path| !path.is_empty() && repository.path(path).is_file())
            .map(str::to_owned)
            .collect();
        paths.sort();
        Ok(Self { paths })
    }

    /// Those with one of these endings.
    fn ending<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = &'a str> {
        self.paths.iter().map(String::as_str).filter(move |path| path.ends_with(ending))
    }
}

/// All findings of all checks.
pub(crate) fn check(repository: &Repository) -> Result<Vec<Diagnostic>> {
    let files = Files::list(repository)?;
    let mut findings = manifests::check(repository, &files)?;
    findings.extend(graph::check(repository)?);
    findings.extend(sources::check(repository, &files)?);
    findings.extend(docs::check(repository, &files)?);
    findings.extend(commands::check(repository, &files)?);
    Ok(findings)
}

/// A file's text; `None` where it isn't text.
fn text(path: &Path) -> Result<Option<String>> {
    let bytes = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    Ok(String::from_utf8(bytes).ok())
}

#[cfg(test)]
mod tests {
    use leo_diagnostic::{Colours, render_all};

    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        let findings = check(&Repository::find().unwrap()).unwrap();
        assert!(findings.is_empty(), "\n{}", render_all(&findings, Colours::Plain));
    }
}
