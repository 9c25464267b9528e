use std::path::{Path, PathBuf};

use crate::git::{self, Answer, Tracking};

/// How git publishes a file, or a file that is a link's target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is committed, or would be by the next commit.
    Tracked {
        /// The file, past links to it.
        file: PathBuf,
    },
    /// Nothing keeps `git add` from taking it.
    NotIgnored {
        /// The file, past links to it.
        file: PathBuf,
    },
    /// There is a repository, and git doesn't say.
    Unknown {
        /// The folder that it was asked in.
        folder: PathBuf,
        /// Its reason, one line.
        why: String,
    },
}

/// How git publishes what is written into a file, which need not be there yet; `None`: it does not. Both the file and what
/// it is a link to are asked about, each in the repository that it is in, whatever repository the process environment names.
pub fn published(file: &Path) -> Option<Published> {
    one(file).or_else(|| one(&behind(file)?))
}

/// What a file is a link to; `None`: it is none, or leads nowhere.
pub(crate) fn behind(file: &Path) -> Option<PathBuf> {
    if file.is_symlink() { file.canonicalize().ok() } else { None }
}

fn one(file: &Path) -> Option<Published> {
    // The folders on the way may be links as well, and need not be there.
    let folder = file.ancestors().skip(1).find(|folder| folder.is_dir())?;
    let below = file.strip_prefix(folder).ok()?.to_str()?;
    let folder = folder.canonicalize().ok()?;
    let file = folder.join(below);
    let unknown = |why: String| Some(Published::Unknown { folder: folder.clone(), why });
    let answer = git::ask(&folder, below).answer();
    match (&answer, answer.of(below)) {
        (Answer::Unknown { why }, _) => {
            let in_one = folder.ancestors().any(|folder| folder.join(".git").symlink_metadata().is_ok());
            in_one.then(|| why.clone()).and_then(unknown)
        }
        (Answer::Files(_), Some(Tracking::Tracked)) => Some(Published::Tracked { file }),
        (Answer::Files(_), Some(Tracking::Untracked)) => Some(Published::NotIgnored { file }),
        // Of what is not there, it lists nothing.
        (Answer::Files(_), _) if file.symlink_metadata().is_err() => {
            match git::would_ignore(&folder, below) {
                Some(true) => None,
                Some(false) => Some(Published::NotIgnored { file }),
                None => unknown("`git check-ignore` failed".to_owned()),
            }
        }
        (Answer::Files(_) | Answer::NoRepository, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, process::Command};

    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(arguments);
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        assert!(command.output().unwrap().status.success(), "{arguments:?}");
    }

    #[test]
    fn a_file_that_is_not_there_yet_is_asked_about_too() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let env = root.join("env/.env");
        assert_eq!(published(&env), None, "there is no repository");
        git(&root, &["init", "--quiet"]);
        assert_eq!(published(&env), Some(Published::NotIgnored { file: env.clone() }));
        fs::write(root.join(".gitignore"), "/env/*\n").unwrap();
        assert_eq!(published(&env), None);
        fs::create_dir(root.join("env")).unwrap();
        fs::write(&env, "A=1\n").unwrap();
        assert_eq!(published(&env), None);
        git(&root, &["add", "--force", "env/.env"]);
        assert_eq!(published(&env), Some(Published::Tracked { file: env.clone() }));
        fs::remove_file(&env).unwrap();
        assert_eq!(published(&env), Some(Published::Tracked { file: env }), "it would come back tracked");
    }

    #[test]
    fn a_link_is_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for repository in ["ours", "theirs"] {
            fs::create_dir_all(root.join(repository).join("env")).unwrap();
            git(&root.join(repository), &["init", "--quiet"]);
        }
        fs::write(root.join("ours/.gitignore"), "/env/*\n").unwrap();
        let (env, target) = (root.join("ours/env/.env"), root.join("theirs/notes"));
        symlink(&target, &env).unwrap();
        assert_eq!(published(&env), None, "it leads nowhere");
        fs::write(&target, "x").unwrap();
        assert_eq!(published(&env), Some(Published::NotIgnored { file: target.clone() }));
        git(&root.join("theirs"), &["add", "."]);
        assert_eq!(published(&env), Some(Published::Tracked { file: target }));
        fs::remove_dir_all(root.join("theirs/.git")).unwrap();
        assert_eq!(published(&env), None);
        fs::write(root.join("ours/.git/config"), "[nonsense").unwrap();
        assert!(matches!(published(&env), Some(Published::Unknown { .. })));
    }
}
