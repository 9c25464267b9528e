use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use crate::plan::MAIN_BRANCH;
use crate::process;

/// The commit on which a build context stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHead {
    /// The full id of the commit that is checked out.
    pub commit: String,
    /// The branch; in a pull request's workflow on GitHub, which checks out none, the pull request's. `None` when there is
    /// none.
    pub branch: Option<String>,
}

impl GitHead {
    /// Asks git about `context`; the answer takes no longer for a large one. `None` when there is no git, no repository,
    /// or no commit yet: an image is built all the same, only without a `git-` tag.
    pub async fn read(context: &Path) -> Option<Self> {
        Self::read_for(context, std::env::var("GITHUB_HEAD_REF").ok()).await
    }

    async fn read_for(context: &Path, pull_request: Option<String>) -> Option<Self> {
        // A pull request of a fork's `main` is not ours.
        let pull_request = pull_request.filter(|branch| !branch.is_empty() && branch != MAIN_BRANCH);
        let head = git(context, &["rev-parse", "HEAD", "--symbolic-full-name", "HEAD"]).await?;
        let mut lines = head.lines();
        let commit = lines.next()?.to_owned();
        // Where none is checked out, it says `HEAD`.
        let branch = lines.next().and_then(|name| name.strip_prefix("refs/heads/")).map(str::to_owned);
        Some(Self { commit, branch: branch.or(pull_request) })
    }

    /// Whether this is still the commit, it has something of `context`, nothing there differs from it, and nothing there
    /// is untracked. Ignored files don't count: git can't know what they hold. `false` also when git does not say.
    ///
    /// Git looks at every file for that, so it is asked only where the answer matters.
    pub async fn is_all_of(&self, context: &Path) -> bool {
        let (status, tracked) = tokio::join!(
            git(context, &["status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", "."]),
            tracks_anything(context),
        );
        let (Some(status), Some(tracked)) = (status, tracked) else { return false };
        let same = |line: &str| line.strip_prefix("# branch.oid ") == Some(self.commit.as_str());
        // A folder that the repository around it ignores is clean whatever it holds.
        tracked && status.lines().any(same) && status.lines().all(|line| line.starts_with("# "))
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
    async fn a_context_is_all_of_a_commit_until_something_in_it_differs() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let context = root.join("app");
        std::fs::create_dir(&context).unwrap();
        assert_eq!(GitHead::read(&context).await, None);

        run(root, &["init", "--quiet", "--initial-branch=feature/x"]).await;
        assert_eq!(GitHead::read(&context).await, None);
        std::fs::write(context.join("Dockerfile"), "FROM scratch\n").unwrap();
        run(root, &["add", "."]).await;
        run(root, &["commit", "--quiet", "-m", "one"]).await;
        // A tag of the branch's name must not make the branch another one.
        run(root, &["tag", "feature/x"]).await;

        let head = GitHead::read(&context).await.unwrap();
        assert_eq!((head.commit.len(), head.branch.as_deref()), (40, Some("feature/x")));
        assert!(head.is_all_of(&context).await);

        std::fs::write(root.join("elsewhere"), "x").unwrap();
        assert!(head.is_all_of(&context).await);
        std::fs::write(context.join("new"), "x").unwrap();
        assert!(!head.is_all_of(&context).await);
        run(root, &["add", "app"]).await;
        assert!(!head.is_all_of(&context).await);
        run(root, &["commit", "--quiet", "-m", "two"]).await;
        assert!(!head.is_all_of(&context).await, "it is all of another commit");
        assert!(GitHead::read(&context).await.unwrap().is_all_of(&context).await);
        assert!(!head.is_all_of(&root.join("nowhere")).await);

        run(root, &["checkout", "--quiet", "--detach"]).await;
        let branch = async |name: Option<&str>| {
            GitHead::read_for(&context, name.map(str::to_owned)).await.unwrap().branch
        };
        assert_eq!(branch(None).await, None);
        assert_eq!(branch(Some("")).await, None);
        assert_eq!(branch(Some("main")).await, None);
        assert_eq!(branch(Some("fix/y")).await.as_deref(), Some("fix/y"));

        // Git has nothing of it, so it can't say that it is the commit's.
        std::fs::write(root.join(".gitignore"), "ignored\n").unwrap();
        std::fs::create_dir(root.join("ignored")).unwrap();
        std::fs::write(root.join("ignored/Dockerfile"), "FROM scratch\n").unwrap();
        let head = GitHead::read(&root.join("ignored")).await.unwrap();
        assert!(!head.is_all_of(&root.join("ignored")).await);
    }
}
