//! The demo programs of this repository, compiled on the host so that their images build without a network.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use leo_config::Architecture;

use crate::sources::normalized;
use crate::{ImageError, Source, SourcePair, process};

/// The context by which the demo Dockerfiles know the folder with their program.
const BINARY_CONTEXT: &str = "binary";
/// The profile of `examples/Cargo.toml` that makes small programs fast.
const PROFILE: &str = "demo";
const ORCHESTRATOR: &str = "leo-saas";
const GENERATOR: &str = "leo-container";
/// How many of cargo's last lines a failure shows.
const SHOWN_LINES: usize = 20;

/// Compiles both demo programs for this machine and says where their images are built from; `root` is this
/// repository's root. An unchanged program is not compiled again. `on_line` gets each line that cargo says while it
/// works, which can be a minute and more.
///
/// # Errors
/// [`ImageError::DemoHost`] where an image is wanted for another platform than this machine's;
/// [`ImageError::DemoBuild`] where a program does not compile.
pub async fn build(
    root: &Path,
    orchestrator: Architecture,
    generator: Architecture,
    on_line: impl Fn(&str),
) -> Result<SourcePair, ImageError> {
    let host = host_architecture();
    if let Some(&wanted) = [orchestrator, generator].iter().find(|&&wanted| Some(wanted) != host) {
        let host = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
        return Err(ImageError::DemoHost { wanted, host });
    }
    let examples = normalized(&root.join("examples"));
    let programs = compile(&examples, on_line).await?;
    Ok(SourcePair {
        orchestrator: source(&examples, &programs, ORCHESTRATOR)?,
        generator: source(&examples, &programs, GENERATOR)?,
    })
}

/// Compiles both and answers with the folder they are in.
async fn compile(examples: &Path, on_line: impl Fn(&str)) -> Result<PathBuf, ImageError> {
    let target = examples.join("target");
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = process::command(cargo);
    command
        .args(["build", "--locked", "--profile", PROFILE, "--package", ORCHESTRATOR, "--package", GENERATOR])
        // Named although it is the host's: flags for the target must not reach build scripts and macros.
        .args(["--target", &triple])
        .arg("--manifest-path")
        .arg(examples.join("Cargo.toml"))
        // There is no C library in an image from scratch.
        // The encoded form wins over RUSTFLAGS and configuration files.
        .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static")
        // Where the caller keeps its own builds is no concern of the examples'.
        .env("CARGO_TARGET_DIR", &target);
    let failed = |error: std::io::Error| ImageError::DemoBuild {
        message: format!("run cargo: {error}"),
        log: Vec::new(),
    };
    let mut child = command.spawn().map_err(failed)?;
    let mut said = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        process::each_line(stderr, |line| {
            on_line(line.trim_end());
            said.push(line.trim_end().to_owned());
        })
        .await;
    }
    let status = child.wait().await.map_err(failed)?;
    if status.success() {
        return Ok(target.join(triple).join(PROFILE));
    }
    let message = said.iter().find(|line| line.starts_with("error")).cloned();
    Err(ImageError::DemoBuild {
        message: message.unwrap_or_else(|| format!("cargo ended with {status}")),
        log: said.split_off(said.len().saturating_sub(SHOWN_LINES)),
    })
}

/// The source of one demo image. Its program gets a folder of its own, because the whole folder is sent to BuildKit,
/// and no date, so that the same program is the same image.
fn source(examples: &Path, programs: &Path, name: &str) -> Result<Source, ImageError> {
    let folder = examples.join("target/images").join(name);
    let place = folder.join(name);
    let new = folder.join(format!("{name}.new"));
    let copy = || {
        fs::create_dir_all(&folder)?;
        fs::copy(programs.join(name), &new)?;
        File::options().append(true).open(&new)?.set_modified(SystemTime::UNIX_EPOCH)?;
        fs::rename(&new, &place)
    };
    copy().map_err(|source| ImageError::File {
        action: "copy a demo program to",
        path: place.clone(),
        source,
    })?;
    Ok(Source {
        context: examples.join(name),
        dockerfile: "Dockerfile".into(),
        target: None,
        build_args: BTreeMap::new(),
        named_contexts: BTreeMap::from([(BINARY_CONTEXT.to_owned(), folder)]),
    })
}

/// This machine's architecture; `None` where no image can be made of its programs.
fn host_architecture() -> Option<Architecture> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some(Architecture::X86_64),
        ("linux", "aarch64") => Some(Architecture::Arm64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn another_architecture_is_refused_before_anything_is_compiled() {
        let other = match host_architecture() {
            Some(Architecture::X86_64) => Architecture::Arm64,
            _ => Architecture::X86_64,
        };
        let error = build(Path::new("/there-is-nothing"), other, other, |_| {}).await.unwrap_err();
        assert!(matches!(error, ImageError::DemoHost { wanted, .. } if wanted == other), "{error}");
        assert_eq!(error.kind(), leo_aws::FailureKind::Usage);
        assert!(error.hint().unwrap().contains("generator.architecture"));
    }

    #[test]
    fn a_program_is_given_without_its_date() {
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().join("programs");
        fs::create_dir(&programs).unwrap();
        fs::write(programs.join("leo-saas"), "program").unwrap();
        for _ in 0..2 {
            let source = source(folder.path(), &programs, "leo-saas").unwrap();
            let place = source.named_contexts[BINARY_CONTEXT].clone();
            let names: Vec<_> =
                fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(names, ["leo-saas"]);
            let modified = fs::metadata(place.join("leo-saas")).unwrap().modified().unwrap();
            assert_eq!(modified, SystemTime::UNIX_EPOCH);
        }
    }
}
