//! What git says of files, in one call, and which branch a repository is on, without any.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// What git says of a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracking {
    /// It is committed, or would be by the next commit.
    Tracked,
    /// It is not, and nothing keeps `git add` from taking it.
    Untracked,
    /// It is ignored.
    Ignored,
}

/// What git answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The files below the folder that it tracks (`true`) or would take; others are ignored.
    Files(BTreeMap<String, bool>),
    /// The folder is in no repository.
    NoRepository,
    /// There is no git, or it refuses.
    Unknown {
        /// Its reason, one line.
        why: String,
    },
}

impl Answer {
    /// Of a file that is there; `None` where git has nothing to say.
    pub(crate) fn of(&self, path: &str) -> Option<Tracking> {
        let Self::Files(files) = self else { return None };
        Some(match files.get(path) {
            Some(true) => Tracking::Tracked,
            Some(false) => Tracking::Untracked,
            None => Tracking::Ignored,
        })
    }
}

/// A question that was asked and is being answered.
#[derive(Debug)]
pub(crate) struct Asked(io::Result<Child>);

/// What makes git answer for another repository than the one it is asked in, as a hook's programs have it, or read a path
/// otherwise than it is meant.
const ELSEWHERE: [&str; 13] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_INDEX_FILE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
];

/// Git in a folder. It takes no lock, and inherits no secret.
fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("--no-optional-locks").arg("-C").arg(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env("LC_ALL", "C");
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    for name in leo_env::secret_variables() {
        command.env_remove(name);
    }
    command
}

/// Asks about `below` in `folder`, both folders or the second one a file.
pub(crate) fn ask(folder: &Path, below: &str) -> Asked {
    let mut command = git(folder);
    command.args(["ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard", "--"]);
    command.arg(format!(":(literal){below}"));
    Asked(command.spawn())
}

/// Whether git would ignore a file that is not there yet; `None` where it can't say.
pub(crate) fn would_ignore(folder: &Path, below: &str) -> Option<bool> {
    let status = git(folder).args(["check-ignore", "--quiet", "--", below]).status().ok()?;
    match status.code() {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    }
}

impl Asked {
    /// Waits for the answer.
    pub(crate) fn answer(self) -> Answer {
        let output = match self.0.and_then(Child::wait_with_output) {
            Ok(output) => output,
            Err(error) => return Answer::Unknown { why: error.to_string() },
        };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            if said.contains("not a git repository (or any") {
                return Answer::NoRepository;
            }
            let first = said.lines().next().unwrap_or("it failed without a word");
            return Answer::Unknown { why: first.trim_start_matches("fatal: ").to_owned() };
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let line = |line: &str| {
            let (tag, path) = line.split_once(' ')?;
            Some((path.to_owned(), tag != "?"))
        };
        let mut files = BTreeMap::new();
        for (path, tracked) in text.split('\0').filter_map(line) {
            *files.entry(path).or_insert(false) |= tracked;
        }
        Answer::Files(files)
    }
}

/// What is checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// A branch.
    Branch(String),
    /// A commit without one.
    Detached,
}

/// What is checked out in the repository that `folder` is in; `None` where it is in none.
pub(crate) fn head(folder: &Path) -> Option<Head> {
    let folder = folder.canonicalize().ok()?;
    let git =
        folder.ancestors().map(|folder| folder.join(".git")).find(|git| git.symlink_metadata().is_ok())?;
    let git: PathBuf = if git.is_file() {
        // A further work tree, or a submodule, whose own folder is elsewhere.
        let text = fs::read_to_string(&git).ok()?;
        let elsewhere = text.strip_prefix("gitdir:")?.trim();
        git.parent()?.join(elsewhere)
    } else {
        git
    };
    let head = fs::read_to_string(git.join("HEAD")).ok()?;
    Some(match head.trim().strip_prefix("ref: refs/heads/") {
        Some(branch) => Head::Branch(branch.to_owned()),
        None => Head::Detached,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        let mut command = super::git(folder);
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(arguments);
        assert!(command.output().unwrap().status.success(), "{arguments:?}");
    }

    #[test]
    fn one_answer_tells_the_tracked_the_ignored_and_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(ask(root, "env").answer(), Answer::NoRepository);
        assert_eq!(head(root), None);
        git(root, &["init", "--quiet", "--initial-branch=feature/x"]);
        fs::create_dir(root.join("env")).unwrap();
        for name in [".env", ".env.dev", ".env.new", ".env.defaults", "ü"] {
            fs::write(root.join("env").join(name), "x").unwrap();
        }
        fs::write(root.join(".gitignore"), "env/.env\nenv/.env.dev\n").unwrap();
        git(root, &["add", "env/.env.defaults"]);
        git(root, &["add", "--force", "env/.env.dev"]);
        let answer = ask(root, "env").answer();
        assert_eq!(answer.of("env/.env"), Some(Tracking::Ignored));
        assert_eq!(answer.of("env/.env.dev"), Some(Tracking::Tracked));
        assert_eq!(answer.of("env/.env.new"), Some(Tracking::Untracked));
        assert_eq!(answer.of("env/.env.defaults"), Some(Tracking::Tracked));
        assert_eq!(answer.of("env/ü"), Some(Tracking::Untracked));
        assert_eq!(Answer::NoRepository.of("env/.env"), None);
    }

    #[test]
    fn the_branch_is_that_of_the_work_tree() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("one");
        fs::create_dir_all(root.join("apps")).unwrap();
        git(&root, &["init", "--quiet", "--initial-branch=feature/x"]);
        fs::write(root.join("a"), "x").unwrap();
        git(&root, &["add", "."]);
        git(&root, &["commit", "--quiet", "-m", "one"]);
        assert_eq!(head(&root.join("apps")), Some(Head::Branch("feature/x".to_owned())));
        git(&root, &["worktree", "add", "--quiet", "-b", "other", "../two"]);
        assert_eq!(head(&folder.path().join("two")), Some(Head::Branch("other".to_owned())));
        git(&root, &["checkout", "--quiet", "--detach"]);
        assert_eq!(head(&root), Some(Head::Detached));
    }

    #[test]
    fn a_folder_that_is_not_there_is_no_repository_of_anything() {
        assert!(matches!(ask(Path::new("there-is-none"), "env").answer(), Answer::Unknown { .. }));
    }
}
