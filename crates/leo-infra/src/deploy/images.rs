//! The images as a step: built and pushed, kept as they run, or given by digest.

use super::{Before, Plan, choice::ImagePlan};
use crate::{
    failure::{Failure, Problem},
    target::Target,
};
use leo_aws::FailureKind;
use leo_config::names;
use leo_deploy::{Finished, Reporter, StackOutcome};
use leo_image::{
    CacheUse, Engine, GitFacts, ImageDigest, ImageError, ImageEventKind, ImageName, ImageReference,
    PlanInput, PublishedImage, Publisher, Repository, Selection, SourceChoice, Sources, plan as plan_build,
};
use leo_project::Project;
use leo_stack::Stacks;
use serde_json::{Value as Json, json};
use std::{collections::BTreeSet, sync::Arc};

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
    /// That of an image.
    pub(crate) fn of(&self, image: ImageName) -> &Repository {
        match image {
            ImageName::Orchestrator => &self.orchestrator,
            ImageName::Generator => &self.generator,
        }
    }
}

/// The repositories of a registry that is deployed already.
pub(crate) async fn existing_repositories(target: &Target, stacks: &Stacks) -> Result<Repositories, Failure> {
    let name = stacks.registry.name.to_string();
    let engine = leo_deploy::Stacks::new(target.cloudformation.clone());
    let stack = engine.describe(&name).await.map_err(Problem::from)?;
    let outputs = stack.map(|stack| stack.outputs).ok_or_else(|| {
        Problem::new(
            FailureKind::Failed,
            format!("find the image repositories: stack `{name}` does not exist"),
        )
        .hint("deploy first: `cargo xtask deploy` makes it")
    })?;
    let uri = |key: &str| outputs.get(key).cloned().unwrap_or_default();
    Ok(repositories(
        target,
        &uri(&stacks.keys.orchestrator_repository),
        &uri(&stacks.keys.generator_repository),
    ))
}

fn repositories(target: &Target, orchestrator: &str, generator: &str) -> Repositories {
    Repositories {
        orchestrator: target.repository(names::ORCHESTRATOR_REPOSITORY, orchestrator),
        generator: target.repository(names::GENERATOR_REPOSITORY, generator),
    }
}

pub(super) async fn run(
    plan: &Plan<'_>,
    before: &Before,
    registry: &StackOutcome,
    reporter: &Reporter,
) -> Result<Finished<Images>, Problem> {
    let keys = &plan.stacks.keys;
    let repositories = repositories(
        plan.target,
        super::output(registry, &keys.orchestrator_repository)?,
        super::output(registry, &keys.generator_repository)?,
    );
    let (images, changed) = match &plan.images {
        ImagePlan::Build(choice, engine) => {
            let (choice, engine) = (choice.clone(), engine.clone());
            let finished =
                build(plan.project, plan.target, choice, Selection::Both, engine, &repositories, reporter)
                    .await?;
            (finished.value, finished.changed)
        }
        ImagePlan::Current => {
            let (orchestrator, generator) = super::choice::current(plan.stacks, before.platform.as_ref())?;
            (adopt(plan.target, &repositories, [&orchestrator, &generator], reporter).await?, false)
        }
        ImagePlan::Digests { orchestrator, generator } => {
            let (orchestrator, generator) = super::choice::completed(
                plan.stacks,
                before.platform.as_ref(),
                orchestrator.as_ref(),
                generator.as_ref(),
            )?;
            (adopt(plan.target, &repositories, [&orchestrator, &generator], reporter).await?, false)
        }
        ImagePlan::Promoted(promotion, digests) => {
            let adopted = adopt(plan.target, &repositories, digests.each_ref(), reporter).await;
            (adopted.map_err(|error| crate::promote::gone(error, promotion))?, false)
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
        catalog.adopt(name, repository, digest, lines_to(reporter)).await.map(Built::from)
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

/// Builds the selected images, pushes them, and gives them in the order orchestrator, generator.
pub(crate) async fn build(
    project: &Project,
    target: &Target,
    choice: SourceChoice,
    selection: Selection,
    engine: Engine,
    repositories: &Repositories,
    reporter: &Reporter,
) -> Result<Finished<Vec<Built>>, Problem> {
    let config = &project.config;
    let (orchestrator_architecture, generator_architecture) =
        (config.orchestrator.architecture, config.generator.architecture);
    let sources = match choice.sources {
        Sources::Siblings(siblings) => *siblings,
        Sources::Demo => {
            reporter.note("compiling the demo programs");
            let (root, lines) = (&project.root, reporter.clone());
            leo_image::demo::build(root, orchestrator_architecture, generator_architecture, move |line| {
                lines.line(line);
            })
            .await?
        }
    };
    let cache = if target.local.is_some() { CacheUse::EngineOnly } else { CacheUse::Registry };
    let mut plans = vec![];
    for (image, source, architecture, repository) in [
        (
            ImageName::Orchestrator,
            sources.orchestrator,
            orchestrator_architecture,
            &repositories.orchestrator,
        ),
        (ImageName::Generator, sources.generator, generator_architecture, &repositories.generator),
    ] {
        if !selection.has(image) {
            continue;
        }
        let git = GitFacts::read(&source.context).await;
        plans.push(plan_build(PlanInput {
            image,
            source,
            architecture,
            repository: repository.clone(),
            git,
            attestations: config.images.attestations,
            cache,
        }));
    }
    let registry = target.registry(&repositories.orchestrator);
    let published = Publisher::new(engine, registry, target.catalog(), lines_to(reporter))
        .publish(plans)
        .await
        .map_err(join_errors)?;
    let changed = published.iter().any(|image| image.sent);
    Ok(Finished::new(published.into_iter().map(Built::from).collect(), changed))
}

/// What happens to an image, as lines, notes and warnings of the step.
pub(crate) fn lines_to(reporter: &Reporter) -> leo_image::Sink {
    let reporter = reporter.clone();
    Arc::new(move |event| match &event.kind {
        ImageEventKind::Warning(text) => reporter.warning(format!("{}: {text}", event.image)),
        ImageEventKind::Note(_) => reporter.note(event.to_string()),
        _ => reporter.line(event.to_string()),
    })
}

/// Both images can fail at once; the step has one problem, so the others' messages go with the first.
fn join_errors(errors: Vec<ImageError>) -> Problem {
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
