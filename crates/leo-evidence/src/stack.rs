//! What CloudFormation says, taken into the evidence.

use leo_deploy::{Cause, DeployError, Finding, ResourceEvent, StackEvent};

use crate::evidence::{FindingSeen, ResourceFailure, ResourceWaiting, StackSeen};
use crate::redact::Redact;

const SERVICE: &str = "AWS::ECS::Service";
const STACK: &str = "AWS::CloudFormation::Stack";
/// Failures and findings of which more would not be read.
const MOST: usize = 50;

impl StackSeen {
    /// Takes in an event. Whether it said something new.
    pub(crate) fn take(&mut self, event: &StackEvent, redact: &Redact) -> bool {
        match event {
            StackEvent::Finding(finding) => self.finding(finding, redact),
            StackEvent::Resource(event) if event.of_stack => self.status(event),
            StackEvent::Resource(event) => self.resource(event, redact),
            StackEvent::Finished { status } => replace(&mut self.status, status.as_str()),
            _ => false,
        }
    }

    /// Whether nothing was changed or refused, as far as was reported.
    pub(crate) fn is_untouched(&self) -> bool {
        self.failures.is_empty()
            && self.waiting.is_empty()
            && self.refused.is_none()
            && self.service_since.is_none()
            && self.rollback_since.is_none()
    }

    /// Forgets an operation that was only waited for: now the own one begins.
    pub(crate) fn begin(&mut self) {
        *self = Self { findings: std::mem::take(&mut self.findings), ..Self::default() };
    }

    /// Takes in how the operation failed.
    pub(crate) fn take_error(&mut self, error: &DeployError, redact: &Redact) {
        match error {
            DeployError::ChangeSet { reason, findings, .. } => {
                self.refused = Some(redact.apply(reason));
                for finding in findings {
                    self.finding(finding, redact);
                }
            }
            DeployError::Failed { causes, status, .. } | DeployError::GivenUp { causes, status, .. } => {
                self.status = Some(status.to_string());
                for cause in causes {
                    self.cause(cause, redact);
                }
            }
            other => {
                if let Some(cause) = other.cause() {
                    self.cause(cause, redact);
                }
            }
        }
    }

    fn status(&mut self, event: &ResourceEvent) -> bool {
        let back = event.status.ends_with("ROLLBACK_IN_PROGRESS") || event.status == "DELETE_IN_PROGRESS";
        if back && self.rollback_since.is_none() {
            self.rollback_since = Some(event.time.clone());
        }
        replace(&mut self.status, &event.status)
    }

    fn resource(&mut self, event: &ResourceEvent, redact: &Redact) -> bool {
        let forward = self.rollback_since.is_none();
        match event.status.as_str() {
            "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" if forward => {
                if event.resource_type == SERVICE && self.service_since.is_none() {
                    self.service_since = Some(event.time.clone());
                }
                self.waiting(event, redact)
            }
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" if forward => self.ended(&event.logical_id),
            failed if failed.ends_with("_FAILED") => {
                let causes = leo_deploy::causes(std::slice::from_ref(event));
                causes.first().is_some_and(|cause| self.cause(cause, redact))
            }
            _ => false,
        }
    }

    fn waiting(&mut self, event: &ResourceEvent, redact: &Redact) -> bool {
        let said = event.reason.as_deref().filter(|reason| *reason != "Resource creation Initiated");
        if let Some(known) = self.waiting.iter_mut().find(|known| known.logical_id == event.logical_id) {
            return said.is_some_and(|said| replace(&mut known.reason, &redact.apply(said)));
        }
        self.waiting.push(ResourceWaiting {
            logical_id: event.logical_id.clone(),
            resource_type: event.resource_type.clone(),
            since: event.time.clone(),
            reason: said.map(|said| redact.apply(said)),
        });
        true
    }

    fn ended(&mut self, logical_id: &str) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.logical_id != logical_id);
        self.waiting.len() != before
    }

    fn cause(&mut self, cause: &Cause, redact: &Redact) -> bool {
        // A stack that was told to stop failed of nothing.
        if cause.resource_type == STACK && cause.reason == "User Initiated" {
            return false;
        }
        // What fails while it rolls back and cleans up comes of the failure before; what lies deeper explains it.
        if self.rollback_since.is_some() && !self.failures.is_empty() && cause.path.len() == 1 {
            return false;
        }
        let failure = ResourceFailure {
            logical_id: cause.path.join("/"),
            resource_type: cause.resource_type.clone(),
            status: cause.status.clone(),
            reason: redact.apply(&cause.reason),
            late: self.rollback_since.is_some(),
        };
        if self.failures.len() >= MOST || self.failures.iter().any(|known| same(known, &failure)) {
            return false;
        }
        self.ended(&failure.logical_id);
        self.failures.push(failure);
        true
    }

    fn finding(&mut self, finding: &Finding, redact: &Redact) -> bool {
        let seen = FindingSeen {
            fatal: finding.fatal,
            logical_id: finding.logical_id.clone(),
            path: finding.path.clone(),
            reason: redact.apply(&finding.reason),
        };
        if self.findings.len() >= MOST || self.findings.contains(&seen) {
            return false;
        }
        self.findings.push(seen);
        true
    }
}

/// The same failure, whenever it was told.
fn same(one: &ResourceFailure, other: &ResourceFailure) -> bool {
    let what = |it: &ResourceFailure| (it.logical_id.clone(), it.status.clone(), it.reason.clone());
    what(one) == what(other)
}

fn replace(old: &mut Option<String>, new: &str) -> bool {
    let differs = old.as_deref() != Some(new);
    if differs {
        *old = Some(new.to_owned());
    }
    differs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, kind: &str, status: &str, reason: &str, time: &str) -> StackEvent {
        StackEvent::Resource(ResourceEvent {
            id: format!("{id}{status}"),
            time: time.to_owned(),
            logical_id: id.to_owned(),
            physical_id: None,
            resource_type: kind.to_owned(),
            status: status.to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            token: None,
            of_stack: kind == STACK,
        })
    }

    #[test]
    fn what_failed_and_what_still_waits_are_kept_and_consequences_are_not() {
        let mut stack = StackSeen::default();
        let certificate = "AWS::CertificateManager::Certificate";
        let cloudformation = STACK;
        for event in [
            event("leo", cloudformation, "CREATE_IN_PROGRESS", "User Initiated", "t0"),
            event("Certificate", certificate, "CREATE_IN_PROGRESS", "", "t1"),
            event("Certificate", certificate, "CREATE_IN_PROGRESS", "Resource creation Initiated", "t1"),
            event("Certificate", certificate, "CREATE_IN_PROGRESS", "Content of DNS Record is: {…}", "t2"),
            event("Group", "AWS::Logs::LogGroup", "CREATE_IN_PROGRESS", "", "t1"),
            event("Group", "AWS::Logs::LogGroup", "CREATE_COMPLETE", "", "t2"),
            event("Service", SERVICE, "CREATE_IN_PROGRESS", "", "t3"),
            event("Service", SERVICE, "CREATE_FAILED", "it broke", "t4"),
            event("Certificate", certificate, "CREATE_FAILED", "Resource creation cancelled", "t4"),
            event("leo", cloudformation, "ROLLBACK_IN_PROGRESS", "…", "t5"),
            event("Certificate", certificate, "DELETE_COMPLETE", "", "t6"),
            event("Bucket", "AWS::S3::Bucket", "DELETE_FAILED", "the bucket is not empty", "t6"),
            event("leo", cloudformation, "ROLLBACK_COMPLETE", "", "t7"),
        ] {
            stack.take(&event, &Redact::default());
        }
        assert_eq!(stack.status.as_deref(), Some("ROLLBACK_COMPLETE"));
        assert_eq!(stack.service_since.as_deref(), Some("t3"));
        assert_eq!(stack.rollback_since.as_deref(), Some("t5"));
        let waiting: Vec<_> =
            stack.waiting.iter().map(|waiting| (&*waiting.logical_id, waiting.reason.as_deref())).collect();
        assert_eq!(waiting, [("Certificate", Some("Content of DNS Record is: {…}"))]);
        let failed: Vec<_> = stack.failures.iter().map(|failure| &*failure.reason).collect();
        assert_eq!(failed, ["it broke"]);
        assert!(
            !stack.take(&event("Service", SERVICE, "CREATE_FAILED", "it broke", "t9"), &Redact::default())
        );
    }

    #[test]
    fn a_cancelled_update_has_no_failure_of_its_own() {
        let mut stack = StackSeen::default();
        let cancelled = ResourceEvent {
            id: "1".to_owned(),
            time: "t1".to_owned(),
            logical_id: "leo".to_owned(),
            physical_id: None,
            resource_type: STACK.to_owned(),
            status: "UPDATE_ROLLBACK_IN_PROGRESS".to_owned(),
            reason: Some("User Initiated".to_owned()),
            token: None,
            of_stack: true,
        };
        let causes = leo_deploy::causes(&[cancelled]);
        assert_eq!(causes.len(), 1);
        let error = DeployError::Failed {
            stack: "leo".to_owned(),
            status: leo_deploy::StackStatus::UpdateRollbackComplete,
            causes,
        };
        stack.take_error(&error, &Redact::default());
        assert_eq!(stack.failures, []);
        assert_eq!(stack.status.as_deref(), Some("UPDATE_ROLLBACK_COMPLETE"));
    }

    #[test]
    fn a_refused_change_set_leaves_its_reason_and_findings() {
        let mut stack = StackSeen::default();
        let finding = Finding {
            fatal: true,
            name: None,
            logical_id: Some("Bucket".to_owned()),
            path: None,
            reason: "hush is no name".to_owned(),
        };
        let error = DeployError::ChangeSet {
            stack: "leo".to_owned(),
            reason: "early validation".to_owned(),
            findings: vec![finding],
        };
        stack.take_error(&error, &Redact::new(&[leo_env::Secret::new("hush")]));
        assert_eq!(stack.refused.as_deref(), Some("early validation"));
        assert_eq!(stack.findings[0].reason, "‹redacted› is no name");
    }
}
