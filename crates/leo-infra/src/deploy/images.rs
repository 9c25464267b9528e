//! The images as a step: built and pushed, kept as they run, or given by digest.

use super::{Before, Plan, choice::ImagePlan};
use crate::{
    failure::{Failure, Problem},
    keep,
    target::Target,
};
use leo_aws::FailureKind;
use leo_config::names;
use leo_deploy::{Finished, Reporter, StackOutcome};
use leo_image::{
    BuildPlan, CacheUse, GitFacts, ImageDigest, ImageError, ImageEventKind, ImageName, ImageReference,
    LazyEngine, PlanInput, PublishOptions, PublishedImage, Publisher, Repository, SourceChoice, SourcePair,
    Sources, Verdict, plan as plan_build,
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
            let finished = build(plan.project, plan.target, choice, engine, &repositories, reporter).await?;
            (finished.value, finished.changed)
        }
        ImagePlan::Current => {
            let (orchestrator, generator) = super::choice::current(plan.stacks, before.platform.as_ref())?;
            (adopt(plan.target, &repositories, [&orchestrator, &generator], reporter).await?, false)
        }
        ImagePlan::Digests { orchestrator, generator } => {
            (adopt(plan.target, &repositories, [orchestrator, generator], reporter).await?, false)
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
) -> Result<Vec<Built>, Problem> {
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

/// What has to be right before anything is sent: the build contexts hold no secrets, and there is an engine if something
/// has to be built.
pub(super) async fn preflight(
    project: &Project,
    target: &Target,
    stacks: &Stacks,
    choice: &SourceChoice,
    engine: &LazyEngine,
) -> Result<(), Failure> {
    let missing = engine.get().await.err();
    let sources = match (&choice.sources, &missing) {
        (Sources::Siblings(siblings), _) => (**siblings).clone(),
        // They hold nothing of the user's, and compiling them is a step of its own.
        (Sources::Demo, None) => return Ok(()),
        (Sources::Demo, Some(_)) => compile_demo(project, |_| {}).await.map_err(Problem::from)?,
    };
    // Before a first deploy there are none, and nothing that could be in them.
    let existing = existing_repositories(target, stacks).await.ok();
    let present = existing.is_some();
    let repositories = existing.unwrap_or_else(|| repositories(target, "", ""));
    let plans = plans(project, target, sources, &repositories).await;
    let publisher = publisher(project, target, engine.clone(), &repositories, Arc::new(|_| {}));
    let Some(missing) = missing else {
        publisher.look(plans).await.map_err(join_errors)?;
        return Ok(());
    };
    if present {
        let checked = publisher.check(plans).await.map_err(join_errors)?;
        if checked.iter().all(|image| matches!(image.verdict, Verdict::Present(_))) {
            return Ok(());
        }
    }
    Err(Problem::from(missing).into())
}

/// Builds those of both images that the registry does not have, pushes them, and gives both in the order orchestrator,
/// generator.
pub(crate) async fn build(
    project: &Project,
    target: &Target,
    choice: SourceChoice,
    engine: LazyEngine,
    repositories: &Repositories,
    reporter: &Reporter,
) -> Result<Finished<Vec<Built>>, Problem> {
    let sources = match choice.sources {
        Sources::Siblings(siblings) => *siblings,
        Sources::Demo => {
            reporter.note("compiling the demo programs");
            compile_demo(project, |line| reporter.line(line)).await?
        }
    };
    let plans = plans(project, target, sources, repositories).await;
    let publisher = publisher(project, target, engine, repositories, lines_to(reporter));
    let published = publisher.publish(plans).await.map_err(join_errors)?;
    let changed = published.iter().any(PublishedImage::sent);
    Ok(Finished::new(published.into_iter().map(Built::from).collect(), changed))
}

async fn compile_demo(project: &Project, on_line: impl Fn(&str)) -> Result<SourcePair, ImageError> {
    let config = &project.config;
    leo_image::demo::build(
        &project.root,
        config.orchestrator.architecture,
        config.generator.architecture,
        on_line,
    )
    .await
}

/// How both images are built, in the order orchestrator, generator.
async fn plans(
    project: &Project,
    target: &Target,
    sources: SourcePair,
    repositories: &Repositories,
) -> Vec<BuildPlan> {
    let config = &project.config;
    let images = &config.images;
    let cache = if target.local.is_some() { CacheUse::EngineOnly } else { CacheUse::Registry };
    let mut plans = vec![];
    for (image, source, settings, architecture, repository) in [
        (
            ImageName::Orchestrator,
            sources.orchestrator,
            &images.orchestrator,
            config.orchestrator.architecture,
            &repositories.orchestrator,
        ),
        (
            ImageName::Generator,
            sources.generator,
            &images.generator,
            config.generator.architecture,
            &repositories.generator,
        ),
    ] {
        let git = GitFacts::read(&source.context).await;
        plans.push(plan_build(PlanInput {
            image,
            source,
            architecture,
            repository: repository.clone(),
            git,
            attestations: images.attestations,
            cache,
            budget_mb: settings.budget_mb,
            allowed: settings.allow_in_context.clone(),
            max_age_days: images.max_age_days,
        }));
    }
    plans
}

fn publisher(
    project: &Project,
    target: &Target,
    engine: LazyEngine,
    repositories: &Repositories,
    sink: leo_image::Sink,
) -> Publisher {
    let options = PublishOptions {
        hash_cache: Some(keep::hashes(&project.root)),
        own_root: Some(project.root.clone()),
        ..PublishOptions::default()
    };
    Publisher::new(engine, target.registry(&repositories.orchestrator), target.catalog(), options, sink)
}

/// What happens to an image, as lines, notes and warnings of the step.
fn lines_to(reporter: &Reporter) -> leo_image::Sink {
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
