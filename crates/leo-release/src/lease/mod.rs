//! One deploy at a time works on an environment.
//!
//! The lease is an object, `leases/<environment>.json`. Who creates it has it, renews it while it works, and deletes it
//! at the end. Who dies with it loses it: at once to a process of the same machine, which sees that it is gone; to
//! others once it has not been renewed for as long as its text promises, by S3's own clock.
//!
//! It keeps deploys from mixing; CloudFormation itself still refuses two operations on one stack. A holder that can't
//! renew counts itself out before anyone else may take over.

mod acquire;
mod behind;
mod document;
mod renew;

pub use acquire::Waiting;
pub use behind::REGISTRY_IMAGES;
pub use document::Holder;

use crate::error::ReleaseError;
use leo_aws::FailureKind;
use renew::Renewer;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::timeout,
};

/// How long a lease lasts after it was last renewed.
pub(crate) const LASTS: Duration = Duration::from_secs(90);
/// How often it is renewed.
const RENEWED_EVERY: Duration = Duration::from_secs(30);
/// How long after a failed renewal the next one is tried.
const RETRIED_AFTER: Duration = Duration::from_secs(5);
/// How long after its last renewal a holder counts itself out, well before [`LASTS`]: the clocks of both sides tick in
/// seconds, and a step that has just begun has to reach AWS first.
const COUNTED_OUT_AFTER: Duration = Duration::from_secs(75);
/// How long giving it back may take; after that it ends by itself.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(15);

/// An environment of one's own. Dropped without [`Lease::release`] it is no longer renewed and ends by itself.
#[derive(Debug)]
pub struct Lease {
    renewer: Arc<Renewer>,
    lost: watch::Receiver<Option<Lost>>,
    /// Dropping it ends the renewals.
    stop: oneshot::Sender<()>,
    renewals: JoinHandle<()>,
    taken_over: Option<Holder>,
}

/// How a lease was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Someone else has it now.
    TakenOver {
        /// Who.
        by: Box<Holder>,
    },
    /// Its object was deleted.
    Removed,
    /// It could not be renewed in time, so that someone else may take it.
    NotRenewed {
        /// What the last try met.
        reason: String,
        /// What kind of failure that was.
        kind: FailureKind,
    },
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakenOver { by } => write!(f, "{by} took over"),
            Self::Removed => f.write_str("its lease was removed"),
            Self::NotRenewed { reason, .. } => write!(f, "its lease could not be renewed in time: {reason}"),
        }
    }
}

impl Lease {
    fn new(renewer: Renewer, lost: watch::Receiver<Option<Lost>>, taken_over: Option<Holder>) -> Self {
        let renewer = Arc::new(renewer);
        let (stop, stopped) = oneshot::channel();
        let renewals = tokio::spawn(renew::keep(renewer.clone(), stopped));
        Self { renewer, lost, stop, renewals, taken_over }
    }

    /// Whose lease this was before, where it was taken from someone who had ended or fallen silent.
    pub fn taken_over(&self) -> Option<&Holder> {
        self.taken_over.as_ref()
    }

    /// Waits until the lease is lost, for ever if it never is: for `tokio::select!`.
    pub async fn lost(&self) -> Lost {
        let mut lost = self.lost.clone();
        match lost.wait_for(Option::is_some).await.map(|lost| lost.clone()) {
            Ok(Some(lost)) => lost,
            // The renewals ended with the lease held.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    /// Makes sure that the lease is still held, before a step that would do harm otherwise. Asks S3 only where it was
    /// not renewed just now: after this machine slept, for example, during which no renewal could be sent.
    pub async fn confirm(&self) -> Result<(), ReleaseError> {
        self.renewer.confirm().await;
        let lost = self.lost.borrow().clone();
        match lost {
            Some(lost) => {
                Err(ReleaseError::LeaseLost { environment: self.renewer.environment.clone(), lost })
            }
            None => Ok(()),
        }
    }

    /// Gives the lease back, so that the next deploy need not wait for its end. On an error it ends by itself.
    pub async fn release(self) -> Result<(), ReleaseError> {
        // What is being sent is sent to the end: a renewal that arrives after the deletion must know that it is late.
        drop(self.stop);
        let given_back = timeout(GIVEN_BACK_WITHIN, async {
            // It ends by itself; it does not panic.
            let _ = self.renewals.await;
            self.renewer.give_back().await
        });
        given_back.await.unwrap_or_else(|_| Err(self.renewer.unanswered()))
    }
}
