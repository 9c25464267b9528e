//! Whether what was planned is what runs, and answers.
//!
//! CloudFormation can report success over a service that ECS rolled back by itself, so the gate looks at the service:
//! its primary deployment is the planned task definition and has completed, its tasks run the planned images, its
//! targets are healthy, and the load balancer, asked at its own address, answers with a status of 2xx and, where clients
//! open WebSockets, lets one open.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use aws_sdk_ecs::Client as Ecs;
use aws_sdk_elasticloadbalancingv2::Client as LoadBalancing;
use leo_aws::{FailureKind, ServiceError};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::error::lines;

mod dns;
mod http;
mod mismatch;
mod service;

pub use http::{Probe, Scheme};
pub use mismatch::Mismatch;

/// What has to run for a deploy to have succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// The cluster's name or ARN.
    pub cluster: String,
    /// The service's name or ARN.
    pub service: String,
    /// The ARN, with revision, of the planned task definition.
    pub task_definition: String,
    /// For each container the digests (`sha256:…`) of which one has to run: that of the image index, and of its
    /// manifests, because ECS reports either.
    pub images: BTreeMap<String, BTreeSet<String>>,
    /// The ARN of the target group.
    pub target_group: String,
    /// Where and how the load balancer is asked.
    pub probe: Probe,
    /// The path that WebSocket clients open, where there is one: it has to open there.
    pub websocket_path: Option<String>,
    /// The domain that should lead to the load balancer. Where it does not, that is a warning, not a failure.
    pub public_name: Option<String>,
    /// For how long the service may take.
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
    /// What should be looked at nevertheless.
    pub warnings: Vec<String>,
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
    /// A call was refused.
    #[error("look at what runs: {0}")]
    Service(#[from] ServiceError),
}

impl GateError {
    /// What it means for the exit code.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Mismatch { .. } => FailureKind::Failed,
            Self::Service(error) => error.kind(),
        }
    }

    /// What to do, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Mismatch { mismatches, .. } => mismatches.iter().find_map(Mismatch::hint),
            Self::Service(error) => error.hint(),
        }
    }
}

fn within(waited: Option<Duration>) -> String {
    waited.map(|waited| format!(" within {} s", waited.as_secs())).unwrap_or_default()
}

/// Looks until everything is as planned, until a difference can't go away by waiting, or until the deadline.
/// `on_wait` hears what is still missing whenever that changes.
pub async fn check(
    gate: &Gate,
    ecs: &Ecs,
    load_balancing: &LoadBalancing,
    on_wait: &(dyn Fn(String) + Send + Sync),
) -> Result<GateReport, GateError> {
    let began = Instant::now();
    let mut before: Vec<Mismatch> = Vec::new();
    loop {
        let overdue = |error: ServiceError| {
            if error.is_retryable() && began.elapsed() < gate.deadline { Ok(error) } else { Err(error) }
        };
        let mismatches = match look(gate, ecs, load_balancing).await {
            Ok(Look::Passed(mut report)) => {
                if let Some(domain) = &gate.public_name {
                    report.warnings.extend(dns::warning(domain, &gate.probe.connect).await);
                }
                return Ok(report);
            }
            Ok(Look::Differs(mismatches)) => mismatches,
            Err(error) => {
                on_wait(overdue(error)?.to_string());
                sleep(gate.interval).await;
                continue;
            }
        };
        // One look can fall between two answers of AWS that do not agree yet; two looks in a row don't.
        let stays = |mismatch: &Mismatch| mismatch.is_final() && before.contains(mismatch);
        if mismatches.iter().any(stays) {
            return Err(GateError::Mismatch { waited: None, mismatches });
        }
        if began.elapsed() >= gate.deadline {
            return Err(GateError::Mismatch { waited: Some(gate.deadline), mismatches });
        }
        if mismatches != before {
            let texts = mismatches.iter().map(ToString::to_string).collect::<Vec<_>>();
            on_wait(texts.join("; "));
        }
        before = mismatches;
        sleep(gate.interval).await;
    }
}

enum Look {
    Passed(GateReport),
    Differs(Vec<Mismatch>),
}

async fn look(gate: &Gate, ecs: &Ecs, load_balancing: &LoadBalancing) -> Result<Look, ServiceError> {
    let snapshot = service::Snapshot::take(gate, ecs, load_balancing).await?;
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
    if let Some(mismatch) = websocket_mismatch(gate).await {
        return Ok(Look::Differs(vec![mismatch]));
    }
    let healthy_targets = snapshot.healthy_targets();
    let primary = snapshot.into_primary();
    Ok(Look::Passed(GateReport {
        deployment: primary.id,
        running: primary.running,
        healthy_targets,
        url,
        http_status,
        warnings: Vec::new(),
    }))
}

async fn websocket_mismatch(gate: &Gate) -> Option<Mismatch> {
    let probe = Probe { path: gate.websocket_path.clone()?, ..gate.probe.clone() };
    let url = probe.url();
    match probe.websocket_status().await {
        Ok(101) => None,
        Ok(status) => Some(Mismatch::NoWebSocket { url, status }),
        Err(reason) => Some(Mismatch::NoAnswer { url, reason }),
    }
}

impl fmt::Display for GateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} running, {} healthy, {} answers {}",
            self.running, self.healthy_targets, self.url, self.http_status
        )
    }
}
