use std::collections::BTreeSet;

use tokio::task::JoinSet;

use crate::build::{self, Output};
use crate::catalog::Manifest;
use crate::engine::unstartable;
use crate::event::Reporter;
use crate::login::Login;
use crate::process::each_line;
use crate::{
    BuildPlan, Catalog, Engine, ImageDigest, ImageError, ImageEventKind, ImageName, ImageReference, ImageTag,
    PushMode, Registry, Repository, Sink, TagOutcome,
};

/// An image that is in the registry, with a tag, and may be deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedImage {
    /// Which image.
    pub image: ImageName,
    /// What the task definition names.
    pub reference: ImageReference,
    /// A tag that it has.
    pub tag: ImageTag,
    /// The digests that a running task may report for it.
    pub acceptable: BTreeSet<ImageDigest>,
    /// Something was sent to the registry; `false` when it had the image already.
    pub sent: bool,
}

/// Builds images and brings them into the registry.
#[derive(Clone)]
pub struct Publisher {
    engine: Engine,
    registry: Registry,
    catalog: Catalog,
    sink: Sink,
}

impl Publisher {
    /// A publisher that builds with `engine`, pushes to `registry`, and asks ECR itself through `catalog`.
    pub fn new(engine: Engine, registry: Registry, catalog: Catalog, sink: Sink) -> Self {
        Self { engine, registry, catalog, sink }
    }

    /// Builds, pushes and tags all of these, side by side. The answers are in the order of the plans.
    ///
    /// # Errors
    /// Those of every image that failed; the others are finished all the same, so that the next run has less to do.
    pub async fn publish(&self, plans: Vec<BuildPlan>) -> Result<Vec<PublishedImage>, Vec<ImageError>> {
        let mut tasks = JoinSet::new();
        for (place, plan) in plans.into_iter().enumerate() {
            let publisher = self.clone();
            tasks.spawn(async move { (place, publisher.publish_one(&plan).await) });
        }
        let mut results = tasks.join_all().await;
        results.sort_by_key(|(place, _)| *place);
        let (published, failed): (Vec<_>, Vec<_>) =
            results.into_iter().partition(|(_, result)| result.is_ok());
        if failed.is_empty() {
            Ok(published.into_iter().filter_map(|(_, result)| result.ok()).collect())
        } else {
            Err(failed.into_iter().filter_map(|(_, result)| result.err()).collect())
        }
    }

    async fn publish_one(&self, plan: &BuildPlan) -> Result<PublishedImage, ImageError> {
        let reporter = Reporter::new(plan.image, self.sink.clone());
        let login = Login::new(&self.engine, &self.registry).await?;
        let (digest, sent) = match self.engine.push_mode() {
            PushMode::ThroughStore => self.through_store(plan, &login, &reporter).await?,
            PushMode::ByDigest => (self.by_digest(plan, &login, &reporter).await?, true),
            PushMode::ByTag => (self.by_tag(plan, &login, &reporter).await?, true),
        };
        let manifest = self.catalog.manifest(&plan.repository, &digest).await?;
        let tag = self.catalog.keep(&plan.repository, &manifest, plan.git_tag.as_ref(), &reporter).await?;
        reporter.send(ImageEventKind::Published { digest: digest.clone(), sent });
        Ok(PublishedImage {
            image: plan.image,
            reference: ImageReference { repository_uri: plan.repository.uri.clone(), digest },
            tag,
            acceptable: manifest.acceptable_digests()?,
            sent,
        })
    }

    /// Builds into the engine's store, and sends from there what the registry doesn't have.
    async fn through_store(
        &self,
        plan: &BuildPlan,
        login: &Login,
        reporter: &Reporter,
    ) -> Result<(ImageDigest, bool), ImageError> {
        let local = ImageTag::of_build(&random_word(login));
        let digest = build::build(&self.engine, login, plan, &Output::Store(local.clone()), reporter).await?;
        let sent = if self.catalog.by_digest(&plan.repository, &digest).await?.is_some() {
            Ok(false)
        } else {
            self.push_from_store(plan, login, reporter, &local, &digest).await.map(|()| true)
        };
        self.forget(login, plan, &local).await;
        Ok((digest, sent?))
    }

    /// Sends an image under the first tag that is free, so that it is never in the registry without one.
    async fn push_from_store(
        &self,
        plan: &BuildPlan,
        login: &Login,
        reporter: &Reporter,
        local: &ImageTag,
        digest: &ImageDigest,
    ) -> Result<(), ImageError> {
        let free = match &plan.git_tag {
            Some(tag) if self.catalog.by_tag(&plan.repository, tag).await?.is_none() => tag.clone(),
            _ => ImageTag::of_digest(digest),
        };
        match self.push(plan, login, reporter, local, &free).await {
            // Someone else took the tag since we asked.
            Err(ImageError::Push { message, .. }) if message.contains("immutable") => {
                self.push(plan, login, reporter, local, &ImageTag::of_digest(digest)).await
            }
            result => result,
        }
    }

    async fn push(
        &self,
        plan: &BuildPlan,
        login: &Login,
        reporter: &Reporter,
        local: &ImageTag,
        tag: &ImageTag,
    ) -> Result<(), ImageError> {
        let uri = &plan.repository.uri;
        let name = format!("{uri}:{tag}");
        self.docker(login, uri, &["image", "tag", &format!("{uri}:{local}"), &name], |_| {}).await?;
        reporter.send(ImageEventKind::Pushing { tag: Some(tag.clone()) });
        // A build can take longer than a token lives.
        login.renew().await?;
        let show = |line: &str| {
            let line = line.trim_end();
            if line.ends_with(": Pushed") || line.ends_with(": Layer already exists") {
                reporter.send(ImageEventKind::Output { line: line.to_owned() });
            }
        };
        let mut result = self.docker(login, uri, &["image", "push", &name], show).await;
        if let Err(ImageError::Denied { message, .. }) = &result {
            reporter.note(format!("signing in again: {message}"));
            login.renew().await?;
            result = self.docker(login, uri, &["image", "push", &name], show).await;
        }
        self.forget(login, plan, tag).await;
        result
    }

    /// Takes a name off an image in the engine's store: images are kept in the registry. Whether it works changes
    /// nothing for the caller.
    async fn forget(&self, login: &Login, plan: &BuildPlan, tag: &ImageTag) {
        let uri = &plan.repository.uri;
        let _ = self.docker(login, uri, &["image", "rm", &format!("{uri}:{tag}")], |_| {}).await;
    }

    /// Runs a `docker` command about the repository at `uri`.
    async fn docker(
        &self,
        login: &Login,
        uri: &str,
        arguments: &[&str],
        show: impl FnMut(&str),
    ) -> Result<(), ImageError> {
        let mut command = self.engine.command();
        let mut child =
            login.apply(&mut command).args(arguments).spawn().map_err(|error| unstartable(&error))?;
        let mut said = Vec::new();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        tokio::join!(
            async {
                if let Some(stdout) = stdout {
                    each_line(stdout, show).await;
                }
            },
            async {
                if let Some(stderr) = stderr {
                    each_line(stderr, |line| said.push(line.trim_end().to_owned())).await;
                }
            },
        );
        let status = child.wait().await.map_err(|error| unstartable(&error))?;
        if status.success() { Ok(()) } else { Err(push_error(uri, &said.join("; "))) }
    }

    /// Builds and pushes in one go, with no tag.
    async fn by_digest(
        &self,
        plan: &BuildPlan,
        login: &Login,
        reporter: &Reporter,
    ) -> Result<ImageDigest, ImageError> {
        reporter.send(ImageEventKind::Pushing { tag: None });
        self.build_to_registry(plan, login, reporter, &Output::RegistryByDigest).await
    }

    /// Builds and pushes in one go, under a tag that is free whatever the digest turns out to be.
    async fn by_tag(
        &self,
        plan: &BuildPlan,
        login: &Login,
        reporter: &Reporter,
    ) -> Result<ImageDigest, ImageError> {
        if plan.cache.is_some() {
            reporter.note(
                "no registry cache: it needs the engine's containerd image store (`containerd-snapshotter`) or a \
                 builder of its own (`docker buildx create --use`)",
            );
        }
        let free = match &plan.git_tag {
            Some(tag) if self.catalog.by_tag(&plan.repository, tag).await?.is_none() => tag.clone(),
            _ => ImageTag::of_build(&random_word(login)),
        };
        reporter.send(ImageEventKind::Pushing { tag: Some(free.clone()) });
        let result = self.build_to_registry(plan, login, reporter, &Output::RegistryAs(free.clone())).await;
        self.forget(login, plan, &free).await;
        result
    }

    async fn build_to_registry(
        &self,
        plan: &BuildPlan,
        login: &Login,
        reporter: &Reporter,
        output: &Output,
    ) -> Result<ImageDigest, ImageError> {
        match build::build(&self.engine, login, plan, output, reporter).await {
            Err(ImageError::Build { message, .. }) if is_denied(&message) => {
                reporter.note(format!("signing in again: {message}"));
                login.renew().await?;
                build::build(&self.engine, login, plan, output, reporter).await.map_err(|error| match error {
                    ImageError::Build { message, .. } if is_denied(&message) => {
                        ImageError::Denied { repository: plan.repository.uri.clone(), message }
                    }
                    error => error,
                })
            }
            result => result,
        }
    }
}

impl Catalog {
    /// Checks that the repository has this image, and gives it a tag if it has none, so that it does not expire while
    /// it is deployed.
    ///
    /// # Errors
    /// [`ImageError::DigestMissing`] where the repository has no such image.
    pub async fn adopt(
        &self,
        image: ImageName,
        repository: &Repository,
        digest: &ImageDigest,
        sink: Sink,
    ) -> Result<PublishedImage, ImageError> {
        let manifest = self.manifest(repository, digest).await?;
        let stored = self.by_digest(repository, digest).await?;
        let tag = match stored.and_then(|stored| stored.tags.into_iter().find(is_lasting)) {
            Some(tag) => tag,
            None => self.keep(repository, &manifest, None, &Reporter::new(image, sink)).await?,
        };
        Ok(PublishedImage {
            image,
            reference: ImageReference { repository_uri: repository.uri.clone(), digest: digest.clone() },
            tag,
            acceptable: manifest.acceptable_digests()?,
            sent: false,
        })
    }

    /// Gives an image the wanted tag, or where another image has that, one made from its digest.
    async fn keep(
        &self,
        repository: &Repository,
        manifest: &Manifest,
        wanted: Option<&ImageTag>,
        reporter: &Reporter,
    ) -> Result<ImageTag, ImageError> {
        let by_digest = ImageTag::of_digest(manifest.digest());
        for tag in wanted.into_iter().chain([&by_digest]) {
            match self.set_tag_of(repository, manifest, tag).await? {
                TagOutcome::Set => {
                    reporter.send(ImageEventKind::Tagged { tag: tag.clone() });
                    return Ok(tag.clone());
                }
                TagOutcome::AlreadySet => return Ok(tag.clone()),
                TagOutcome::Taken { by } => reporter.note(format!(
                    "{tag} stays with the image that has it ({by}); this one has another digest: a rebuild with a \
                     moved base image, or a changed build argument"
                )),
            }
        }
        Err(ImageError::Answer {
            what: "the registry's tags",
            problem: format!("{by_digest} names another image in {}", repository.name),
        })
    }
}

/// Whether an image with this tag is kept: those with a cache's tag expire.
fn is_lasting(tag: &ImageTag) -> bool {
    !tag.as_str().starts_with("cache-")
}

/// A word that no other build has, from the name of its private folder.
fn random_word(login: &Login) -> String {
    let name = login.directory().file_name().unwrap_or_default().to_string_lossy();
    name.rsplit('-').next().unwrap_or_default().to_owned()
}

/// What a `docker` command's last words about a registry mean.
fn push_error(uri: &str, message: &str) -> ImageError {
    let repository = uri.to_owned();
    let message = message.to_owned();
    if is_denied(&message) {
        ImageError::Denied { repository, message }
    } else if message.contains("name unknown") || message.contains("does not exist in the registry") {
        ImageError::RepositoryMissing { repository }
    } else {
        ImageError::Push { repository, message }
    }
}

/// Whether a registry refused who we are. Registries have no common words for it.
fn is_denied(message: &str) -> bool {
    let message = message.to_lowercase();
    [
        "denied",
        "no basic auth credentials",
        "unauthorized",
        "authorization failed",
        "authentication required",
        "403 forbidden",
    ]
    .iter()
    .any(|words| message.contains(words))
}
