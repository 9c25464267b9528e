//! Which images a deploy uses, decided before anything is sent.

use super::{Before, image_build::ImageBuild};
use crate::{
    failure::{Failure, Problem},
    promote,
    target::Target,
};
use leo_aws::FailureKind;
use leo_image::{
    DemoImages, ImageDigest, ImageError, ImageName, ImagesChoice, Selection, SourceChoice, Sources,
    choose_sources,
};
use leo_project::Project;
use leo_release::{Artifacts, Promotion};
use leo_stack::Stacks;

/// Where a deploy takes its images from.
pub(crate) enum ImagePlan {
    /// Build what the registry does not have, with this engine, and push it.
    Build(ImageBuild),
    /// What the platform runs when it is this run's turn.
    Current,
    /// These digests, which the registry has to have; an image without one stays as the platform runs it when it is this
    /// run's turn.
    Digests { orchestrator: Option<ImageDigest>, generator: Option<ImageDigest> },
    /// What was promoted to the environment when it was looked; the registry has to have it.
    Promoted(Box<Promotion>, [ImageDigest; 2]),
    /// None: the target runs no containers.
    None,
}

impl ImagePlan {
    /// Whether they are the demo images.
    pub(crate) fn are_demo(&self) -> bool {
        matches!(self, Self::Build(build) if build.choice.sources == Sources::Demo)
    }

    /// The promotion that they come from.
    pub(crate) fn promotion(&self) -> Option<&Promotion> {
        match self {
            Self::Promoted(promotion, _) => Some(promotion),
            Self::Build(..) | Self::Current | Self::Digests { .. } | Self::None => None,
        }
    }
}

/// The images of a deploy: what `--images` says, or what suits where it runs. What building needs of this machine is
/// looked for here, before anything is sent.
pub(crate) async fn choose(
    project: &Project,
    target: &Target,
    stacks: &Stacks,
    artifacts: &Artifacts,
    asked: Option<ImagesChoice>,
    demo: DemoImages,
    before: &Before,
) -> Result<ImagePlan, Failure> {
    if !target.runs_containers() {
        return Ok(ImagePlan::None);
    }
    // Who asks for the demo images asks for a build.
    let may_be_promoted = match &asked {
        Some(choice) => *choice == ImagesChoice::Promoted,
        None => demo != DemoImages::Requested,
    };
    let environment = project.config.environment.name.as_str();
    // The bucket is there also while the registry's stack is being updated.
    let has_bucket = before.registry.as_ref().is_some_and(|stack| !stack.outputs.is_empty());
    let pending = match (may_be_promoted && has_bucket, asked.is_some()) {
        (false, _) => None,
        (true, true) => artifacts.promotion(environment).await.map_err(Problem::from)?,
        (true, false) => super::promotion::pending(artifacts, environment).await?,
    };
    let platform = before.platform.as_ref();
    let choice = asked.unwrap_or_else(|| {
        let sources = choose_sources(&project.config.images, &project.root, demo, Selection::Both);
        let buildable = !matches!(sources, Err(ImageError::MissingSiblings { .. }));
        let (choice, said) = ImagesChoice::default_for(pending.is_some(), buildable, platform.is_some());
        if let Some(said) = said {
            eprintln!("note: {said}");
        }
        choice
    });
    match choice {
        ImagesChoice::Build => {
            let build = ImageBuild::of_both(sources(project, demo, Selection::Both)?);
            build.preflight(project, target, stacks).await?;
            Ok(ImagePlan::Build(build))
        }
        ImagesChoice::Promoted => {
            let pending = pending.ok_or_else(|| promote::nothing_pending(environment))?;
            let digests = promote::digests(&pending.promotion)?;
            eprintln!("note: {}", promote::said(&pending.promotion, &digests));
            Ok(ImagePlan::Promoted(Box::new(pending.promotion), digests))
        }
        ImagesChoice::Explicit { orchestrator, generator } => {
            completed(stacks, platform, orchestrator.as_ref(), generator.as_ref())?;
            for (image, named) in
                [(ImageName::Orchestrator, &orchestrator), (ImageName::Generator, &generator)]
            {
                if named.is_none() {
                    // As it will when the turn comes: another deploy may have changed it by then.
                    eprintln!("note: keeping the {image} as it runs");
                }
            }
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
    let digest = |image| running(stacks, platform, image);
    digest(ImageName::Orchestrator).zip(digest(ImageName::Generator)).ok_or_else(|| {
        Problem::new(
            FailureKind::Usage,
            format!("keep the current images: `{}` runs none", stacks.platform.name),
        )
        .hint("build them with `--images build`, or name digests")
    })
}

/// The digests that were named, and for an image without one what the platform runs.
pub(super) fn completed(
    stacks: &Stacks,
    platform: Option<&leo_deploy::Stack>,
    orchestrator: Option<&ImageDigest>,
    generator: Option<&ImageDigest>,
) -> Result<(ImageDigest, ImageDigest), Problem> {
    let digest = |image: ImageName, named: Option<&ImageDigest>| {
        named.cloned().or_else(|| running(stacks, platform, image)).ok_or_else(|| {
            Problem::new(
                FailureKind::Usage,
                format!("keep the {image} as it runs: `{}` runs none", stacks.platform.name),
            )
            .hint("name the digests of both images, or build them with `--images build`")
        })
    };
    Ok((digest(ImageName::Orchestrator, orchestrator)?, digest(ImageName::Generator, generator)?))
}

/// Refuses to say what a platform runs while it is being changed: what it runs may be undone.
pub(super) fn refuse_moving(platform: Option<&leo_deploy::Stack>) -> Result<(), Problem> {
    match platform {
        Some(stack) if stack.status.in_progress() => Err(Problem::new(
            FailureKind::Failed,
            format!("know which images `{}` runs: it is {}", stack.name, stack.status),
        )
        .hint("wait until that operation is over, then run the same command again")),
        _ => Ok(()),
    }
}

/// The digest of an image that a platform runs.
pub(crate) fn running(
    stacks: &Stacks,
    platform: Option<&leo_deploy::Stack>,
    image: ImageName,
) -> Option<ImageDigest> {
    let key = match image {
        ImageName::Orchestrator => &stacks.keys.orchestrator_image,
        ImageName::Generator => &stacks.keys.generator_image,
    };
    let (_, digest) = platform?.parameters.get(key)?.rsplit_once('@')?;
    digest.parse().ok()
}

/// Whether the demo images may stand in for the siblings.
pub(crate) fn demo(asked: bool, local: bool) -> DemoImages {
    match (asked, local) {
        (true, _) => DemoImages::Requested,
        (false, true) => DemoImages::WhenMissing,
        (false, false) => DemoImages::No,
    }
}

/// Where the images are built from; what the user has to know about it is printed.
pub(crate) fn sources(
    project: &Project,
    demo: DemoImages,
    selection: Selection,
) -> Result<SourceChoice, Failure> {
    let choice =
        choose_sources(&project.config.images, &project.root, demo, selection).map_err(Problem::from)?;
    if let Some(said) = &choice.said {
        eprintln!("note: {said}");
    }
    Ok(choice)
}

#[cfg(test)]
mod tests {
    use super::{super::plan::testing::stack, *};

    #[test]
    fn what_runs_is_not_known_while_it_changes() {
        for (status, known) in [
            ("UPDATE_COMPLETE", true),
            ("UPDATE_ROLLBACK_FAILED", true),
            ("UPDATE_IN_PROGRESS", false),
            ("UPDATE_ROLLBACK_IN_PROGRESS", false),
        ] {
            assert_eq!(refuse_moving(Some(&stack(status, &[], &[]))).is_ok(), known, "{status}");
        }
        refuse_moving(None).expect("nothing changes");
    }

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
        let other: ImageDigest = format!("sha256:{}", "c".repeat(64)).parse().expect("is a digest");
        let (kept, named) = completed(&stacks, Some(&platform), None, Some(&other)).expect("runs");
        assert_eq!((&kept, &named), (&first, &other));
        assert_eq!(
            completed(&stacks, None, Some(&first), Some(&other)).expect("is complete"),
            (first, other)
        );
        for platform in [None, Some(&stack("UPDATE_COMPLETE", &[], &[(keys[0], orchestrator.as_str())]))] {
            let problem = current(&stacks, platform).expect_err("runs none");
            assert_eq!(problem.message, "keep the current images: `leo-dev-platform` runs none");
            let named = image("c").rsplit_once('@').expect("has one").1.parse().expect("is a digest");
            let problem = completed(&stacks, platform, Some(&named), None).expect_err("runs none");
            assert_eq!(problem.message, "keep the generator as it runs: `leo-dev-platform` runs none");
        }
    }
}
