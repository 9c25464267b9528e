//! The demo programs of this repository, compiled on the host so that their images build without a network.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use leo_config::Architecture;

use crate::sources::normalized;
use crate::{ImageError, Source, SourcePair, process};

/// The context by which the demo Dockerfiles know the folder of compiled programs.
const BINARY_CONTEXT: &str = "binary";

/// Compiles both demo programs for this machine and says where their images are built from; `root` is this
/// repository's root. An unchanged program is not compiled again.
///
/// # Errors
/// [`ImageError::DemoArchitecture`] where an image is wanted for another architecture than this machine's;
/// [`ImageError::DemoBuild`] where a program does not compile.
pub async fn build(
    root: &Path,
    orchestrator: Architecture,
    generator: Architecture,
) -> Result<SourcePair, ImageError> {
    let host = host_architecture();
    if let Some(&wanted) = [orchestrator, generator].iter().find(|&&wanted| Some(wanted) != host) {
        return Err(ImageError::DemoArchitecture { wanted, host: std::env::consts::ARCH });
    }
    let examples = normalized(&root.join("examples"));
    compile(&examples).await?;
    let source = |name: &str| Source {
        context: examples.join(name),
        dockerfile: "Dockerfile".into(),
        target: None,
        build_args: BTreeMap::new(),
        named_contexts: BTreeMap::from([(BINARY_CONTEXT.to_owned(), examples.join("target/release"))]),
    };
    Ok(SourcePair { orchestrator: source("leo-saas"), generator: source("leo-container") })
}

async fn compile(examples: &Path) -> Result<(), ImageError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = process::command(cargo);
    command
        .args(["build", "--release", "--locked"])
        .current_dir(examples)
        // The images are built from scratch: there is no C library in them to link to.
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        // Where the caller keeps its own builds is no concern of the examples'.
        .env("CARGO_TARGET_DIR", examples.join("target"));
    let output: Output = command.output().await.map_err(|error| ImageError::DemoBuild {
        message: format!("start cargo: {error}"),
        log: Vec::new(),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let log = process::last_lines(&output.stderr, 20);
    let message = log.iter().find(|line| line.starts_with("error")).cloned();
    Err(ImageError::DemoBuild {
        message: message.unwrap_or_else(|| format!("cargo ended with {}", output.status)),
        log,
    })
}

/// This machine's architecture; `None` where Fargate has no such machine.
fn host_architecture() -> Option<Architecture> {
    match std::env::consts::ARCH {
        "x86_64" => Some(Architecture::X86_64),
        "aarch64" => Some(Architecture::Arm64),
        _ => None,
    }
}
