use crate::{Catalog, ImageDigest, ImageError, ImageTag, Repository, TagOutcome};

/// What was done about an image's release tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The tag.
    pub tag: ImageTag,
    /// Whether it was set now, was there already, or names another image.
    pub outcome: TagOutcome,
    /// Tags of releases that are too old to be kept, taken away.
    pub dropped: Vec<ImageTag>,
}

impl Catalog {
    /// Gives the image of a release its tag `release-<environment>-<number>`, and takes away the ones of that
    /// environment's releases that are older than the newest `keep`: ECR allows 1,000 tags on an image ("Amazon ECR
    /// service quotas"), and an image that many releases use would reach that.
    ///
    /// Only for whoever has the environment for itself: nobody else changes these tags then.
    ///
    /// # Errors
    /// [`ImageError::DigestMissing`] where the repository has no such image.
    pub async fn mark_released(
        &self,
        repository: &Repository,
        digest: &ImageDigest,
        (environment, number): (&str, u64),
        keep: u32,
    ) -> Result<Marked, ImageError> {
        let tag = ImageTag::of_release(environment, number);
        let stored = self.by_digest(repository, digest).await?.ok_or_else(|| ImageError::DigestMissing {
            repository: repository.name.clone(),
            digest: digest.clone(),
        })?;
        let outcome = if stored.tags.contains(&tag) {
            TagOutcome::AlreadySet
        } else {
            self.set_tag(repository, digest, &tag).await?
        };
        let mut dropped = vec![];
        // Where another image has the tag, this one may have no other than those.
        if !matches!(outcome, TagOutcome::Taken { .. }) {
            dropped = stored.tags;
            dropped.retain(|old| {
                old.release().is_some_and(|(whose, old)| {
                    whose == environment && old.saturating_add(u64::from(keep)) <= number
                })
            });
            self.untag(repository, &dropped).await?;
        }
        Ok(Marked { tag, outcome, dropped })
    }
}
