//! The images as a step: built and pushed, kept as they run, or given by digest.

use super::{Before, Plan, choice::ImagePlan, fitting, image_events};
use crate::{
    failure::{Failure, Problem},
    target::Target,
};
use leo_aws::FailureKind;
use leo_config::names;
use leo_deploy::{Finished, Reporter, StackOutcome};
use leo_image::{ImageDigest, ImageError, ImageName, ImageReference, PublishedImage, Repository};
use leo_stack::Stacks;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// The image of one container.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// Which image.
    pub(crate) name: ImageName,
    /// What the task definition names.
    pub(crate) reference: ImageReference,
    /// What a running task may report as its digest.
    pub(crate) acceptable: BTreeSet<ImageDigest>,
}

impl Built {
    pub(crate) fn json(&self) -> Json {
        json!({
            "name": self.name.as_str(),
            "digest": self.reference.digest.as_str(),
            "repository": self.reference.repository_uri,
        })
    }
}

impl From<PublishedImage> for Built {
    fn from(image: PublishedImage) -> Self {
        Self { name: image.image, reference: image.reference, acceptable: image.acceptable }
    }
}

/// What the templates get where nothing can be built: the form of a digest, and no image's.
const NO_IMAGE: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Both images.
#[derive(Debug)]
pub(crate) struct Images {
    pub(crate) orchestrator: Built,
    pub(crate) generator: Built,
}

/// Both repositories.
pub(crate) struct Repositories {
    orchestrator: Repository,
    generator: Repository,
}

impl Repositories {
    /// From the outputs of the registry's stack.
    pub(super) fn of_outputs(target: &Target, orchestrator: &str, generator: &str) -> Self {
        Self {
            orchestrator: target.repository(names::ORCHESTRATOR_REPOSITORY, orchestrator),
            generator: target.repository(names::GENERATOR_REPOSITORY, generator),
        }
    }

    /// That of an image.
    pub(crate) fn of(&self, image: ImageName) -> &Repository {
        match image {
            ImageName::Orchestrator => &self.orchestrator,
            ImageName::Generator => &self.generator,
        }
    }
}

/// The repositories of a registry that is deployed already; `None` where there is none.
pub(crate) async fn repositories(target: &Target, stacks: &Stacks) -> Result<Option<Repositories>, Problem> {
    let engine = leo_deploy::Stacks::new(target.cloudformation.clone());
    let stack = engine.describe(&stacks.registry.name.to_string()).await?;
    let Some(outputs) = stack.map(|stack| stack.outputs) else { return Ok(None) };
    let uri = |key: &str| outputs.get(key).cloned().unwrap_or_default();
    let (orchestrator, generator) =
        (uri(&stacks.keys.orchestrator_repository), uri(&stacks.keys.generator_repository));
    Ok(Some(Repositories::of_outputs(target, &orchestrator, &generator)))
}

/// The same, where nothing can be done without them.
pub(crate) async fn existing_repositories(target: &Target, stacks: &Stacks) -> Result<Repositories, Failure> {
    repositories(target, stacks).await?.ok_or_else(|| no_repositories(stacks))
}

/// Why nothing can be done without them.
pub(crate) fn no_repositories(stacks: &Stacks) -> Failure {
    let name = &stacks.registry.name;
    Problem::new(FailureKind::Failed, format!("find the image repositories: stack `{name}` does not exist"))
        .hint("deploy first: `cargo xtask deploy` makes it")
        .into()
}

pub(super) async fn run(
    plan: &Plan<'_>,
    before: &Before,
    registry: &StackOutcome,
    reporter: &Reporter,
) -> Result<Finished<Images>, Problem> {
    let keys = &plan.stacks.keys;
    let repositories = Repositories::of_outputs(
        plan.target,
        super::output(registry, &keys.orchestrator_repository)?,
        super::output(registry, &keys.generator_repository)?,
    );
    let (images, changed) = match &plan.images {
        ImagePlan::Build(build) => {
            let looked = build.look(plan.project, plan.target.local.is_some(), reporter).await?;
            let published = build.run(plan.project, plan.target, &repositories, looked, reporter).await?;
            let changed = published.iter().any(PublishedImage::sent);
            (published.into_iter().map(Built::from).collect(), changed)
        }
        ImagePlan::Current => {
            super::choice::refuse_moving(before.platform.as_ref())?;
            let (orchestrator, generator) = super::choice::current(plan.stacks, before.platform.as_ref())?;
            let (config, chosen) = (&plan.project.config, [&orchestrator, &generator]);
            fitting::check(config, plan.target, &repositories, chosen, reporter).await?;
            (adopt(plan.target, &repositories, [&orchestrator, &generator], reporter).await?, false)
        }
        ImagePlan::Digests { orchestrator, generator } => {
            if orchestrator.is_none() || generator.is_none() {
                super::choice::refuse_moving(before.platform.as_ref())?;
            }
            let (orchestrator, generator) = super::choice::completed(
                plan.stacks,
                before.platform.as_ref(),
                orchestrator.as_ref(),
                generator.as_ref(),
            )?;
            // A release that is brought back brings its own template, with which these images passed the gate.
            if plan.release.is_none() {
                let (config, chosen) = (&plan.project.config, [&orchestrator, &generator]);
                fitting::check(config, plan.target, &repositories, chosen, reporter).await?;
            }
            (adopt(plan.target, &repositories, [&orchestrator, &generator], reporter).await?, false)
        }
        ImagePlan::Promoted(promotion, digests) => {
            super::promotion::refuse_another(plan, before, promotion, digests).await?;
            let (config, chosen) = (&plan.project.config, digests.each_ref());
            let adopted = adopt(plan.target, &repositories, chosen, reporter).await;
            let adopted = adopted.map_err(|error| crate::promote::gone(error, promotion))?;
            fitting::check(config, plan.target, &repositories, chosen, reporter).await?;
            (adopted, false)
        }
        ImagePlan::None => {
            reporter.note("no Docker engine: nothing is built, and the templates get placeholder digests");
            let digest: ImageDigest = NO_IMAGE.parse().map_err(|error| {
                Problem::new(FailureKind::Failed, format!("name an image that is not built: {error}"))
            })?;
            let images = [
                (ImageName::Orchestrator, &repositories.orchestrator),
                (ImageName::Generator, &repositories.generator),
            ]
            .map(|(name, repository)| Built {
                name,
                reference: ImageReference { repository_uri: repository.uri.clone(), digest: digest.clone() },
                acceptable: BTreeSet::new(),
            })
            .to_vec();
            (images, false)
        }
    };
    Ok(Finished::new(pair(images)?, changed))
}

/// Images that are in the registry already.
async fn adopt(
    target: &Target,
    repositories: &Repositories,
    [orchestrator, generator]: [&ImageDigest; 2],
    reporter: &Reporter,
) -> Result<Vec<Built>, ImageError> {
    let catalog = target.catalog();
    let adopt = async |name, repository, digest| {
        catalog.adopt(name, repository, digest, image_events::sink(reporter)).await.map(Built::from)
    };
    let (orchestrator, generator) = tokio::try_join!(
        adopt(ImageName::Orchestrator, &repositories.orchestrator, orchestrator),
        adopt(ImageName::Generator, &repositories.generator, generator),
    )?;
    Ok(vec![orchestrator, generator])
}

fn pair(images: Vec<Built>) -> Result<Images, Problem> {
    <[Built; 2]>::try_from(images)
        .map(|[orchestrator, generator]| Images { orchestrator, generator })
        .map_err(|images| {
            Problem::new(FailureKind::Failed, format!("build two images: {} came back", images.len()))
        })
}

/// Both images can fail at once; the step has one problem, so the others' messages go with the first.
pub(crate) fn join_errors(errors: Vec<ImageError>) -> Problem {
    let mut problems = errors.into_iter().map(Problem::from);
    let Some(mut first) = problems.next() else {
        return Problem::new(FailureKind::Failed, "build the images, and no reason was given");
    };
    for problem in problems {
        first.kind = first.kind.max(problem.kind);
        first.details.push(format!("also failed to {}", problem.message));
        first.details.extend(problem.details);
    }
    first
}
