//! Building one image and bringing it into the registry, in the way that its builder can.

use tokio::sync::Notify;

use crate::build::{self, Output};
use crate::event::Reporter;
use crate::local_names::LocalNames;
use crate::login::Login;
use crate::origin::{Origin, OriginTags};
use crate::process;
use crate::push::push;
use crate::{BuildPlan, Catalog, Engine, ImageDigest, ImageError, ImageEventKind, ImageTag, PushMode};

/// How many of the last lines of a failed `docker` command are told.
const COMPLAINTS: usize = 5;

/// One image on its way.
pub(crate) struct Delivery<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) login: &'a Login,
    pub(crate) catalog: &'a Catalog,
    pub(crate) reporter: &'a Reporter,
    pub(crate) origin: &'a Origin<'a>,
}

/// An image that is in the registry.
pub(crate) struct Delivered<'a> {
    pub(crate) digest: ImageDigest,
    /// `None` where it is not known what it was built from.
    pub(crate) origin: Option<OriginTags<'a>>,
    /// Something was sent; `false` when the registry had it already.
    pub(crate) sent: bool,
    /// Names that the engine still has for it.
    pub(crate) names: LocalNames,
}

/// What a build gives.
type Built<'a> = (ImageDigest, Option<OriginTags<'a>>);

impl<'a> Delivery<'a> {
    /// Builds the image and brings it into the registry, with no tag or one that says nothing of its source.
    pub(crate) async fn deliver(&self) -> Result<Delivered<'a>, ImageError> {
        match self.engine.push_mode() {
            PushMode::ThroughStore => self.through_store().await,
            PushMode::ByDigest => self.by_digest().await,
            PushMode::ByTag => self.by_tag().await,
        }
    }

    /// Builds into the engine's store, and sends from there what the registry doesn't have.
    async fn through_store(&self) -> Result<Delivered<'a>, ImageError> {
        let local = ImageTag::of_build(&self.random_word());
        let mut names = LocalNames::new(self.engine);
        names.add(self.name(&local));
        let ((digest, origin), sent) = self.store_and_push(local, &mut names).await?;
        Ok(Delivered { digest, origin, sent, names })
    }

    async fn store_and_push(
        &self,
        local: ImageTag,
        names: &mut LocalNames,
    ) -> Result<(Built<'a>, bool), ImageError> {
        let local_name = self.name(&local);
        let built = self.build(&Output::Store(local)).await?;
        let (digest, _) = &built;
        let there = self.catalog.by_digest(&self.plan().repository, digest).await?.is_some();
        if !there {
            self.push(&local_name, names, digest).await?;
        }
        Ok((built, !there))
    }

    /// Sends an image under the tag that its digest gives it, so that it is never in the registry without one.
    async fn push(
        &self,
        local: &str,
        names: &mut LocalNames,
        digest: &ImageDigest,
    ) -> Result<(), ImageError> {
        let tag = ImageTag::of_digest(digest);
        let name = self.name(&tag);
        names.add(name.clone());
        self.docker(&["image", "tag", local, &name]).await?;
        self.reporter.send(ImageEventKind::Pushing { tag: Some(tag) });
        // A build can take longer than a token lives.
        self.login.renew().await?;
        match self.send(&name).await {
            Err(ImageError::Denied { message, .. }) => {
                self.sign_in_again(&message).await?;
                self.send(&name).await
            }
            // Another run on this machine pushed the same image, and took the name away when it was done.
            Err(ImageError::Push { message, .. }) if is_gone_here(&message) => {
                self.docker(&["image", "tag", local, &name]).await?;
                self.send(&name).await
            }
            result => result,
        }
    }

    /// Sends the image of this name from the engine's store.
    async fn send(&self, name: &str) -> Result<(), ImageError> {
        let mut command = self.engine.command();
        self.login.apply(&mut command).args(["image", "push", name]);
        let (status, complaints) =
            push(command, self.reporter).await.map_err(|error| self.engine.unstartable(&error))?;
        if status.success() { Ok(()) } else { Err(push_error(&self.plan().repository.uri, &complaints)) }
    }

    /// Builds and pushes in one go, with no tag.
    async fn by_digest(&self) -> Result<Delivered<'a>, ImageError> {
        self.reporter.send(ImageEventKind::Pushing { tag: None });
        let (digest, origin) = self.build_to_registry(&Output::RegistryByDigest).await?;
        Ok(Delivered { digest, origin, sent: true, names: LocalNames::new(self.engine) })
    }

    /// Builds and pushes in one go, under a tag that is free whatever the digest turns out to be.
    async fn by_tag(&self) -> Result<Delivered<'a>, ImageError> {
        if self.plan().cache.is_some() {
            self.reporter.note(
                "no registry cache: it needs the engine's containerd image store (`containerd-snapshotter`) or a \
                 builder of its own (`docker buildx create --use`)",
            );
        }
        let free = ImageTag::of_build(&self.random_word());
        let mut names = LocalNames::new(self.engine);
        names.add(self.name(&free));
        self.reporter.send(ImageEventKind::Pushing { tag: Some(free.clone()) });
        let (digest, origin) = self.build_to_registry(&Output::RegistryAs(free)).await?;
        Ok(Delivered { digest, origin, sent: true, names })
    }

    /// Builds once. While the layers become an image, nobody reads the source any more: it is looked at again meanwhile.
    async fn build(&self, output: &Output) -> Result<Built<'a>, ImageError> {
        // A base may have moved since the engine got it.
        let moving = !self.origin.checked.source.moving.is_empty();
        let source_read = Notify::new();
        let build = async {
            let (engine, login, plan) = (self.engine, self.login, self.plan());
            let built = build::build(engine, login, plan, output, moving, &source_read, self.reporter).await;
            // Not every builder tells what it does.
            source_read.notify_one();
            built
        };
        let origin = async {
            source_read.notified().await;
            Ok(self.origin.tags().await)
        };
        tokio::try_join!(build, origin)
    }

    async fn build_to_registry(&self, output: &Output) -> Result<Built<'a>, ImageError> {
        let build = || self.build(output);
        let denied = |error| match error {
            ImageError::Build { step, message, .. } if self.was_refused(step.as_deref(), &message) => {
                ImageError::Denied { repository: self.plan().repository.uri.clone(), message }
            }
            error => error,
        };
        match build().await.map_err(denied) {
            Err(ImageError::Denied { message, .. }) => {
                self.sign_in_again(&message).await?;
                build().await.map_err(denied)
            }
            result => result,
        }
    }

    /// Whether a build failed because our registry refused us, and not the one of a base image.
    fn was_refused(&self, step: Option<&str>, message: &str) -> bool {
        let host = self.plan().repository.uri.split('/').next().unwrap_or_default();
        let ours = step.is_some_and(|step| step.starts_with("exporting")) || message.contains(host);
        ours && is_denied(message)
    }

    async fn sign_in_again(&self, message: &str) -> Result<(), ImageError> {
        self.reporter.note(format!("signing in again: {message}"));
        self.login.renew().await
    }

    /// Runs a `docker` command about the repository.
    async fn docker(&self, arguments: &[&str]) -> Result<(), ImageError> {
        let mut command = self.engine.command();
        let output = self.login.apply(&mut command).args(arguments).output().await;
        let output = output.map_err(|error| self.engine.unstartable(&error))?;
        if output.status.success() {
            return Ok(());
        }
        let complaints = process::last_lines(&output.stderr, COMPLAINTS).join("; ");
        Err(push_error(&self.plan().repository.uri, &complaints))
    }

    fn plan(&self) -> &'a BuildPlan {
        &self.origin.checked.plan
    }

    fn name(&self, tag: &ImageTag) -> String {
        format!("{}:{tag}", self.plan().repository.uri)
    }

    /// A word that no other build has, from the name of its private folder.
    fn random_word(&self) -> String {
        let name = self.login.directory().file_name().unwrap_or_default().to_string_lossy();
        name.rsplit('-').next().unwrap_or_default().to_owned()
    }
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

/// Whether the engine has no image of the name that was to be pushed: the words of containerd's store, then those of the
/// classic one.
fn is_gone_here(message: &str) -> bool {
    message.contains("tag does not exist") || message.contains("does not exist locally")
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
