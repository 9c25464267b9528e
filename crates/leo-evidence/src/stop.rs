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
