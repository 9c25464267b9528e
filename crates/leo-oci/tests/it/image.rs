//! Images to copy: as small as an image can be, or as large as a test needs.

use leo_oci::ImageDigest;
use serde_json::{Value, json};

use crate::registry::Registry;

pub(crate) const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An image in a registry.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) digest: ImageDigest,
    pub(crate) config: ImageDigest,
    pub(crate) layers: Vec<ImageDigest>,
    /// Configuration and layers.
    pub(crate) bytes: u64,
    size: usize,
}

/// Bytes that no other seed gives.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Puts an image of these layers into a repository.
pub(crate) fn image(registry: &Registry, repository: &str, architecture: &str, layers: &[Vec<u8>]) -> Image {
    let config =
        json!({"os": "linux", "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": []}});
    let config = config.to_string();
    let mut bytes = config.len() as u64;
    let config_digest = registry.store(repository, config.as_bytes());
    let mut digests = Vec::new();
    let mut described = Vec::new();
    for layer in layers {
        let digest = registry.store(repository, layer);
        bytes += layer.len() as u64;
        described.push(describe("application/vnd.oci.image.layer.v1.tar+gzip", &digest, layer.len()));
        digests.push(digest);
    }
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_IMAGE,
        "config": describe("application/vnd.oci.image.config.v1+json", &config_digest, config.len()),
        "layers": described,
    });
    // Not as serde would write it: a copy keeps every byte.
    let manifest = format!("{manifest:#}\n");
    let digest = registry.store_manifest(repository, manifest.as_bytes());
    Image { digest, config: config_digest, layers: digests, bytes, size: manifest.len() }
}

/// Puts an index of these images into a repository.
pub(crate) fn index(registry: &Registry, repository: &str, images: &[(&str, &Image)]) -> ImageDigest {
    let listed: Vec<_> = images
        .iter()
        .map(|(architecture, image)| {
            let mut child = describe(OCI_IMAGE, &image.digest, image.size);
            let os = if *architecture == "unknown" { "unknown" } else { "linux" };
            child["platform"] = json!({"os": os, "architecture": architecture});
            child
        })
        .collect();
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).to_string();
    registry.store_manifest(repository, index.as_bytes())
}

fn describe(media_type: &str, digest: &ImageDigest, size: usize) -> Value {
    json!({"mediaType": media_type, "digest": digest.as_str(), "size": size})
}
