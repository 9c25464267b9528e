//! How a lease is had: created, or taken over from one who is gone.

use super::{
    LASTS, Lease,
    document::{Document, Holder},
    renew::Renewer,
};
use crate::{
    artifacts::Artifacts,
    error::ReleaseError,
    history::rfc3339,
    objects::{Condition, Object, Written},
    process::Process,
};
use std::{
    fmt,
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, sleep};

/// How often one looks whether a lease is free.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(3);

/// How the key of every lease begins and ends.
const PREFIX: &str = "leases/";
const SUFFIX: &str = ".json";

/// Someone else has the lease, and it is waited for.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Who has it.
    pub holder: Holder,
    /// Since when, RFC 3339; `None` where its lease can't be read.
    pub since: Option<String>,
    /// How long ago it showed that it is there, by S3's clock.
    pub renewed: Option<Duration>,
    /// For how long it has been waited.
    pub waited: Duration,
    /// For how long it will be waited at most.
    pub at_most: Duration,
}

/// `ada@laptop (deploy, process 4711) works on dev since 2026-11-22T14:00:00Z`
impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} works on {}", self.holder, self.holder.environment)?;
        match &self.since {
            Some(since) => write!(f, " since {since}"),
            None => Ok(()),
        }
    }
}

/// When a lease was first seen as it is: without S3's clock, one that stays so for as long as it lasts is over.
pub(super) struct Seen {
    pub(super) etag: String,
    pub(super) at: Instant,
}

impl Artifacts {
    /// Has the environment for `holder` alone.
    ///
    /// Someone else's lease is waited for, `at_most` so long (zero: not at all); `on_wait` is told at each look. One
    /// whose process on this machine has ended, or that was not renewed for as long as it lasts, is taken over.
    pub async fn lease(
        &self,
        holder: Holder,
        at_most: Duration,
        on_wait: &(dyn Fn(&Waiting) + Send + Sync),
    ) -> Result<Lease, ReleaseError> {
        let key = key(&holder.environment);
        let document = Document::new(holder, rfc3339(SystemTime::now()));
        let environment = document.holder.environment.clone();
        let failed = |source| self.objects.failed(format!("have `{environment}` for itself"), source);
        let began = Instant::now();
        let mut seen: Option<Seen> = None;
        let mut sent = Instant::now();
        loop {
            if seen.is_none() {
                sent = Instant::now();
                let written =
                    self.objects.put(&key, &document.text(), Condition::Absent).await.map_err(failed)?;
                if let Written::Done(etag) = written {
                    return Ok(self.held(key, document, etag, sent, None));
                }
            }
            let Some(object) = self.objects.get(&key).await.map_err(failed)? else {
                // Given back since it was seen.
                seen = None;
                if began.elapsed() > at_most.max(LASTS) {
                    return Err(held_by(unknown(&environment), began));
                }
                sleep(jittered(LOOK_EVERY / 10)).await;
                continue;
            };
            let theirs = Document::read(&object.body);
            if theirs.as_ref().is_some_and(|theirs| theirs.token == document.token) {
                // Our own write, repeated because its answer got lost.
                return Ok(self.held(key, document, object.etag, sent, None));
            }
            let first = match seen.take() {
                Some(seen) if seen.etag == object.etag => seen.at,
                _ => Instant::now(),
            };
            seen = Some(Seen { etag: object.etag.clone(), at: first });
            if is_free(theirs.as_ref(), &object, first.elapsed()) {
                sent = Instant::now();
                let condition = Condition::Unchanged(&object.etag);
                let written = self.objects.put(&key, &document.text(), condition).await.map_err(failed)?;
                if let Written::Done(etag) = written {
                    let before = theirs.map_or_else(|| unknown(&environment), |theirs| theirs.holder);
                    return Ok(self.held(key, document, etag, sent, Some(before)));
                }
                // Another one was faster: look again who it is.
                continue;
            }
            let waited = began.elapsed();
            let (holder, since) = match theirs {
                Some(theirs) => (theirs.holder, Some(theirs.since)),
                None => (unknown(&environment), None),
            };
            if waited >= at_most {
                return Err(held_by(holder, began));
            }
            on_wait(&Waiting { holder, since, renewed: object.age, waited, at_most });
            sleep(jittered(LOOK_EVERY).min(at_most.saturating_sub(waited))).await;
        }
    }

    /// Who works on an environment now, whichever. [`ReleaseError::NoBucket`] where there is no bucket.
    pub async fn holders(&self) -> Result<Vec<Holder>, ReleaseError> {
        let failed = |source| self.objects.failed("see who works on an environment", source);
        let mut holders = vec![];
        for key in self.objects.keys(PREFIX).await.map_err(failed)? {
            // Given back since it was listed.
            let Some(object) = self.objects.get(&key).await.map_err(failed)? else { continue };
            let theirs = Document::read(&object.body);
            if is_free(theirs.as_ref(), &object, Duration::ZERO) {
                continue;
            }
            let environment = key.trim_start_matches(PREFIX).trim_end_matches(SUFFIX);
            holders.push(theirs.map_or_else(|| unknown(environment), |theirs| theirs.holder));
        }
        Ok(holders)
    }

    fn held(
        &self,
        key: String,
        document: Document,
        etag: String,
        sent: Instant,
        before: Option<Holder>,
    ) -> Lease {
        let (renewer, lost) = Renewer::new(self.objects.clone(), key, document, etag, sent);
        Lease::new(renewer, lost, before)
    }
}

/// Whether nobody holds it any more. `watched`: for how long it was seen unchanged.
pub(super) fn is_free(theirs: Option<&Document>, object: &Object, watched: Duration) -> bool {
    let lasts = theirs.map_or(LASTS, Document::lasts);
    theirs.is_some_and(|theirs| theirs.holder.process.has_ended())
        // More by a second: both ends are given in whole ones.
        || object.age.is_some_and(|age| age > lasts + Duration::from_secs(1))
        || watched > lasts
}

pub(super) fn held_by(holder: Holder, began: Instant) -> ReleaseError {
    ReleaseError::Held { holder: Box::new(holder), waited: began.elapsed() }
}

/// Whoever wrote a lease that can't be read.
pub(super) fn unknown(environment: &str) -> Holder {
    Holder {
        environment: environment.to_owned(),
        operation: String::new(),
        user: "someone".to_owned(),
        host: "unknown".to_owned(),
        process: Process::unknown(),
        commit: None,
        command: "unknown".to_owned(),
    }
}

pub(super) fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.75 + 0.5 * fastrand::f64())
}

pub(super) fn key(environment: &str) -> String {
    format!("{PREFIX}{environment}{SUFFIX}")
}
