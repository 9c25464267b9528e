use std::path::Path;

use crate::process;

/// What git says of a build context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitFacts {
    /// The full id of the commit that is checked out.
    pub commit: String,
    /// The branch; `None` when no branch is checked out.
    pub branch: Option<String>,
    /// Nothing under the context differs from the commit, and nothing there is untracked. Ignored files don't
    /// count: git can't know what they hold.
    pub clean: bool,
}

impl GitFacts {
    /// Asks git about `context`. `None` when there is no git, no repository, or no commit yet: an image is built all
    /// the same, only without a `git-` tag.
    pub async fn read(context: &Path) -> Option<Self> {
        let (head, branch, status) = tokio::join!(
            git(context, &["rev-parse", "--verify", "HEAD"]),
            git(context, &["symbolic-ref", "--short", "--quiet", "HEAD"]),
            git(context, &["status", "--porcelain", "--untracked-files=normal", "--", "."]),
        );
        let branch = branch.filter(|branch| !branch.is_empty());
        Some(Self { commit: head?, branch, clean: status?.is_empty() })
    }
}

/// The trimmed output of a git command that succeeded. It takes no lock, so a parallel commit is not disturbed.
async fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = process::command("git");
    command.arg("--no-optional-locks").arg("-C").arg(directory).args(arguments);
    let output = command.output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(directory: &Path, arguments: &[&str]) {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
        assert!(git(directory, &[&identity, arguments].concat()).await.is_some(), "{arguments:?}");
    }

    #[tokio::test]
    async fn a_tree_is_clean_until_something_in_the_context_differs() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let context = root.join("app");
        std::fs::create_dir(&context).unwrap();
        assert_eq!(GitFacts::read(&context).await, None);

        run(root, &["init", "--quiet", "--initial-branch=feature/x"]).await;
        assert_eq!(GitFacts::read(&context).await, None);
        std::fs::write(context.join("Dockerfile"), "FROM scratch\n").unwrap();
        run(root, &["add", "."]).await;
        run(root, &["commit", "--quiet", "-m", "one"]).await;

        let facts = GitFacts::read(&context).await.unwrap();
        assert_eq!((facts.commit.len(), facts.branch.as_deref(), facts.clean), (40, Some("feature/x"), true));

        std::fs::write(root.join("elsewhere"), "x").unwrap();
        assert!(GitFacts::read(&context).await.unwrap().clean);
        std::fs::write(context.join("new"), "x").unwrap();
        assert!(!GitFacts::read(&context).await.unwrap().clean);

        run(root, &["checkout", "--quiet", "--detach"]).await;
        assert_eq!(GitFacts::read(&context).await.unwrap().branch, None);
    }
}
