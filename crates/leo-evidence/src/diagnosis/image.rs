//! Images that can't be pulled or don't fit.

use super::{CauseKind, Diagnosis, line, log, said, stop_where};
use crate::diagnosis::words::denial;
use crate::evidence::Evidence;

fn has(text: &str, marks: &[&str]) -> bool {
    marks.iter().any(|mark| text.contains(mark))
}

fn is_pull(text: &str) -> bool {
    has(
        text,
        &[
            "cannotpullcontainer",
            "cannotpullimage",
            "unable to pull",
            "failed to resolve ref",
            "pull image manifest",
        ],
    )
}

/// "image Manifest does not contain descriptor matching platform" when it is pulled ("CannotPullContainer task errors in
/// Amazon ECS", Amazon ECS Developer Guide), "exec format error" when it is started.
pub(super) fn wrong_architecture(evidence: &Evidence) -> Option<Diagnosis> {
    let marks = ["descriptor matching platform", "no matching manifest", "exec format error"];
    let by_reason = stop_where(evidence, |text| has(text, &marks));
    let by_log = || {
        evidence.failed_stops().into_iter().find_map(|stop| {
            let lines = log(evidence, stop);
            let said = lines.iter().rev().find(|line| line.contains("exec format error"))?;
            Some((stop, said.clone()))
        })
    };
    let (stop, line) = match by_reason {
        Some(stop) => (stop, line(stop)),
        None => by_log()?,
    };
    let architecture = stop.item.tasks.iter().find_map(|task| task.architecture.as_deref());
    let of_task = architecture.map(|name| format!(" ({name})")).unwrap_or_default();
    let platform = match architecture {
        Some("arm64") => "linux/arm64",
        Some(_) => "linux/amd64",
        None => "<platform>",
    };
    Some(Diagnosis {
        cause: CauseKind::WrongArchitecture,
        text: format!("the image is built for another processor than the task's{of_task}"),
        evidence: line,
        log: Vec::new(),
        fix: format!(
            "build it for the task: `cargo xtask deploy --images build` builds for `architecture` of [orchestrator] in \
             infra/leo.toml; elsewhere `docker buildx build --platform {platform}`"
        ),
    })
}

/// "CannotPullContainer task errors in Amazon ECS" (Amazon ECS Developer Guide).
pub(super) fn not_found(evidence: &Evidence) -> Option<Diagnosis> {
    let stop = stop_where(evidence, |text| {
        is_pull(text)
            && has(
                text,
                &[
                    "not found",
                    "manifest unknown",
                    "name unknown",
                    "repository does not exist",
                    "no such image",
                ],
            )
    })?;
    let image = stop
        .item
        .tasks
        .iter()
        .flat_map(|task| &task.containers)
        .find(|container| !container.image.is_empty());
    Some(Diagnosis {
        cause: CauseKind::ImageNotFound,
        text: match image {
            Some(container) => format!("the image {} is not in the registry", container.image),
            None => "the image is not in the registry".to_owned(),
        },
        evidence: line(stop),
        log: Vec::new(),
        fix: "`cargo xtask deploy --images build` builds and pushes it; with `--images orchestrator=<digest>,…` the digest \
              has to be one that `cargo xtask push-images` printed and that has a tag: untagged images expire"
            .to_owned(),
    })
}

/// "CannotPullContainer task errors in Amazon ECS": "Check that the role has the permissions to pull images from the
/// registry", 403 Forbidden (Amazon ECS Developer Guide).
pub(super) fn pull_denied(evidence: &Evidence) -> Option<Diagnosis> {
    let stop = stop_where(evidence, |text| {
        (is_pull(text) || text.contains("registry auth"))
            && has(
                text,
                &[
                    "403 forbidden",
                    "accessdenied",
                    "is not authorized to perform",
                    "pull access denied",
                    "check that the role has the permissions",
                ],
            )
    })?;
    let line = line(stop);
    let denial = denial(&line);
    let who = denial.who.as_deref().unwrap_or("the tasks' execution role");
    let what = denial.action.map_or_else(|| "pull the image".to_owned(), |action| format!("do {action}"));
    Some(Diagnosis {
        cause: CauseKind::AccessDenied,
        text: format!("{who} may not {what}"),
        log: Vec::new(),
        fix: "the role comes with the foundation: `cargo xtask drift` shows whether someone changed it, and a policy of the \
              repository or an organization can deny it as well; then `cargo xtask deploy`"
            .to_owned(),
        evidence: line,
    })
}

/// "There is a connection issue between the task and Amazon ECR. Check your task network configuration."
/// ("Troubleshooting Amazon ECS ResourceInitializationError errors", Amazon ECS Developer Guide), and the older words
/// for the same.
pub(super) fn no_route(evidence: &Evidence) -> Option<Diagnosis> {
    let stop = stop_where(evidence, |text| {
        (is_pull(text) || text.contains("resourceinitializationerror"))
            && has(
                text,
                &[
                    "i/o timeout",
                    "connection issue between the task and",
                    "context deadline exceeded",
                    "request canceled while waiting for connection",
                    "network is unreachable",
                    "no route to host",
                    "no such host",
                    "check your task network configuration",
                ],
            )
    })?;
    let whom = if said(stop).contains("secret") && !said(stop).contains("ecr") {
        "Secrets Manager"
    } else {
        "the registry"
    };
    let address = match evidence.service.as_ref().and_then(|service| service.public_address) {
        Some(false) => ", since it gets no public address",
        _ => "",
    };
    Some(Diagnosis {
        cause: CauseKind::NoRoute,
        text: format!("a new task does not reach {whom}{address}"),
        evidence: line(stop),
        log: Vec::new(),
        fix: "the subnets are public, so a task needs a public address, a route 0.0.0.0/0 to the internet gateway and outgoing \
              HTTPS in its security group: `cargo xtask drift` shows which of them was changed, `cargo xtask deploy \
              --revert-drift` puts it back"
            .to_owned(),
    })
}
