use std::fmt::{self, Write};
use std::str::FromStr;

/// The SHA-256 digest of an image manifest or image index, as `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageDigest(String);

/// What is wrong with a text that should be an image digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read `{text}` as an image digest: wanted `sha256:` and 64 hexadecimal digits")]
pub struct DigestError {
    /// The text as it was given.
    pub text: String,
}

impl ImageDigest {
    /// The digest that these 32 bytes are.
    pub fn of_sha256(bytes: &[u8; 32]) -> Self {
        let mut text = String::from("sha256:");
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// The digest with its `sha256:` prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 16 hexadecimal digits, enough to tell the images of one repository apart.
    pub fn short(&self) -> &str {
        let hex = self.hex();
        hex.get(..16).unwrap_or(hex)
    }

    fn hex(&self) -> &str {
        self.0.strip_prefix("sha256:").unwrap_or(&self.0)
    }
}

impl FromStr for ImageDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower_hex =
            |hex: &str| hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match text.strip_prefix("sha256:") {
            Some(hex) if lower_hex(hex) => Ok(Self(text.to_owned())),
            _ => Err(DigestError { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for ImageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An image pinned by digest: what a task definition's `Image` takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageReference {
    /// `<registry host>/<repository name>`, without a tag.
    pub repository_uri: String,
    /// The digest of the manifest or index.
    pub digest: ImageDigest,
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository_uri, self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_lower_case_sha256_is_a_digest() {
        let hex = "0123456789abcdef".repeat(4);
        let digest: ImageDigest = format!("sha256:{hex}").parse().unwrap();
        assert_eq!(digest.short(), "0123456789abcdef");
        for bad in
            ["", &hex, "sha256:abc", &format!("sha256:{}", hex.to_uppercase()), &format!("sha512:{hex}")]
        {
            assert_eq!(bad.parse::<ImageDigest>().unwrap_err().text, *bad);
        }
    }

    #[test]
    fn a_reference_is_uri_at_digest() {
        let digest: ImageDigest = format!("sha256:{}", "ab".repeat(32)).parse().unwrap();
        let reference =
            ImageReference { repository_uri: "registry.example/leo".into(), digest: digest.clone() };
        assert_eq!(reference.to_string(), format!("registry.example/leo@{digest}"));
    }
}
