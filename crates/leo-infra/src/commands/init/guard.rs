//! A file that git publishes gets no secret.

use crate::failure::Problem;
use leo_aws::FailureKind;
use leo_env_check::{Published, published};
use std::path::Path;

/// Refuses a file that git tracks, or would add with everything else, and one that is a link to such a file, as `env-check`
/// does. Where git can't say, that is a reason too; outside of git nothing is published by it.
pub(crate) fn refuse_published(root: &Path, path: &str) -> Result<(), Problem> {
    let file = root.join(path);
    let is_ours = |found: &Path| root.canonicalize().is_ok_and(|root| root.join(path) == found);
    let (why, hint) = match published(&file) {
        None => return Ok(()),
        Some(Published::Tracked { file }) if is_ours(&file) => (
            "git tracks it".to_owned(),
            format!("git rm --cached {path}, and revoke every secret that was ever pushed with it"),
        ),
        Some(Published::NotIgnored { file }) if is_ours(&file) => {
            ("git does not ignore it".to_owned(), format!("add the line {path} to .gitignore"))
        }
        Some(Published::Tracked { file }) => {
            (format!("it is a link to {}, which git tracks", file.display()), of_its_own(&file, path))
        }
        Some(Published::NotIgnored { file }) => (
            format!("it is a link to {}, which git does not ignore", file.display()),
            of_its_own(&file, path),
        ),
        Some(Published::Unknown { folder, why }) => {
            let hint = match why.split_once("dubious ownership in repository at ") {
                Some((_, repository)) => format!(
                    "if this repository is yours: git config --global --add safe.directory {repository}"
                ),
                None => format!("`git -C {} status` has to work", folder.display()),
            };
            (format!("whether git publishes it can't be found out: {why}"), hint)
        }
    };
    Err(Problem::new(FailureKind::Usage, format!("write {path}: {why}; nothing was written")).hint(hint))
}

fn of_its_own(file: &Path, path: &str) -> String {
    format!("let it be a file of its own: cp --remove-destination {} {path}", file.display())
}
