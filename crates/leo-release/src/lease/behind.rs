//! How a deploy stays behind whoever deletes images.
//!
//! Both write their own lease first and look for the other's then. However the four calls fall, at least one of the two
//! sees the other: what deletes images gives way to a deploy that was first, and a deploy waits for one that was.

use super::{
    Waiting,
    acquire::{LOOK_EVERY, Seen, held_by, is_free, jittered, key, unknown},
    document::Document,
};
use crate::{artifacts::Artifacts, error::ReleaseError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What whoever deletes images of the registry has a lease of, beside the environments. No environment can be called so.
pub const REGISTRY_IMAGES: &str = "registry_images";

impl Artifacts {
    /// Waits until nobody deletes images, `at_most` so long; `on_wait` is told at each look. Whether that took a wait.
    ///
    /// For whoever has the lease of an environment already: only then does the other side see it.
    pub async fn behind_collection(
        &self,
        at_most: Duration,
        on_wait: &(dyn Fn(&Waiting) + Send + Sync),
    ) -> Result<bool, ReleaseError> {
        let failed = |source| self.objects.failed("see whether images are being deleted", source);
        let began = Instant::now();
        let mut seen: Option<Seen> = None;
        loop {
            let waited_for = seen.is_some();
            let Some(object) = self.objects.get(&key(REGISTRY_IMAGES)).await.map_err(failed)? else {
                return Ok(waited_for);
            };
            let theirs = Document::read(&object.body);
            let first = match seen.take() {
                Some(seen) if seen.etag == object.etag => seen.at,
                _ => Instant::now(),
            };
            seen = Some(Seen { etag: object.etag.clone(), at: first });
            if is_free(theirs.as_ref(), &object, first.elapsed()) {
                return Ok(waited_for);
            }
            let waited = began.elapsed();
            let (holder, since) = match theirs {
                Some(theirs) => (theirs.holder, Some(theirs.since)),
                None => (unknown(REGISTRY_IMAGES), None),
            };
            if waited >= at_most {
                return Err(held_by(holder, began));
            }
            on_wait(&Waiting { holder, since, renewed: object.age, waited, at_most });
            sleep(jittered(LOOK_EVERY).min(at_most.saturating_sub(waited))).await;
        }
    }
}
