use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::blob::{self, Transfer};
use crate::connection::{About, Connection};
use crate::http::Request;
use crate::inspect::{DEEPEST, too_deep};
use crate::manifest::{Content, Descriptor, Manifest};
use crate::retry::persist;
use crate::{ImageDigest, OciError};

/// Blobs under way at once.
const AT_ONCE: usize = 4;

/// What a copy did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Layers and configurations that were sent.
    pub blobs_sent: usize,
    /// What they weigh, in bytes.
    pub bytes_sent: u64,
    /// Those that were there already.
    pub blobs_present: usize,
    /// Those that the registry took over from the other repository by itself.
    pub mounted: usize,
}

/// How a copy gets on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyEvent {
    /// What it is about; sent first, unless the image is there already.
    Planned {
        /// Layers and configurations, each once.
        blobs: usize,
        /// What they weigh, in bytes.
        bytes: u64,
    },
    /// The other repository has it already.
    Present {
        /// The blob.
        blob: ImageDigest,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The registry took it over from the other repository by itself.
    Mounted {
        /// The blob.
        blob: ImageDigest,
        /// Its size in bytes.
        bytes: u64,
    },
    /// A part of a blob was sent.
    Sending {
        /// The blob.
        blob: ImageDigest,
        /// What has been sent of it so far, in bytes.
        sent: u64,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The registry has it now.
    Sent {
        /// The blob.
        blob: ImageDigest,
        /// Its size in bytes.
        bytes: u64,
    },
    /// Something passing went wrong, and it is tried again.
    Again {
        /// The blob.
        blob: ImageDigest,
        /// What went wrong.
        reason: String,
    },
}

/// Who hears of a copy. It must not block.
pub type CopySink = Arc<dyn Fn(CopyEvent) + Send + Sync>;

/// Brings an image, or an index with everything that it lists, into another repository under the same digest. What is
/// there already is not sent; run again after a failure, it continues.
///
/// The image has no tag there: whoever calls this gives it one, or it expires.
///
/// # Errors
/// [`OciError`]; the images that arrived in whole stay.
pub async fn copy(
    from: &Connection,
    from_repository: &str,
    digest: &ImageDigest,
    to: &Connection,
    to_repository: &str,
    on_event: CopySink,
) -> Result<Copied, OciError> {
    if to.has_image(to_repository, digest).await? {
        return Ok(Copied::default());
    }
    let mut manifests = Vec::new();
    collect(from, from_repository, digest, 0, &mut manifests).await?;
    let blobs = blobs(&manifests);
    on_event(CopyEvent::Planned { blobs: blobs.len(), bytes: blobs.iter().map(|blob| blob.size).sum() });

    let transfer = Arc::new(Transfer {
        from: from.clone(),
        from_repository: from_repository.to_owned(),
        to: to.clone(),
        to_repository: to_repository.to_owned(),
        on_event,
    });
    let copied = send_all(transfer, blobs).await?;
    for manifest in &manifests {
        put(to, to_repository, manifest).await?;
    }
    Ok(copied)
}

/// All manifests of an image, each after those that it lists: the order in which a registry takes them.
async fn collect(
    from: &Connection,
    repository: &str,
    digest: &ImageDigest,
    depth: usize,
    found: &mut Vec<Manifest>,
) -> Result<(), OciError> {
    if found.iter().any(|manifest| manifest.digest == *digest) {
        return Ok(());
    }
    let manifest = from.manifest(repository, digest).await?;
    if let Content::Index { children } = &manifest.content {
        if depth == DEEPEST {
            return Err(too_deep(from, digest));
        }
        for child in children {
            if !child.is_manifest() {
                return Err(OciError::Answer {
                    host: from.host(),
                    what: format!("the manifest {digest}"),
                    problem: format!("it lists something of type {}", child.media_type),
                });
            }
            Box::pin(collect(from, repository, &child.digest, depth + 1, found)).await?;
        }
    }
    found.push(manifest);
    Ok(())
}

/// The blobs of all these, each once, the largest first: it takes longest.
fn blobs(manifests: &[Manifest]) -> Vec<Descriptor> {
    let mut blobs = BTreeMap::new();
    for manifest in manifests {
        if let Content::Image { config, layers } = &manifest.content {
            for blob in layers.iter().chain([config]) {
                blobs.insert(blob.digest.clone(), blob.clone());
            }
        }
    }
    let mut blobs: Vec<_> = blobs.into_values().collect();
    blobs.sort_by_key(|blob| std::cmp::Reverse(blob.size));
    blobs
}

/// Sends blobs, several at once. The first failure ends the others.
async fn send_all(transfer: Arc<Transfer>, blobs: Vec<Descriptor>) -> Result<Copied, OciError> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for blob in blobs {
        let (transfer, turns) = (transfer.clone(), turns.clone());
        tasks.spawn(async move {
            // Never closed.
            let _turn = turns.acquire().await;
            let outcome = transfer.blob(&blob).await?;
            Ok::<_, OciError>((outcome, blob.size))
        });
    }
    let mut copied = Copied::default();
    while let Some(finished) = tasks.join_next().await {
        let finished = finished.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()));
        match finished? {
            (blob::Outcome::Present, _) => copied.blobs_present += 1,
            (blob::Outcome::Mounted, _) => copied.mounted += 1,
            (blob::Outcome::Sent, bytes) => {
                copied.blobs_sent += 1;
                copied.bytes_sent += bytes;
            }
        }
    }
    Ok(copied)
}

/// Puts a manifest under its digest.
async fn put(to: &Connection, repository: &str, manifest: &Manifest) -> Result<(), OciError> {
    let place = to.place(repository, &format!("manifests/{}", manifest.digest))?;
    let doing = format!("put {place}");
    let about = About { repository, doing: &doing };
    let request = || {
        Request::new("PUT", place.clone())
            .header("content-type", manifest.media_type.clone())
            .body(manifest.body.clone().into())
    };
    let answer = persist(|| to.ask(&about, request), |_| {}).await?;
    let stored = answer.headers().get("docker-content-digest").and_then(|digest| digest.parse().ok());
    match stored {
        Some(found) if found != manifest.digest => {
            Err(OciError::Corrupt { doing, wanted: manifest.digest.clone(), found })
        }
        _ => Ok(()),
    }
}
