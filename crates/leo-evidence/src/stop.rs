//! What it means that a task stopped.

use crate::evidence::TaskSeen;

/// Why it stopped, in ECS's words, with what its containers add.
pub(crate) fn reason(task: &TaskSeen) -> String {
    let mut text = task.reason.clone().unwrap_or_else(|| "stopped without a reason".to_owned());
    for container in &task.containers {
        let exit = container.exit_code.map(|code| format!("exit code {code}"));
        let parts: Vec<String> = container.reason.iter().cloned().chain(exit).collect();
        // What prevents a container's start is said of the task as well.
        let said = container.reason.as_ref().is_some_and(|reason| text.contains(reason));
        if !parts.is_empty() && !said {
            text = format!("{text} ({}: {})", container.name, parts.join(", "));
        }
    }
    text
}

/// Whether a task of a service that stopped so failed: not where it was scaled in, replaced, taken back by Spot or
/// stopped by someone ("Task", field `stopCode`, Amazon ECS API Reference).
pub(crate) fn is_failure(task: &TaskSeen) -> bool {
    let reason = task.reason.as_deref().unwrap_or_default().to_ascii_lowercase();
    match task.stop_code.as_deref() {
        Some("EssentialContainerExited" | "TaskFailedToStart") => true,
        // The scheduler stops tasks that it does not need, and tasks that fail their health checks.
        Some("ServiceSchedulerInitiated") => reason.contains("health check"),
        Some("UserInitiated" | "SpotInterruption" | "TerminationNotice" | "InfrastructureHealth") => false,
        _ => {
            !(reason.is_empty()
                || reason.starts_with("scaling activity")
                || reason.contains("stopped by user"))
        }
    }
}

/// What stopping alike says about the tasks that come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// They will stop so, too.
    Lasting,
    /// A network did not answer in time: a moment's trouble, or a way out that is missing.
    Unclear,
    /// AWS was short of something for a moment, and ECS tries again.
    Passing,
}

/// Refusals of a moment: throttling, machines and network interfaces that are not there yet, errors of ECS itself
/// ("Stopped tasks error messages" and "API failure reasons", Amazon ECS Developer Guide).
const PASSING: [&str; 13] = [
    "rate exceeded",
    "throttl",
    "toomanyrequests",
    "too many requests",
    "status code: 429",
    "timeout waiting for network interface provisioning",
    "capacity is unavailable",
    "internalerror",
    "internal error",
    "internal server error",
    "unexpected ec2 error",
    "serverexception",
    "service unavailable",
];

const UNCLEAR: [&str; 5] = [
    "i/o timeout",
    "tls handshake timeout",
    "connection reset by peer",
    "context deadline exceeded",
    "request canceled while waiting for connection",
];

impl Outlook {
    /// By the reason, in ECS's words.
    pub(crate) fn of(reason: &str) -> Self {
        let reason = reason.to_ascii_lowercase();
        let has = |marks: &[&str]| marks.iter().any(|mark| reason.contains(mark));
        if has(&PASSING) {
            Self::Passing
        } else if has(&UNCLEAR) {
            Self::Unclear
        } else {
            Self::Lasting
        }
    }

    /// So many stops for one reason are enough to give a deployment of `desired` tasks up; `None` where no number is.
    /// The first tasks start together and meet the same moment, so one of a later try has to have failed as well.
    pub(crate) fn enough(self, desired: i32) -> Option<u64> {
        let wave = u64::try_from(desired).unwrap_or_default().max(1);
        match self {
            Self::Lasting => Some(wave + 1),
            Self::Unclear => Some(2 * wave + 1),
            Self::Passing => None,
        }
    }
}

/// What started it: its deployment, or where that is not said its task definition.
pub(crate) fn origin(task: &TaskSeen) -> &str {
    task.started_by.as_deref().filter(|by| by.starts_with("ecs-svc/")).unwrap_or(&task.definition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::ContainerSeen;

    fn task(code: &str, reason: &str) -> TaskSeen {
        TaskSeen {
            stop_code: (!code.is_empty()).then(|| code.to_owned()),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            ..TaskSeen::default()
        }
    }

    #[test]
    fn only_what_failed_is_a_failure() {
        let table = [
            ("EssentialContainerExited", "Essential container in task exited", true),
            ("TaskFailedToStart", "CannotPullContainerError: not found", true),
            ("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group leo)", true),
            ("ServiceSchedulerInitiated", "Task failed container health checks", true),
            ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)", false),
            ("UserInitiated", "Task stopped by user", false),
            ("SpotInterruption", "Your Spot Task was interrupted.", false),
            ("TerminationNotice", "", false),
            ("", "Essential container in task exited", true),
            ("", "Scaling activity initiated by (deployment ecs-svc/1)", false),
            ("", "", false),
        ];
        for (code, reason, failure) in table {
            assert_eq!(is_failure(&task(code, reason)), failure, "{code} {reason}");
        }
    }

    #[test]
    fn what_passes_by_itself_never_suffices_and_the_first_tasks_alone_do_not() {
        let table = [
            ("CannotPullContainerError: toomanyrequests: Rate exceeded", Outlook::Passing),
            ("unable to pull secrets: ThrottlingException: Rate exceeded", Outlook::Passing),
            ("registry answered 429 Too Many Requests", Outlook::Passing),
            ("Timeout waiting for network interface provisioning to complete.", Outlook::Passing),
            ("Capacity is unavailable at this time. Please try again later", Outlook::Passing),
            ("InternalError: unable to attach a network interface", Outlook::Passing),
            ("Unexpected EC2 error while attempting to Create Network Interface", Outlook::Passing),
            ("dial tcp 10.0.0.1:443: i/o timeout", Outlook::Unclear),
            ("Essential container in task exited (orchestrator: exit code 1)", Outlook::Lasting),
            ("CannotPullContainerError: not found", Outlook::Lasting),
        ];
        for (reason, outlook) in table {
            assert_eq!(Outlook::of(reason), outlook, "{reason}");
        }
        let enough = |outlook: Outlook| [0, 1, 2, 5].map(|desired| outlook.enough(desired));
        assert_eq!(enough(Outlook::Lasting), [Some(2), Some(2), Some(3), Some(6)]);
        assert_eq!(enough(Outlook::Unclear), [Some(3), Some(3), Some(5), Some(11)]);
        assert_eq!(enough(Outlook::Passing), [None; 4]);
    }

    #[test]
    fn a_task_is_its_deployments_or_where_that_is_not_said_its_task_definitions() {
        let by = |started_by: Option<&str>| TaskSeen {
            started_by: started_by.map(str::to_owned),
            definition: "leo:8".to_owned(),
            ..TaskSeen::default()
        };
        assert_eq!(origin(&by(Some("ecs-svc/1"))), "ecs-svc/1");
        assert_eq!(origin(&by(Some("the-service"))), "leo:8");
        assert_eq!(origin(&by(None)), "leo:8");
    }

    #[test]
    fn a_reason_names_what_the_containers_ended_with() {
        let mut task = task("EssentialContainerExited", "Essential container in task exited");
        task.containers = vec![
            ContainerSeen { name: "orchestrator".to_owned(), exit_code: Some(1), ..ContainerSeen::default() },
            ContainerSeen { name: "quiet".to_owned(), ..ContainerSeen::default() },
        ];
        assert_eq!(reason(&task), "Essential container in task exited (orchestrator: exit code 1)");
    }
}
