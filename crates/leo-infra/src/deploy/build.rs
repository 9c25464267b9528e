//! Building images and pushing them, for every command that does.

use super::images::{Built, Repositories, existing_repositories, lines_to, repositories};
use crate::{
    failure::{Failure, Problem},
    keep,
    target::Target,
};
use leo_aws::FailureKind;
use leo_deploy::{Finished, Reporter};
use leo_image::{
    BuildPlan, CacheUse, GitFacts, ImageError, ImageName, LazyEngine, PlanInput, PublishOptions,
    PublishedImage, Publisher, Selection, SourceChoice, SourcePair, Sources, Verdict, plan as plan_build,
};
use leo_project::Project;
use leo_stack::Stacks;
use std::sync::Arc;

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
    let plans = plans(project, target, sources, Selection::Both, &repositories).await;
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

/// Builds those of the selected images that the registry does not have, pushes them, and gives all of them in the order
/// orchestrator, generator.
pub(crate) async fn build(
    project: &Project,
    target: &Target,
    choice: SourceChoice,
    selection: Selection,
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
    let plans = plans(project, target, sources, selection, repositories).await;
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

/// How the selected images are built, in the order orchestrator, generator.
async fn plans(
    project: &Project,
    target: &Target,
    sources: SourcePair,
    selection: Selection,
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
