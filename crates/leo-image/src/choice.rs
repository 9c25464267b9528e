use std::fmt;
use std::str::FromStr;

use crate::{DigestError, ImageDigest, ImageName};

/// Which images a deploy uses: the value of `--images`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImagesChoice {
    /// Build and push both.
    Build,
    /// Keep what runs.
    Current,
    /// What was promoted to the environment, and not deployed yet.
    Promoted,
    /// These digests; an image without one stays as it runs. At least one of them is named.
    Explicit {
        /// The orchestrator's.
        orchestrator: Option<ImageDigest>,
        /// The generator's.
        generator: Option<ImageDigest>,
    },
}

/// What is wrong with a value of `--images`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImagesChoiceError {
    /// A part that is neither a word nor a pair of image and digest.
    #[error(
        "read `{text}` as images: wanted `build`, `current`, `promoted`, or `orchestrator=<digest>,generator=<digest>` \
         (one of the two keeps the other as it runs)"
    )]
    Form {
        /// The part.
        text: String,
    },
    /// An image with two digests.
    #[error("choose a digest for the {image} image: it is given twice")]
    Twice {
        /// The image.
        image: ImageName,
    },
    /// A digest that is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl ImagesChoice {
    /// What a deploy does when `--images` is not given, with a sentence where that is worth saying: what was promoted
    /// (`--promote`) comes first, then siblings that are there are built, and without them a running platform keeps its
    /// images. On a first deploy without siblings the answer is `Build`, whose error then names what is missing.
    pub fn default_for(
        promotion_pending: bool,
        siblings_present: bool,
        platform_exists: bool,
    ) -> (Self, Option<String>) {
        if promotion_pending {
            // What it is is said by whoever has read it.
            (Self::Promoted, None)
        } else if siblings_present || !platform_exists {
            (Self::Build, None)
        } else {
            let said =
                "keeping the images that run (--images current): the sibling repositories are not here";
            (Self::Current, Some(said.to_owned()))
        }
    }
}

impl FromStr for ImagesChoice {
    type Err = ImagesChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "build" => return Ok(Self::Build),
            "current" => return Ok(Self::Current),
            "promoted" => return Ok(Self::Promoted),
            _ => {}
        }
        let (mut orchestrator, mut generator) = (None, None);
        for part in text.split(',') {
            let form = || ImagesChoiceError::Form { text: part.to_owned() };
            let (name, digest) = part.split_once('=').ok_or_else(form)?;
            let image: ImageName = name.trim().parse().map_err(|_| form())?;
            let place = match image {
                ImageName::Orchestrator => &mut orchestrator,
                ImageName::Generator => &mut generator,
            };
            if place.replace(digest.trim().parse()?).is_some() {
                return Err(ImagesChoiceError::Twice { image });
            }
        }
        // A part is one of the two, so that at least one is named.
        Ok(Self::Explicit { orchestrator, generator })
    }
}

impl fmt::Display for ImagesChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build => f.write_str("build"),
            Self::Current => f.write_str("current"),
            Self::Promoted => f.write_str("promoted"),
            Self::Explicit { orchestrator, generator } => {
                let named = [(ImageName::Orchestrator, orchestrator), (ImageName::Generator, generator)];
                let named = named.iter().filter_map(|(name, digest)| Some((name, digest.as_ref()?)));
                for (place, (name, digest)) in named.enumerate() {
                    let comma = if place == 0 { "" } else { "," };
                    write!(f, "{comma}{name}={digest}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back() {
        let (a, b) = (format!("sha256:{}", "a".repeat(64)), format!("sha256:{}", "b".repeat(64)));
        for text in [
            "build",
            "current",
            "promoted",
            &format!("orchestrator={a},generator={b}"),
            &format!("orchestrator={a}"),
            &format!("generator={b}"),
        ] {
            assert_eq!(text.parse::<ImagesChoice>().unwrap().to_string(), text);
        }
        assert_eq!(
            format!("generator={b}, orchestrator={a}").parse::<ImagesChoice>(),
            format!("orchestrator={a},generator={b}").parse()
        );
    }

    #[test]
    fn bad_values_say_what_would_be_right() {
        let a = format!("sha256:{}", "a".repeat(64));
        let messages: Vec<String> = [
            String::new(),
            "Build".to_owned(),
            format!("orchestrator={a},"),
            format!("orchestrator={a},orchestrator={a}"),
            format!("orchestrator={a},worker={a}"),
            "orchestrator=latest,generator=latest".to_owned(),
        ]
        .iter()
        .map(|text| text.parse::<ImagesChoice>().unwrap_err().to_string().replace(&a, "<digest>"))
        .collect();
        insta::assert_snapshot!(messages.join("\n"));
    }

    #[test]
    fn without_siblings_a_running_platform_keeps_its_images_and_says_so() {
        assert_eq!(ImagesChoice::default_for(false, true, true), (ImagesChoice::Build, None));
        assert_eq!(ImagesChoice::default_for(false, false, false), (ImagesChoice::Build, None));
        let (choice, said) = ImagesChoice::default_for(false, false, true);
        assert_eq!(choice, ImagesChoice::Current);
        assert!(said.unwrap().contains("--images current"));
    }

    #[test]
    fn what_was_promoted_comes_first() {
        for (siblings, platform) in [(true, true), (true, false), (false, true), (false, false)] {
            let (choice, _) = ImagesChoice::default_for(true, siblings, platform);
            assert_eq!(choice, ImagesChoice::Promoted);
        }
    }
}
