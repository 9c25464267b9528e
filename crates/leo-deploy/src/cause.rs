//! Which of an operation's events is the reason of its failure.

use std::fmt;

use serde::Serialize;

use crate::event::ResourceEvent;

/// A resource that failed by itself, not because something else did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The resource's name in the template, after those of the nested stacks that lead to it.
    pub path: Vec<String>,
    /// The CloudFormation type.
    pub resource_type: String,
    /// The name or ARN, where it got one.
    pub physical_id: Option<String>,
    /// The status that it failed with.
    pub status: String,
    /// What the service said.
    pub reason: String,
}

impl Cause {
    fn of(event: &ResourceEvent) -> Self {
        Self {
            path: vec![event.logical_id.clone()],
            resource_type: event.resource_type.clone(),
            physical_id: event.physical_id.clone(),
            status: event.status.clone(),
            reason: event.reason.clone().unwrap_or_else(|| "no reason given".to_owned()),
        }
    }

    /// This cause as seen from the stack in which its own is nested as `logical_id`.
    pub(crate) fn nested_in(mut self, logical_id: &str) -> Self {
        self.path.insert(0, logical_id.to_owned());
        self
    }

    /// Whether a new account's first use of a service made the service's role, which takes a moment to be
    /// usable ("Using service-linked roles", Amazon ECS Developer Guide). The second try succeeds.
    pub fn is_new_service_linked_role(&self) -> bool {
        let reason = self.reason.to_ascii_lowercase();
        reason.contains("unable to assume the service linked role")
    }
}

/// Whether a service says that the name is taken by something which is being deleted: Secrets Manager ("scheduled for
/// deletion") and S3 ("`OperationAborted`: a conflicting conditional operation is currently in progress against this
/// resource", Amazon S3 API Reference, "Error responses").
pub(crate) fn is_still_leaving(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["scheduled for deletion", "operationaborted", "conflicting conditional operation"]
        .iter()
        .any(|words| reason.contains(words))
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) {}: {}", self.path.join("/"), self.resource_type, self.status, self.reason)
    }
}

/// The nested stack, if any, in which the cause has to be looked for: its logical id and its stack id.
pub(crate) fn nested_stack(events: &[ResourceEvent]) -> Option<(&str, &str)> {
    let first = failures(events).next()?;
    let nested = first.resource_type == NESTED_STACK;
    nested.then_some((first.logical_id.as_str(), first.physical_id.as_deref()?))
}

/// The type of a stack as another one's resource.
pub(crate) const NESTED_STACK: &str = "AWS::CloudFormation::Stack";

/// The independent failures among one operation's events (oldest first), the first one first. Where no resource
/// failed, what the stack itself says: a cancelled update for example.
pub fn causes(events: &[ResourceEvent]) -> Vec<Cause> {
    let causes = resource_causes(events);
    if !causes.is_empty() {
        return causes;
    }
    let of_stack = events.iter().find(|event| {
        event.of_stack
            && event.reason.is_some()
            && (event.status.contains("ROLLBACK") || event.status.ends_with("_FAILED"))
    });
    of_stack.map(Cause::of).into_iter().collect()
}

/// The independent failures of resources alone.
pub(crate) fn resource_causes(events: &[ResourceEvent]) -> Vec<Cause> {
    failures(events).map(Cause::of).collect()
}

/// The events with which resources failed by themselves.
pub(crate) fn failures(events: &[ResourceEvent]) -> impl Iterator<Item = &ResourceEvent> {
    events
        .iter()
        .filter(|event| !event.of_stack && event.status.ends_with("_FAILED") && !is_consequence(event))
}

/// CloudFormation stops what is under way when a resource fails, and reports that as failures as well.
fn is_consequence(event: &ResourceEvent) -> bool {
    let reason = event.reason.as_deref().unwrap_or_default().to_ascii_lowercase();
    reason.starts_with("resource ") && (reason.ends_with("cancelled") || reason.ends_with("canceled"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical_id: &str, status: &str, reason: &str) -> ResourceEvent {
        ResourceEvent {
            id: format!("{logical_id}-{status}"),
            time: "2026-11-01T00:00:00Z".to_owned(),
            logical_id: logical_id.to_owned(),
            physical_id: None,
            resource_type: if logical_id == "Inner" { NESTED_STACK } else { "AWS::ECS::Service" }.to_owned(),
            status: status.to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            token: None,
            of_stack: logical_id == "leo",
        }
    }

    #[test]
    fn the_cause_is_the_first_failure_that_is_no_consequence() {
        let events = [
            event("leo", "CREATE_IN_PROGRESS", "User Initiated"),
            event("Bucket", "CREATE_FAILED", "Resource creation cancelled"),
            event("Service", "CREATE_FAILED", "container exited"),
            event("Listener", "UPDATE_FAILED", "Resource update cancelled"),
            event("Role", "CREATE_FAILED", "name already exists"),
            event(
                "leo",
                "ROLLBACK_IN_PROGRESS",
                "The following resource(s) failed to create: [Service, Role].",
            ),
        ];
        let lines = causes(&events).iter().map(ToString::to_string).collect::<Vec<_>>();
        insta::assert_snapshot!(lines.join("\n"), @r"
        Service (AWS::ECS::Service) CREATE_FAILED: container exited
        Role (AWS::ECS::Service) CREATE_FAILED: name already exists
        ");
    }

    #[test]
    fn a_cancelled_update_has_the_stack_as_its_cause() {
        let events = [
            event("leo", "UPDATE_IN_PROGRESS", "User Initiated"),
            event("Service", "UPDATE_FAILED", "Resource update cancelled"),
            event("leo", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        ];
        let lines = causes(&events).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(lines, ["leo (AWS::ECS::Service) UPDATE_ROLLBACK_IN_PROGRESS: User Initiated"]);
    }

    #[test]
    fn a_nested_stack_is_where_to_look() {
        let mut inner = event("Inner", "CREATE_FAILED", "Embedded stack was not successfully created");
        inner.physical_id = Some("arn:inner".to_owned());
        assert_eq!(nested_stack(&[inner]), Some(("Inner", "arn:inner")));
        assert_eq!(nested_stack(&[event("Service", "CREATE_FAILED", "no")]), None);
    }
}
