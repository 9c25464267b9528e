use std::fmt;
use std::str::FromStr;

use leo_config::Architecture;

use crate::ImageDigest;

/// A tag of an image: at most 128 of `A-Z a-z 0-9 _ . -`, not starting with `.` or `-` (OCI distribution
/// specification, "Pulling manifests").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageTag(String);

/// What is wrong with a text that should be an image tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read `{text}` as an image tag: wanted at most 128 of A-Z a-z 0-9 _ . -, starting with none of . -")]
pub struct TagError {
    /// The text as it was given.
    pub text: String,
}

const MAX_LENGTH: usize = 128;

impl ImageTag {
    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `git-<commit>-<architecture>`: this image was built from that commit and from nothing else.
    pub(crate) fn of_commit(commit: &str, architecture: Architecture) -> Self {
        Self(format!("git-{}-{}", sanitized(commit, 64), architecture.tag()))
    }

    /// `digest-<first 16 digits>`: says nothing of the source, and so never names two images.
    pub(crate) fn of_digest(digest: &ImageDigest) -> Self {
        Self(format!("digest-{}", digest.short()))
    }

    /// `cache-<branch>-<architecture>`: mutable, because the repository excludes `cache-*` from immutability. It
    /// names a build cache, never an image that is deployed: images with such a tag expire.
    pub(crate) fn of_cache(branch: &str, architecture: Architecture) -> Self {
        let suffix = architecture.tag();
        let room = MAX_LENGTH - "cache--".len() - suffix.len();
        Self(format!("cache-{}-{suffix}", sanitized(branch, room)))
    }

    /// `src-<hash>`, and with the day it was built where that matters: built from exactly this.
    pub(crate) fn of_source(hash: &str, day: Option<&str>) -> Self {
        let hash = sanitized(hash, 64);
        Self(day.map_or_else(|| format!("src-{hash}"), |day| format!("src-{hash}-{day}")))
    }

    /// `build-<word>`: a name that exists only while an image is pushed.
    pub(crate) fn of_build(word: &str) -> Self {
        Self(format!("build-{}", sanitized(word, 64)))
    }
}

/// `text` with every character that a tag can't have replaced by `-`, at most `length` bytes of it.
fn sanitized(text: &str, length: usize) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.chars().map(|c| if allowed(c) { c } else { '-' }).take(length).collect()
}

impl FromStr for ImageTag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = !text.is_empty() && text.len() <= MAX_LENGTH && !text.starts_with(['.', '-']);
        if fits && sanitized(text, MAX_LENGTH) == text {
            Ok(Self(text.to_owned()))
        } else {
            Err(TagError { text: text.to_owned() })
        }
    }
}

impl fmt::Display for ImageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_made_tag_is_one_that_a_registry_takes() {
        let digest: ImageDigest = format!("sha256:{}", "9f".repeat(32)).parse().unwrap();
        let branch = format!("feature/größe {}", "x".repeat(300));
        for tag in [
            ImageTag::of_commit(&"a".repeat(40), Architecture::Arm64),
            ImageTag::of_digest(&digest),
            ImageTag::of_cache(&branch, Architecture::X86_64),
            ImageTag::of_cache("main", Architecture::X86_64),
            ImageTag::of_build(".tmpAb/c"),
            ImageTag::of_source(&"0a".repeat(20), Some("20261122")),
        ] {
            assert_eq!(tag.as_str().parse::<ImageTag>().as_ref(), Ok(&tag));
        }
        assert_eq!(ImageTag::of_cache("main", Architecture::X86_64).as_str(), "cache-main-amd64");
        assert_eq!(ImageTag::of_digest(&digest).as_str(), "digest-9f9f9f9f9f9f9f9f");
    }

    #[test]
    fn texts_that_no_registry_takes_are_refused() {
        for bad in ["", ".a", "-a", "a b", "a/b", "ä", &"x".repeat(129)] {
            assert!(bad.parse::<ImageTag>().is_err(), "{bad}");
        }
    }
}
