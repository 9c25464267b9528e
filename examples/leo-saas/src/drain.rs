//! Telling everything that is under way to end, and knowing when it has.

use std::convert::Infallible;
use tokio::sync::{mpsc, watch};

/// Held by whoever must come to an end before the program does.
#[derive(Clone)]
pub(crate) struct Busy {
    stopping: watch::Receiver<bool>,
    /// Never sent on: the receiver learns that all of them are dropped.
    _held: mpsc::Sender<Infallible>,
}

/// The other end.
pub(crate) struct Drain {
    stop: watch::Sender<bool>,
    held: mpsc::Receiver<Infallible>,
}

pub(crate) fn drain() -> (Drain, Busy) {
    let (stop, stopping) = watch::channel(false);
    let (sender, held) = mpsc::channel(1);
    (Drain { stop, held }, Busy { stopping, _held: sender })
}

impl Busy {
    /// Resolves when it is time to end, at once if it has been for a while.
    pub(crate) async fn stopping(&mut self) {
        // An error means that the other end is gone, with the program.
        let _ = self.stopping.wait_for(|stop| *stop).await;
    }
}

impl Drain {
    /// Tells everyone, and waits until the last one has ended.
    pub(crate) async fn finish(mut self) {
        self.stop.send_replace(true);
        while self.held.recv().await.is_some() {}
    }
}
