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
/// that has several tags by any of them (the emulator does). So a tag has the image that goes by it; else the only image
/// that was answered; else the one in its place, unless that goes by another of the tags.
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
    let only = images.first().map(|(_, manifest)| manifest);
    let only = only.filter(|only| images.iter().all(|(_, manifest)| manifest.digest() == only.digest()));
    let in_place = |place: usize| {
        let (name, manifest) = images.get(place).filter(|_| images.len() == present.len())?;
        let anothers = name.is_some_and(|name| tags.iter().any(|tag| tag.as_str() == name));
        (!anothers).then_some(manifest)
    };
    let holder = |(place, tag): (usize, &&ImageTag)| {
        let named = by_name.get(tag.as_str()).copied();
        let manifest = named.or(only).or_else(|| in_place(place));
        Some(((*tag).clone(), manifest?.clone()))
    };
    present.iter().enumerate().filter_map(holder).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecr::types::{Image, ImageFailure};

    use super::*;

    fn id(digit: char, tag: Option<&str>) -> ImageIdentifier {
        let digest = format!("sha256:{}", digit.to_string().repeat(64));
        ImageIdentifier::builder().image_digest(digest).set_image_tag(tag.map(str::to_owned)).build()
    }

    /// What is found for the tags `a`, `b` and `c`, from images under a name, and from what is missing.
    fn found(images: &[(char, Option<&str>)], missing: &[&str]) -> String {
        let image = |(digit, tag): &(char, Option<&str>)| {
            Image::builder().image_id(id(*digit, *tag)).image_manifest("{}").build()
        };
        let failure = |tag: &&str| {
            ImageFailure::builder().image_id(ImageIdentifier::builder().image_tag(*tag).build()).build()
        };
        let answer = BatchGetImageOutput::builder()
            .set_images(Some(images.iter().map(image).collect()))
            .set_failures(Some(missing.iter().map(failure).collect()))
            .build();
        let tags = ["a", "b", "c"].map(|tag| tag.parse().unwrap());
        let found = assigned(&tags, &answer);
        let each = found.iter().map(|(tag, manifest)| format!("{tag}={}", &manifest.digest().short()[..1]));
        each.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_answer_is_read_by_names_and_where_these_mislead_by_its_order() {
        assert_eq!(found(&[], &["a", "b", "c"]), "");
        assert_eq!(found(&[('2', Some("c")), ('1', Some("a"))], &["b"]), "a=1 c=2");
        // One image under the tag that it got last, for each tag that was asked for.
        assert_eq!(found(&[('1', Some("c")), ('1', Some("c"))], &["b"]), "a=1 c=1");
        assert_eq!(found(&[('1', Some("x")), ('2', Some("y"))], &["b"]), "a=1 c=2");
        // Once for both of its tags.
        assert_eq!(found(&[('1', Some("a"))], &["b"]), "a=1 c=1");
        assert_eq!(found(&[('1', None)], &["a", "c"]), "b=1");
        // In another order than they were asked for, with one that goes by a tag of its own.
        assert_eq!(found(&[('3', Some("c")), ('1', Some("a")), ('2', Some("x"))], &[]), "a=1 c=3");
        assert_eq!(found(&[('1', Some("a")), ('2', Some("x")), ('3', Some("c"))], &[]), "a=1 b=2 c=3");
        // Two images for three tags: which of them has the third is not known.
        assert_eq!(found(&[('1', Some("a")), ('2', Some("b"))], &[]), "a=1 b=2");
    }
}
