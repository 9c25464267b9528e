use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use aws_sdk_ecr::types::{ImageDetail, ImageFailureCode, ImageIdentifier};
use aws_smithy_types::DateTime;
use serde_json::Value;

use super::MEDIA_TYPES;
use crate::{Catalog, ImageDigest, ImageError, ImageTag, Repository};

/// An image of a repository with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedImage {
    /// Its digest.
    pub digest: ImageDigest,
    /// Its tags, sorted.
    pub tags: Vec<ImageTag>,
    /// When it was pushed, by ECR's clock.
    pub pushed_at: Option<SystemTime>,
    /// When it was last pulled; ECR writes that down once a day at least.
    pub pulled_at: Option<SystemTime>,
    /// What it takes in the registry, in bytes, compressed; layers that images share count in each.
    pub bytes: u64,
    /// The images that it is made of, where it is an index: its platforms, and what is attested of them.
    pub children: BTreeSet<ImageDigest>,
    /// The image that it describes, where it is a signature or an attestation of its own.
    pub subject: Option<ImageDigest>,
}

/// What one call of BatchGetImage takes ("BatchGetImage", Amazon ECR API Reference).
const READ_AT_ONCE: usize = 100;
/// The most that one page of DescribeImages has ("DescribeImages", Amazon ECR API Reference).
const PAGE: i32 = 1000;
/// Manifests that stand for others. One without a media type could be such a one.
const INDEXES: [&str; 2] = [MEDIA_TYPES[0], MEDIA_TYPES[2]];

impl Catalog {
    /// All images of a repository, newest first, with what each index is made of.
    ///
    /// # Errors
    /// [`ImageError::RepositoryMissing`]; and whatever keeps any page or any index from being read: a list with a gap would
    /// be worse than none.
    pub async fn list(&self, repository: &Repository) -> Result<Vec<ListedImage>, ImageError> {
        let mut images = vec![];
        let mut indexes = vec![];
        let call = self.client.describe_images().repository_name(&repository.name);
        let mut pages = call.into_paginator().page_size(PAGE).send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ImageError::ecr("DescribeImages", &repository.name, &error))?;
            for details in page.image_details() {
                let image = listed(details)?;
                if details.image_manifest_media_type().is_none_or(|kind| INDEXES.contains(&kind)) {
                    indexes.push(image.digest.clone());
                }
                images.push(image);
            }
        }
        let mut children = BTreeMap::new();
        for some in indexes.chunks(READ_AT_ONCE) {
            children.extend(self.children(repository, some).await?);
        }
        for image in &mut images {
            image.children = children.remove(&image.digest).unwrap_or_default();
        }
        images.sort_by(|one, other| {
            other.pushed_at.cmp(&one.pushed_at).then_with(|| one.digest.cmp(&other.digest))
        });
        Ok(images)
    }

    /// What these indexes are made of. One that has gone since it was listed is left out.
    async fn children(
        &self,
        repository: &Repository,
        indexes: &[ImageDigest],
    ) -> Result<BTreeMap<ImageDigest, BTreeSet<ImageDigest>>, ImageError> {
        let ids =
            indexes.iter().map(|digest| ImageIdentifier::builder().image_digest(digest.as_str()).build());
        let call = self
            .client
            .batch_get_image()
            .repository_name(&repository.name)
            .set_image_ids(Some(ids.collect()))
            .set_accepted_media_types(Some(MEDIA_TYPES.map(str::to_owned).to_vec()));
        let answer =
            call.send().await.map_err(|error| ImageError::ecr("BatchGetImage", &repository.name, &error))?;
        let mut found = BTreeMap::new();
        for failure in answer.failures() {
            let digest = failure.image_id().and_then(ImageIdentifier::image_digest).unwrap_or_default();
            match (failure.failure_code(), digest.parse::<ImageDigest>()) {
                (Some(ImageFailureCode::ImageNotFound), Ok(digest)) => {
                    found.insert(digest, BTreeSet::new());
                }
                (code, _) => {
                    let code = code.map_or("no code", ImageFailureCode::as_str);
                    let reason = failure.failure_reason().unwrap_or("no reason");
                    return Err(unreadable(repository, digest, &format!("{code}: {reason}")));
                }
            }
        }
        for image in answer.images() {
            let digest = image.image_id().and_then(ImageIdentifier::image_digest).unwrap_or_default();
            let read = digest.parse::<ImageDigest>().map_err(|error| error.to_string());
            let (digest, children) = read
                .and_then(|digest| Ok((digest, children_of(image.image_manifest().unwrap_or_default())?)))
                .map_err(|problem| unreadable(repository, digest, &problem))?;
            found.insert(digest, children);
        }
        match indexes.iter().find(|index| !found.contains_key(*index)) {
            None => Ok(found),
            Some(missing) => Err(unreadable(repository, missing.as_str(), "ECR left it out of its answer")),
        }
    }
}

fn unreadable(repository: &Repository, digest: &str, problem: &str) -> ImageError {
    ImageError::Answer {
        what: "ECR's BatchGetImage",
        problem: format!("the index {digest} of {} can't be read: {problem}", repository.name),
    }
}

/// All children of an index, attestations too; none of what is no index.
fn children_of(manifest: &str) -> Result<BTreeSet<ImageDigest>, String> {
    let manifest: Value = serde_json::from_str(manifest).map_err(|error| error.to_string())?;
    let children = manifest.get("manifests").and_then(Value::as_array).into_iter().flatten();
    children
        .map(|child| {
            let digest = child.get("digest").and_then(Value::as_str).unwrap_or_default();
            digest.parse().map_err(|_| format!("a child's digest is `{digest}`"))
        })
        .collect()
}

fn listed(details: &ImageDetail) -> Result<ListedImage, ImageError> {
    let answer = |digest: &str| ImageError::Answer {
        what: "ECR's DescribeImages",
        problem: format!("an image's digest is `{digest}`"),
    };
    let digest = details.image_digest().unwrap_or_default();
    let digest: ImageDigest = digest.parse().map_err(|_| answer(digest))?;
    // One that was left out could be what keeps the image.
    let tags: Result<Vec<_>, _> = details.image_tags().iter().map(|tag| ImageTag::of_answer(tag)).collect();
    let mut tags = tags?;
    tags.sort();
    let subject = details.subject_manifest_digest().and_then(|subject| subject.parse().ok());
    Ok(ListedImage {
        subject: subject.or_else(|| tags.iter().find_map(ImageTag::subject)),
        digest,
        tags,
        pushed_at: details.image_pushed_at().and_then(time),
        pulled_at: details.last_recorded_pull_time().and_then(time),
        bytes: details.image_size_in_bytes().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
        children: BTreeSet::new(),
    })
}

fn time(time: &DateTime) -> Option<SystemTime> {
    let seconds = u64::try_from(time.secs()).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}
