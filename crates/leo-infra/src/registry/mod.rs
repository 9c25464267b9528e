//! The images in the registry, who uses them, and which of them may go.
//!
//! What deletes images has to see everything that uses them: every stack, cluster, task definition and release of the
//! account and region, whoever made it. Whatever can't be seen is named, and stops it.

mod collect;
mod stacks;
mod users;

pub(crate) use collect::{Agreed, Collected, collect, refuse_others};
pub(crate) use stacks::standing;
pub(crate) use users::{Users, Wanted};

use crate::{failure::Problem, target::Target};
use leo_aws::FailureKind;
use leo_config::names;
use leo_image::{
    ImageDigest, ImageError, ImageName, ListedImage, Repository,
    retention::{Subject, Verdict, judge},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

/// A repository with the images in it, and what is decided about each.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) name: ImageName,
    pub(crate) repository: Repository,
    /// Newest first.
    pub(crate) images: Vec<ListedImage>,
    pub(crate) verdicts: BTreeMap<ImageDigest, Verdict>,
}

/// Everything as it was seen at one moment.
pub(crate) struct Seen {
    pub(crate) repositories: Vec<Judged>,
    pub(crate) users: Users,
}

impl Seen {
    /// Lists the images before it looks at who uses them: what begins to be used meanwhile is seen.
    pub(crate) async fn look(target: &Target, wanted: &Wanted<'_>) -> Result<Self, Problem> {
        let listed = list(target).await?;
        let tags = listed.iter().flat_map(|(_, _, images)| images).flat_map(|image| &image.tags);
        let mut users = Users::look(target, wanted, tags).await;
        for (_, repository, _) in &listed {
            users.blind.extend(shared(target, wanted, repository).await);
        }
        let now = SystemTime::now();
        let repositories = listed.into_iter().map(|(name, repository, images)| {
            let verdicts = judge(&Subject {
                repository: &repository.name,
                images: &images,
                uses: &users.uses,
                oldest_kept: &users.oldest_kept,
                now,
                fresh: wanted.fresh,
            });
            Judged { name, repository, images, verdicts }
        });
        Ok(Self { repositories: repositories.collect(), users })
    }
}

/// What can't be seen because others may pull from a repository. Nobody else reaches the local target's.
async fn shared(target: &Target, wanted: &Wanted<'_>, repository: &Repository) -> Option<Problem> {
    if target.local.is_some() || wanted.tagged_elsewhere {
        return None;
    }
    match target.catalog().shared_with(repository, wanted.account.as_str()).await {
        Ok(others) if others.is_empty() => None,
        Ok(others) => Some(unseen_others(&repository.name, &others)),
        Err(error) => Some(error.into()),
    }
}

fn unseen_others(repository: &str, others: &BTreeSet<String>) -> Problem {
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    Problem::new(
        FailureKind::Failed,
        format!("see who runs images of `{repository}`: its policy lets in {}", others.join(", ")),
    )
    .hint(
        "give every image that they run a tag that begins with `keep-` (`aws ecr put-image`), then add --tagged-elsewhere",
    )
}

/// The images of both repositories. One that there is not has none.
async fn list(target: &Target) -> Result<Vec<(ImageName, Repository, Vec<ListedImage>)>, Problem> {
    let catalog = target.catalog();
    let list = async |name: ImageName| {
        let repository = repository(name);
        match catalog.list(&repository).await {
            Ok(images) => Ok(Some((name, repository, images))),
            Err(ImageError::RepositoryMissing { .. }) => Ok(None),
            Err(error) => Err(Problem::from(error)),
        }
    };
    let (orchestrator, generator) =
        tokio::try_join!(list(ImageName::Orchestrator), list(ImageName::Generator))?;
    Ok([orchestrator, generator].into_iter().flatten().collect())
}

/// The repository of an image, as ECR's API names it.
pub(crate) fn repository(name: ImageName) -> Repository {
    let name = match name {
        ImageName::Orchestrator => names::ORCHESTRATOR_REPOSITORY,
        ImageName::Generator => names::GENERATOR_REPOSITORY,
    };
    Repository { name: name.to_owned(), uri: name.to_owned() }
}

impl Judged {
    /// The images that may go.
    pub(crate) fn going(&self) -> impl Iterator<Item = &ListedImage> {
        self.images
            .iter()
            .filter(|image| self.verdicts.get(&image.digest).is_some_and(|verdict| !verdict.stays()))
    }
}

/// What images take together, in bytes. What an index takes are its parts, which are images of their own.
pub(crate) fn bytes<'a>(images: impl IntoIterator<Item = &'a ListedImage>) -> u64 {
    images.into_iter().filter(|image| image.children.is_empty()).map(|image| image.bytes).sum()
}
