//! One file a command.

pub(crate) mod deploy;
pub(crate) mod destroy;
pub(crate) mod diagnose;
pub(crate) mod drift;
pub(crate) mod env_sync;
pub(crate) mod forward;
pub(crate) mod images;
pub(crate) mod init;
pub(crate) mod push_images;
pub(crate) mod releases;
pub(crate) mod rollback;
pub(crate) mod secrets;

use crate::failure::{Failure, Problem, colours};
use leo_aws::FailureKind;
use leo_env::SecretsPolicy;
use leo_project::{Project, find_root};
use std::path::PathBuf;

/// Exit code of "there are differences".
const DIFFERENCES: u8 = 3;

/// The configuration of the work tree that the command was started in, as its target can carry it; its warnings are
/// printed. For the local target the files with secrets are not even opened, unless it is to get the real ones.
pub(crate) fn load_project(
    environment: Option<&str>,
    secrets: SecretsPolicy,
    local: bool,
) -> Result<Project, Failure> {
    let root = work_tree()?;
    let of_files = if local { SecretsPolicy::Unopened } else { secrets };
    let mut project = Project::load(&root, environment, of_files).map_err(Failure::Configuration)?;
    if secrets == SecretsPolicy::Read && project.env.policy() != secrets {
        project = project.with_secrets().map_err(Failure::Configuration)?;
    }
    eprint!("{}", leo_diagnostic::render_all(&project.warnings, colours()));
    if local {
        for left_out in crate::local::without_aws_only(&mut project.config) {
            eprintln!("note: not on the local target: {left_out}");
        }
    }
    Ok(project)
}

/// The root of the work tree that the command was started in.
pub(crate) fn work_tree() -> Result<PathBuf, Problem> {
    let here = std::env::current_dir()
        .map_err(|error| Problem::new(FailureKind::Usage, format!("find the current folder: {error}")))?;
    find_root(&here).ok_or_else(|| {
        Problem::new(
            FailureKind::Usage,
            format!("find {} in {} or above it", leo_project::LEO_TOML, here.display()),
        )
        .hint("run this inside the repository")
    })
}
