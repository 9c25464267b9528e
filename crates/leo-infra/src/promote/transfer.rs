//! The images in the target's registry: there already, or copied by digest.

use super::{copying::Copying, side::Side, source::Source};
use crate::{deploy::image_events, failure::Problem};
use leo_aws::FailureKind;
use leo_config::Architecture;
use leo_deploy::{Finished, Reporter};
use leo_image::{ImageDigest, ImageError, ImageName, ImageReference, Wanted, verify};
use leo_oci::{Connection, Copied, copy};

/// An image that the target's registry has, with a tag that no lifecycle rule touches.
#[derive(Clone, Debug)]
pub(crate) struct Transferred {
    pub(crate) name: ImageName,
    pub(crate) reference: ImageReference,
    /// What it took; `None` where both have one registry.
    pub(crate) copied: Option<Copied>,
}

/// What both images need: the release, and the registries that are asked.
struct Transfer<'a> {
    from: &'a Side,
    to: &'a Side,
    source: &'a Source,
    registry: Connection,
    /// Where the images go, where that is another one.
    other_registry: Option<Connection>,
}

/// An image as a promotion would find it.
#[derive(Clone, Debug)]
pub(crate) struct Foreseen {
    pub(crate) name: ImageName,
    pub(crate) reference: ImageReference,
    /// What it weighs in the registry, compressed, in bytes.
    pub(crate) bytes: u64,
    /// The target's registry has it.
    pub(crate) present: bool,
}

/// Both images, orchestrator first.
pub(super) async fn images(
    from: &Side,
    to: &Side,
    source: &Source,
    reporter: &Reporter,
) -> Result<Finished<Vec<Transferred>>, Problem> {
    let transfer = Transfer::new(from, to, source).await?;
    let [orchestrator, generator] = &source.digests;
    let (orchestrator, generator) = tokio::try_join!(
        transfer.image(ImageName::Orchestrator, orchestrator, reporter),
        transfer.image(ImageName::Generator, generator, reporter),
    )?;
    let images = vec![orchestrator, generator];
    let changed = images.iter().any(|image| image.copied.is_some_and(|copied| copied != Copied::default()));
    Ok(Finished::new(images, changed))
}

/// What would become of both images, orchestrator first. Nothing is sent or tagged.
pub(super) async fn foresee(
    from: &Side,
    to: &Side,
    source: &Source,
    reporter: &Reporter,
) -> Result<Vec<Foreseen>, Problem> {
    let transfer = Transfer::new(from, to, source).await?;
    let [orchestrator, generator] = &source.digests;
    let (orchestrator, generator) = tokio::try_join!(
        transfer.foresee(ImageName::Orchestrator, orchestrator, reporter),
        transfer.foresee(ImageName::Generator, generator, reporter),
    )?;
    Ok(vec![orchestrator, generator])
}

impl<'a> Transfer<'a> {
    async fn new(from: &'a Side, to: &'a Side, source: &'a Source) -> Result<Self, Problem> {
        let other_registry = if from.shares_registry_with(to) {
            None
        } else {
            Some(to.connection(ImageName::Orchestrator).await?)
        };
        let registry = from.connection(ImageName::Orchestrator).await?;
        Ok(Self { from, to, source, registry, other_registry })
    }

    async fn image(
        &self,
        name: ImageName,
        digest: &ImageDigest,
        reporter: &Reporter,
    ) -> Result<Transferred, Problem> {
        let (from, to) = (self.from.repositories.of(name), self.to.repositories.of(name));
        self.fits(name, digest, reporter).await?;
        let copied = match &self.other_registry {
            None => None,
            Some(other) => {
                let told = Copying::sink(name, reporter.clone());
                let copied = copy(&self.registry, &from.name, digest, other, &to.name, told).await;
                Some(copied.map_err(ImageError::from).map_err(|error| self.gone(error))?)
            }
        };
        let adopted = self.to.target.catalog().adopt(name, to, digest, image_events::sink(reporter)).await;
        let image = adopted.map_err(|error| self.gone(error))?;
        Ok(Transferred { name, reference: image.reference, copied })
    }

    async fn foresee(
        &self,
        name: ImageName,
        digest: &ImageDigest,
        reporter: &Reporter,
    ) -> Result<Foreseen, Problem> {
        let bytes = self.fits(name, digest, reporter).await?;
        let to = self.to.repositories.of(name);
        let present = match self.other_registry {
            // It was found there just now.
            None => true,
            Some(_) => self.to.target.catalog().by_digest(to, digest).await?.is_some(),
        };
        let reference = ImageReference { repository_uri: to.uri.clone(), digest: digest.clone() };
        Ok(Foreseen { name, reference, bytes, present })
    }

    /// Whether the target's tasks can start the image of the source; what it weighs, compressed, in bytes.
    async fn fits(&self, name: ImageName, digest: &ImageDigest, reporter: &Reporter) -> Result<u64, Problem> {
        let (architecture, budget_mb) = wanted(self.to, name);
        let repository = self.from.repositories.of(name);
        let wanted = Wanted { image: name, repository, digest, architecture, budget_mb };
        let verified = verify(&self.registry, &wanted).await.map_err(|error| self.gone(error))?;
        if let Some(overweight) = verified.overweight {
            reporter.warning(format!("{name}: {overweight}"));
        }
        Ok(verified.bytes)
    }

    /// The registry has lost what a release was made of.
    fn gone(&self, error: ImageError) -> Problem {
        let missing = matches!(error, ImageError::DigestMissing { .. });
        let problem = Problem::from(error);
        if !missing {
            return problem;
        }
        let environment = self.from.environment();
        let release = self.source.release;
        Problem::new(
            FailureKind::Failed,
            format!("promote release {release} of `{environment}`: {}: it was deleted", problem.message),
        )
        .hint(format!(
            "deploy what `{environment}` should have, and promote that: `cargo xtask deploy --environment \
             {environment}`"
        ))
    }
}

/// What an environment's task definition runs on, and what its image may weigh.
fn wanted(side: &Side, image: ImageName) -> (Architecture, u32) {
    let config = &side.project.config;
    match image {
        ImageName::Orchestrator => (config.orchestrator.architecture, config.images.orchestrator.budget_mb),
        ImageName::Generator => (config.generator.architecture, config.images.generator.budget_mb),
    }
}
