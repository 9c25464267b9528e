//! From a reviewed change set to a stack that is what was asked for.

use aws_sdk_cloudformation::types as sdk;
use leo_aws::ServiceError;

use super::failure::{disable_rollback_of_execution, on_stack_failure};
use super::follow::{Ended, Operation};
use super::poller::{Poller, Start, start_of_next};
use super::prepare::is_about_another_state;
use super::{ReviewedChangeSet, StackOutcome, Stacks, is_absent, new_token};
use crate::cause::{Cause, causes, nested_stack, resource_causes};
use crate::control::Limits;
use crate::error::DeployError;
use crate::event::{OnEvent, ResourceEvent, StackEvent};
use crate::pace::Pace;
use crate::state::StackStatus;

/// How deep nested stacks are searched for a cause; CloudFormation itself allows hardly more.
const NESTING: usize = 5;
/// How often an execution is asked for again while it is in doubt whether it began.
const SECOND_TRIES: usize = 5;

impl Stacks {
    /// Executes the change set, without a second try.
    pub(super) async fn execute_once(
        &self,
        ready: &ReviewedChangeSet,
        limits: &mut Limits,
        on_event: &OnEvent<'_>,
    ) -> Result<StackOutcome, DeployError> {
        let name = ready.stack();
        let refused = |source| DeployError::Service { stack: name.to_owned(), source };
        let start = start_of_next(&self.client, &ready.stack_id).await.map_err(refused)?;
        self.begin(ready).await?;
        on_event(StackEvent::Executing);
        let operation = Operation {
            stack: name,
            stack_id: &ready.stack_id,
            start,
            token: Some(ready.token()),
            total: Some(ready.changes.len()),
            running: false,
            deletes_on_failure: on_stack_failure(&ready.request, ready.mode)
                == Some(sdk::OnStackFailure::Delete),
        };
        let mut ended = self.follow_within(operation, limits, on_event).await?;
        if ready.is_left_rolled_back(&ended.stack.status) {
            self.delete_rolled_back(&mut ended, on_event).await;
        }
        on_event(StackEvent::Finished { status: ended.stack.status.clone() });
        if ended.stack.status.is_success() {
            return Ok(ended.stack.outcome(Some(ready.changes.clone())));
        }
        let (stack, status) = (name.to_owned(), ended.stack.status);
        if let Some(why) = ended.given_up {
            // What the stack says of itself is only that it was told to stop.
            let causes = self.inner_causes(resource_causes(&ended.events), &ended.events).await;
            return Err(DeployError::GivenUp { stack, why, status, causes });
        }
        let causes = self.causes_of(&ended.events).await;
        // Nothing that failed explains it, and an update is never ended so.
        if status == StackStatus::DeleteComplete && (!ready.creates_stack() || causes.is_empty()) {
            return Err(DeployError::Vanished { stack });
        }
        Err(DeployError::Failed { stack, status, causes })
    }

    /// Deletes the empty stack that a failed create left, as CloudFormation itself does where it can be told to.
    /// What failed is the news, so a stack that stays is only seen by its status.
    async fn delete_rolled_back(&self, ended: &mut Ended, on_event: &OnEvent<'_>) {
        let stack = &ended.stack;
        let token = new_token();
        let request = self.client.delete_stack().stack_name(&stack.id).client_request_token(&token);
        if request.send().await.is_err() {
            return;
        }
        let newest = ended.events.last().map(|event| Start::After(event.id.clone()));
        let operation = Operation {
            stack: &stack.name,
            stack_id: &stack.id,
            start: newest.unwrap_or(Start::Beginning),
            token: Some(&token),
            total: None,
            running: false,
            deletes_on_failure: false,
        };
        if let Ok(deleted) = self.follow(operation, on_event).await {
            ended.stack = deleted.stack;
        }
    }

    /// Starts the execution. A call that failed may nevertheless have started it: the change set knows, but not at once.
    /// So it is asked again a few times, with the same token, which lets nothing begin twice ("ExecuteChangeSet").
    pub(super) async fn begin(&self, ready: &ReviewedChangeSet) -> Result<(), DeployError> {
        let stack = ready.request.name.clone();
        let mut pace = Pace::of_operation();
        let mut again = SECOND_TRIES;
        // Whether a try of this run may have arrived: what the stack is busy with could be that.
        let mut in_doubt = false;
        loop {
            let request = self
                .client
                .execute_change_set()
                .change_set_name(&ready.id)
                .client_request_token(&ready.token)
                .set_disable_rollback(disable_rollback_of_execution(ready));
            let Err(error) = request.send().await else { return Ok(()) };
            let source = ServiceError::of("ExecuteChangeSet", &error);
            let about_it = source.code.as_deref().is_some_and(is_about_the_change_set);
            in_doubt |= source.is_retryable() || about_it;
            let elsewhere = !about_it && is_about_another_state(&source);
            if !in_doubt && !elsewhere {
                return Err(DeployError::Service { stack, source });
            }
            let found = match self.change_set_page(&ready.id, None).await {
                Ok(found) => found,
                Err(error) if is_absent(&error) => {
                    return Err(DeployError::ChangeSetGone { stack, status: "deleted".to_owned() });
                }
                Err(error) if error.is_retryable() && again > 0 => {
                    again -= 1;
                    pace.wait().await;
                    continue;
                }
                // Whether it runs is not known: say so, and let the next run find out.
                Err(source) => return Err(DeployError::LostContact { stack, source }),
            };
            let status = match found.execution_status() {
                Some(
                    sdk::ExecutionStatus::ExecuteInProgress
                    | sdk::ExecutionStatus::ExecuteComplete
                    | sdk::ExecutionStatus::ExecuteFailed,
                ) => return Ok(()),
                Some(sdk::ExecutionStatus::Obsolete) => Some("obsolete".to_owned()),
                _ if in_doubt && again > 0 => None,
                Some(sdk::ExecutionStatus::Available) | None if elsewhere => {
                    let status = if is_absent(&source) { "the stack is gone" } else { "the stack is busy" };
                    Some(status.to_owned())
                }
                Some(sdk::ExecutionStatus::Available) | None => {
                    return Err(DeployError::Service { stack, source });
                }
                Some(other) => Some(other.as_str().to_ascii_lowercase()),
            };
            if let Some(status) = status {
                return Err(DeployError::ChangeSetGone { stack, status });
            }
            again -= 1;
            pace.wait().await;
        }
    }

    /// The causes among an operation's events. Where the first one is a nested stack, that stack's own first cause
    /// takes its place.
    pub(super) async fn causes_of(&self, events: &[ResourceEvent]) -> Vec<Cause> {
        self.inner_causes(causes(events), events).await
    }

    pub(super) async fn inner_causes(&self, mut found: Vec<Cause>, events: &[ResourceEvent]) -> Vec<Cause> {
        let mut path = Vec::new();
        let mut inner = nested_stack(events).map(|(name, id)| (name.to_owned(), id.to_owned()));
        while let Some((name, id)) = inner.take() {
            let events = Poller::new(self.client.clone(), &id, Start::Beginning).poll().await;
            let (Ok(events), true) = (events, path.len() < NESTING) else { break };
            path.push(name);
            let Some(cause) = causes(&events).into_iter().next() else { break };
            if let Some(first) = found.first_mut() {
                *first = path.iter().rev().fold(cause, |cause, name| cause.nested_in(name));
            }
            inner = nested_stack(&events).map(|(name, id)| (name.to_owned(), id.to_owned()));
        }
        found
    }
}

/// Such as "an operation on this change set is currently in progress", which may be this run's own.
fn is_about_the_change_set(code: &str) -> bool {
    code.starts_with("InvalidChangeSetStatus") || code.starts_with("ChangeSetNotFound")
}
