mod listing;
mod release_tag;
mod removal;
mod sharing;

pub use listing::ListedImage;
pub use release_tag::Marked;
pub use removal::{DELETED_AT_ONCE, KeptByEcr, Removal};

use std::collections::BTreeSet;

use aws_sdk_ecr::Client;
use aws_sdk_ecr::operation::batch_get_image::BatchGetImageOutput;
use aws_sdk_ecr::operation::describe_images::DescribeImagesError;
use aws_sdk_ecr::operation::put_image::PutImageError;
use aws_sdk_ecr::types::{Image, ImageIdentifier};
use serde_json::Value;

use crate::{ImageDigest, ImageError, ImageTag, Repository};

/// What ECR knows of the images in its repositories.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) client: Client,
}

/// An image that a repository has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredImage {
    /// Its digest.
    pub digest: ImageDigest,
    /// Its tags; none means that it will expire.
    pub tags: Vec<ImageTag>,
}

/// What became of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagOutcome {
    /// It was absent and is set now.
    Set,
    /// It named this image already.
    AlreadySet,
    /// It names another image, and stays with it.
    Taken {
        /// That image.
        by: ImageDigest,
    },
}

/// The manifest of an image, as it was pushed.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    digest: ImageDigest,
    body: String,
    media_type: Option<String>,
}

/// Every kind of manifest there is; without the list ECR converts to the oldest.
const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

impl Catalog {
    /// A catalog that asks through this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The image with this digest.
    pub async fn by_digest(
        &self,
        repository: &Repository,
        digest: &ImageDigest,
    ) -> Result<Option<StoredImage>, ImageError> {
        self.describe(repository, ImageIdentifier::builder().image_digest(digest.as_str()).build()).await
    }

    /// The image with this tag.
    pub async fn by_tag(
        &self,
        repository: &Repository,
        tag: &ImageTag,
    ) -> Result<Option<StoredImage>, ImageError> {
        self.describe(repository, ImageIdentifier::builder().image_tag(tag.as_str()).build()).await
    }

    async fn describe(
        &self,
        repository: &Repository,
        image: ImageIdentifier,
    ) -> Result<Option<StoredImage>, ImageError> {
        let call = self.client.describe_images().repository_name(&repository.name).image_ids(image).send();
        let answer = match call.await {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeImagesError::is_image_not_found_exception) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(ImageError::ecr("DescribeImages", &repository.name, &error)),
        };
        let Some(details) = answer.image_details().first() else { return Ok(None) };
        let digest = details.image_digest().unwrap_or_default();
        let digest = digest.parse().map_err(|_| ImageError::Answer {
            what: "ECR's DescribeImages",
            problem: format!("an image's digest is `{digest}`"),
        })?;
        let tags: Result<_, _> = details.image_tags().iter().map(|tag| ImageTag::of_answer(tag)).collect();
        Ok(Some(StoredImage { digest, tags: tags? }))
    }

    /// Gives an image a tag that no image has. A tag that is there is never moved.
    ///
    /// # Errors
    /// [`ImageError::DigestMissing`] where the repository has no such image.
    pub async fn set_tag(
        &self,
        repository: &Repository,
        digest: &ImageDigest,
        tag: &ImageTag,
    ) -> Result<TagOutcome, ImageError> {
        let manifest = self.manifest(repository, digest).await?;
        self.set_tag_of(repository, &manifest, tag).await
    }

    pub(crate) async fn set_tag_of(
        &self,
        repository: &Repository,
        manifest: &Manifest,
        tag: &ImageTag,
    ) -> Result<TagOutcome, ImageError> {
        // Asked first: not every repository refuses to move a tag.
        if let Some(holder) = self.by_tag(repository, tag).await? {
            return Ok(TagOutcome::of_holder(holder.digest, &manifest.digest));
        }
        let call = self
            .client
            .put_image()
            .repository_name(&repository.name)
            .image_manifest(&manifest.body)
            .set_image_manifest_media_type(manifest.media_type.clone())
            .image_digest(manifest.digest.as_str())
            .image_tag(tag.as_str())
            .send();
        let Err(error) = call.await else { return Ok(TagOutcome::Set) };
        match error.as_service_error() {
            Some(PutImageError::ImageAlreadyExistsException(_)) => Ok(TagOutcome::AlreadySet),
            // Someone else set it since we asked.
            Some(PutImageError::ImageTagAlreadyExistsException(_)) => {
                match self.by_tag(repository, tag).await? {
                    Some(holder) => Ok(TagOutcome::of_holder(holder.digest, &manifest.digest)),
                    None => Err(ImageError::ecr("PutImage", &repository.name, &error)),
                }
            }
            _ => Err(ImageError::ecr("PutImage", &repository.name, &error)),
        }
    }

    /// The digests that a running task may report for this image: its own, and where it is an index those of its
    /// platforms' manifests (ECS `DescribeTasks` may report either).
    ///
    /// # Errors
    /// [`ImageError::DigestMissing`] where the repository has no such image.
    pub async fn acceptable_digests(
        &self,
        repository: &Repository,
        digest: &ImageDigest,
    ) -> Result<BTreeSet<ImageDigest>, ImageError> {
        self.manifest(repository, digest).await?.acceptable_digests()
    }

    pub(crate) async fn manifest(
        &self,
        repository: &Repository,
        digest: &ImageDigest,
    ) -> Result<Manifest, ImageError> {
        let wanted = ImageIdentifier::builder().image_digest(digest.as_str()).build();
        let answer = self.get_images(repository, vec![wanted]).await?;
        let image = answer.images().iter().find_map(|image| Some((image, image.image_manifest()?)));
        let (image, body) = image.ok_or_else(|| ImageError::DigestMissing {
            repository: repository.name.clone(),
            digest: digest.clone(),
        })?;
        Ok(Manifest {
            digest: digest.clone(),
            body: body.to_owned(),
            media_type: image.image_manifest_media_type().map(str::to_owned),
        })
    }

    /// Images with their manifests: of at most 100 ids those that there are.
    pub(crate) async fn get_images(
        &self,
        repository: &Repository,
        ids: Vec<ImageIdentifier>,
    ) -> Result<BatchGetImageOutput, ImageError> {
        let call = self
            .client
            .batch_get_image()
            .repository_name(&repository.name)
            .set_image_ids(Some(ids))
            .set_accepted_media_types(Some(MEDIA_TYPES.map(str::to_owned).to_vec()))
            .send();
        call.await.map_err(|error| ImageError::ecr("BatchGetImage", &repository.name, &error))
    }
}

impl TagOutcome {
    fn of_holder(holder: ImageDigest, wanted: &ImageDigest) -> Self {
        if holder == *wanted { Self::AlreadySet } else { Self::Taken { by: holder } }
    }
}

impl Manifest {
    /// The manifest of an image as ECR gives it; `None` where it has no body or digest.
    pub(crate) fn of(image: &Image) -> Option<Self> {
        Some(Self {
            digest: image.image_id()?.image_digest()?.parse().ok()?,
            body: image.image_manifest()?.to_owned(),
            media_type: image.image_manifest_media_type().map(str::to_owned),
        })
    }

    /// What the image weighs in the registry, compressed: its layers and its configuration. `None` for an index, which
    /// does not say.
    pub(crate) fn bytes(&self) -> Option<u64> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        let size = |blob: &Value| blob.get("size").and_then(Value::as_u64);
        let layers: Option<u64> = body.get("layers")?.as_array()?.iter().map(size).sum();
        Some(layers? + body.get("config").and_then(size).unwrap_or_default())
    }

    pub(crate) fn digest(&self) -> &ImageDigest {
        &self.digest
    }

    pub(crate) fn acceptable_digests(&self) -> Result<BTreeSet<ImageDigest>, ImageError> {
        let answer = |problem: String| ImageError::Answer { what: "an image's manifest", problem };
        let body: Value = serde_json::from_str(&self.body).map_err(|error| answer(error.to_string()))?;
        let children = body.get("manifests").and_then(Value::as_array).into_iter().flatten();
        let platforms = children
            // An attestation is a child of the index, too, for the platform `unknown`.
            .filter(|child| child.pointer("/platform/os").and_then(Value::as_str) != Some("unknown"))
            .map(|child| {
                let digest = child.get("digest").and_then(Value::as_str).unwrap_or_default();
                digest.parse().map_err(|_| answer(format!("a child's digest is `{digest}`")))
            });
        std::iter::once(Ok(self.digest.clone())).chain(platforms).collect()
    }
}
