//! What was reported, where no rule knows it: given as it is.

use super::words::failure_line;
use super::{CauseKind, Diagnosis, line, log};
use crate::evidence::Evidence;

/// A stop that no rule knows, the first failure that CloudFormation reported, ECS's word that it gave up, the gate's.
pub(super) fn resort(evidence: &Evidence) -> Option<Diagnosis> {
    stopped(evidence)
        .or_else(|| circuit_breaker(evidence))
        .or_else(|| reported(evidence))
        .or_else(|| mismatch(evidence))
        .or_else(|| overdue(evidence))
}

fn stopped(evidence: &Evidence) -> Option<Diagnosis> {
    let stop = evidence.failed_stops().into_iter().next()?;
    Some(Diagnosis {
        cause: CauseKind::Reported,
        text: "the new tasks stop".to_owned(),
        evidence: line(stop),
        log: log(evidence, stop),
        fix: "remove what the line names, then `cargo xtask deploy`".to_owned(),
    })
}

/// "ECS Deployment Circuit Breaker was triggered" ("How the Amazon ECS deployment circuit breaker detects failures", Amazon
/// ECS Developer Guide).
fn circuit_breaker(evidence: &Evidence) -> Option<Diagnosis> {
    let said = |text: &str| text.to_lowercase().contains("circuit breaker");
    let failure = evidence.stack.failures.iter().find(|failure| said(&failure.reason)).map(failure_line);
    let of_deployment = || {
        let gave_up = |deployment: &&crate::evidence::DeploymentSeen| {
            deployment.rollout == "FAILED" && deployment.reason.as_deref().is_some_and(said)
        };
        let deployment = evidence.deployments.iter().find(gave_up)?;
        Some(format!(
            "deployment of {}: {}",
            deployment.definition,
            deployment.reason.as_deref().unwrap_or_default()
        ))
    };
    let evidence_line = failure.or_else(of_deployment)?;
    Some(Diagnosis {
        cause: CauseKind::CircuitBreaker,
        text: "ECS gave the deployment up since its tasks failed, and why they did was not seen".to_owned(),
        evidence: evidence_line,
        log: Vec::new(),
        fix: format!(
            "look into the log group {} (ECS forgets stopped tasks after an hour), and deploy again: what the tasks end with is \
             recorded while it runs",
            evidence.subject.log_group
        ),
    })
}

pub(super) fn reported(evidence: &Evidence) -> Option<Diagnosis> {
    let failure = evidence.stack.failures.first()?;
    Some(Diagnosis {
        cause: CauseKind::Reported,
        text: format!("{} could not be made or changed", failure.logical_id),
        evidence: failure_line(failure),
        log: Vec::new(),
        fix: "remove what the line names, then `cargo xtask deploy`: it continues from there".to_owned(),
    })
}

/// It was ended early while it waited for something.
fn overdue(evidence: &Evidence) -> Option<Diagnosis> {
    evidence.stack.rollback_since.as_ref()?;
    // The last one to begin is what the others waited for.
    let waiting = evidence.stack.waiting.last()?;
    let said = waiting.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(Diagnosis {
        cause: CauseKind::Overdue,
        text: format!("{} was not ready in time", waiting.logical_id),
        evidence: format!("{} ({}) since {}{said}", waiting.logical_id, waiting.resource_type, waiting.since),
        log: Vec::new(),
        fix: "`cargo xtask deploy` with a longer `--deadline`; what it waits for is in the console of its service".to_owned(),
    })
}

fn mismatch(evidence: &Evidence) -> Option<Diagnosis> {
    let line = evidence.mismatches.last()?;
    Some(Diagnosis {
        cause: CauseKind::Mismatch,
        text: "what runs is not what was planned".to_owned(),
        evidence: line.clone(),
        log: Vec::new(),
        fix:
            "`cargo xtask deploy` again; if it stays so, `cargo xtask diagnose --live` looks at what runs now"
                .to_owned(),
    })
}
