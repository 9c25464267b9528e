//! The health gate as a step: nothing is called deployed that does not run and answer.

use super::{Plan, images::Images, output, watch::Watch};
use crate::failure::Problem;
use leo_compute::ORCHESTRATOR_CONTAINER;
use leo_config::Endpoint;
use leo_deploy::{
    Finished, Reporter, StackOutcome,
    gate::{Gate, GateError, GateReport, Probe, Scheme, Wait, check},
};
use std::{collections::BTreeMap, time::Duration};

/// For how long a quiet WebSocket has to stay open: a bit more than the 60 s after which load balancers and proxies cut
/// one by default ("Application Load Balancer attributes", Elastic Load Balancing).
const HOLD: Duration = Duration::from_secs(65);
/// How long to wait between two looks: a look is four calls.
const INTERVAL: Duration = Duration::from_secs(5);
/// The same where a call costs nothing.
const LOCAL_INTERVAL: Duration = Duration::from_millis(500);

/// Why the gate did not pass.
pub(super) struct NotPassed {
    pub(super) problem: Problem,
    /// Whether what runs was seen to differ from what was planned. Otherwise nothing is known about it: a call was
    /// refused or failed.
    pub(super) differs: bool,
}

impl From<GateError> for NotPassed {
    fn from(error: GateError) -> Self {
        let differs = match error {
            GateError::Mismatch { .. } | GateError::Aborted { .. } => true,
            GateError::Service(_) => false,
        };
        Self { problem: error.into(), differs }
    }
}

impl From<Problem> for NotPassed {
    fn from(problem: Problem) -> Self {
        Self { problem, differs: false }
    }
}

/// `None`: nothing runs there that could be asked.
pub(super) async fn run(
    plan: &Plan<'_>,
    platform: &StackOutcome,
    images: &Images,
    watch: &Watch,
    reporter: &Reporter,
) -> Result<Finished<Option<GateReport>>, NotPassed> {
    if !plan.target.runs_containers() {
        reporter.note("templates accepted, no containers");
        return Ok(Finished::new(None, false));
    }
    let (keys, config) = (&plan.stacks.keys, &plan.project.config);
    let load_balancer = output(platform, &keys.load_balancer_dns_name)?;
    let gate = Gate {
        cluster: config.environment.name.cluster(),
        service: output(platform, &keys.service)?.to_owned(),
        task_definition: output(platform, &keys.orchestrator_task_definition)?.to_owned(),
        since: watch.since(),
        images: BTreeMap::from([(
            ORCHESTRATOR_CONTAINER.to_owned(),
            images.orchestrator.acceptable.iter().map(ToString::to_string).collect(),
        )]),
        target_group: output(platform, &keys.target_group)?.to_owned(),
        probe: probe(plan, load_balancer),
        websocket_path: plan.websocket_path().map(str::to_owned),
        // The emulator cuts no connection.
        websocket_hold: if plan.settings.quick || plan.target.local.is_some() {
            Duration::ZERO
        } else {
            HOLD
        },
        idle_timeout: Some(Duration::from_secs(config.load_balancer.idle_timeout_seconds.into())),
        public_name: public_name(plan),
        deadline: watch.time_left(plan.settings.deadline),
        interval: if plan.target.local.is_some() { LOCAL_INTERVAL } else { INTERVAL },
    };
    let on_wait = |wait: Wait| {
        if matches!(wait, Wait::Missing(_)) {
            watch.on_mismatch(&wait.to_string());
        }
        reporter.note(wait.to_string());
    };
    let (ecs, load_balancing) = (&plan.target.ecs, &plan.target.load_balancing);
    let report = check(&gate, ecs, load_balancing, watch.abort_signal(), &on_wait).await?;
    for warning in &report.warnings {
        reporter.warning(warning.clone());
    }
    Ok(Finished::new(Some(report), true))
}

/// The load balancer's own address, with the name that users call it by.
fn probe(plan: &Plan<'_>, load_balancer: &str) -> Probe {
    let config = &plan.project.config;
    let path = plan.health_path().to_owned();
    if let Some(local) = &plan.target.local {
        // The emulator stands in for every load balancer, and tells them apart by name.
        return Probe {
            scheme: Scheme::Http,
            connect: "127.0.0.1".to_owned(),
            port: local.port,
            host: Some(load_balancer.to_owned()),
            path,
        };
    }
    let (scheme, port, host) = match &config.load_balancer.endpoint {
        Endpoint::Http => (Scheme::Http, 80, None),
        Endpoint::Https { domain, .. } => (Scheme::Https, 443, Some(domain.to_string())),
    };
    Probe { scheme, connect: load_balancer.to_owned(), port, host, path }
}

fn public_name(plan: &Plan<'_>) -> Option<String> {
    match &plan.project.config.load_balancer.endpoint {
        Endpoint::Https { domain, .. } if plan.target.local.is_none() => Some(domain.to_string()),
        Endpoint::Https { .. } | Endpoint::Http => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_aws::{ErrorClass, FailureKind, ServiceError};

    #[test]
    fn a_call_without_an_answer_says_nothing_about_what_runs() {
        for class in [ErrorClass::Throttled, ErrorClass::Transient, ErrorClass::Final] {
            let error =
                ServiceError { operation: "ListTasks", class, code: None, message: "too many".to_owned() };
            let refused = NotPassed::from(GateError::from(error));
            assert_eq!((refused.problem.kind, refused.differs), (FailureKind::Failed, false));
        }
        let mismatch = GateError::Mismatch { waited: None, mismatches: vec![] };
        let aborted = GateError::Aborted { reason: "two tasks stopped".to_owned(), mismatches: vec![] };
        assert!(NotPassed::from(mismatch).differs && NotPassed::from(aborted).differs);
        assert!(!NotPassed::from(Problem::new(FailureKind::Failed, "read an output")).differs);
    }
}
