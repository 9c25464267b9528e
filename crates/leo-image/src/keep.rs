//! Tags that keep an image from expiring.

use crate::catalog::Manifest;
use crate::event::Reporter;
use crate::publish::{Made, PublishedImage};
use crate::{
    Catalog, ImageDigest, ImageError, ImageEventKind, ImageName, ImageReference, ImageTag, Repository, Sink,
    TagOutcome,
};

impl Catalog {
    /// Checks that the repository has this image, and gives it a tag if it has none, so that it does not expire while
    /// it is deployed.
    ///
    /// # Errors
    /// [`ImageError::DigestMissing`] where the repository has no such image.
    pub async fn adopt(
        &self,
        image: ImageName,
        repository: &Repository,
        digest: &ImageDigest,
        sink: Sink,
    ) -> Result<PublishedImage, ImageError> {
        let manifest = self.manifest(repository, digest).await?;
        let stored = self.by_digest(repository, digest).await?;
        let tag = match stored.and_then(|stored| stored.tags.into_iter().find(is_lasting)) {
            Some(tag) => tag,
            None => self.keep(repository, &manifest, &Reporter::new(image, sink)).await?,
        };
        Ok(PublishedImage {
            image,
            reference: ImageReference { repository_uri: repository.uri.clone(), digest: digest.clone() },
            tag,
            acceptable: manifest.acceptable_digests()?,
            bytes: manifest.bytes(),
            made: Made::Found,
        })
    }

    /// Gives an image its lasting tag, made from its digest.
    pub(crate) async fn keep(
        &self,
        repository: &Repository,
        manifest: &Manifest,
        reporter: &Reporter,
    ) -> Result<ImageTag, ImageError> {
        let tag = ImageTag::of_digest(manifest.digest());
        match self.tag(repository, manifest, &tag, reporter).await? {
            TagOutcome::Set | TagOutcome::AlreadySet => Ok(tag),
            TagOutcome::Taken { .. } => Err(ImageError::Answer {
                what: "the registry's tags",
                problem: format!("{tag} names another image in {}", repository.name),
            }),
        }
    }

    /// Sets a tag where it is absent, and says what came of it.
    pub(crate) async fn tag(
        &self,
        repository: &Repository,
        manifest: &Manifest,
        tag: &ImageTag,
        reporter: &Reporter,
    ) -> Result<TagOutcome, ImageError> {
        let outcome = self.set_tag_of(repository, manifest, tag).await?;
        match &outcome {
            TagOutcome::Set => reporter.send(ImageEventKind::Tagged { tag: tag.clone() }),
            TagOutcome::AlreadySet => {}
            TagOutcome::Taken { by } if tag.is_source() => {
                reporter.send(ImageEventKind::Warning(format!(
                    "{tag} stays with the older image that has it ({by}): the next build of this source is answered \
                     with that one; `--images {}={}` deploys the one that was built now",
                    reporter.image(),
                    manifest.digest()
                )));
            }
            TagOutcome::Taken { by } => reporter.note(format!(
                "{tag} stays with the image that has it ({by}); this one has another digest: it was built again, or \
                 from something that git does not see"
            )),
        }
        Ok(outcome)
    }
}

/// Whether an image with this tag is kept: those with a cache's tag expire.
pub(crate) fn is_lasting(tag: &ImageTag) -> bool {
    !tag.as_str().starts_with("cache-")
}
