use crate::{ImageDigest, ImageTag};

/// How a task definition, a task or a stack names an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// By its digest.
    Digest(ImageDigest),
    /// By a tag.
    Tag {
        /// The repository's name, without the registry's host: one registry has several of those.
        repository: String,
        /// The tag.
        tag: ImageTag,
    },
}

/// A text that should name an image and is none that can be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read `{text}` as the name of an image")]
pub struct ReferenceError {
    /// The text.
    pub text: String,
}

/// The tag that a name without one means.
const LATEST: &str = "latest";

impl Named {
    /// The image that `[host[:port]/]repository[:tag][@digest]` names; one with both is the digest's.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let error = || ReferenceError { text: text.to_owned() };
        if let Some((_, digest)) = text.rsplit_once('@') {
            return digest.parse().map(Self::Digest).map_err(|_| error());
        }
        // A host has a dot or a port; a repository has neither in its first part.
        let path = match text.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
            _ => text,
        };
        let (repository, tag) = path.split_once(':').unwrap_or((path, LATEST));
        if repository.is_empty() {
            return Err(error());
        }
        let tag = tag.parse().map_err(|_| error())?;
        Ok(Self::Tag { repository: repository.to_owned(), tag })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_an_image_is_read() {
        let digest: ImageDigest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        let table = [
            (format!("111122223333.dkr.ecr.us-east-1.amazonaws.com/leo@{digest}"), "@"),
            (format!("127.0.0.1:4566/leo@{digest}"), "@"),
            (format!("leo:git-1@{digest}"), "@"),
            ("111122223333.dkr.ecr.us-east-1.amazonaws.com/leo:git-1".to_owned(), "leo git-1"),
            ("111122223333.dkr-ecr.us-east-1.on.aws/leo:git-1".to_owned(), "leo git-1"),
            ("127.0.0.1:4566/leo".to_owned(), "leo latest"),
            ("localhost/team/leo:x".to_owned(), "team/leo x"),
            ("team/leo:x".to_owned(), "team/leo x"),
            ("leo".to_owned(), "leo latest"),
        ];
        for (text, expected) in table {
            let read = match Named::parse(&text).unwrap() {
                Named::Digest(read) => {
                    assert_eq!(read, digest);
                    "@".to_owned()
                }
                Named::Tag { repository, tag } => format!("{repository} {tag}"),
            };
            assert_eq!(read, expected, "{text}");
        }
        for bad in ["", "registry.example/", "leo@sha512:00", "leo:", "leo:a b"] {
            assert_eq!(Named::parse(bad).unwrap_err().text, bad);
        }
    }
}
