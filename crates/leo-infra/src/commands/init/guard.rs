//! A file that git publishes gets no secret.

use crate::failure::Problem;
use leo_aws::FailureKind;
use std::{path::Path, process::Command};

/// Refuses a file that git tracks, or would add with everything else. Outside of git nothing is published by it.
pub(super) fn refuse_published(root: &Path, path: &str) -> Result<(), Problem> {
    let refused = |why: &str, hint: String| {
        Err(Problem::new(FailureKind::Usage, format!("write {path}: {why}; nothing was written")).hint(hint))
    };
    if git(root, &["ls-files", "--error-unmatch", "--", path]) == Some(0) {
        let hint = format!("git rm --cached {path}, and revoke every secret that was ever pushed with it");
        return refused("git tracks it", hint);
    }
    // 0: ignored, 1: not ignored, 128: no repository ("git check-ignore").
    if git(root, &["check-ignore", "--quiet", "--", path]) == Some(1) {
        return refused("git does not ignore it", format!("add the line {path} to .gitignore"));
    }
    Ok(())
}

/// The exit code of git; `None` where there is none.
fn git(root: &Path, arguments: &[&str]) -> Option<i32> {
    let mut git = Command::new("git");
    for name in leo_env::secret_variables() {
        git.env_remove(name);
    }
    git.current_dir(root).args(arguments).output().ok()?.status.code()
}
