use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use crate::process::{command, output_within};
use crate::text::{hex, indented, last_lines};

/// The interpreters to look for, the best first.
const CANDIDATES: [&str; 5] = ["python3.13", "python3.12", "python3.11", "python3.10", "python3"];
const OLDEST: (u32, u32) = (3, 10);
/// Says the version, and fails where the parts that make a venv are missing.
const PROBE: &str = "import sys, venv, ensurepip; print('%d.%d.%d' % sys.version_info[:3])";
const STAMP: &str = "leo-tools.stamp";
/// A shim of a version manager may hang on a version that isn't installed.
const PROBING: Duration = Duration::from_secs(20);
/// Sixty packages over a slow line.
const INSTALLING: Duration = Duration::from_mins(15);

/// The pinned Python tools, installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonTools {
    venv: PathBuf,
}

/// Why the Python tools could not be installed. Each message reads after "failed to …"; the fix is [`hint`](Self::hint).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolsError {
    /// No interpreter is new enough and complete.
    #[error("find Python 3.10 or newer{}", indented(.seen))]
    NoPython {
        /// What was found instead.
        seen: Vec<String>,
    },
    /// A file or folder of the tools.
    #[error("{action} {path}", path = .path.display())]
    File {
        /// What was attempted.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A step of the installation failed.
    #[error("{step}{}", indented(.said))]
    Step {
        /// What was attempted.
        step: &'static str,
        /// The last lines of what it said.
        said: Vec<String>,
    },
}

impl ToolsError {
    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoPython { .. } => Some(
                "install Python 3.10 or newer with its venv module (Debian: `apt-get install python3 python3-venv`)".into(),
            ),
            Self::Step { .. } => Some("is the Python package index reachable? pip's own settings (PIP_INDEX_URL, pip.conf) apply".into()),
            Self::File { .. } => None,
        }
    }

    fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}

impl PythonTools {
    /// Installs what `requirements` pins into a venv under `target_dir`, unless exactly that is there. Two processes may call it
    /// at once. `on_message` hears about work that takes time, and nothing when there is none.
    pub fn ensure(
        target_dir: &Path,
        requirements: &Path,
        mut on_message: impl FnMut(&str),
    ) -> Result<Self, ToolsError> {
        let wanted = fs::read(requirements).map_err(ToolsError::file("read", requirements))?;
        let tools_dir = target_dir.join("tools");
        fs::create_dir_all(&tools_dir).map_err(ToolsError::file("create", &tools_dir))?;
        // Scripts of a venv hold its absolute path.
        let tools_dir = tools_dir.canonicalize().map_err(ToolsError::file("find", &tools_dir))?;
        let tools = Self { venv: tools_dir.join("python") };
        if tools.is_current(&wanted) {
            return Ok(tools);
        }
        let lock = File::open(&tools_dir).map_err(ToolsError::file("open", &tools_dir))?;
        lock.lock().map_err(ToolsError::file("lock", &tools_dir))?;
        // Another process may have done it while this one waited.
        if !tools.is_current(&wanted) {
            tools.install(requirements, &wanted, &mut on_message)?;
        }
        Ok(tools)
    }

    /// A program of the tools: `cfn-lint`.
    pub fn bin(&self, name: &str) -> PathBuf {
        self.venv.join("bin").join(name)
    }

    /// The interpreter that the tools run in.
    pub fn python(&self) -> PathBuf {
        self.bin("python")
    }

    fn is_current(&self, wanted: &[u8]) -> bool {
        let Ok(stamp) = fs::read_to_string(self.venv.join(STAMP)) else { return false };
        // The venv's interpreter is a link to the one it was made from, which may have changed or gone. Starting it to ask
        // would take a quarter of the time of a command that has nothing to do.
        interpreter(&self.python()).is_ok_and(|interpreter| stamp == stamp_of(wanted, &interpreter))
    }

    fn install(
        &self,
        requirements: &Path,
        wanted: &[u8],
        on_message: &mut dyn FnMut(&str),
    ) -> Result<(), ToolsError> {
        let (python, version) = find_python()?;
        on_message(&format!("installing the pinned Python tools with {python} ({version}), once"));
        // Without its stamp it counts as absent, whatever happens next.
        if self.venv.exists() {
            fs::remove_dir_all(&self.venv).map_err(ToolsError::file("remove", &self.venv))?;
        }
        run("make a Python venv", command(&python).args(["-m", "venv"]).arg(&self.venv))?;
        run(
            "install the pinned Python tools",
            command(self.python())
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--no-input",
                    "--requirement",
                ])
                .arg(requirements),
        )?;
        let stamp = self.venv.join(STAMP);
        let interpreter = interpreter(&self.python()).map_err(ToolsError::file("find", &self.python()))?;
        fs::write(&stamp, stamp_of(wanted, &interpreter)).map_err(ToolsError::file("write", &stamp))
    }
}

/// Which interpreter a venv's link leads to: another version of it is another file, or was written at another time.
fn interpreter(link: &Path) -> io::Result<String> {
    let path = link.canonicalize()?;
    let file = path.metadata()?;
    let written = file.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    Ok(format!("{} {} {written}", path.display(), file.len()))
}

fn stamp_of(requirements: &[u8], interpreter: &str) -> String {
    format!("{} {interpreter}\n", hex(&Sha256::digest(requirements)))
}

fn find_python() -> Result<(String, String), ToolsError> {
    let mut seen = Vec::new();
    for candidate in CANDIDATES {
        match version_of(candidate, &["-c", PROBE]) {
            Ok(version) if is_new_enough(&version) => return Ok((candidate.to_owned(), version)),
            Ok(version) => seen.push(format!("{candidate} is {version}")),
            Err(Some(reason)) => seen.push(format!("{candidate}: {reason}")),
            Err(None) => {}
        }
    }
    if seen.is_empty() {
        seen.push("there is no `python3` command".to_owned());
    }
    Err(ToolsError::NoPython { seen })
}

/// The version of an interpreter that can make a venv. `Err(None)` where there is no such command.
fn version_of(python: &str, arguments: &[&str]) -> Result<String, Option<String>> {
    // A pip or venv of the caller's own must not answer instead.
    let mut asked = command(python);
    asked.args(arguments).env_remove("PYTHONPATH").env_remove("PYTHONHOME");
    match output_within(&mut asked, PROBING) {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(output) => Err(last_lines(&output.stderr, 1).pop()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(None),
        Err(error) => Err(Some(error.to_string())),
    }
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    matches!((numbers.next().flatten(), numbers.next().flatten()), (Some(major), Some(minor)) if (major, minor) >= OLDEST)
}

fn run(step: &'static str, command: &mut Command) -> Result<(), ToolsError> {
    command.env_remove("PYTHONPATH").env_remove("PYTHONHOME");
    let output = output_within(command, INSTALLING)
        .map_err(|error| ToolsError::Step { step, said: vec![error.to_string()] })?;
    if output.status.success() {
        return Ok(());
    }
    let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    Err(ToolsError::Step { step, said: last_lines(said, 8) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        for good in ["3.10.0", "3.11.7", "3.13.0", "4.0.0"] {
            assert!(is_new_enough(good), "{good}");
        }
        for bad in ["3.9.18", "2.7.18", "3", "", "three.ten"] {
            assert!(!is_new_enough(bad), "{bad}");
        }
    }

    #[test]
    fn a_stamp_changes_with_either_part() {
        let stamp = stamp_of(b"a==1", "/usr/bin/python3 1 2");
        assert_ne!(stamp, stamp_of(b"a==2", "/usr/bin/python3 1 2"));
        assert_ne!(stamp, stamp_of(b"a==1", "/usr/bin/python3 1 3"));
        assert_eq!(stamp, stamp_of(b"a==1", "/usr/bin/python3 1 2"));
    }

    #[test]
    fn an_interpreter_that_changed_or_is_gone_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let (link, program) = (folder.path().join("python"), folder.path().join("python3"));
        fs::write(&program, "one").unwrap();
        std::os::unix::fs::symlink(&program, &link).unwrap();
        let before = interpreter(&link).unwrap();
        assert_eq!(interpreter(&link).unwrap(), before);
        fs::write(&program, "three").unwrap();
        assert_ne!(interpreter(&link).unwrap(), before);
        fs::remove_file(&program).unwrap();
        assert!(interpreter(&link).is_err());
    }

    #[test]
    fn missing_requirements_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = PythonTools::ensure(folder.path(), &folder.path().join("none.txt"), |_| {}).unwrap_err();
        assert!(error.to_string().contains("none.txt"), "{error}");
        assert!(!folder.path().join("tools").exists());
    }

    #[test]
    fn an_unknown_command_is_no_interpreter() {
        assert_eq!(version_of("leo-no-such-python", &["-c", PROBE]), Err(None));
    }
}
