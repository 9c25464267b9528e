use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;
use tokio::sync::Notify;

use crate::buildctl;
use crate::event::Reporter;
use crate::login::Login;
use crate::process::each_line;
use crate::progress::Progress;
use crate::{BuildPlan, Engine, ImageDigest, ImageError, ImageEventKind, ImageTag, PushMode, Stage};

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
    /// The value of `--output`, for buildx and buildctl alike.
    fn argument(&self, uri: &str) -> String {
        // One media type for every driver, so that the same content has the same digest everywhere.
        let common = "type=image,oci-mediatypes=true";
        match self {
            // Dates of files are rewritten, too, so that a clean build of the same source has the same digest. The
            // engine's own store can't (it unpacks what it builds, which excludes rewriting).
            Self::RegistryByDigest => {
                format!("{common},name={uri},push-by-digest=true,push=true,rewrite-timestamp=true")
            }
            Self::RegistryAs(tag) => format!("{common},name={uri}:{tag},push=true"),
            Self::Store(tag) => format!("{common},name={uri}:{tag},push=false"),
        }
    }
}

/// Builds one image and says its digest. `moving`: a base may be another one than the engine has. `source_read` is told when
/// the builder has read all that it needs of the source.
pub(crate) async fn build(
    engine: &Engine,
    login: &Login,
    plan: &BuildPlan,
    output: &Output,
    moving: bool,
    source_read: &Notify,
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
    login.apply(&mut command).args(arguments(plan, output, engine, moving, &metadata));
    let mut child = command.spawn().map_err(|error| engine.unstartable(&error))?;

    let mut progress = Progress::default();
    if let Some(stderr) = child.stderr.take() {
        let tell = |event: ImageEventKind| {
            // BuildKit exports nothing before every step is done.
            if matches!(&event, ImageEventKind::Stage(progress) if progress.stage == Stage::Pack) {
                source_read.notify_one();
            }
            reporter.send(event);
        };
        each_line(stderr, |line| progress.line(line).into_iter().for_each(tell)).await;
    }
    let status = child.wait().await.map_err(|error| engine.unstartable(&error))?;
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

fn arguments(
    plan: &BuildPlan,
    output: &Output,
    engine: &Engine,
    moving: bool,
    metadata: &Path,
) -> Vec<OsString> {
    let output = format!("--output={}", output.argument(&plan.repository.uri)).into();
    let metadata_file = ["--metadata-file".into(), metadata.into()];
    if engine.is_buildctl() {
        return [buildctl::arguments(plan), vec![output], metadata_file.to_vec()].concat();
    }
    let plan_arguments = match engine.push_mode() {
        // The classic store refuses a build that exports a registry cache.
        PushMode::ByTag => {
            let mut arguments = BuildPlan { cache: None, ..plan.clone() }.arguments();
            // It takes a base that it has for the newest.
            arguments.extend(moving.then(|| "--pull".into()));
            arguments
        }
        PushMode::ByDigest | PushMode::ThroughStore => plan.arguments(),
    };
    let context = plan.source.context.clone().into_os_string();
    [plan_arguments, vec![output], metadata_file.to_vec(), vec![context]].concat()
}

/// The digest of the manifest or index, from the file that the builder wrote.
fn read_digest(metadata: &Path) -> Result<ImageDigest, ImageError> {
    let bytes = std::fs::read(metadata).map_err(|source| ImageError::File {
        action: "read",
        path: metadata.to_owned(),
        source,
    })?;
    let answer = |problem: String| ImageError::Answer { what: "the builder's metadata file", problem };
    let metadata: Value = serde_json::from_slice(&bytes).map_err(|error| answer(error.to_string()))?;
    let digest = metadata.get("containerimage.digest").and_then(Value::as_str);
    let digest = digest.ok_or_else(|| answer("it has no `containerimage.digest`".to_owned()))?;
    digest.parse().map_err(|_| answer(format!("`containerimage.digest` is `{digest}`")))
}
