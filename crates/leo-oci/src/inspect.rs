use std::collections::BTreeSet;

use crate::connection::{About, Connection};
use crate::http::{self, Request};
use crate::manifest::{Content, Descriptor, Manifest, Platform, digest_of};
use crate::retry::persist;
use crate::{ImageDigest, OciError};

/// An image's configuration of more bytes is none.
const LONGEST_CONFIG: usize = 8 * 1024 * 1024;
/// An index in an index in an index.
pub(crate) const DEEPEST: usize = 3;

/// What an image, or an index of images, is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// Its digest.
    pub digest: ImageDigest,
    /// Its media type.
    pub media_type: String,
    /// What it runs on: one platform, or for an index those of all its images. Attestations have none.
    pub platforms: Vec<Platform>,
    /// What it weighs in the registry, compressed, in bytes: configuration and layers, each once.
    pub bytes: u64,
    /// Its layers, for an index those of all its images, each once, in order.
    pub layers: Vec<Layer>,
    /// For an index what it lists, attestations as well; empty for an image.
    pub children: Vec<Inspected>,
}

/// A layer as it is in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The digest of its compressed bytes.
    pub digest: ImageDigest,
    /// Its compressed size in bytes.
    pub bytes: u64,
}

impl Inspected {
    /// The image for this operating system and processor: this one, or the one that an index lists.
    pub fn image_for(&self, os: &str, architecture: &str) -> Option<&Inspected> {
        if self.children.is_empty() {
            let fits = |platform: &Platform| platform.os == os && platform.architecture == architecture;
            return self.platforms.iter().any(fits).then_some(self);
        }
        self.children.iter().find_map(|child| child.image_for(os, architecture))
    }
}

impl Connection {
    /// Looks at an image. Reads manifests and configurations, no layer.
    ///
    /// # Errors
    /// [`OciError::ImageMissing`] where the repository has no such image.
    pub async fn inspect(&self, repository: &str, digest: &ImageDigest) -> Result<Inspected, OciError> {
        self.inspect_at(repository, digest, None, 0).await
    }

    async fn inspect_at(
        &self,
        repository: &str,
        digest: &ImageDigest,
        listed_as: Option<&Platform>,
        depth: usize,
    ) -> Result<Inspected, OciError> {
        let manifest = self.manifest(repository, digest).await?;
        match &manifest.content {
            Content::Image { config, layers } => {
                let platform = match listed_as {
                    Some(platform) => Some(platform.clone()),
                    None => self.platform(repository, config).await?,
                };
                let platforms = platform.into_iter().filter(Platform::is_known).collect();
                let layers = once(layers.iter().map(Layer::of));
                let bytes = config.size + layers.iter().map(|layer| layer.bytes).sum::<u64>();
                Ok(Inspected {
                    digest: manifest.digest,
                    media_type: manifest.media_type,
                    platforms,
                    bytes,
                    layers,
                    children: Vec::new(),
                })
            }
            Content::Index { children: listed } => {
                if depth == DEEPEST {
                    return Err(too_deep(self, digest));
                }
                let mut children = Vec::new();
                for child in listed {
                    let inspected =
                        self.inspect_at(repository, &child.digest, child.platform.as_ref(), depth + 1);
                    children.push(Box::pin(inspected).await?);
                }
                Ok(Inspected::of_index(&manifest, children))
            }
        }
    }

    /// What an image says that it runs on.
    async fn platform(&self, repository: &str, config: &Descriptor) -> Result<Option<Platform>, OciError> {
        persist(|| self.read_platform(repository, config), |_| {}).await
    }

    async fn read_platform(
        &self,
        repository: &str,
        config: &Descriptor,
    ) -> Result<Option<Platform>, OciError> {
        let place = self.place(repository, &format!("blobs/{}", config.digest))?;
        let doing = format!("read {place}");
        let about = About { repository, doing: &doing };
        let answer = self.ask(&about, || Request::new("GET", place.clone())).await?;
        let bytes = http::whole(answer.into_body(), &self.host(), LONGEST_CONFIG).await?;
        let found = digest_of(&bytes);
        if found != config.digest {
            return Err(OciError::Corrupt { doing, wanted: config.digest.clone(), found });
        }
        // Something that is no image has another configuration, or none.
        Ok(serde_json::from_slice(&bytes).ok())
    }
}

impl Inspected {
    fn of_index(manifest: &Manifest, children: Vec<Inspected>) -> Self {
        let layers = once(children.iter().flat_map(|child| child.layers.iter().cloned()));
        let mut seen = BTreeSet::new();
        let configurations = children.iter().filter(|child| seen.insert(child.digest.clone()));
        let bytes = configurations.map(Inspected::bytes_beside_layers).sum::<u64>()
            + layers.iter().map(|layer| layer.bytes).sum::<u64>();
        Self {
            digest: manifest.digest.clone(),
            media_type: manifest.media_type.clone(),
            platforms: children.iter().flat_map(|child| child.platforms.iter().cloned()).collect(),
            bytes,
            layers,
            children,
        }
    }

    fn bytes_beside_layers(&self) -> u64 {
        self.bytes.saturating_sub(self.layers.iter().map(|layer| layer.bytes).sum())
    }
}

impl Layer {
    fn of(descriptor: &Descriptor) -> Self {
        Self { digest: descriptor.digest.clone(), bytes: descriptor.size }
    }
}

fn once(layers: impl Iterator<Item = Layer>) -> Vec<Layer> {
    let mut seen = BTreeSet::new();
    layers.filter(|layer| seen.insert(layer.digest.clone())).collect()
}

pub(crate) fn too_deep(connection: &Connection, digest: &ImageDigest) -> OciError {
    OciError::Answer {
        host: connection.host(),
        what: format!("the manifest {digest}"),
        problem: "an index lists an index, which lists another one".to_owned(),
    }
}
