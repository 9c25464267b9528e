use std::str::FromStr;

use crate::ImageName;

/// A word that names no image of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read `{text}` as an image: there are `orchestrator` and `generator`")]
pub struct ImageNameError {
    /// The word.
    pub text: String,
}

impl ImageName {
    /// Both, in the order in which they are listed everywhere.
    pub const BOTH: [Self; 2] = [Self::Orchestrator, Self::Generator];
}

impl FromStr for ImageName {
    type Err = ImageNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::BOTH.into_iter().find(|image| image.as_str() == text);
        named.ok_or_else(|| ImageNameError { text: text.to_owned() })
    }
}

/// Which of the two images a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Both.
    Both,
    /// This one alone; nothing of the other one has to be here.
    Only(ImageName),
}

impl Selection {
    /// Whether it is about this image.
    pub fn has(self, image: ImageName) -> bool {
        match self {
            Self::Both => true,
            Self::Only(only) => only == image,
        }
    }
}

impl From<Option<ImageName>> for Selection {
    fn from(named: Option<ImageName>) -> Self {
        named.map_or(Self::Both, Self::Only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_by_the_word_that_is_printed() {
        for image in ImageName::BOTH {
            assert_eq!(image.as_str().parse(), Ok(image));
            assert!(Selection::Both.has(image) && Selection::Only(image).has(image));
        }
        assert!(!Selection::from(Some(ImageName::Generator)).has(ImageName::Orchestrator));
        assert_eq!(Selection::from(None), Selection::Both);
        let error = "Generator".parse::<ImageName>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "read `Generator` as an image: there are `orchestrator` and `generator`"
        );
    }
}
