//! Which images a deploy uses, decided before anything is sent.

use crate::{
    failure::{Failure, Problem},
    target::Target,
};
use leo_aws::FailureKind;
use leo_image::{
    DemoImages, ImageDigest, ImageError, ImagesChoice, LazyEngine, SourceChoice, Sources, choose_sources,
};
use leo_project::Project;
use leo_stack::Stacks;

/// Where a deploy takes its images from.
pub(crate) enum ImagePlan {
    /// Build what the registry does not have, with this engine, and push it.
    Build(SourceChoice, LazyEngine),
    /// What the platform runs when it is this run's turn.
    Current,
    /// These digests, which the registry has to have.
    Digests { orchestrator: ImageDigest, generator: ImageDigest },
    /// None: the target runs no containers.
    None,
}

impl ImagePlan {
    /// Whether they are the demo images.
    pub(crate) fn are_demo(&self) -> bool {
        matches!(self, Self::Build(choice, _) if choice.sources == Sources::Demo)
    }
}

/// The images of a deploy: what `--images` says, or what suits where it runs. What building needs of this machine is
/// looked for here, before anything is sent.
pub(crate) async fn choose(
    project: &Project,
    target: &Target,
    stacks: &Stacks,
    asked: Option<ImagesChoice>,
    demo: DemoImages,
    platform: Option<&leo_deploy::Stack>,
) -> Result<ImagePlan, Failure> {
    if !target.runs_containers() {
        return Ok(ImagePlan::None);
    }
    let choice = asked.unwrap_or_else(|| {
        let sources = choose_sources(&project.config.images, &project.root, demo);
        let buildable = !matches!(sources, Err(ImageError::MissingSiblings { .. }));
        let (choice, said) = ImagesChoice::default_for(buildable, platform.is_some());
        if let Some(said) = said {
            eprintln!("note: {said}");
        }
        choice
    });
    match choice {
        ImagesChoice::Build => {
            let (choice, engine) = (sources(project, demo)?, LazyEngine::of_this_machine());
            super::images::preflight(project, target, stacks, &choice, &engine).await?;
            Ok(ImagePlan::Build(choice, engine))
        }
        ImagesChoice::Explicit { orchestrator, generator } => {
            Ok(ImagePlan::Digests { orchestrator, generator })
        }
        ImagesChoice::Current => {
            current(stacks, platform)?;
            Ok(ImagePlan::Current)
        }
    }
}

/// The digests of the orchestrator and the generators that a platform runs.
pub(super) fn current(
    stacks: &Stacks,
    platform: Option<&leo_deploy::Stack>,
) -> Result<(ImageDigest, ImageDigest), Problem> {
    let digest = |key: &str| {
        platform
            .and_then(|platform| platform.parameters.get(key))
            .and_then(|image| image.rsplit_once('@'))
            .and_then(|(_, digest)| digest.parse().ok())
    };
    digest(&stacks.keys.orchestrator_image).zip(digest(&stacks.keys.generator_image)).ok_or_else(|| {
        Problem::new(
            FailureKind::Usage,
            format!("keep the current images: `{}` runs none", stacks.platform.name),
        )
        .hint("build them with `--images build`, or name digests")
    })
}

/// Whether the demo images may stand in for the siblings.
pub(crate) fn demo(asked: bool, local: bool) -> DemoImages {
    match (asked, local) {
        (true, _) => DemoImages::Requested,
        (false, true) => DemoImages::WhenMissing,
        (false, false) => DemoImages::No,
    }
}

/// Where both images are built from; what the user has to know about it is printed.
pub(crate) fn sources(project: &Project, demo: DemoImages) -> Result<SourceChoice, Failure> {
    let choice = choose_sources(&project.config.images, &project.root, demo).map_err(Problem::from)?;
    if let Some(said) = &choice.said {
        eprintln!("note: {said}");
    }
    Ok(choice)
}

#[cfg(test)]
mod tests {
    use super::{super::plan::testing::stack, *};

    #[test]
    fn what_runs_is_read_from_the_platform() {
        let config = leo_config::testing::load("[environments.dev]").expect("is valid");
        let stacks = leo_stack::compose(&config).expect("composes");
        let image = |digit: &str| format!("r/leo@sha256:{}", digit.repeat(64));
        let (orchestrator, generator) = (image("a"), image("b"));
        let keys = [stacks.keys.orchestrator_image.as_str(), stacks.keys.generator_image.as_str()];
        let platform =
            stack("UPDATE_COMPLETE", &[], &[(keys[0], orchestrator.as_str()), (keys[1], generator.as_str())]);
        let (first, second) = current(&stacks, Some(&platform)).expect("runs");
        assert!(orchestrator.ends_with(first.as_str()) && generator.ends_with(second.as_str()));
        for platform in [None, Some(&stack("UPDATE_COMPLETE", &[], &[(keys[0], orchestrator.as_str())]))] {
            let problem = current(&stacks, platform).expect_err("runs none");
            assert_eq!(problem.message, "keep the current images: `leo-dev-platform` runs none");
        }
    }
}
