//! Who runs a command, for those who come upon what it began.

use leo_image::GitHead;
use serde::{Deserialize, Serialize};
use std::{fmt, path::Path};

/// Who runs a command, where, and from which commit of this repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Who {
    pub(crate) user: String,
    pub(crate) host: String,
    /// The commit that is checked out; `None` outside git.
    pub(crate) commit: Option<String>,
    /// Whether anything differs from that commit.
    pub(crate) modified: bool,
}

/// How many characters of a commit's id people read.
const SHORT: usize = 10;

impl Who {
    /// The person at this machine, in the work tree at `root`.
    pub(crate) async fn here(root: &Path) -> Self {
        let head = GitHead::read(root).await;
        let modified = match &head {
            Some(head) => !head.is_all_of(root).await,
            None => false,
        };
        let user = ["USER", "LOGNAME"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
        Self {
            user: user.unwrap_or_else(|| "someone".to_owned()),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            modified,
            commit: head.map(|head| head.commit),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host)?;
        if let Some(commit) = &self.commit {
            let changes = if self.modified { " with changes" } else { "" };
            write!(f, ", commit {}{changes}", commit.get(..SHORT).unwrap_or(commit))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_known_by_name_machine_and_commit() {
        let mut who = Who {
            user: "ada".to_owned(),
            host: "laptop".to_owned(),
            commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
            modified: true,
        };
        assert_eq!(who.to_string(), "ada@laptop, commit 0123456789 with changes");
        who.commit = None;
        assert_eq!(who.to_string(), "ada@laptop");
    }
}
