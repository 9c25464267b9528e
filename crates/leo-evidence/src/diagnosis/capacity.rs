//! Tasks that get no place, and tasks that keep theirs.

use super::{CauseKind, Diagnosis, line, stop_where};
use crate::evidence::{DeploymentSeen, Evidence};

/// The line in which a stopped task says so; or ECS, where no task has failed and the new deployment never had all of its
/// tasks: what it got over is no cause.
fn said(evidence: &Evidence, marks: &[&str]) -> Option<String> {
    let fits = |text: &str| {
        let text = text.to_lowercase();
        marks.iter().any(|mark| text.contains(mark))
    };
    if let Some(stop) = stop_where(evidence, fits) {
        return Some(line(stop));
    }
    let new = || evidence.deployments.iter().filter(|deployment| deployment.new);
    let complete =
        |it: &DeploymentSeen| it.rollout == "COMPLETED" || (it.desired > 0 && it.running >= it.desired);
    if !evidence.failed_stops().is_empty() || new().any(complete) {
        return None;
    }
    let reasons = || new().filter_map(|deployment| deployment.reason.clone()).rfind_fits(fits);
    evidence.events.items().rfind_fits(fits).or_else(reasons)
}

trait LastThatFits {
    fn rfind_fits(self, fits: impl Fn(&str) -> bool) -> Option<String>;
}

impl<T: AsRef<str>, I: Iterator<Item = T>> LastThatFits for I {
    fn rfind_fits(self, fits: impl Fn(&str) -> bool) -> Option<String> {
        self.filter(|text| fits(text.as_ref())).last().map(|text| text.as_ref().to_owned())
    }
}

fn is_spot(evidence: &Evidence) -> bool {
    let stopped = evidence.stops.items().flat_map(|stop| &stop.tasks);
    stopped.chain(&evidence.running).any(|task| task.capacity_provider.as_deref() == Some("FARGATE_SPOT"))
}

/// "You've reached the limit on the number of vCPUs you can run concurrently", "The requested CPU configuration is above
/// your limit" ("Amazon ECS service event messages", Amazon ECS Developer Guide).
pub(super) fn quota(evidence: &Evidence) -> Option<Diagnosis> {
    let line = said(
        evidence,
        &[
            "limit on the number of vcpus",
            "limit on the number of tasks",
            "configuration is above your limit",
        ],
    )?;
    let (code, name) = if is_spot(evidence) {
        ("L-36FBB829", "Fargate Spot vCPU resource count")
    } else {
        ("L-3032A538", "Fargate On-Demand vCPU resource count")
    };
    Some(Diagnosis {
        cause: CauseKind::QuotaReached,
        text: format!("the account's quota of processors for Fargate is used up ({name})"),
        evidence: line,
        log: Vec::new(),
        fix: format!(
            "ask for more: `aws service-quotas request-service-quota-increase --region {} --service-code fargate --quota-code \
             {code} --desired-value <vCPUs>`; until then stop generators, or lower `vcpu` or `desired_count` of [orchestrator] \
             in infra/leo.toml (a deploy needs twice the tasks for a while)",
            evidence.subject.region
        ),
    })
}

/// "Capacity is unavailable at this time. Please try again later or in a different availability zone" ("Amazon ECS
/// service event messages", Amazon ECS Developer Guide).
pub(super) fn none(evidence: &Evidence) -> Option<Diagnosis> {
    let line = said(evidence, &["capacity is unavailable"])?;
    let fix = if is_spot(evidence) {
        "set `capacity = \"on-demand\"` of [orchestrator] in infra/leo.toml, or run `cargo xtask deploy` again later: Spot is \
         what is left over"
    } else {
        "run `cargo xtask deploy` again in some minutes; a third zone in `zones` of [network] or another size (`vcpu`, \
         `memory_gib` of [orchestrator]) in infra/leo.toml makes it rarer"
    };
    Some(Diagnosis {
        cause: CauseKind::NoCapacity,
        text: "Fargate has no machine for a new task at the moment".to_owned(),
        evidence: line,
        log: Vec::new(),
        fix: fix.to_owned(),
    })
}

/// "Protect your Amazon ECS tasks from being terminated by scale-in events" (Amazon ECS Developer Guide): a protected
/// task holds a deployment until its protection ends, 2 hours unless it asked for another time, 48 at most.
pub(super) fn protected(evidence: &Evidence) -> Option<Diagnosis> {
    let other = evidence.stack.failures.iter().any(|failure| failure.resource_type != "AWS::ECS::Service");
    if other {
        return None;
    }
    let task = evidence.protected.iter().max_by(|a, b| a.until.cmp(&b.until));
    let event = || evidence.events.items().rfind_fits(|text| text.to_lowercase().contains("protected tasks"));
    let (until, line) = match task {
        Some(task) => {
            let until = task.until.as_deref().unwrap_or("it ends its protection");
            (
                until.to_owned(),
                format!("task {} of {} is protected until {until}", task.task, task.definition),
            )
        }
        None => ("its protection ends".to_owned(), event()?),
    };
    Some(Diagnosis {
        cause: CauseKind::TaskProtected,
        text: format!("an old task must not be stopped until {until}, so the deployment can't end before"),
        evidence: line,
        log: Vec::new(),
        fix: match task {
            Some(task) => format!(
                "deploy again after that, or with a `--deadline` that is long enough; to end it now, and the work that it \
                 protects: `aws ecs update-task-protection --region {} --cluster {} --no-protection-enabled --tasks {}`",
                evidence.subject.region, evidence.subject.cluster, task.task
            ),
            None => "deploy again after that, or with a `--deadline` that is long enough".to_owned(),
        },
    })
}
