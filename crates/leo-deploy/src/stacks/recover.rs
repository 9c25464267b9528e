//! Ways out of the states in which a stack can't be deployed to. Each needs a person's yes, so each is first a
//! value that says what it would do.

use std::collections::BTreeSet;
use std::fmt;

use leo_aws::ServiceError;
use serde::Serialize;

use super::delete::Retained;
use super::follow::{Ended, Operation};
use super::members::call;
use super::poller::start_of_next;
use super::{Stack, Stacks, new_token};
use crate::cause::{NESTED_STACK, failures};
use crate::error::DeployError;
use crate::event::{OnEvent, ResourceEvent, StackEvent};
use crate::state::{Action, Block, StackStatus, action};

const RECOVER: &str = "recover";
/// How deep nested stacks are searched for what stopped a rollback.
const NESTING: usize = 5;

/// What would make a stack deployable again. Its text says what it does, to ask a person with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "does")]
pub enum Recovery {
    /// Deletes a stack whose first create failed; it can't be updated ("Stack status codes": `ROLLBACK_COMPLETE`).
    DeleteFailedCreate,
    /// Continues the rollback of a failed update.
    ///
    /// First with nothing skipped: what stopped it may be gone, and what is skipped differs from the template from
    /// then on. Only what fails again is skipped, and only what was shown here.
    ContinueRollback {
        /// What may be skipped: the resources that failed because the rollback failed, and no others
        /// ("ContinueUpdateRollback", API reference). One in a nested stack is `<nested stack's name>.<logical
        /// id>`.
        skip: Vec<Skipped>,
    },
    /// Tries a failed delete again, first with nothing left behind.
    RetryDelete {
        /// What may be left behind: the resources that could not be deleted.
        retain: Vec<Skipped>,
    },
    /// Deletes a stack that was never created, and the change sets in it that nobody executed.
    DropEmpty,
}

/// A resource that a recovery may pass over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its name as the recovery names it to CloudFormation.
    pub logical_id: String,
    /// Its CloudFormation type.
    pub resource_type: String,
    /// What it failed with.
    pub reason: String,
}

/// What a recovery passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Recovered {
    /// Differ from the template now: the next deploy does not put them right, drift detection does not look at
    /// them.
    pub skipped: Vec<Skipped>,
    /// Outlived the stack.
    pub retained: Vec<Retained>,
}

impl Stacks {
    /// What would make this stack deployable again; `None` where nothing has to, or nothing that is safe can.
    pub async fn recovery(&self, stack: &Stack) -> Result<Option<Recovery>, DeployError> {
        let refused = |source| call(RECOVER, &stack.name, source);
        Ok(match action(Some(&stack.status)) {
            Action::Blocked(Block::CreateRolledBack) => Some(Recovery::DeleteFailedCreate),
            Action::Blocked(Block::UpdateRollbackFailed) => {
                let skip = self.skippable(&stack.id).await.map_err(refused)?;
                Some(Recovery::ContinueRollback { skip })
            }
            Action::Blocked(Block::DeleteFailed) => {
                let retain = self.undeletable(&stack.id).await.map_err(refused)?;
                Some(Recovery::RetryDelete { retain })
            }
            Action::Reuse => Some(Recovery::DropEmpty),
            Action::Blocked(Block::ImportRollbackFailed | Block::Unknown)
            | Action::Create
            | Action::Update
            | Action::RetryForward
            | Action::Attach => None,
        })
    }

    /// Does what `recovery` says, and follows it to its end. Where the stack has left the state that it is for, in
    /// the meantime or through an operation that still runs, nothing is done.
    pub async fn recover(
        &self,
        stack: &Stack,
        recovery: &Recovery,
        on_event: &OnEvent<'_>,
    ) -> Result<Recovered, DeployError> {
        let Some(stack) = self.at_rest_again(stack, on_event).await? else { return Ok(Recovered::default()) };
        let state = action(Some(&stack.status));
        match recovery {
            Recovery::DeleteFailedCreate if state == Action::Blocked(Block::CreateRolledBack) => {
                self.delete_for_good(&stack, &[], on_event).await
            }
            Recovery::DropEmpty if state == Action::Reuse => {
                self.delete_for_good(&stack, &[], on_event).await
            }
            Recovery::RetryDelete { retain } if state == Action::Blocked(Block::DeleteFailed) => {
                self.delete_for_good(&stack, retain, on_event).await
            }
            Recovery::ContinueRollback { skip } if state == Action::Blocked(Block::UpdateRollbackFailed) => {
                self.continue_rollback(&stack, skip, on_event).await
            }
            _ => Ok(Recovered::default()),
        }
    }

    async fn at_rest_again(
        &self,
        stack: &Stack,
        on_event: &OnEvent<'_>,
    ) -> Result<Option<Stack>, DeployError> {
        loop {
            let now = self.standing(RECOVER, &stack.id).await?;
            match now {
                Some(now) if now.status.in_progress() => self.attach(&now, on_event).await?,
                now => return Ok(now),
            }
        }
    }

    async fn delete_for_good(
        &self,
        stack: &Stack,
        retain: &[Skipped],
        on_event: &OnEvent<'_>,
    ) -> Result<Recovered, DeployError> {
        let ids = retain.iter().map(|one| one.logical_id.clone()).collect::<Vec<_>>();
        let deleted = self.delete(&stack.id, &ids, on_event).await?;
        Ok(Recovered { retained: deleted.retained, ..Recovered::default() })
    }

    async fn continue_rollback(
        &self,
        stack: &Stack,
        may_skip: &[Skipped],
        on_event: &OnEvent<'_>,
    ) -> Result<Recovered, DeployError> {
        let mut skipped: Vec<Skipped> = Vec::new();
        let mut now: Vec<Skipped> = Vec::new();
        loop {
            let ended = self.continue_once(stack, &now, on_event).await?;
            skipped.append(&mut now);
            let status = ended.stack.status.clone();
            if status != StackStatus::UpdateRollbackFailed {
                return Ok(Recovered { skipped, ..Recovered::default() });
            }
            let again =
                self.skippable(&stack.id).await.map_err(|source| call(RECOVER, &stack.name, source))?;
            let shown = |one: &Skipped| may_skip.iter().any(|may| may.logical_id == one.logical_id);
            let tried = |one: &Skipped| skipped.iter().any(|done| done.logical_id == one.logical_id);
            if again.is_empty() || !again.iter().all(shown) || again.iter().any(tried) {
                let causes = self.causes_of(&ended.events).await;
                return Err(DeployError::NotRecovered { stack: stack.name.clone(), status, causes });
            }
            now = again;
        }
    }

    async fn continue_once(
        &self,
        stack: &Stack,
        skip: &[Skipped],
        on_event: &OnEvent<'_>,
    ) -> Result<Ended, DeployError> {
        let refused = |source| call(RECOVER, &stack.name, source);
        let start = start_of_next(&self.client, &stack.id).await.map_err(refused)?;
        let ids = skip.iter().map(|one| one.logical_id.clone()).collect::<Vec<_>>();
        let what = if ids.is_empty() {
            "continuing the rollback, nothing skipped".to_owned()
        } else {
            format!("continuing the rollback, skipping {}", ids.join(", "))
        };
        on_event(StackEvent::Begins { what });
        let request = self
            .client
            .continue_update_rollback()
            .stack_name(&stack.id)
            .client_request_token(new_token())
            .set_resources_to_skip((!ids.is_empty()).then_some(ids));
        if let Err(error) = request.send().await {
            let source = ServiceError::of("ContinueUpdateRollback", &error);
            // A call without an answer may have begun it, and someone else may have been quicker: the stack knows.
            let begun = self
                .standing(RECOVER, &stack.id)
                .await?
                .is_some_and(|now| now.status != StackStatus::UpdateRollbackFailed);
            if !begun {
                return Err(refused(source));
            }
        }
        let operation = Operation {
            stack: &stack.name,
            stack_id: &stack.id,
            start,
            // A rollback begins with none of the events by which operations are told apart.
            token: None,
            total: None,
            running: false,
            deletes_on_failure: false,
        };
        let ended = self.follow(operation, on_event).await?;
        on_event(StackEvent::Finished { status: ended.stack.status.clone() });
        Ok(ended)
    }

    /// What a rollback may skip: resources that are in `UPDATE_FAILED` because the last rollback failed on them.
    /// Those that it only cancelled, and those that failed before it began, don't qualify. A nested stack can't be
    /// skipped unless it is being deleted, but what failed in it can.
    async fn skippable(&self, stack_id: &str) -> Result<Vec<Skipped>, ServiceError> {
        let mut found = Vec::new();
        let mut ahead = vec![(stack_id.to_owned(), None::<String>, 0)];
        let mut seen = BTreeSet::new();
        while let Some((id, nested, depth)) = ahead.pop() {
            let failed = self.standing_failures(&id, "UPDATE_FAILED").await?;
            for event in failed {
                if event.resource_type == NESTED_STACK {
                    let inner =
                        event.physical_id.filter(|inner| depth < NESTING && seen.insert(inner.clone()));
                    if let Some(inner) = inner {
                        let name = name_in(&inner).to_owned();
                        ahead.push((inner, Some(name), depth + 1));
                    }
                    continue;
                }
                let logical_id = match &nested {
                    Some(stack) => format!("{stack}.{}", event.logical_id),
                    None => event.logical_id,
                };
                found.push(skipped(logical_id, event.resource_type, event.reason));
            }
        }
        Ok(found)
    }

    /// What a delete may leave: resources in `DELETE_FAILED` that failed by themselves ("DeleteStack", API
    /// reference).
    async fn undeletable(&self, stack_id: &str) -> Result<Vec<Skipped>, ServiceError> {
        let failed = self.standing_failures(stack_id, "DELETE_FAILED").await?;
        Ok(failed
            .into_iter()
            .map(|event| skipped(event.logical_id, event.resource_type, event.reason))
            .collect())
    }

    /// The resources that failed by themselves in the stack's last rollback or delete, and are still in that
    /// status.
    async fn standing_failures(
        &self,
        stack_id: &str,
        status: &str,
    ) -> Result<Vec<ResourceEvent>, ServiceError> {
        let members = self.members(stack_id).await?;
        let events = self.events_of_last(stack_id).await?;
        let last = events
            .iter()
            .rposition(|event| event.of_stack && event.status.ends_with("_IN_PROGRESS"))
            .and_then(|start| events.get(start..))
            .unwrap_or_default();
        let mut failed: Vec<ResourceEvent> = Vec::new();
        for event in failures(last).filter(|event| event.status == status) {
            let still =
                members.iter().any(|member| member.logical_id == event.logical_id && member.status == status);
            if still && !failed.iter().any(|known| known.logical_id == event.logical_id) {
                failed.push(event.clone());
            }
        }
        Ok(failed)
    }
}

fn skipped(logical_id: String, resource_type: String, reason: Option<String>) -> Skipped {
    let reason = reason.unwrap_or_else(|| "no reason given".to_owned());
    Skipped { logical_id, resource_type, reason }
}

/// A stack's name in its ARN.
fn name_in(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or(arn)
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeleteFailedCreate => f.write_str(
                "delete the stack, whose create failed: data in it stays, and the next deploy adopts that",
            ),
            Self::ContinueRollback { skip } if skip.is_empty() => {
                f.write_str("continue the rollback; nothing can be skipped if it fails again")
            }
            Self::ContinueRollback { skip } => {
                f.write_str(
                    "continue the rollback; what of these fails again is skipped, and differs from the template from then on:",
                )?;
                list(f, skip)
            }
            Self::RetryDelete { retain } if retain.is_empty() => f.write_str("delete the stack again"),
            Self::RetryDelete { retain } => {
                f.write_str(
                    "delete the stack again; what of these can't be deleted again stays, and belongs to no stack from then on:",
                )?;
                list(f, retain)
            }
            Self::DropEmpty => f.write_str(
                "delete the stack, which was never created, with the change sets in it that nobody executed",
            ),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, items: &[Skipped]) -> fmt::Result {
    items.iter().try_for_each(|item| write!(f, "\n  {item}"))
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.logical_id, self.resource_type, self.reason)
    }
}
