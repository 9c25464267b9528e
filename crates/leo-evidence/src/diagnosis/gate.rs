//! What only the gate saw.

use super::{CauseKind, Diagnosis};
use crate::evidence::Evidence;

/// What the gate met when it asked through the load balancer, where the load balancer's own check has nothing against the
/// target: it did not run yet, or passes by other rules.
pub(super) fn answers_badly(evidence: &Evidence) -> Option<Diagnosis> {
    let path = &evidence.subject.health_path;
    let line = evidence.mismatches.last()?;
    let (url, status) = line.split_once(" answers with ")?;
    if path.is_empty() || !url.ends_with(path.as_str()) {
        return None;
    }
    Some(Diagnosis {
        cause: CauseKind::HealthCheckFails,
        text: format!("the health path {path} is answered with {status} through the load balancer"),
        evidence: line.clone(),
        log: evidence.log_of(&evidence.running).map(|tail| tail.lines.clone()).unwrap_or_default(),
        fix: "`path` of [orchestrator.health] in infra/leo.toml has to be answered with a status of 2xx, without signing in, \
              on the port in the variable PORT; then `cargo xtask deploy`"
            .to_owned(),
    })
}
