use std::fmt;
use std::str::FromStr;

use leo_config::Architecture;

use crate::{ImageDigest, ImageError};

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
const MOST_OF_ECR: usize = 300;

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

    /// `release-<environment>-<number>`: a release used this image. No lifecycle rule touches it.
    pub fn of_release(environment: &str, number: u64) -> Self {
        let room = MAX_LENGTH - "release--".len() - 20;
        Self(format!("release-{}-{number}", sanitized(environment, room)))
    }

    /// The environment and the number of the release that this is the tag of.
    pub fn release(&self) -> Option<(&str, u64)> {
        let (environment, number) = self.0.strip_prefix("release-")?.rsplit_once('-')?;
        // `release-dev-007` is somebody's own.
        let number = number.parse().ok().filter(|parsed: &u64| parsed.to_string() == number)?;
        (!environment.is_empty()).then_some((environment, number))
    }

    /// Whether it says what the image was built from.
    pub(crate) fn is_source(&self) -> bool {
        self.0.starts_with("src-")
    }

    /// Whether it names a build cache.
    pub fn is_cache(&self) -> bool {
        self.0.starts_with("cache-")
    }

    /// A tag that ECR says an image has: it takes longer ones than other registries do, up to 300 characters
    /// ("ImageIdentifier", Amazon ECR API Reference).
    pub(crate) fn of_answer(text: &str) -> Result<Self, ImageError> {
        let fits = !text.is_empty() && sanitized(text, MOST_OF_ECR) == text;
        fits.then(|| Self(text.to_owned())).ok_or_else(|| ImageError::Answer {
            what: "ECR's DescribeImages",
            problem: format!("an image's tag is `{text}`"),
        })
    }

    /// Whether somebody wants the image to be kept, for a reason that can't be seen from here.
    pub fn is_keep(&self) -> bool {
        self.0.starts_with("keep-")
    }

    /// The image that one with this tag describes: `sha256-<64 digits>`, also with `.sig`, `.att` or `.sbom` after it
    /// (OCI distribution specification, "Referrers Tag Schema"; cosign, "Signature spec").
    pub(crate) fn subject(&self) -> Option<ImageDigest> {
        let hex = self.0.strip_prefix("sha256-")?;
        format!("sha256:{}", hex.split_once('.').map_or(hex, |(hex, _)| hex)).parse().ok()
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
            ImageTag::of_release("a-b", u64::MAX),
        ] {
            assert_eq!(tag.as_str().parse::<ImageTag>().as_ref(), Ok(&tag));
        }
        assert_eq!(ImageTag::of_cache("main", Architecture::X86_64).as_str(), "cache-main-amd64");
        assert_eq!(ImageTag::of_digest(&digest).as_str(), "digest-9f9f9f9f9f9f9f9f");
    }

    #[test]
    fn a_tag_says_what_it_stands_for() {
        let tag = |text: &str| text.parse::<ImageTag>().unwrap();
        let (newest, older) = (ImageTag::of_release("prod-eu", 12), tag("release-dev-0"));
        assert_eq!(newest.release(), Some(("prod-eu", 12)));
        assert_eq!(older.release(), Some(("dev", 0)));
        for other in ["release-dev", "release-dev-x", "release-dev-007", "release--1", "git-release-dev-1"] {
            assert_eq!(tag(other).release(), None, "{other}");
        }
        let digest: ImageDigest = format!("sha256:{}", "9f".repeat(32)).parse().unwrap();
        for suffix in ["", ".sig", ".att"] {
            assert_eq!(tag(&format!("sha256-{}{suffix}", "9f".repeat(32))).subject(), Some(digest.clone()));
        }
        assert_eq!(tag("sha256-9f.sig").subject(), None);
        assert!(tag("cache-main-arm64").is_cache() && !tag("git-cache-1").is_cache());
        assert!(tag("keep-elsewhere").is_keep() && !tag("keep").is_keep());
    }

    #[test]
    fn texts_that_no_registry_takes_are_refused() {
        for bad in ["", ".a", "-a", "a b", "a/b", "ä", &"x".repeat(129)] {
            assert!(bad.parse::<ImageTag>().is_err(), "{bad}");
        }
        for (answer, taken) in [("x".repeat(300), true), ("x".repeat(301), false), ("a/b".to_owned(), false)]
        {
            assert_eq!(ImageTag::of_answer(&answer).is_ok(), taken, "{answer}");
        }
    }
}
