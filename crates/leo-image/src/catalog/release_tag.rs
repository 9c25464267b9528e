use crate::keep::is_lasting;
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
        let too_old = |old: &ImageTag| {
            old.release().is_some_and(|(whose, old)| {
                whose == environment && old.saturating_add(u64::from(keep)) <= number
            })
        };
        let mut dropped: Vec<ImageTag> = stored.tags.iter().filter(|&old| too_old(old)).cloned().collect();
        // With a tag that no other environment takes away the old ones may go first, which makes room for the new one.
        let makes_room = stored.tags.iter().any(|tag| is_lasting(tag) && tag.release().is_none());
        let mut made_room = false;
        let outcome = if stored.tags.contains(&tag) {
            TagOutcome::AlreadySet
        } else if let Some(holder) = self.by_tag(repository, &tag).await? {
            TagOutcome::Taken { by: holder.digest }
        } else {
            if makes_room {
                self.untag(repository, &dropped).await?;
                made_room = true;
            }
            self.set_tag(repository, digest, &tag).await?
        };
        match outcome {
            _ if made_room => {}
            // Another image has the tag: this one may have no other than the old ones.
            TagOutcome::Taken { .. } => dropped.clear(),
            TagOutcome::Set | TagOutcome::AlreadySet => self.untag(repository, &dropped).await?,
        }
        Ok(Marked { tag, outcome, dropped })
    }
}
