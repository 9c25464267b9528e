use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;

use crate::engine::unstartable;
use crate::event::Reporter;
use crate::login::Login;
use crate::process::each_line;
use crate::progress::Progress;
use crate::{BuildPlan, Engine, ImageDigest, ImageError, ImageEventKind, ImageTag, PushMode};

/// Where a build puts its image.
#[derive(Clone, Debug)]
pub(crate) enum Output {
    /// Into the registry, with no tag.
    RegistryByDigest,
    /// Into the registry, as this tag.
    RegistryAs(ImageTag),
    /// Into the engine's store, as this tag.
    Store(ImageTag),
}

impl Output {
    /// The argument of `docker buildx build`.
    fn argument(&self, uri: &str) -> String {
        // One media type for every driver, so that the same content has the same digest everywhere.
        let common = "--output=type=image,oci-mediatypes=true";
        match self {
            Self::RegistryByDigest => format!("{common},name={uri},push-by-digest=true,push=true"),
            Self::RegistryAs(tag) => format!("{common},name={uri}:{tag},push=true"),
            Self::Store(tag) => format!("{common},name={uri}:{tag},push=false"),
        }
    }
}

/// Builds one image and says its digest.
pub(crate) async fn build(
    engine: &Engine,
    login: &Login,
    plan: &BuildPlan,
    output: &Output,
    reporter: &Reporter,
) -> Result<ImageDigest, ImageError> {
    let dockerfile = plan.dockerfile();
    if !dockerfile.is_file() {
        return Err(ImageError::MissingDockerfile { image: plan.image, path: dockerfile });
    }
    reporter.send(ImageEventKind::Building {
        context: plan.source.context.clone(),
        platform: plan.architecture.platform(),
    });
    let metadata = login.directory().join("metadata.json");
    let mut command = engine.command();
    login.apply(&mut command).args(arguments(plan, output, engine.push_mode(), &metadata));
    let mut child = command.spawn().map_err(|error| unstartable(&error))?;

    let mut progress = Progress::default();
    if let Some(stderr) = child.stderr.take() {
        each_line(stderr, |line| progress.line(line).into_iter().for_each(|event| reporter.send(event)))
            .await;
    }
    let status = child.wait().await.map_err(|error| unstartable(&error))?;
    progress.end().into_iter().for_each(|event| reporter.send(event));
    if !status.success() {
        let failure = progress.failure();
        return Err(ImageError::Build {
            image: plan.image,
            step: failure.step,
            message: failure.message,
            log: failure.log,
            excerpt: failure.excerpt,
        });
    }
    let digest = read_digest(&metadata)?;
    reporter.send(ImageEventKind::Built { digest: digest.clone() });
    Ok(digest)
}

fn arguments(plan: &BuildPlan, output: &Output, mode: PushMode, metadata: &Path) -> Vec<OsString> {
    let mut arguments = match mode {
        // The classic store refuses a build that exports a registry cache.
        PushMode::ByTag => BuildPlan { cache: None, ..plan.clone() }.arguments(),
        PushMode::ByDigest | PushMode::ThroughStore => plan.arguments(),
    };
    arguments.push(output.argument(&plan.repository.uri).into());
    arguments.push("--metadata-file".into());
    arguments.push(metadata.into());
    arguments.push(plan.source.context.clone().into_os_string());
    arguments
}

/// The digest of the manifest or index, from the file that buildx wrote.
fn read_digest(metadata: &Path) -> Result<ImageDigest, ImageError> {
    let bytes = std::fs::read(metadata).map_err(|source| ImageError::File {
        action: "read",
        path: metadata.to_owned(),
        source,
    })?;
    let answer = |problem: String| ImageError::Answer { what: "buildx's metadata file", problem };
    let metadata: Value = serde_json::from_slice(&bytes).map_err(|error| answer(error.to_string()))?;
    let digest = metadata.get("containerimage.digest").and_then(Value::as_str);
    let digest = digest.ok_or_else(|| answer("it has no `containerimage.digest`".to_owned()))?;
    digest.parse().map_err(|_| answer(format!("`containerimage.digest` is `{digest}`")))
}
