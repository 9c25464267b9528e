//! From a stack to none, with what has to stay left where it is.

use std::collections::BTreeSet;

use leo_aws::ServiceError;
use serde::Serialize;

use super::follow::{Ended, LOST_AFTER, Operation};
use super::members::call;
use super::poller::{Poller, start_of_next, start_of_running};
use super::{Stack, Stacks, new_token};
use crate::cause::{Cause, resource_causes};
use crate::error::DeployError;
use crate::event::{OnEvent, ResourceEvent, StackEvent};
use crate::pace::{Pace, Patience};
use crate::state::StackStatus;

const DELETE: &str = "delete";
/// How often a delete is asked for again because another operation was quicker.
const RACES: usize = 5;

/// What a delete left behind on purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Deleted {
    /// The resources that are still there and belong to no stack any more, in the order in which they were passed
    /// over.
    pub retained: Vec<Retained>,
}

/// A resource that outlived its stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retained {
    /// Its name in the template.
    pub logical_id: String,
    /// Its CloudFormation type.
    pub resource_type: String,
    /// Its name or ARN, where it has one.
    pub physical_id: Option<String>,
}

impl Stacks {
    /// Deletes the stack and follows that to its end. An operation that runs is followed first; a stack that is not
    /// there is none to delete.
    ///
    /// The resources in `retain` may stay, by their logical ids, where they can't be deleted: each is tried first,
    /// and CloudFormation takes such a list for a stack in `DELETE_FAILED` only ("DeleteStack", API reference).
    /// What a `DeletionPolicy` keeps needs no mention.
    pub async fn delete(
        &self,
        name: &str,
        retain: &[String],
        on_event: &OnEvent<'_>,
    ) -> Result<Deleted, DeployError> {
        let mut races = RACES;
        let mut keep = BTreeSet::new();
        // What one round passed over, the next one does not list again.
        let mut deleted = Deleted::default();
        loop {
            let Some(stack) = self.standing(DELETE, name).await? else { return Ok(deleted) };
            if stack.status.in_progress() {
                self.attach(&stack, on_event).await?;
                let was_deleted = stack.status == StackStatus::DeleteInProgress
                    && self.standing(DELETE, &stack.id).await?.is_none();
                if was_deleted {
                    deleted.add(&self.events_of_deletion(&stack).await?);
                    return Ok(deleted);
                }
                continue;
            }
            if stack.termination_protection {
                return Err(DeployError::Protected { stack: stack.name });
            }
            let ended = match self.delete_once(&stack, &keep, on_event).await {
                Err(DeployError::Call { source, .. })
                    if source.message.contains("_IN_PROGRESS") && races > 0 =>
                {
                    races -= 1;
                    Pace::of_operation().wait().await;
                    continue;
                }
                ended => ended?,
            };
            deleted.add(&ended.events);
            if ended.stack.status == StackStatus::DeleteComplete {
                return Ok(deleted);
            }
            let blockers = blockers(&ended.events);
            let ids =
                blockers.iter().filter_map(|blocker| blocker.path.first().cloned()).collect::<BTreeSet<_>>();
            let may_stay = ids.iter().all(|id| retain.contains(id));
            if ids.is_subset(&keep) || !may_stay {
                return Err(DeployError::NotDeleted {
                    stack: stack.name,
                    status: ended.stack.status,
                    blockers: self.causes_of(&ended.events).await,
                });
            }
            keep.extend(ids);
        }
    }

    async fn delete_once(
        &self,
        stack: &Stack,
        keep: &BTreeSet<String>,
        on_event: &OnEvent<'_>,
    ) -> Result<Ended, DeployError> {
        let refused = |source| call(DELETE, &stack.name, source);
        let start = start_of_next(&self.client, &stack.id).await.map_err(refused)?;
        let keep = self.to_retain(stack, keep).await.map_err(refused)?;
        let what = if keep.is_empty() {
            "deleting the stack".to_owned()
        } else {
            format!("deleting the stack, leaving {}", keep.join(", "))
        };
        on_event(StackEvent::Begins { what });
        let token = new_token();
        let request = self
            .client
            .delete_stack()
            .stack_name(&stack.id)
            .client_request_token(&token)
            .set_retain_resources((!keep.is_empty()).then_some(keep));
        if let Err(error) = request.send().await {
            let source = ServiceError::of("DeleteStack", &error);
            if source.message.contains("TerminationProtection is enabled") {
                return Err(DeployError::Protected { stack: stack.name.clone() });
            }
            // A call without an answer may have begun the delete: the stack knows.
            let begun = source.is_retryable()
                && self.standing(DELETE, &stack.id).await?.is_none_or(|now| now.status != stack.status);
            if !begun {
                return Err(refused(source));
            }
        }
        let operation = Operation {
            stack: &stack.name,
            stack_id: &stack.id,
            start,
            token: Some(&token),
            total: None,
            running: false,
            deletes_on_failure: false,
        };
        let ended = self.follow(operation, on_event).await?;
        on_event(StackEvent::Finished { status: ended.stack.status.clone() });
        Ok(ended)
    }

    /// Those of `keep` that CloudFormation takes: it refuses the whole list for one that is not in `DELETE_FAILED`,
    /// such as one that an earlier round has passed over.
    async fn to_retain(&self, stack: &Stack, keep: &BTreeSet<String>) -> Result<Vec<String>, ServiceError> {
        if keep.is_empty() {
            return Ok(Vec::new());
        }
        let members = self.members(&stack.id).await?;
        let failed = members.into_iter().filter(|member| member.status == "DELETE_FAILED");
        Ok(failed.map(|member| member.logical_id).filter(|id| keep.contains(id)).collect())
    }

    /// The events of the delete that someone else began and this run saw to its end.
    async fn events_of_deletion(&self, stack: &Stack) -> Result<Vec<ResourceEvent>, DeployError> {
        let mut pace = Pace::of_operation();
        let mut patience = Patience::new(LOST_AFTER);
        loop {
            match self.events_of_last(&stack.id).await {
                Ok(events) => return Ok(events),
                Err(error) if error.is_retryable() && patience.bears() => pace.slow_down(),
                Err(source) => return Err(call(DELETE, &stack.name, source)),
            }
            pace.wait().await;
        }
    }

    /// The events of the stack's last operation, oldest first.
    pub(super) async fn events_of_last(&self, stack_id: &str) -> Result<Vec<ResourceEvent>, ServiceError> {
        let (start, _) = start_of_running(&self.client, stack_id).await?;
        Poller::new(self.client.clone(), stack_id, start).poll().await
    }
}

impl Deleted {
    /// Adds what a delete passed over: CloudFormation says `DELETE_SKIPPED`, and nothing more.
    fn add(&mut self, events: &[ResourceEvent]) {
        let skipped = events.iter().filter(|event| !event.of_stack && event.status == "DELETE_SKIPPED");
        for event in skipped {
            let one = Retained {
                logical_id: event.logical_id.clone(),
                resource_type: event.resource_type.clone(),
                physical_id: event.physical_id.clone(),
            };
            if !self.retained.contains(&one) {
                self.retained.push(one);
            }
        }
    }
}

/// What could not be deleted by itself, in the last operation of these events.
pub(super) fn blockers(events: &[ResourceEvent]) -> Vec<Cause> {
    resource_causes(events).into_iter().filter(|cause| cause.status == "DELETE_FAILED").collect()
}
