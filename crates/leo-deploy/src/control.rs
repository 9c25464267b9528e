//! When an operation is given up before CloudFormation itself ends it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// What may end an operation early. The default never does.
#[derive(Debug, Clone, Default)]
pub struct Control {
    /// How long an execution may take, from its beginning.
    pub deadline: Option<Duration>,
    /// `Some(reason)` gives up at once.
    pub abort: Option<watch::Receiver<Option<String>>>,
    /// Asked when the deadline has come.
    pub respite: Option<Respite>,
}

/// Says, when a deadline has come, for how much longer giving up would only undo what goes well, and why. `None`: for no
/// longer.
#[derive(Clone)]
pub struct Respite(Arc<dyn Fn() -> Option<(Duration, String)> + Send + Sync>);

impl Respite {
    /// One that asks `longer`.
    pub fn new(longer: impl Fn() -> Option<(Duration, String)> + Send + Sync + 'static) -> Self {
        Self(Arc::new(longer))
    }
}

impl fmt::Debug for Respite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Respite").finish_non_exhaustive()
    }
}

/// Why an operation was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GaveUp {
    /// Whoever watches it saw enough.
    Aborted(String),
    /// It took longer than it may.
    Deadline(Duration),
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aborted(reason) => f.write_str(reason),
            Self::Deadline(limit) => write!(f, "it was not done within {}", Span(*limit)),
        }
    }
}

/// A duration as people say it, to the second.
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds / 60, seconds % 60) {
            (0, seconds) => write!(f, "{seconds} s"),
            (minutes, 0) => write!(f, "{minutes} min"),
            (minutes, seconds) => write!(f, "{minutes} min {seconds} s"),
        }
    }
}

/// A [`Control`] whose clock runs.
#[derive(Debug)]
pub(crate) struct Limits {
    deadline: Option<(Instant, Duration)>,
    abort: Option<watch::Receiver<Option<String>>>,
    respite: Option<Respite>,
    told: Option<u64>,
}

impl Limits {
    /// Starts the clock.
    pub(crate) fn begin(control: &Control) -> Self {
        let deadline = control.deadline.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        Self { deadline, abort: control.abort.clone(), respite: control.respite.clone(), told: None }
    }

    /// Never reached.
    pub(crate) fn none() -> Self {
        Self::begin(&Control::default())
    }

    /// Where the deadline has come and there is reason to wait longer: how much longer, and why.
    pub(crate) fn extend(&mut self) -> Option<(Duration, String)> {
        let (at, limit) = self.deadline?;
        let now = Instant::now();
        if now < at {
            return None;
        }
        let (longer, why) = self.respite.as_ref().and_then(|Respite(longer)| longer())?;
        self.deadline = Some((now.checked_add(longer)?, limit + (now - at) + longer));
        self.told = None;
        Some((longer, why))
    }

    /// Why to give up, once there is a reason.
    pub(crate) fn reached(&self) -> Option<GaveUp> {
        let aborted = self.abort.as_ref().and_then(|abort| abort.borrow().clone());
        if let Some(reason) = aborted {
            return Some(GaveUp::Aborted(reason));
        }
        let (at, limit) = self.deadline?;
        (Instant::now() >= at).then_some(GaveUp::Deadline(limit))
    }

    /// The time left, whenever it is worth telling anew: each minute, and every ten seconds of the last one.
    pub(crate) fn countdown(&mut self) -> Option<Duration> {
        let (at, _) = self.deadline?;
        let left = at.saturating_duration_since(Instant::now());
        let seconds = left.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX);
        let mark = if seconds > 60 { 10 + seconds.div_ceil(60) } else { seconds.div_ceil(10) };
        let fresh = seconds > 0 && self.told.is_none_or(|told| mark < told);
        if fresh {
            self.told = Some(mark);
        }
        fresh.then(|| Duration::from_secs(seconds))
    }

    /// Ends when there is a reason to give up, which may be never.
    pub(crate) async fn wait(&mut self) {
        let deadline = self.deadline;
        let abort = self.abort.as_mut();
        let late = async {
            match deadline {
                Some((at, _)) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let aborted = async {
            // Without anyone left who could abort, nobody does.
            let told = match abort {
                Some(abort) => abort.wait_for(Option::is_some).await.is_ok(),
                None => false,
            };
            if !told {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = late => {}
            () = aborted => {}
        }
    }
}
