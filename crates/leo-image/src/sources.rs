use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use leo_config::{ImageSource, Images};

use crate::{ImageError, ImageName, MissingFolder, Selection};

/// What an image is built from, with absolute paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The build context.
    pub context: PathBuf,
    /// The Dockerfile, relative to the context.
    pub dockerfile: PathBuf,
    /// The stage to build; `None`: the last.
    pub target: Option<String>,
    /// Build arguments. They end up in the image, so no secret belongs here.
    pub build_args: BTreeMap<String, String>,
    /// Further folders that the Dockerfile reads by name (`COPY --from=<name>`).
    pub named_contexts: BTreeMap<String, PathBuf>,
}

impl Source {
    /// A configured source, whose relative context is relative to `root`.
    pub fn configured(source: &ImageSource, root: &Path) -> Self {
        Self {
            context: normalized(&root.join(&source.context)),
            dockerfile: source.dockerfile.clone(),
            target: source.target.clone(),
            build_args: source.build_args.clone(),
            named_contexts: BTreeMap::new(),
        }
    }
}

/// `path` without `.` and `..`, decided on its text: the path in a message is one that can be typed.
pub(crate) fn normalized(path: &Path) -> PathBuf {
    use std::path::Component;
    path.components().fold(PathBuf::new(), |mut so_far, component| {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if !so_far.pop() {
                    so_far.push("..");
                }
            }
            other => so_far.push(other),
        }
        so_far
    })
}

/// Whether the demo images may stand in for the sibling repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoImages {
    /// They were asked for (`--demo`).
    Requested,
    /// Where a sibling is missing (`--local`).
    WhenMissing,
    /// They were not asked for.
    No,
}

/// The sources of both images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePair {
    /// The orchestrator's.
    pub orchestrator: Source,
    /// The generator's.
    pub generator: Source,
}

/// Where both images are built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sources {
    /// The sibling repositories.
    Siblings(Box<SourcePair>),
    /// The demo programs of this repository; [`crate::demo::build`] compiles them and gives their sources.
    Demo,
}

/// The sources, and what the user has to be told about the choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceChoice {
    /// Where both images are built from.
    pub sources: Sources,
    /// A sentence to print, where the choice is not what was asked for.
    pub said: Option<String>,
}

/// Decides where the images are built from; `root` is this repository's root. Looks whether the folders of the selected
/// ones and their Dockerfiles exist, and nothing more.
///
/// # Errors
/// [`ImageError::MissingSiblings`] with every folder that is missing, where the demo images may not stand in;
/// [`ImageError::MissingDockerfile`] where a folder has none.
pub fn choose_sources(
    images: &Images,
    root: &Path,
    demo: DemoImages,
    selection: Selection,
) -> Result<SourceChoice, ImageError> {
    if demo == DemoImages::Requested {
        return Ok(SourceChoice { sources: Sources::Demo, said: None });
    }
    let pair = SourcePair {
        orchestrator: Source::configured(&images.orchestrator, root),
        generator: Source::configured(&images.generator, root),
    };
    let selected: Vec<(ImageName, &Source)> =
        [(ImageName::Orchestrator, &pair.orchestrator), (ImageName::Generator, &pair.generator)]
            .into_iter()
            .filter(|(image, _)| selection.has(*image))
            .collect();
    let missing: Vec<MissingFolder> = selected
        .iter()
        .filter(|(_, source)| !source.context.is_dir())
        .map(|(image, source)| MissingFolder { image: *image, path: source.context.clone() })
        .collect();
    if missing.is_empty() {
        for (image, source) in selected {
            let path = source.context.join(&source.dockerfile);
            if !path.is_file() {
                return Err(ImageError::MissingDockerfile { image, path });
            }
        }
        return Ok(SourceChoice { sources: Sources::Siblings(Box::new(pair)), said: None });
    }
    match demo {
        DemoImages::No => Err(ImageError::MissingSiblings { missing }),
        DemoImages::Requested | DemoImages::WhenMissing => {
            let configured = |image| match image {
                ImageName::Orchestrator => &images.orchestrator.context,
                ImageName::Generator => &images.generator.context,
            };
            let folders: Vec<String> =
                missing.iter().map(|folder| configured(folder.image).display().to_string()).collect();
            let (are, they) = if folders.len() == 1 { ("is", "it") } else { ("are", "them") };
            let demo = match selection {
                Selection::Both => "images for both".to_owned(),
                Selection::Only(image) => format!("image of the {image}"),
            };
            let said = format!(
                "using the demo {demo}: {} {are} missing (clone {they} or set `images.<name>.context`)",
                folders.join(" and ")
            );
            Ok(SourceChoice { sources: Sources::Demo, said: Some(said) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images() -> Images {
        let source = |context: &str| ImageSource {
            context: context.into(),
            dockerfile: "Dockerfile".into(),
            target: None,
            build_args: BTreeMap::new(),
            budget_mb: 1000,
            allow_in_context: Vec::new(),
            branch: None,
            env_file: None,
        };
        Images {
            orchestrator: source("../leo-saas"),
            generator: source("../leo-container"),
            attestations: false,
            max_age_days: 7,
        }
    }

    /// A root beside which these siblings are.
    fn root(siblings: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for name in siblings {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let root = folder.path().join("leo-infra");
        (folder, root)
    }

    #[test]
    fn siblings_that_are_there_are_used_with_paths_that_can_be_typed() {
        let (folder, root) = root(&["leo-saas", "leo-container"]);
        let error = choose_sources(&images(), &root, DemoImages::No, Selection::Both).unwrap_err();
        assert!(
            matches!(error, ImageError::MissingDockerfile { image: ImageName::Orchestrator, .. }),
            "{error}"
        );
        for sibling in ["leo-saas", "leo-container"] {
            std::fs::write(folder.path().join(sibling).join("Dockerfile"), "FROM scratch\n").unwrap();
        }
        for demo in [DemoImages::No, DemoImages::WhenMissing] {
            let choice = choose_sources(&images(), &root, demo, Selection::Both).unwrap();
            let Sources::Siblings(pair) = choice.sources else { panic!("{demo:?}") };
            assert_eq!(pair.orchestrator.context, folder.path().join("leo-saas"));
            assert_eq!(pair.generator.context, folder.path().join("leo-container"));
            assert_eq!(choice.said, None);
        }
        let asked = choose_sources(&images(), &root, DemoImages::Requested, Selection::Both).unwrap();
        assert_eq!(asked, SourceChoice { sources: Sources::Demo, said: None });
    }

    #[test]
    fn missing_siblings_are_all_named_with_their_settings() {
        let (folder, root) = root(&[]);
        let error = choose_sources(&images(), &root, DemoImages::No, Selection::Both).unwrap_err();
        let text = format!("failed to {error}\nhint: {}", error.hint().unwrap());
        insta::assert_snapshot!(text.replace(&folder.path().display().to_string(), "<folder>"));
        assert_eq!(error.kind(), leo_aws::FailureKind::Usage);
    }

    #[test]
    fn locally_the_demo_images_stand_in_for_both_and_that_is_said() {
        let (_folder, root) = root(&["leo-saas"]);
        let choice = choose_sources(&images(), &root, DemoImages::WhenMissing, Selection::Both).unwrap();
        assert_eq!(choice.sources, Sources::Demo);
        assert_eq!(
            choice.said.unwrap(),
            "using the demo images for both: ../leo-container is missing (clone it or set \
             `images.<name>.context`)"
        );
    }

    #[test]
    fn one_image_asks_nothing_of_the_others_sibling() {
        let (folder, root) = root(&["leo-container"]);
        let only = |image, demo| choose_sources(&images(), &root, demo, Selection::Only(image));
        std::fs::write(folder.path().join("leo-container/Dockerfile"), "FROM scratch\n").unwrap();
        let choice = only(ImageName::Generator, DemoImages::No).unwrap();
        assert!(matches!(choice.sources, Sources::Siblings(_)));
        let error = only(ImageName::Orchestrator, DemoImages::No).unwrap_err();
        let ImageError::MissingSiblings { missing } = error else { panic!("{error}") };
        assert_eq!(missing.len(), 1);
        assert_eq!(
            only(ImageName::Orchestrator, DemoImages::WhenMissing).unwrap().said.unwrap(),
            "using the demo image of the orchestrator: ../leo-saas is missing (clone it or set \
             `images.<name>.context`)"
        );
    }
}
