use std::fmt;

use hyper::body::Bytes;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::ImageDigest;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Every kind of manifest that is understood, as the header `Accept` lists them. Without it a registry converts to
/// the oldest.
pub(crate) fn accepted() -> String {
    [OCI_INDEX, OCI_IMAGE, DOCKER_INDEX, DOCKER_IMAGE].join(", ")
}

/// What an image runs on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Platform {
    /// The operating system, like `linux`.
    pub os: String,
    /// The processor, like `amd64` or `arm64`.
    pub architecture: String,
    /// The processor's generation, like `v8`, where it is said.
    #[serde(default)]
    pub variant: Option<String>,
}

impl Platform {
    /// Whether it is one: an attestation says `unknown`.
    pub(crate) fn is_known(&self) -> bool {
        self.os != "unknown" && !self.os.is_empty()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

/// What a manifest says about something that it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    #[serde(deserialize_with = "digest")]
    pub(crate) digest: ImageDigest,
    pub(crate) size: u64,
    #[serde(default)]
    pub(crate) platform: Option<Platform>,
}

/// A manifest as it is in a registry, to the byte.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) digest: ImageDigest,
    pub(crate) media_type: String,
    pub(crate) body: Bytes,
    pub(crate) content: Content,
}

/// What a manifest lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// One image.
    Image { config: Descriptor, layers: Vec<Descriptor> },
    /// Images for several platforms, and what was attested about them.
    Index { children: Vec<Descriptor> },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

impl Manifest {
    /// Reads what came with this `Content-Type`. The digest is the caller's to check.
    pub(crate) fn parse(digest: ImageDigest, content_type: &str, body: Bytes) -> Result<Self, String> {
        let parsed: Body = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        let header = content_type.split(';').next().unwrap_or_default().trim();
        // Two readers that choose differently would see two images under one digest.
        if parsed.media_type.as_ref().is_some_and(|inner| inner != header) {
            return Err(format!(
                "it came as {header} and calls itself {}",
                parsed.media_type.unwrap_or_default()
            ));
        }
        let content = match (header, parsed) {
            (OCI_IMAGE | DOCKER_IMAGE, Body { config: Some(config), layers, manifests: None, .. }) => {
                Content::Image { config, layers: layers.unwrap_or_default() }
            }
            (
                OCI_INDEX | DOCKER_INDEX,
                Body { manifests: Some(children), config: None, layers: None, .. },
            ) => Content::Index { children },
            (OCI_IMAGE | DOCKER_IMAGE | OCI_INDEX | DOCKER_INDEX, _) => {
                return Err(format!("it is no {header}"));
            }
            _ => return Err(format!("it came as {header}, which is no image")),
        };
        Ok(Self { digest, media_type: header.to_owned(), body, content })
    }
}

impl Descriptor {
    /// Whether this is another manifest.
    pub(crate) fn is_manifest(&self) -> bool {
        matches!(self.media_type.as_str(), OCI_INDEX | OCI_IMAGE | DOCKER_INDEX | DOCKER_IMAGE)
    }
}

/// The digest of these bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> ImageDigest {
    finished(Sha256::new_with_prefix(bytes))
}

/// The digest of all that was hashed.
pub(crate) fn finished(hash: Sha256) -> ImageDigest {
    ImageDigest::of_sha256(&hash.finalize().into())
}

fn digest<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<ImageDigest, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}
