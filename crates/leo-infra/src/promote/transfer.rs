//! The images in the target's registry: there already, or copied by digest.

use super::{side::Side, source::Source};
use crate::{deploy::images::lines_to, failure::Problem};
use leo_aws::FailureKind;
use leo_deploy::{Finished, Reporter};
use leo_image::{ImageDigest, ImageError, ImageName, ImageReference};

/// An image that the target's registry has, with a tag that no lifecycle rule touches.
#[derive(Clone, Debug)]
pub(crate) struct Transferred {
    pub(crate) name: ImageName,
    pub(crate) reference: ImageReference,
    /// Bytes that were sent; `None` where the registry is the same.
    pub(crate) sent: Option<u64>,
}

/// Both images, orchestrator first.
pub(super) async fn images(
    from: &Side,
    to: &Side,
    source: &Source,
    reporter: &Reporter,
) -> Result<Finished<Vec<Transferred>>, Problem> {
    if !from.shares_registry_with(to) {
        return Err(Problem::new(FailureKind::Failed, "copy between registries: not yet"));
    }
    let [orchestrator, generator] = &source.digests;
    let (orchestrator, generator) = tokio::try_join!(
        image(from, to, source, (ImageName::Orchestrator, orchestrator), reporter),
        image(from, to, source, (ImageName::Generator, generator), reporter),
    )?;
    Ok(Finished::new(vec![orchestrator, generator], false))
}

async fn image(
    from: &Side,
    to: &Side,
    source: &Source,
    (name, digest): (ImageName, &ImageDigest),
    reporter: &Reporter,
) -> Result<Transferred, Problem> {
    let repository = to.repositories.of(name);
    let adopted = to.target.catalog().adopt(name, repository, digest, lines_to(reporter)).await;
    let image = adopted.map_err(|error| gone(error, from, source))?;
    Ok(Transferred { name, reference: image.reference, sent: None })
}

/// The registry has lost what a release was made of.
fn gone(error: ImageError, from: &Side, source: &Source) -> Problem {
    let missing = matches!(error, ImageError::DigestMissing { .. });
    let problem = Problem::from(error);
    if !missing {
        return problem;
    }
    let environment = from.environment();
    Problem::new(
        FailureKind::Failed,
        format!("promote release {} of `{environment}`: {}: it was deleted", source.release, problem.message),
    )
    .hint(format!("deploy what `{environment}` should have and promote that: `cargo xtask deploy --environment {environment}`"))
}
