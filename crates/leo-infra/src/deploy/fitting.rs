//! Whether images that were chosen by digest may run here, asked before a platform is changed.

use super::images::{Repositories, join_errors};
use crate::{failure::Problem, target::Target};
use leo_config::Config;
use leo_deploy::Reporter;
use leo_image::{ImageDigest, ImageError, ImageName, Repository, Verified, Wanted, verify};

/// Refuses images for another processor than their task definitions'; what weighs too much is a warning.
pub(super) async fn check(
    config: &Config,
    target: &Target,
    repositories: &Repositories,
    [orchestrator, generator]: [&ImageDigest; 2],
    reporter: &Reporter,
) -> Result<(), Problem> {
    let check = async |name, digest| {
        let verified = verified(config, target, repositories.of(name), name, digest).await?;
        if let Some(overweight) = verified.overweight {
            reporter.warning(format!("{name}: {overweight}"));
        }
        Ok::<_, ImageError>(())
    };
    let (orchestrator, generator) =
        tokio::join!(check(ImageName::Orchestrator, orchestrator), check(ImageName::Generator, generator));
    let errors: Vec<_> = [orchestrator, generator].into_iter().filter_map(Result::err).collect();
    if errors.is_empty() { Ok(()) } else { Err(join_errors(errors)) }
}

/// What the registry says of an image that is to run here.
pub(crate) async fn verified(
    config: &Config,
    target: &Target,
    repository: &Repository,
    image: ImageName,
    digest: &ImageDigest,
) -> Result<Verified, ImageError> {
    let (architecture, budget_mb) = match image {
        ImageName::Orchestrator => (config.orchestrator.architecture, config.images.orchestrator.budget_mb),
        ImageName::Generator => (config.generator.architecture, config.images.generator.budget_mb),
    };
    let registry = target.registry(repository).at_endpoint().await?.connect()?;
    verify(&registry, &Wanted { image, repository, digest, architecture, budget_mb }).await
}
