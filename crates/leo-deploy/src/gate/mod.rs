//! Whether what was planned is what runs, and answers.
//!
//! CloudFormation can report success over a service that ECS rolled back by itself, so the gate looks at the service:
//! its primary deployment is the planned task definition and has completed, its tasks run the planned images, its
//! targets are healthy, and the load balancer, asked at its own address, answers with a status of 2xx and, where clients
//! open WebSockets, lets one open and leaves it open while nothing is said.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::{Future, pending};
use std::time::{Duration, SystemTime};

use aws_sdk_ecs::Client as Ecs;
use aws_sdk_elasticloadbalancingv2::Client as LoadBalancing;
use leo_aws::{FailureKind, ServiceError};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::error::lines;

mod dns;
mod http;
mod mismatch;
mod service;
mod websocket;

pub use http::{Probe, Scheme};
pub use mismatch::Mismatch;

/// For how long the last look after the word to give up may take; holding the WebSocket comes on top.
const LAST_LOOK: Duration = Duration::from_mins(1);

/// What has to run for a deploy to have succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// The cluster's name or ARN.
    pub cluster: String,
    /// The service's name or ARN.
    pub service: String,
    /// The ARN, with revision, of the planned task definition.
    pub task_definition: String,
    /// When this deploy began to change the service; none where it changed nothing. A deployment that failed since then
    /// is its own.
    pub since: Option<SystemTime>,
    /// For each container the digests (`sha256:…`) of which one has to run: that of the image index, and of its
    /// manifests, because ECS reports either.
    pub images: BTreeMap<String, BTreeSet<String>>,
    /// The ARN of the target group.
    pub target_group: String,
    /// Where and how the load balancer is asked.
    pub probe: Probe,
    /// The path that WebSocket clients open, where there is one: it has to open there.
    pub websocket_path: Option<String>,
    /// For how long a WebSocket has to stay open while nothing is sent on it, before a ping has to be answered. Over 60 s
    /// it shows that a quiet user is not cut off at the usual default of load balancers and proxies. Zero: it opens and
    /// answers a ping, no more.
    pub websocket_hold: Duration,
    /// After how long a silence the load balancer is configured to cut a connection, for the hint.
    pub idle_timeout: Option<Duration>,
    /// The domain that should lead to the load balancer. Where it does not, that is a warning, not a failure.
    pub public_name: Option<String>,
    /// For how long the service may take; holding the WebSocket comes on top.
    pub deadline: Duration,
    /// How long to wait between two looks.
    pub interval: Duration,
}

/// What runs, where it is all as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateReport {
    /// The id of the primary deployment.
    pub deployment: String,
    /// How many of its tasks run.
    pub running: i32,
    /// How many targets are healthy.
    pub healthy_targets: usize,
    /// The URL that answered.
    pub url: String,
    /// Its HTTP status.
    pub http_status: u16,
    /// For how many seconds a WebSocket stayed open with nothing sent on it; none where no path is configured.
    pub websocket_seconds: Option<u64>,
    /// What should be looked at nevertheless.
    pub warnings: Vec<String>,
}

/// What the gate waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// This is not yet as planned.
    Missing(Vec<Mismatch>),
    /// A call failed in a way that passes.
    Call(ServiceError),
    /// A WebSocket is held open.
    Holding {
        /// For how many seconds.
        seconds: u64,
        /// How many of them are left.
        left: u64,
    },
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(mismatches) => {
                let texts = mismatches.iter().map(ToString::to_string).collect::<Vec<_>>();
                f.write_str(&texts.join("; "))
            }
            Self::Call(error) => error.fmt(f),
            Self::Holding { seconds, left } => {
                write!(f, "holding a WebSocket open for {seconds} s ({left} s left)")
            }
        }
    }
}

/// Why the gate did not pass. Messages read after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// What runs is not what was planned.
    #[error("get the planned service running{}{}", within(*waited), lines(mismatches))]
    Mismatch {
        /// For how long it was watched; `None` when waiting longer would have changed nothing.
        waited: Option<Duration>,
        /// All that differed at the last look.
        mismatches: Vec<Mismatch>,
    },
    /// The word came to give up.
    #[error("get the planned service running: {reason}{}", lines(mismatches))]
    Aborted {
        /// Why.
        reason: String,
        /// All that differed at the last look.
        mismatches: Vec<Mismatch>,
    },
    /// A call was refused.
    #[error("look at what runs: {0}")]
    Service(#[from] ServiceError),
}

impl GateError {
    /// What it means for the exit code.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Mismatch { .. } | Self::Aborted { .. } => FailureKind::Failed,
            Self::Service(error) => error.kind(),
        }
    }

    /// What to do, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Mismatch { mismatches, .. } | Self::Aborted { mismatches, .. } => {
                mismatches.iter().find_map(Mismatch::hint)
            }
            Self::Service(error) => error.hint(),
        }
    }
}

fn within(waited: Option<Duration>) -> String {
    waited.map(|waited| format!(" within {} s", waited.as_secs())).unwrap_or_default()
}

/// Looks until everything is as planned, until a difference can't go away by waiting, until the deadline, or until
/// `abort` carries a reason to give up and one more look does not find everything as planned. `on_wait` hears what is
/// waited for whenever that changes.
pub async fn check(
    gate: &Gate,
    ecs: &Ecs,
    load_balancing: &LoadBalancing,
    mut abort: Option<watch::Receiver<Option<String>>>,
    on_wait: &(dyn Fn(Wait) + Send + Sync),
) -> Result<GateReport, GateError> {
    let asked = Asked { gate, ecs, load_balancing, on_wait };
    let mut seen = Vec::new();
    // On the heap: it holds the state of every call.
    let checked = Box::pin(asked.check(&mut seen));
    let mut report = match unless_aborted(abort.as_mut(), checked).await {
        Ok(result) => result?,
        Err(reason) => Box::pin(asked.last_look(reason, seen)).await?,
    };
    if let Some(domain) = &gate.public_name {
        report.warnings.extend(dns::warning(domain, &gate.probe.connect).await);
    }
    Ok(report)
}

/// What comes of `work`, or the reason to give up, whichever is first there.
async fn unless_aborted<T>(
    abort: Option<&mut watch::Receiver<Option<String>>>,
    work: impl Future<Output = T>,
) -> Result<T, String> {
    let told = async {
        if let Some(abort) = abort
            && let Ok(reason) = abort.wait_for(Option::is_some).await
        {
            return reason.clone().unwrap_or_default();
        }
        // Nobody can say it any more.
        pending().await
    };
    tokio::select! {
        biased;
        reason = told => Err(reason),
        result = work => Ok(result),
    }
}

enum Look {
    Passed(GateReport),
    Differs(Vec<Mismatch>),
}

/// Who is asked about what, and who hears of it.
struct Asked<'a> {
    gate: &'a Gate,
    ecs: &'a Ecs,
    load_balancing: &'a LoadBalancing,
    on_wait: &'a (dyn Fn(Wait) + Send + Sync),
}

impl Asked<'_> {
    /// Until there is a result. `before` keeps what the last look found.
    async fn check(&self, before: &mut Vec<Mismatch>) -> Result<GateReport, GateError> {
        let gate = self.gate;
        let began = Instant::now();
        let mut held = Duration::ZERO;
        loop {
            let looked = self.turn(&mut held).await;
            // The deadline is for the service. It may be shorter than holding the WebSocket of one that was there in
            // time, and what is found after that is to be looked at again like everything else.
            let late = began.elapsed().saturating_sub(held) >= gate.deadline;
            let mismatches = match looked {
                Ok(Look::Passed(report)) => return Ok(report),
                Ok(Look::Differs(mismatches)) => mismatches,
                Err(error) if error.is_retryable() && !late => {
                    (self.on_wait)(Wait::Call(error));
                    sleep(gate.interval).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            // One look can fall between two answers of AWS that do not agree yet; two looks in a row don't.
            let stays =
                |found: &Mismatch| found.is_final() && before.iter().any(|earlier| found.repeats(earlier));
            if mismatches.iter().any(stays) {
                return Err(GateError::Mismatch { waited: None, mismatches });
            }
            if late {
                // A WebSocket is held after the service was there in time.
                let in_time = mismatches.iter().all(Mismatch::is_of_an_open_websocket);
                return Err(GateError::Mismatch { waited: (!in_time).then_some(gate.deadline), mismatches });
            }
            if mismatches != *before {
                (self.on_wait)(Wait::Missing(mismatches.clone()));
            }
            *before = mismatches;
            sleep(gate.interval).await;
        }
    }

    /// The word to give up is about what was, and the service may have recovered since: only what is there now can fail
    /// it. `before` is what was seen until then.
    async fn last_look(&self, reason: String, before: Vec<Mismatch>) -> Result<GateReport, GateError> {
        let answered = async {
            let mut held = Duration::ZERO;
            loop {
                match self.turn(&mut held).await {
                    Err(error) if error.is_retryable() => {
                        (self.on_wait)(Wait::Call(error));
                        sleep(self.gate.interval).await;
                    }
                    result => return result,
                }
            }
        };
        match timeout(LAST_LOOK + self.gate.websocket_hold, answered).await {
            Ok(Ok(Look::Passed(report))) => Ok(report),
            Ok(Ok(Look::Differs(mismatches))) => Err(GateError::Aborted { reason, mismatches }),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(GateError::Aborted { reason, mismatches: before }),
        }
    }

    /// One look, and once everything else is as planned, the WebSocket. The time that it was open is added to `held`.
    async fn turn(&self, held: &mut Duration) -> Result<Look, ServiceError> {
        let gate = self.gate;
        let looked = self.look().await?;
        let Some(path) = &gate.websocket_path else { return Ok(looked) };
        let Look::Passed(mut report) = looked else { return Ok(looked) };
        let probe = Probe { path: path.clone(), ..gate.probe.clone() };
        let began = Instant::now();
        let result = websocket::hold(&probe, gate.websocket_hold, gate.idle_timeout, self.on_wait).await;
        // One that does not open is what the deadline is for.
        if result.as_ref().err().is_none_or(Mismatch::is_of_an_open_websocket) {
            *held += began.elapsed();
        }
        if let Err(mismatch) = result {
            return Ok(Look::Differs(vec![mismatch]));
        }
        if !gate.websocket_hold.is_zero() {
            // What was true before may have changed in that time.
            match self.look().await? {
                Look::Passed(again) => report = again,
                differs @ Look::Differs(_) => return Ok(differs),
            }
        }
        report.websocket_seconds = Some(gate.websocket_hold.as_secs());
        Ok(Look::Passed(report))
    }

    async fn look(&self) -> Result<Look, ServiceError> {
        let gate = self.gate;
        let snapshot = service::Snapshot::take(gate, self.ecs, self.load_balancing).await?;
        let mismatches = snapshot.mismatches(gate);
        if !mismatches.is_empty() {
            return Ok(Look::Differs(mismatches));
        }
        let url = gate.probe.url();
        let http_status = match gate.probe.status().await {
            Ok(status) if (200..300).contains(&status) => status,
            Ok(status) => return Ok(Look::Differs(vec![Mismatch::HttpStatus { url, status }])),
            Err(reason) => return Ok(Look::Differs(vec![Mismatch::NoAnswer { url, reason }])),
        };
        let healthy_targets = snapshot.healthy_targets();
        let primary = snapshot.into_primary();
        Ok(Look::Passed(GateReport {
            deployment: primary.id,
            running: primary.running,
            healthy_targets,
            url,
            http_status,
            websocket_seconds: None,
            warnings: Vec::new(),
        }))
    }
}

impl fmt::Display for GateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} running, {} healthy, {} answers {}",
            self.running, self.healthy_targets, self.url, self.http_status
        )?;
        match self.websocket_seconds {
            None => Ok(()),
            Some(0) => f.write_str(", a WebSocket opens"),
            Some(seconds) => write!(f, ", a WebSocket stays open for {seconds} s"),
        }
    }
}
