use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use crate::plan::MAIN_BRANCH;
use crate::process;

/// What git says of a build context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitFacts {
    /// The full id of the commit that is checked out.
    pub commit: String,
    /// The branch; in a pull request's workflow on GitHub, which checks out none, the pull request's. `None` when there is
    /// none.
    pub branch: Option<String>,
    /// Nothing under the context differs from the commit, and nothing there is untracked. Ignored files don't
    /// count: git can't know what they hold.
    pub clean: bool,
}

impl GitFacts {
    /// Asks git about `context`. `None` when there is no git, no repository, no commit yet, or nothing of the context in
    /// it: an image is built all the same, only without a `git-` tag.
    pub async fn read(context: &Path) -> Option<Self> {
        Self::read_for(context, std::env::var("GITHUB_HEAD_REF").ok()).await
    }

    async fn read_for(context: &Path, pull_request: Option<String>) -> Option<Self> {
        // A pull request of a fork's `main` is not ours.
        let pull_request = pull_request.filter(|branch| !branch.is_empty() && branch != MAIN_BRANCH);
        let (status, tracked) = tokio::join!(
            git(context, &["status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", "."]),
            tracks_anything(context),
        );
        // A folder that the repository around it ignores is clean whatever it holds.
        tracked.filter(|tracked| *tracked)?;
        let status = status?;
        let header = |name: &str| status.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(name));
        let commit = header("branch.oid ").filter(|commit| *commit != "(initial)")?.to_owned();
        let branch = header("branch.head ").filter(|branch| *branch != "(detached)").map(str::to_owned);
        let clean = status.lines().all(|line| line.starts_with("# "));
        Some(Self { commit, branch: branch.or(pull_request), clean })
    }
}

/// What makes git answer for another repository than the one it is asked in; a hook's programs have them.
const ELSEWHERE: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// The trimmed output of a git command that succeeded.
async fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let output = command(directory, arguments).output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether there is a file in this folder that git tracks. Its list, which may be long, is read no further than that.
async fn tracks_anything(directory: &Path) -> Option<bool> {
    let mut command = command(directory, &["ls-files", "--", "."]);
    let mut git = command.stderr(Stdio::null()).spawn().ok()?;
    let read = git.stdout.take()?.read(&mut [0; 1]).await.ok()?;
    // With nobody to read the rest, it ends.
    let status = git.wait().await.ok()?;
    (read > 0 || status.success()).then_some(read > 0)
}

/// It takes no lock, so a parallel commit is not disturbed.
fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = process::command("git");
    command.arg("--no-optional-locks").arg("-C").arg(directory).args(arguments);
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    command
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
        let branch = async |name: Option<&str>| {
            GitFacts::read_for(&context, name.map(str::to_owned)).await.unwrap().branch
        };
        assert_eq!(branch(None).await, None);
        assert_eq!(branch(Some("")).await, None);
        assert_eq!(branch(Some("main")).await, None);
        assert_eq!(branch(Some("fix/y")).await.as_deref(), Some("fix/y"));

        // Git has nothing of it, so it says nothing of it.
        std::fs::write(root.join(".gitignore"), "ignored\n").unwrap();
        std::fs::create_dir(root.join("ignored")).unwrap();
        std::fs::write(root.join("ignored/Dockerfile"), "FROM scratch\n").unwrap();
        assert_eq!(GitFacts::read(&root.join("ignored")).await, None);
    }
}
