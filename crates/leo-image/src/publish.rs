use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::catalog::Manifest;
use crate::check::{self, judge};
use crate::delivery::{Delivered, Delivery};
use crate::event::Reporter;
use crate::login::Login;
use crate::origin::{Origin, OriginTags};
use crate::{
    BuildPlan, BuildReason, Catalog, Checked, ImageDigest, ImageError, ImageEventKind, ImageName,
    ImageReference, ImageTag, LazyEngine, Looked, Present, PublishOptions, Registry, Sink, SourceFacts,
    TagOutcome, Verdict, Wanted, verify,
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
    /// What it weighs in the registry, compressed, in bytes; `None` where the registry does not say.
    pub bytes: Option<u64>,
    /// How it came to be there.
    pub made: Made,
}

/// How an image came into the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was named by its digest.
    Found,
    /// The registry had the image of this source, so nothing was built.
    Unchanged,
    /// It was built.
    Built {
        /// Why.
        reason: BuildReason,
        /// Something was sent; `false` when the registry had this very image already.
        sent: bool,
        /// How long it took until it was in the registry with its tags.
        took: Duration,
    },
}

impl PublishedImage {
    /// Whether something was sent to the registry.
    pub fn sent(&self) -> bool {
        matches!(self.made, Made::Built { sent: true, .. })
    }
}

/// Builds images and brings them into the registry.
#[derive(Clone)]
pub struct Publisher {
    engine: LazyEngine,
    registry: Registry,
    catalog: Catalog,
    sink: Sink,
    options: Arc<PublishOptions>,
}

impl Publisher {
    /// A publisher that builds with `engine`, pushes to `registry`, and asks ECR itself through `catalog`.
    pub fn new(
        engine: LazyEngine,
        registry: Registry,
        catalog: Catalog,
        options: PublishOptions,
        sink: Sink,
    ) -> Self {
        Self { engine, registry, catalog, sink, options: Arc::new(options) }
    }

    /// Builds, pushes and tags those of the images that the registry does not have, side by side. The answers are in
    /// the order of the plans.
    ///
    /// # Errors
    /// Those of every image that failed; the others are finished all the same, so that the next run has less to do.
    /// Before anything is built, pushed or tagged: what [`Publisher::check`] finds, and a missing engine where
    /// something has to be built.
    pub async fn publish(&self, plans: Vec<BuildPlan>) -> Result<Vec<PublishedImage>, Vec<ImageError>> {
        self.publish_looked(self.look(plans).await?).await
    }

    /// The same for sources that were looked at already.
    ///
    /// # Errors
    /// Those of [`Publisher::publish`].
    pub async fn publish_looked(&self, looked: Vec<Looked>) -> Result<Vec<PublishedImage>, Vec<ImageError>> {
        let checked = self.check_looked(looked).await?;
        if checked.iter().any(|image| matches!(image.verdict, Verdict::Build(_))) {
            self.engine.get().await.map_err(|error| vec![error])?;
        }
        each(checked, |checked| {
            let publisher = self.clone();
            async move { Box::pin(publisher.publish_one(checked)).await }
        })
        .await
    }

    /// Finds out what would become of the images, and changes nothing: looks at what each build would see, and asks the
    /// registry whether it has the image of that. The answers are in the order of the plans.
    ///
    /// # Errors
    /// Those of every image: a context that can't be read, or that holds what must not get into an image; a registry that
    /// does not answer.
    pub async fn check(&self, plans: Vec<BuildPlan>) -> Result<Vec<Checked>, Vec<ImageError>> {
        self.check_looked(self.look(plans).await?).await
    }

    /// Looks at what each build would see, as [`look`] does.
    ///
    /// # Errors
    /// Those of [`look`].
    pub async fn look(&self, plans: Vec<BuildPlan>) -> Result<Vec<Looked>, Vec<ImageError>> {
        look(plans, &self.options, &self.sink).await
    }

    /// Asks the registry whether it has the images of sources that were looked at already.
    ///
    /// # Errors
    /// Those of every image for which the registry does not answer.
    pub async fn check_looked(&self, looked: Vec<Looked>) -> Result<Vec<Checked>, Vec<ImageError>> {
        each(looked, |Looked { plan, source }| {
            let publisher = self.clone();
            async move {
                let verdict = judge(&publisher.catalog, &plan, &source, publisher.options.force).await?;
                publisher.reporter(&plan).send(match &verdict {
                    Verdict::Present(present) => ImageEventKind::Present { tag: present.tag.clone() },
                    Verdict::Build(reason) => ImageEventKind::ToBuild { reason: *reason },
                });
                Ok(Checked { plan, source, verdict })
            }
        })
        .await
    }
}

/// Looks at what each build would see, side by side, and asks no one. The answers are in the order of the plans.
///
/// # Errors
/// Those of every image: a context that can't be read, or that holds what must not get into an image.
pub async fn look(
    plans: Vec<BuildPlan>,
    options: &PublishOptions,
    sink: &Sink,
) -> Result<Vec<Looked>, Vec<ImageError>> {
    each(plans, |plan| {
        let (options, reporter) = (options.clone(), Reporter::new(plan.image, sink.clone()));
        async move {
            let source = check::look(&plan, &options).await?;
            let SourceFacts { files, bytes, read, took, .. } = source;
            reporter.send(ImageEventKind::Looked { files, bytes, read, took });
            if source.repository {
                reporter.note(
                    "its build sees `.git`, which is another one in every checkout: put `.git` into .dockerignore, or \
                     every checkout builds anew",
                );
            }
            for path in &source.unused_allowed {
                reporter.note(format!(
                    "`allow_in_context` names {}, which is not there or does not look like a secret",
                    path.display()
                ));
            }
            Ok(Looked { plan, source })
        }
    })
    .await
}

/// Does the same for each of `items` side by side; the answers are in their order.
async fn each<T, U, W>(items: Vec<T>, work: impl Fn(T) -> W) -> Result<Vec<U>, Vec<ImageError>>
where
    W: Future<Output = Result<U, ImageError>> + Send + 'static,
    U: Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (place, item) in items.into_iter().enumerate() {
        let work = work(item);
        tasks.spawn(async move { (place, work.await) });
    }
    let mut results = tasks.join_all().await;
    results.sort_by_key(|(place, _)| *place);
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (_, result) in results {
        match result {
            Ok(value) => done.push(value),
            Err(error) => failed.push(error),
        }
    }
    if failed.is_empty() { Ok(done) } else { Err(failed) }
}

impl Publisher {
    async fn publish_one(&self, checked: Checked) -> Result<PublishedImage, ImageError> {
        match &checked.verdict {
            Verdict::Present(present) => self.keep_present(&checked, present).await,
            Verdict::Build(reason) => Box::pin(self.build(&checked, *reason)).await,
        }
    }

    /// The image that the registry has is the answer; it gets the commit's tag where no image has that.
    async fn keep_present(&self, checked: &Checked, present: &Present) -> Result<PublishedImage, ImageError> {
        let plan = &checked.plan;
        let reporter = self.reporter(plan);
        let tags = if present.commit_known { None } else { self.origin(checked).tags().await };
        if let Some(tag) = tags.and_then(|tags| tags.commit)
            && let Err(error) = self.catalog.tag(&plan.repository, &present.manifest, tag, &reporter).await
        {
            // The image is there and has a tag; ECR allows no more than 1,000 on one.
            reporter
                .send(ImageEventKind::Warning(format!("the image stays without {tag}: failed to {error}")));
        }
        reporter.send(ImageEventKind::Published { digest: present.digest().clone(), sent: false });
        published(plan, &present.manifest, present.tag.clone(), Made::Unchanged)
    }

    async fn build(&self, checked: &Checked, reason: BuildReason) -> Result<PublishedImage, ImageError> {
        let began = Instant::now();
        let plan = &checked.plan;
        let reporter = self.reporter(plan);
        let engine = self.engine.get().await?;
        let login = Login::new(engine, &self.registry).await?;
        let delivery = Delivery {
            engine,
            login: &login,
            catalog: &self.catalog,
            reporter: &reporter,
            origin: &self.origin(checked),
        };
        let Delivered { digest, origin, sent, names } = delivery.deliver().await?;
        drop(names);
        let (manifest, tag, bytes) = self.verify_and_tag(plan, &digest, origin, &reporter).await?;
        reporter.send(ImageEventKind::Published { digest, sent });
        let made = Made::Built { reason, sent, took: began.elapsed() };
        Ok(PublishedImage { bytes: Some(bytes), ..published(plan, &manifest, tag, made)? })
    }

    /// Looks at the image as the registry has it, and then gives it the tags that say what it was built from.
    async fn verify_and_tag(
        &self,
        plan: &BuildPlan,
        digest: &ImageDigest,
        origin: Option<OriginTags<'_>>,
        reporter: &Reporter,
    ) -> Result<(Manifest, ImageTag, u64), ImageError> {
        let wanted = Wanted {
            image: plan.image,
            repository: &plan.repository,
            digest,
            architecture: plan.architecture,
            budget_mb: plan.budget_mb,
        };
        let connection = self.registry.connect()?;
        let (manifest, verified) =
            tokio::join!(self.catalog.manifest(&plan.repository, digest), verify(&connection, &wanted));
        let (manifest, verified) = (manifest?, verified?);
        if let Some(overweight) = verified.overweight {
            reporter.send(ImageEventKind::Warning(overweight));
        }
        let mut wanted = Vec::new();
        match origin {
            Some(OriginTags { source, commit }) => {
                wanted.push(source);
                wanted.extend(commit);
            }
            None => reporter.send(ImageEventKind::Warning(
                "the build context changed while the image was built: it gets no tag that says what it was built from, \
                 and the next run builds again"
                    .to_owned(),
            )),
        }
        let mut set = None;
        for tag in wanted {
            match self.catalog.tag(&plan.repository, &manifest, tag, reporter).await? {
                TagOutcome::Set | TagOutcome::AlreadySet => set = Some(tag.clone()),
                TagOutcome::Taken { .. } => {}
            }
        }
        let tag = match set {
            Some(tag) => tag,
            None => self.catalog.keep(&plan.repository, &manifest, reporter).await?,
        };
        Ok((manifest, tag, verified.bytes))
    }

    fn origin<'a>(&'a self, checked: &'a Checked) -> Origin<'a> {
        Origin { checked, options: &self.options }
    }

    fn reporter(&self, plan: &BuildPlan) -> Reporter {
        Reporter::new(plan.image, self.sink.clone())
    }
}

fn published(
    plan: &BuildPlan,
    manifest: &Manifest,
    tag: ImageTag,
    made: Made,
) -> Result<PublishedImage, ImageError> {
    Ok(PublishedImage {
        image: plan.image,
        reference: ImageReference {
            repository_uri: plan.repository.uri.clone(),
            digest: manifest.digest().clone(),
        },
        tag,
        acceptable: manifest.acceptable_digests()?,
        bytes: manifest.bytes(),
        made,
    })
}
