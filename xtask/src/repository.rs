//! Where the repository is, and what a child process started in it looks like.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// A work tree of this repository.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The work tree that the current folder is in; started by `cargo xtask` from elsewhere, the one that cargo names.
    pub(crate) fn find() -> Result<Self> {
        let here = env::current_dir().context("failed to find the current folder")?;
        let named = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        here.ancestors()
            .chain(named.iter().flat_map(|folder| folder.ancestors()))
            .find(|folder| folder.join("xtask/Cargo.toml").is_file() && folder.join("Cargo.lock").is_file())
            .map(|root| Self { root: root.to_owned() })
            .with_context(|| format!("no leo-infra work tree in {} or above it", here.display()))
    }

    /// The folder that holds the workspace's manifest.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path in the work tree.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// A child in the work tree's root with our stdio and none of our secrets.
    pub(crate) fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root);
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(set_by_cargo_run) {
                command.env_remove(name);
            }
        }
        for name in leo_env::secret_variables() {
            command.env_remove(name);
        }
        command
    }

    /// The cargo that runs us, or the one on the path.
    pub(crate) fn cargo(&self) -> Command {
        self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Another command of ours in our place: the only child that is given our secrets.
    pub(crate) fn successor(&self, program: impl Into<OsString>) -> Command {
        let mut command = self.command(program);
        for name in leo_env::secret_variables() {
            if let Some(value) = env::var_os(&name) {
                command.env(name, value);
            }
        }
        command
    }

    /// Whether `cargo <subcommand>` is there.
    pub(crate) fn has_cargo_subcommand(&self, subcommand: &str) -> bool {
        self.cargo()
            .args([subcommand, "--version"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

/// Build scripts watch some of what `cargo run` sets for its child: handed on to another cargo it would compile them again.
fn set_by_cargo_run(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_")
        || variable.starts_with("CARGO_MANIFEST_")
        || matches!(variable, "CARGO_BIN_NAME" | "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE")
}

/// Runs a child to its end; an error unless it exits 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("failed to start `{shown}`"))?;
    if status.success() {
        return Ok(());
    }
    match status.code() {
        Some(code) => bail!("`{shown}` exited with {code}"),
        None => bail!("`{shown}` was ended by a signal"),
    }
}

/// What a child printed, without the line breaks at the end; an error unless it exits 0.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("failed to start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed");
    }
    let text = String::from_utf8(output.stdout).with_context(|| format!("`{shown}` printed no UTF-8"))?;
    Ok(text.trim_end_matches('\n').to_owned())
}

/// A child as a person would type it, its program without the folders.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    std::iter::once(name)
        .chain(command.get_args().map(|arg| arg.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_tree_of_this_crate_is_found() {
        let repository = Repository::find().unwrap();
        assert!(repository.path("xtask/src/repository.rs").is_file());
    }

    #[test]
    fn what_cargo_run_sets_is_not_handed_on() {
        assert!(set_by_cargo_run("CARGO_PKG_NAME"));
        assert!(set_by_cargo_run("CARGO_MANIFEST_DIR"));
        for kept in
            ["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_INCREMENTAL", "CARGO_PROFILE_DEV_DEBUG"]
        {
            assert!(!set_by_cargo_run(kept), "{kept}");
        }
    }

    #[test]
    fn a_failing_child_is_named_with_its_exit_code() {
        let error = run(Command::new("/bin/sh").args(["-c", "exit 7"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 7` exited with 7");
    }
}
