//! How a lease is kept and given back.

use super::{COUNTED_OUT_AFTER, GIVEN_BACK_WITHIN, Lost, RENEWED_EVERY, RETRIED_AFTER, document::Document};
use crate::{
    error::ReleaseError,
    objects::{Condition, Objects, Written},
};
use leo_aws::{ErrorClass, FailureKind, ServiceError};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{Mutex, oneshot, watch},
    time::{Instant, sleep, timeout_at},
};

/// Renews one lease. Renewals never overlap: each needs the ETag of the one before.
#[derive(Debug)]
pub(super) struct Renewer {
    pub(super) environment: String,
    objects: Objects,
    key: String,
    state: Mutex<State>,
    lost: watch::Sender<Option<Lost>>,
}

#[derive(Debug)]
struct State {
    document: Document,
    etag: String,
    /// When the last renewal that succeeded was sent.
    renewed: Instant,
    /// The same by the clock that goes on while the machine sleeps.
    renewed_wall: SystemTime,
    /// What the last try met.
    setback: Option<ServiceError>,
}

impl State {
    /// When the holder counts itself out.
    fn ends(&self) -> Instant {
        self.renewed + COUNTED_OUT_AFTER
    }

    /// Whether others may have it by now. A clock that was set back says nothing.
    fn is_over(&self) -> bool {
        Instant::now() >= self.ends()
            || self.renewed_wall.elapsed().map_or(true, |elapsed| elapsed >= COUNTED_OUT_AFTER)
    }

    fn is_fresh(&self) -> bool {
        let limit = RENEWED_EVERY + RETRIED_AFTER;
        self.renewed.elapsed() < limit && self.renewed_wall.elapsed().is_ok_and(|elapsed| elapsed < limit)
    }
}

/// Renews until it is told to stop or the lease is lost.
pub(super) async fn keep(renewer: Arc<Renewer>, mut stopped: oneshot::Receiver<()>) {
    let mut pause = RENEWED_EVERY;
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            () = sleep(pause) => {}
        }
        pause = renewer.renew().await;
        if renewer.is_lost() {
            return;
        }
    }
}

impl Renewer {
    pub(super) fn new(
        objects: Objects,
        key: String,
        document: Document,
        etag: String,
        renewed: Instant,
    ) -> (Self, watch::Receiver<Option<Lost>>) {
        let (lost, watched) = watch::channel(None);
        let renewed_wall = SystemTime::now();
        let environment = document.holder.environment.clone();
        let state = State { document, etag, renewed, renewed_wall, setback: None };
        (Self { environment, objects, key, state: Mutex::new(state), lost }, watched)
    }

    /// Renews where it was not done just now; tries for as long as nobody else may have taken it.
    pub(super) async fn confirm(&self) {
        loop {
            {
                let mut state = self.state.lock().await;
                if self.is_lost() || state.is_fresh() {
                    return;
                }
                if state.setback.is_some() && state.is_over() {
                    self.count_out(&mut state);
                    return;
                }
            }
            let pause = self.renew().await;
            let state = self.state.lock().await;
            if self.is_lost() || state.is_fresh() {
                return;
            }
            let over = state.is_over();
            drop(state);
            if !over {
                sleep(pause.min(RETRIED_AFTER)).await;
            }
        }
    }

    /// Renews once; comes back with how long to pause before the next time.
    async fn renew(&self) -> Duration {
        let mut state = self.state.lock().await;
        let ends = state.ends().max(Instant::now() + RETRIED_AFTER);
        let pause = match timeout_at(ends, self.try_renew(&mut state)).await {
            Ok(Ok(())) => RENEWED_EVERY,
            Ok(Err(error)) => {
                let class = error.class;
                state.setback = Some(error);
                // Credentials don't come back by asking often.
                if class == ErrorClass::Credentials { RENEWED_EVERY } else { RETRIED_AFTER }
            }
            Err(_) => RETRIED_AFTER,
        };
        let ends = state.ends();
        if Instant::now() >= ends {
            self.count_out(&mut state);
        }
        pause.min(ends.saturating_duration_since(Instant::now()))
    }

    async fn try_renew(&self, state: &mut State) -> Result<(), ServiceError> {
        let (sent, sent_wall) = (Instant::now(), SystemTime::now());
        let mut document = state.document.clone();
        document.renewal += 1;
        let written =
            self.objects.put(&self.key, &document.text(), Condition::Unchanged(&state.etag)).await?;
        let etag = match written {
            Written::Done(etag) => etag,
            Written::Refused | Written::Gone => match self.objects.get(&self.key).await? {
                None => {
                    self.lose(Lost::Removed);
                    return Ok(());
                }
                Some(object) => match Document::read(&object.body) {
                    // A renewal of ours whose answer got lost.
                    Some(there) if there.token == document.token => {
                        document.renewal = there.renewal;
                        object.etag
                    }
                    Some(there) => {
                        self.lose(Lost::TakenOver { by: Box::new(there.holder) });
                        return Ok(());
                    }
                    None => {
                        self.lose(Lost::Removed);
                        return Ok(());
                    }
                },
            },
        };
        *state = State { document, etag, renewed: sent, renewed_wall: sent_wall, setback: None };
        Ok(())
    }

    /// Deletes the object, if it is still ours.
    pub(super) async fn give_back(&self) -> Result<(), ReleaseError> {
        let state = self.state.lock().await;
        let failed = |source| self.objects.failed(format!("give `{}` back", self.environment), source);
        if self.objects.delete(&self.key, &state.etag).await.map_err(failed)? {
            return Ok(());
        }
        // A renewal whose answer never came may have changed the ETag.
        let Some(object) = self.objects.get(&self.key).await.map_err(failed)? else { return Ok(()) };
        if Document::read(&object.body).is_some_and(|there| there.token == state.document.token) {
            self.objects.delete(&self.key, &object.etag).await.map_err(failed)?;
        }
        Ok(())
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.borrow().is_some()
    }

    /// Others may take the lease from now on.
    fn count_out(&self, state: &mut State) {
        let setback = state.setback.take();
        let kind = setback.as_ref().map_or(FailureKind::Failed, ServiceError::kind);
        let reason = setback.map_or_else(|| "S3 did not answer".to_owned(), |error| error.to_string());
        self.lose(Lost::NotRenewed { reason, kind });
    }

    /// The first reason stays.
    fn lose(&self, lost: Lost) {
        self.lost.send_if_modified(|state| {
            let first = state.is_none();
            if first {
                *state = Some(lost);
            }
            first
        });
    }

    pub(super) fn unanswered(&self) -> ReleaseError {
        let source = ServiceError {
            operation: "DeleteObject",
            class: ErrorClass::Transient,
            code: None,
            message: format!("no answer within {} s", GIVEN_BACK_WITHIN.as_secs()),
        };
        self.objects.failed(format!("delete `{}`", self.key), source)
    }
}
