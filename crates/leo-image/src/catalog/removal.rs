use std::collections::BTreeSet;

use aws_sdk_ecr::types::{ImageFailureCode, ImageIdentifier};

use crate::{Catalog, ImageDigest, ImageError, ImageTag, Repository};

/// What one call of BatchDeleteImage takes ("BatchDeleteImage", Amazon ECR API Reference).
pub const DELETED_AT_ONCE: usize = 100;

/// What became of images that were to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// Those that are gone, the ones among them too that somebody else had deleted.
    pub gone: Vec<ImageDigest>,
    /// Those that ECR keeps.
    pub kept: Vec<KeptByEcr>,
}

/// An image that ECR does not delete.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{digest}: {code}: {reason}")]
pub struct KeptByEcr {
    /// The image.
    pub digest: ImageDigest,
    /// ECR's code.
    pub code: String,
    /// ECR's words.
    pub reason: String,
}

impl Catalog {
    /// Deletes images with all their tags, at most [`DELETED_AT_ONCE`]. ECR itself refuses to delete one that an index
    /// which stays is made of. Where a failure names no image, those are kept by it that ECR does not say are deleted.
    ///
    /// # Errors
    /// Where the call failed; nothing is said of any image then.
    pub async fn delete(
        &self,
        repository: &Repository,
        digests: &[ImageDigest],
    ) -> Result<Removal, ImageError> {
        let ids =
            digests.iter().map(|digest| ImageIdentifier::builder().image_digest(digest.as_str()).build());
        let Deleted { gone, failures } = self.batch_delete(repository, ids.collect()).await?;
        let strange = failures.iter().find(|failure| failure.digest.is_none());
        let mut removal = Removal::default();
        for digest in digests {
            let own = failures.iter().find(|failure| failure.digest.as_deref() == Some(digest.as_str()));
            // An image that is in no failure is gone; ECR answers with a row for each of its tags. A failure that names
            // no image could be of any that is not among those rows.
            match own.or(strange.filter(|_| !gone.contains(digest.as_str()))) {
                Some(failure) if !failure.is_absent() || failure.digest.is_none() => {
                    removal.kept.push(KeptByEcr {
                        digest: digest.clone(),
                        code: failure.code.clone(),
                        reason: failure.reason.clone(),
                    });
                }
                _ => removal.gone.push(digest.clone()),
            }
        }
        Ok(removal)
    }

    /// Takes tags away. **The image goes with its last tag**: the caller knows of another one that stays.
    pub(crate) async fn untag(&self, repository: &Repository, tags: &[ImageTag]) -> Result<(), ImageError> {
        for some in tags.chunks(DELETED_AT_ONCE) {
            let ids = some.iter().map(|tag| ImageIdentifier::builder().image_tag(tag.as_str()).build());
            let failures = self.batch_delete(repository, ids.collect()).await?.failures;
            if let Some(failure) = failures.iter().find(|failure| !failure.is_absent()) {
                return Err(ImageError::Answer {
                    what: "ECR's BatchDeleteImage",
                    problem: format!("a tag stays: {}: {}", failure.code, failure.reason),
                });
            }
        }
        Ok(())
    }

    async fn batch_delete(
        &self,
        repository: &Repository,
        ids: Vec<ImageIdentifier>,
    ) -> Result<Deleted, ImageError> {
        let call =
            self.client.batch_delete_image().repository_name(&repository.name).set_image_ids(Some(ids));
        let answer = call
            .send()
            .await
            .map_err(|error| ImageError::ecr("BatchDeleteImage", &repository.name, &error))?;
        let failures = answer.failures().iter().map(|failure| Failure {
            digest: failure.image_id().and_then(ImageIdentifier::image_digest).map(str::to_owned),
            code: failure.failure_code().map_or("no code", ImageFailureCode::as_str).to_owned(),
            reason: failure.failure_reason().unwrap_or_default().to_owned(),
        });
        let gone = answer.image_ids().iter().filter_map(|id| id.image_digest().map(str::to_owned));
        Ok(Deleted { gone: gone.collect(), failures: failures.collect() })
    }
}

/// What BatchDeleteImage did.
struct Deleted {
    gone: BTreeSet<String>,
    failures: Vec<Failure>,
}

/// What BatchDeleteImage did not do.
struct Failure {
    digest: Option<String>,
    code: String,
    reason: String,
}

impl Failure {
    fn is_absent(&self) -> bool {
        self.code == ImageFailureCode::ImageNotFound.as_str()
    }
}
