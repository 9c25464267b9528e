use std::path::PathBuf;

use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};
use leo_aws::{FailureKind, ServiceError};
use leo_config::Architecture;
use leo_context::{ContextError, Leak};
use leo_oci::OciError;

use crate::{FailOn, Finding, ImageDigest, ImageName};

/// Findings that an error shows.
const SHOWN_FINDINGS: usize = 20;

/// Why images could not be built, pushed or found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A folder that an image is built from is not there.
    #[error("find {}", folders(missing))]
    MissingSiblings {
        /// Each folder that is missing.
        missing: Vec<MissingFolder>,
    },
    /// The build context has no such Dockerfile.
    #[error("find the Dockerfile of the {image} image at {}", path.display())]
    MissingDockerfile {
        /// The image.
        image: ImageName,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is no `docker` program.
    #[error("start `docker`: it is not installed or not on PATH")]
    DockerMissing,
    /// The Docker engine does not answer.
    #[error("reach the Docker engine: {message}")]
    EngineUnreachable {
        /// What `docker` said.
        message: String,
    },
    /// The `docker` program has no buildx.
    #[error("start `docker buildx`: {message}")]
    BuildxMissing {
        /// What `docker` said.
        message: String,
    },
    /// Buildx is too old to report its progress as JSON.
    #[error("use buildx {found}: 0.13 or newer is needed")]
    BuildxTooOld {
        /// The version found.
        found: String,
    },
    /// `BUILDKIT_HOST` is set, and there is no program that speaks to it.
    #[error("start `buildctl`, which `BUILDKIT_HOST` asks for: it is not installed or not on PATH")]
    BuildctlMissing,
    /// The BuildKit daemon does not answer.
    #[error("reach BuildKit at {host}: {message}")]
    BuildkitUnreachable {
        /// The value of `BUILDKIT_HOST`.
        host: String,
        /// What `buildctl` said.
        message: String,
    },
    /// What a build would see can't be looked at.
    #[error("look at what the {image} image is built from: {source}")]
    Context {
        /// The image.
        image: ImageName,
        /// Why.
        source: ContextError,
    },
    /// A build would see what must not get into an image.
    #[error(
        "build the {image} image: a build would see {}",
        counted(leaks.len(), "thing that looks like a secret", "things that look like secrets")
    )]
    Leaks {
        /// The image.
        image: ImageName,
        /// Each place.
        leaks: Vec<Leak>,
    },
    /// The build of an image failed.
    #[error("build the {image} image: {}{message}", at_step(step.as_deref()))]
    Build {
        /// The image.
        image: ImageName,
        /// The step that failed, as BuildKit names it.
        step: Option<String>,
        /// BuildKit's reason.
        message: String,
        /// The last lines that the step wrote.
        log: Vec<String>,
        /// The place in the Dockerfile, as BuildKit shows it.
        excerpt: Vec<String>,
    },
    /// The registry refused the login, twice.
    #[error("push to {repository}: access was denied: {message}")]
    Denied {
        /// The repository's URI.
        repository: String,
        /// The registry's words.
        message: String,
    },
    /// The image was built but could not be sent.
    #[error("push to {repository}: {message}")]
    Push {
        /// The repository's URI.
        repository: String,
        /// The reason.
        message: String,
    },
    /// The registry has no such repository.
    #[error("find the repository {repository} in the registry")]
    RepositoryMissing {
        /// The repository's name.
        repository: String,
    },
    /// The repository has no image with this digest.
    #[error("find the image {digest} in the repository {repository}")]
    DigestMissing {
        /// The repository's name.
        repository: String,
        /// The digest that was looked for.
        digest: ImageDigest,
    },
    /// An image runs on something else than its task definition.
    #[error("use {digest} for the {image}: it runs on {}, and its tasks on {}", platforms(found), wanted.platform())]
    WrongPlatform {
        /// Which image it was to be.
        image: ImageName,
        /// The image.
        digest: ImageDigest,
        /// What it runs on; an index runs on several.
        found: Vec<String>,
        /// What the task definition runs on.
        wanted: Architecture,
    },
    /// The registry's scanner found something that is too bad.
    #[error("use {digest} for the {image}: its scan found {}", count(findings, *fail_on))]
    Findings {
        /// Which image it was to be.
        image: ImageName,
        /// The image.
        digest: ImageDigest,
        /// What is too bad.
        fail_on: FailOn,
        /// What is this bad, the worst first.
        findings: Vec<Finding>,
    },
    /// There is no scan to go by.
    #[error("go by the scan of the {image} {digest}: {reason}")]
    NotScanned {
        /// Which image it was to be.
        image: ImageName,
        /// The image.
        digest: ImageDigest,
        /// Why there is none.
        reason: String,
    },
    /// The registry's own protocol failed.
    #[error("{0}")]
    Registry(#[source] OciError),
    /// A call to ECR failed.
    #[error("call ECR {0}")]
    Ecr(#[source] ServiceError),
    /// ECR or BuildKit answered with something that can't be an answer.
    #[error("understand {what}: {problem}")]
    Answer {
        /// Whose answer.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of ours could not be written or read.
    #[error("{action} {}: {source}", path.display())]
    File {
        /// What was done, like `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The demo programs are compiled on this machine, so their images are for its platform alone.
    #[error("build the demo images for {}: they are compiled on this machine, which is {host}", wanted.platform())]
    DemoHost {
        /// The architecture that the configuration wants.
        wanted: Architecture,
        /// This machine's system and architecture, as Rust names them.
        host: String,
    },
    /// The demo programs did not compile.
    #[error("compile the demo programs: {message}")]
    DemoBuild {
        /// Why.
        message: String,
        /// The last lines of cargo's output.
        log: Vec<String>,
    },
}

/// A folder that an image is built from and that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingFolder {
    /// The image that needs it.
    pub image: ImageName,
    /// Where it was looked for.
    pub path: PathBuf,
}

impl ImageError {
    /// Which exit code this failure ends in.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::MissingSiblings { .. }
            | Self::MissingDockerfile { .. }
            | Self::DockerMissing
            | Self::EngineUnreachable { .. }
            | Self::BuildxMissing { .. }
            | Self::BuildxTooOld { .. }
            | Self::BuildctlMissing
            | Self::BuildkitUnreachable { .. }
            | Self::Context { .. }
            | Self::Leaks { .. }
            | Self::DigestMissing { .. }
            | Self::DemoHost { .. } => FailureKind::Usage,
            Self::Denied { .. } => FailureKind::Credentials,
            Self::Ecr(error) => error.kind(),
            Self::Registry(error) => error.kind(),
            Self::WrongPlatform { .. }
            | Self::Findings { .. }
            | Self::NotScanned { .. }
            | Self::Build { .. }
            | Self::Push { .. }
            | Self::RepositoryMissing { .. }
            | Self::Answer { .. }
            | Self::File { .. }
            | Self::DemoBuild { .. } => FailureKind::Failed,
        }
    }

    /// What to do about it, where something can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::MissingSiblings { missing } => Some(format!(
                "clone the repository there, set {} in infra/leo.toml to where it is, or use --demo for the demo \
                 images",
                missing.iter().map(|folder| format!("`{}`", folder.image.context_setting())).collect::<Vec<_>>().join(" and ")
            )),
            Self::MissingDockerfile { image, .. } => Some(format!(
                "set `images.{image}.dockerfile` in infra/leo.toml to its path inside the build context"
            )),
            Self::DockerMissing => Some("install Docker; on Debian, ci/docker-engine.sh does".to_owned()),
            Self::EngineUnreachable { .. } => Some(
                "start the Docker engine and check that this user may use it: `docker version` has to answer".to_owned(),
            ),
            Self::BuildxMissing { .. } => {
                Some("install the buildx plugin (package docker-buildx or docker-buildx-plugin)".to_owned())
            }
            Self::BuildxTooOld { .. } => Some("update the buildx plugin".to_owned()),
            Self::BuildctlMissing => Some(
                "install buildctl (it comes with BuildKit), or unset BUILDKIT_HOST to build with `docker buildx`".to_owned(),
            ),
            Self::BuildkitUnreachable { .. } => Some(
                "start the daemon, correct BUILDKIT_HOST (like `unix:///run/buildkit/buildkitd.sock`), or unset it to \
                 build with `docker buildx`"
                    .to_owned(),
            ),
            Self::Context { source, .. } => source.hint(),
            Self::Leaks { .. } => Some(
                "do what stands beside each; for a file that is no secret, \
                 `images.<name>.allow_in_context` in infra/leo.toml or --allow-in-context PATH"
                    .to_owned(),
            ),
            Self::Denied { .. } => Some(
                "check that the credentials may push to this repository: ecr:GetAuthorizationToken, \
                 ecr:BatchCheckLayerAvailability, ecr:InitiateLayerUpload, ecr:UploadLayerPart, \
                 ecr:CompleteLayerUpload, ecr:PutImage, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and \
                 ecr:DescribeImages"
                    .to_owned(),
            ),
            Self::RepositoryMissing { .. } => {
                Some("deploy first: `cargo xtask deploy` makes the repositories".to_owned())
            }
            Self::DigestMissing { .. } => Some(
                "use a digest that this repository still has, or build the image with `--images build`".to_owned(),
            ),
            Self::WrongPlatform { image, wanted, .. } => Some(format!(
                "build it for {} (`--platform`), or set `{image}.architecture` in infra/leo.toml to what it is built \
                 for; Fargate would say \"exec format error\"",
                wanted.platform()
            )),
            Self::Findings { .. } => Some(
                "build with the fixed versions, or ask for less with `--fail-on`; the image is in the registry and \
                 nothing deploys it by itself"
                    .to_owned(),
            ),
            Self::NotScanned { .. } => Some(
                "check that the repository scans on push (`cargo xtask deploy` sets it) and that ECR's scanner supports the \
                 image, or push without `--fail-on`"
                    .to_owned(),
            ),
            Self::Registry(error) => error.hint(),
            Self::Ecr(error) if error.kind() == FailureKind::Credentials => {
                Some("sign in again, and check that the role may use this repository".to_owned())
            }
            Self::DemoHost { .. } => Some(
                "set `orchestrator.architecture` and `generator.architecture` in infra/leo.toml to this machine's, or \
                 build the demo images on a machine of the other kind"
                    .to_owned(),
            ),
            Self::Build { message, log, .. } if out_of_disk(message, log) => {
                Some("free disk space for the Docker engine: `docker system df`, then `docker builder prune`".to_owned())
            }
            Self::Build { message, .. } if message.contains("not supported for the docker driver") => Some(
                "turn on the engine's containerd image store (`\"features\": {\"containerd-snapshotter\": true}` in \
                 daemon.json), or use a builder of its own: `docker buildx create --use`"
                    .to_owned(),
            ),
            Self::Push { message, .. } if out_of_disk(message, &[]) => {
                Some("free disk space for the Docker engine: `docker system df`, then `docker builder prune`".to_owned())
            }
            Self::File { path, source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                Some(format!("free disk space where {} is: `df -h` says how full it is", path.display()))
            }
            Self::Push { .. } => Some("run the command again: what was sent already is not sent twice".to_owned()),
            Self::Build { .. }
            | Self::Ecr(_)
            | Self::Answer { .. }
            | Self::File { .. }
            | Self::DemoBuild { .. } => None,
        }
    }

    /// Lines that show the cause and don't fit into one sentence: the failing step's output and its place in the
    /// Dockerfile. Empty for most failures.
    pub fn details(&self) -> Vec<String> {
        match self {
            Self::Build { log, excerpt, .. } => log.iter().chain(excerpt).cloned().collect(),
            Self::DemoBuild { log, .. } => log.clone(),
            Self::Findings { findings, .. } => {
                let more = findings.len().saturating_sub(SHOWN_FINDINGS);
                let rest = (more > 0).then(|| format!("and {more} more"));
                findings.iter().take(SHOWN_FINDINGS).map(ToString::to_string).chain(rest).collect()
            }
            Self::Leaks { leaks, .. } => {
                leaks.iter().map(|leak| format!("{leak} ({})", leak.fix())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The error of a call to ECR about `repository`.
    pub(crate) fn ecr<E>(operation: &'static str, repository: &str, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        if error.code() == Some("RepositoryNotFoundException") {
            return Self::RepositoryMissing { repository: repository.to_owned() };
        }
        Self::Ecr(ServiceError::of(operation, error))
    }
}

/// `1 thing` or `2 things`.
fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

fn out_of_disk(message: &str, log: &[String]) -> bool {
    let says = |text: &str| text.to_lowercase().contains("no space left on device");
    says(message) || log.iter().any(|line| says(line))
}

fn at_step(step: Option<&str>) -> String {
    step.map_or_else(String::new, |step| format!("{step}: "))
}

/// `1 finding of severity high or worse`.
fn count(findings: &[Finding], fail_on: FailOn) -> String {
    let noun = if findings.len() == 1 { "finding" } else { "findings" };
    let worse = if fail_on.to_string() == FailOn::WORDS[0] { "" } else { " or worse" };
    format!("{} {noun} of severity {fail_on}{worse}", findings.len())
}

fn platforms(found: &[String]) -> String {
    if found.is_empty() { "no platform that it names".to_owned() } else { found.join(" and ") }
}

fn folders(missing: &[MissingFolder]) -> String {
    let each =
        missing.iter().map(|folder| format!("{} for the {} image", folder.path.display(), folder.image));
    each.collect::<Vec<_>>().join(", and ")
}
