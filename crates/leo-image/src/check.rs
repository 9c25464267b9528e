//! What would become of an image: its source looked at, and the registry asked whether it has the image of just that.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use leo_context::{Look, MovingBase, Request};

use crate::catalog::Manifest;
use crate::{BuildPlan, Catalog, Day, ImageError, ImageTag, Repository, SourceTags};

/// How images are published.
#[derive(Clone, Debug, Default)]
pub struct PublishOptions {
    /// Build even what the registry has.
    pub force: bool,
    /// A private folder that remembers the hashes of files between runs.
    pub hash_cache: Option<PathBuf>,
    /// This repository's root: a build that could see it would see its secrets.
    pub own_root: Option<PathBuf>,
    /// The clock; `None` reads this machine's.
    pub now: Option<SystemTime>,
}

/// An image whose source was looked at.
#[derive(Clone, Debug)]
pub struct Looked {
    /// How it is built.
    pub plan: BuildPlan,
    /// What its source is.
    pub source: SourceFacts,
}

impl Looked {
    /// The same for another repository: what a build sees does not depend on where its image goes.
    #[must_use]
    pub fn at(mut self, repository: Repository) -> Self {
        self.plan.repository = repository;
        self
    }
}

/// An image that was looked at and not yet built.
#[derive(Clone, Debug)]
pub struct Checked {
    /// How it is built.
    pub plan: BuildPlan,
    /// What its source is.
    pub source: SourceFacts,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// What a build would see.
#[derive(Clone, Debug)]
pub struct SourceFacts {
    /// Its hash over all that changes the image.
    pub hash: String,
    /// When its files were last written, as one number ([`Look::stamps`]).
    pub stamps: String,
    /// The tags by which the registry knows images of this source.
    pub tags: SourceTags,
    /// How many files the context has, without ignored ones.
    pub files: u64,
    /// How many bytes these have.
    pub bytes: u64,
    /// How many of the files had to be read.
    pub read: u64,
    /// How long it took.
    pub took: Duration,
    /// Whether git's own files are among them, which are others in every checkout.
    pub repository: bool,
    /// What the Dockerfile takes from elsewhere and may be another thing tomorrow.
    pub moving: Vec<MovingBase>,
    /// What was allowed although it looks like a secret, and is not there or does not look like one.
    pub unused_allowed: Vec<PathBuf>,
}

/// What becomes of an image.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The registry has it.
    Present(Present),
    /// It has to be built.
    Build(BuildReason),
}

/// An image of exactly this source that the registry has.
#[derive(Clone, Debug)]
pub struct Present {
    /// The tag by which it was found.
    pub tag: ImageTag,
    pub(crate) manifest: Manifest,
    /// Some image has the commit's tag, or there is none to have.
    pub(crate) commit_known: bool,
}

impl Present {
    /// Its digest.
    pub fn digest(&self) -> &crate::ImageDigest {
        self.manifest.digest()
    }

    /// What it weighs in the registry, compressed, in bytes; `None` for an index.
    pub fn bytes(&self) -> Option<u64> {
        self.manifest.bytes()
    }
}

/// Why an image has to be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildReason {
    /// It was asked for.
    Forced,
    /// The registry has no image of this source.
    Absent,
    /// The registry has none of this source that is young enough, and a base may have moved since.
    AbsentOrOld,
}

impl BuildReason {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forced => "asked for",
            Self::Absent => "the registry has no image of this source",
            Self::AbsentOrOld => {
                "the registry has no recent image of this source, and its base may have moved"
            }
        }
    }
}

/// Looks at what a build would see.
///
/// # Errors
/// [`ImageError::Context`] where it can't be looked at; [`ImageError::Leaks`] with every file that must not be there.
pub(crate) async fn look(plan: &BuildPlan, options: &PublishOptions) -> Result<SourceFacts, ImageError> {
    let began = Instant::now();
    let (plan, options) = (plan.clone(), options.clone());
    let (image, max_age_days) = (plan.image, plan.max_age_days);
    let today = Day::of(options.now.unwrap_or_else(SystemTime::now));
    // Files are read with blocking calls, many at once.
    let looked = tokio::task::spawn_blocking(move || look_now(&plan, &options)).await;
    let looked = looked
        .map_err(|error| ImageError::Answer { what: "the build context", problem: error.to_string() })??;
    if !looked.leaks.is_empty() {
        return Err(ImageError::Leaks { image, leaks: looked.leaks });
    }
    Ok(SourceFacts {
        tags: SourceTags::of(&looked.hash.short(), !looked.moving.is_empty(), today, max_age_days),
        hash: looked.hash.to_string(),
        stamps: looked.stamps.to_string(),
        files: looked.files,
        bytes: looked.bytes,
        read: looked.read,
        took: began.elapsed(),
        repository: looked.repository,
        moving: looked.moving,
        unused_allowed: looked.unused_allowed,
    })
}

fn look_now(plan: &BuildPlan, options: &PublishOptions) -> Result<Look, ImageError> {
    let source = &plan.source;
    leo_context::look(&Request {
        context: &source.context,
        dockerfile: &plan.dockerfile(),
        named: &source.named_contexts,
        build_args: &source.build_args,
        target: source.target.as_deref(),
        platform: plan.architecture.platform(),
        recipe: &plan.recipe(),
        allowed: &plan.allowed,
        cache: options.hash_cache.as_deref(),
        own_root: options.own_root.as_deref(),
        home: std::env::home_dir().as_deref(),
    })
    .map_err(|source| ImageError::Context { image: plan.image, source })
}

/// Asks the registry whether it has the image of this source.
pub(crate) async fn judge(
    catalog: &Catalog,
    plan: &BuildPlan,
    source: &SourceFacts,
    force: bool,
) -> Result<Verdict, ImageError> {
    if force {
        return Ok(Verdict::Build(BuildReason::Forced));
    }
    // The newest days first: an image of today is the usual case, and one call asks for all of them.
    let mut tags = source.tags.accepted.clone();
    tags.extend(plan.git_tag.clone());
    let found = catalog.with_tags(&plan.repository, &tags).await?;
    let holder = |wanted: &ImageTag| found.iter().find(|(tag, _)| tag == wanted);
    let Some((tag, manifest)) = source.tags.accepted.iter().find_map(holder) else {
        let reason = if source.moving.is_empty() { BuildReason::Absent } else { BuildReason::AbsentOrOld };
        return Ok(Verdict::Build(reason));
    };
    Ok(Verdict::Present(Present {
        tag: tag.clone(),
        manifest: manifest.clone(),
        commit_known: plan.git_tag.as_ref().is_none_or(|tag| holder(tag).is_some()),
    }))
}
