use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::{BuildReason, ImageDigest, ImageTag, StageProgress};

/// Which of the platform's two images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageName {
    /// The always-on web service.
    Orchestrator,
    /// The container that runs one job.
    Generator,
}

impl ImageName {
    /// `orchestrator` or `generator`: the word in the configuration, in `--images` and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Orchestrator => "orchestrator",
            Self::Generator => "generator",
        }
    }

    /// The key in `infra/leo.toml` that says where this image is built from.
    pub fn context_setting(self) -> &'static str {
        match self {
            Self::Orchestrator => "images.orchestrator.context",
            Self::Generator => "images.generator.context",
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something that happened to one image, for whoever shows progress.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageEvent {
    /// The image.
    pub image: ImageName,
    /// What happened.
    pub kind: ImageEventKind,
}

/// What happened to an image. `Display` is one plain line.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ImageEventKind {
    /// All that a build would see was looked at.
    Looked {
        /// How many files that is.
        files: u64,
        /// How many bytes they have.
        bytes: u64,
        /// How many had to be read.
        read: u64,
        /// How long it took.
        took: Duration,
    },
    /// The registry has the image of this source.
    Present {
        /// The tag by which it was found.
        tag: ImageTag,
    },
    /// The image has to be built.
    ToBuild {
        /// Why.
        reason: BuildReason,
    },
    /// The build begins.
    Building {
        /// The folder that it sees.
        context: PathBuf,
        /// The platform, like `linux/arm64`.
        platform: &'static str,
    },
    /// A step of the Dockerfile began, and is not taken from a cache.
    StepStarted {
        /// As BuildKit names it, like `[2/3] COPY app /bin/sh`.
        step: String,
    },
    /// A stage of the build, or of the push, went on. Those of transfers come many times a second.
    Stage(StageProgress),
    /// One line that a step wrote.
    Output {
        /// The line, without its end.
        line: String,
    },
    /// The image was built; nothing says yet that the registry has it.
    Built {
        /// Its digest.
        digest: ImageDigest,
    },
    /// The image is being sent.
    Pushing {
        /// The tag that it is sent under; none when it is pushed by digest alone.
        tag: Option<ImageTag>,
    },
    /// A tag was set.
    Tagged {
        /// The tag.
        tag: ImageTag,
    },
    /// The registry has the image, tagged.
    Published {
        /// Its digest.
        digest: ImageDigest,
        /// Something was sent; `false` when the registry had it already.
        sent: bool,
    },
    /// Something worth knowing that needs no action.
    Note(String),
    /// Something that did not stop the work but should be looked at.
    Warning(String),
}

impl fmt::Display for ImageEventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Looked { files, bytes, read, took } => write!(
                f,
                "looked at {files} files ({:.1} MB, {read} of them read) in {} ms",
                megabytes(*bytes),
                took.as_millis()
            ),
            Self::Present { tag } => write!(f, "nothing to build, the registry has {tag}"),
            Self::ToBuild { reason } => write!(f, "to be built: {}", reason.as_str()),
            Self::Building { context, platform } => {
                write!(f, "building {} for {platform}", context.display())
            }
            Self::StepStarted { step } => write!(f, "{step}"),
            Self::Stage(progress) => write!(f, "{}: {progress}", progress.stage),
            Self::Output { line } => write!(f, "  {line}"),
            Self::Built { digest } => write!(f, "built {digest}"),
            Self::Pushing { tag: Some(tag) } => write!(f, "pushing as {tag}"),
            Self::Pushing { tag: None } => f.write_str("pushing"),
            Self::Tagged { tag } => write!(f, "tagged {tag}"),
            Self::Published { digest, sent: true } => write!(f, "pushed {digest}"),
            Self::Published { digest, sent: false } => write!(f, "unchanged, the registry has {digest}"),
            Self::Note(text) => f.write_str(text),
            Self::Warning(text) => write!(f, "warning: {text}"),
        }
    }
}

/// Bytes in MB (10⁶), for a person.
#[allow(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

impl fmt::Display for ImageEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.image, self.kind)
    }
}

/// Where events go. Called from several tasks at once; it must not block.
pub type Sink = Arc<dyn Fn(ImageEvent) + Send + Sync>;

/// A sink bound to one image.
#[derive(Clone)]
pub(crate) struct Reporter {
    image: ImageName,
    sink: Sink,
}

impl Reporter {
    pub(crate) fn new(image: ImageName, sink: Sink) -> Self {
        Self { image, sink }
    }

    pub(crate) fn image(&self) -> ImageName {
        self.image
    }

    pub(crate) fn send(&self, kind: ImageEventKind) {
        (self.sink)(ImageEvent { image: self.image, kind });
    }

    pub(crate) fn note(&self, text: impl Into<String>) {
        self.send(ImageEventKind::Note(text.into()));
    }
}
