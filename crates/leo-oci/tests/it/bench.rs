//! Two registries with a gate in front of each.

use std::sync::{Arc, Mutex};

use leo_oci::{Connection, Copied, CopyEvent, CopySink, ImageDigest, Login, OciError, copy};

use crate::gate::{Act, Gate, Seen};
use crate::registry::{PASSWORD, Registry, USER};

/// Where images come from, and where they go.
pub(crate) struct Bench {
    pub(crate) source: Registry,
    pub(crate) target: Registry,
    pub(crate) from: Gate,
    pub(crate) to: Gate,
    events: Arc<Mutex<Vec<CopyEvent>>>,
}

impl Bench {
    /// Gates that let everything through.
    pub(crate) async fn start() -> Option<Self> {
        Self::with(|_| Act::Pass, |_| Act::Pass).await
    }

    pub(crate) async fn with(
        from: impl Fn(&Seen) -> Act + Send + Sync + 'static,
        to: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Option<Self> {
        let (source, target) = tokio::join!(Registry::start(), Registry::start());
        let (source, target) = (source?, target?);
        let (from, to) = tokio::join!(Gate::start(&source.host, from), Gate::start(&target.host, to));
        Some(Self { source, target, from, to, events: Arc::default() })
    }

    /// Copies from `leo` to `leo`.
    pub(crate) async fn copy(&self, digest: &ImageDigest) -> Result<Copied, OciError> {
        self.copy_as(digest, &Login::new(USER, PASSWORD)).await
    }

    pub(crate) async fn copy_as(&self, digest: &ImageDigest, login: &Login) -> Result<Copied, OciError> {
        let from = Connection::new(&self.from.host, &Login::new(USER, PASSWORD)).unwrap();
        let to = Connection::new(&self.to.host, login).unwrap();
        copy(&from, "leo", digest, &to, "leo", self.sink()).await
    }

    pub(crate) fn sink(&self) -> CopySink {
        let events = self.events.clone();
        Arc::new(move |event| events.lock().unwrap().push(event))
    }

    pub(crate) fn events(&self) -> Vec<CopyEvent> {
        self.events.lock().unwrap().clone()
    }
}

/// A rule that lets everything through but the first requests that it is about.
pub(crate) fn the_first(
    times: usize,
    about: impl Fn(&Seen) -> bool + Send + Sync + 'static,
    act: Act,
) -> impl Fn(&Seen) -> Act + Send + Sync + 'static {
    let left = Mutex::new(times);
    move |seen| {
        let mut left = left.lock().unwrap();
        if *left == 0 || !about(seen) {
            return Act::Pass;
        }
        *left -= 1;
        act.clone()
    }
}
