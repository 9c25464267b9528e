use std::collections::{BTreeSet, HashMap};

use aws_sdk_ecr::operation::batch_get_image::BatchGetImageOutput;
use aws_sdk_ecr::types::ImageIdentifier;

use crate::catalog::Manifest;
use crate::{Catalog, ImageError, ImageTag, Repository};

/// How many images ECR's BatchGetImage answers in one call.
const MOST_IDS: usize = 100;

impl Catalog {
    /// The images that have these tags, in the order of the tags; a tag that no image has is left out. One call for up
    /// to 100 tags.
    pub(crate) async fn with_tags(
        &self,
        repository: &Repository,
        tags: &[ImageTag],
    ) -> Result<Vec<(ImageTag, Manifest)>, ImageError> {
        let mut found = Vec::new();
        for tags in tags.chunks(MOST_IDS) {
            let id = |tag: &ImageTag| ImageIdentifier::builder().image_tag(tag.as_str()).build();
            let answer = self.get_images(repository, tags.iter().map(id).collect()).await?;
            found.extend(assigned(tags, &answer));
        }
        Ok(found)
    }
}

/// Which tag has which image. An answer says what was not found under the tag that was asked for, but may call an image
/// that has several tags by any of them (the emulator does): then the order of the request decides.
fn assigned(tags: &[ImageTag], answer: &BatchGetImageOutput) -> Vec<(ImageTag, Manifest)> {
    let missing: BTreeSet<&str> = answer
        .failures()
        .iter()
        .filter_map(|failure| failure.image_id().and_then(ImageIdentifier::image_tag))
        .collect();
    let present: Vec<&ImageTag> = tags.iter().filter(|tag| !missing.contains(tag.as_str())).collect();
    let images: Vec<(Option<&str>, Manifest)> = answer
        .images()
        .iter()
        .filter_map(|image| Some((image.image_id()?.image_tag(), Manifest::of(image)?)))
        .collect();
    let by_name: HashMap<&str, &Manifest> =
        images.iter().filter_map(|(name, manifest)| Some(((*name)?, manifest))).collect();
    let all_named = present.iter().all(|tag| by_name.contains_key(tag.as_str()));
    let in_order = !all_named && images.len() == present.len();
    let holder = |(place, tag): (usize, &&ImageTag)| {
        let manifest = if in_order {
            images.get(place).map(|(_, manifest)| manifest)
        } else {
            by_name.get(tag.as_str()).copied()
        };
        Some(((*tag).clone(), manifest?.clone()))
    };
    present.iter().enumerate().filter_map(holder).collect()
}
