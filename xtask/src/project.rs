//! The configuration, for the commands that need one.

use std::{
    env,
    io::{self, IsTerminal},
    process::ExitCode,
};

use leo_diagnostic::{Colours, Diagnostic, render_all};
use leo_env::SecretsPolicy;
use leo_project::Project;

use crate::repository::Repository;

/// One environment's configuration, its warnings shown; else the exit code, everything that is wrong with it shown.
/// Nothing that runs in this process needs a secret: none is kept, or with [`SecretsPolicy::Unopened`] seen.
pub(crate) fn load(
    repository: &Repository,
    environment: Option<&str>,
    secrets: SecretsPolicy,
) -> Result<Project, ExitCode> {
    match Project::load(repository.root(), environment, secrets) {
        Ok(project) => {
            show(&project.warnings);
            Ok(project)
        }
        Err(findings) => Err(refuse(&findings)),
    }
}

/// Shows what is wrong with the configuration, and gives the exit code that says so.
pub(crate) fn refuse(findings: &[Diagnostic]) -> ExitCode {
    show(findings);
    ExitCode::from(2)
}

/// Prints findings on stderr, coloured for a terminal that wants it.
pub(crate) fn show(findings: &[Diagnostic]) {
    let coloured = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none();
    eprint!("{}", render_all(findings, if coloured { Colours::Ansi } else { Colours::Plain }));
}
