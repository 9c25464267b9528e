//! From a reviewed change set to a stack that is what was asked for.

use aws_sdk_cloudformation::types as sdk;
use leo_aws::ServiceError;

use super::follow::Operation;
use super::poller::{Poller, Start, start_of_next};
use super::{Mode, OnCreateFailure, Prepared, ReviewedChangeSet, StackOutcome, Stacks, is_absent};
use crate::cause::{Cause, causes, nested_stack, resource_causes};
use crate::control::{Control, Limits};
use crate::error::DeployError;
use crate::event::{OnEvent, ResourceEvent, StackEvent};

/// How deep nested stacks are searched for a cause; CloudFormation itself allows hardly more.
const NESTING: usize = 5;

impl Stacks {
    /// Executes the change set and follows it to its end. A rollback is an error.
    ///
    /// What `control` ends is undone: an update is cancelled and rolled back, a create deleted, and that is followed
    /// to its end too. What has come too far for that is followed as if nothing was said.
    ///
    /// A create that only failed because the account's first use of ECS was making its service-linked role is
    /// tried once more, as a new change set of the same request.
    pub async fn execute(
        &self,
        ready: ReviewedChangeSet,
        control: &Control,
        on_event: &OnEvent<'_>,
    ) -> Result<StackOutcome, DeployError> {
        let mut limits = Limits::begin(control);
        let error = match self.execute_once(&ready, &mut limits, on_event).await {
            Ok(outcome) => return Ok(outcome),
            Err(error) => error,
        };
        let Some(cause) = error.cause().filter(|cause| cause.is_new_service_linked_role()) else {
            return Err(error);
        };
        if !ready.creates_stack() {
            return Err(error);
        }
        on_event(StackEvent::Retrying { cause: cause.clone() });
        match self.prepare(&ready.request, on_event).await? {
            Prepared::NoChange(outcome) => Ok(outcome),
            Prepared::Ready(again) => self.execute_once(&again, &mut limits, on_event).await,
        }
    }

    async fn execute_once(
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
            total: Some(ready.changes.len()),
            running: false,
            deletes_on_failure: ready.creates_stack()
                && ready.request.on_create_failure == OnCreateFailure::Delete,
        };
        let ended = self.follow_within(operation, limits, on_event).await?;
        on_event(StackEvent::Finished { status: ended.stack.status.clone() });
        if ended.stack.status.is_success() {
            return Ok(ended.stack.outcome(Some(ready.changes.clone())));
        }
        let (stack, status) = (name.to_owned(), ended.stack.status);
        if let Some(why) = ended.given_up {
            // What the stack says of itself is only that it was told to stop.
            let causes = self.causes_of(resource_causes(&ended.events), &ended.events).await;
            return Err(DeployError::GivenUp { stack, why, status, causes });
        }
        let causes = self.causes_of(causes(&ended.events), &ended.events).await;
        Err(DeployError::Failed { stack, status, causes })
    }

    /// Starts the execution. A call that failed may nevertheless have started it: the change set knows.
    async fn begin(&self, ready: &ReviewedChangeSet) -> Result<(), DeployError> {
        let stack = ready.request.name.clone();
        let request = self
            .client
            .execute_change_set()
            .change_set_name(&ready.id)
            .client_request_token(&ready.token)
            // Not together with `OnStackFailure`, which only a create has.
            .set_disable_rollback((ready.mode == Mode::RetryForward).then_some(true));
        let Err(error) = request.send().await else { return Ok(()) };
        let source = ServiceError::of("ExecuteChangeSet", &error);
        let in_doubt = source.is_retryable() || source.code.as_deref().is_some_and(is_about_the_change_set);
        if !in_doubt {
            return Err(DeployError::Service { stack, source });
        }
        let page = match self.change_set_page(&ready.id, None).await {
            Ok(page) => page,
            Err(error) if is_absent(&error) => {
                return Err(DeployError::ChangeSetGone { stack, status: "deleted".to_owned() });
            }
            // Whether it runs is not known: say so, and let the next run find out.
            Err(_) => return Err(DeployError::LostContact { stack, source }),
        };
        match page.execution_status() {
            Some(
                sdk::ExecutionStatus::ExecuteInProgress
                | sdk::ExecutionStatus::ExecuteComplete
                | sdk::ExecutionStatus::ExecuteFailed,
            ) => Ok(()),
            Some(sdk::ExecutionStatus::Available) | None => Err(DeployError::Service { stack, source }),
            Some(other) => {
                Err(DeployError::ChangeSetGone { stack, status: other.as_str().to_ascii_lowercase() })
            }
        }
    }

    /// The causes found among an operation's events. Where the first one is a nested stack, that stack's own first
    /// cause takes its place.
    async fn causes_of(&self, mut found: Vec<Cause>, events: &[ResourceEvent]) -> Vec<Cause> {
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

fn is_about_the_change_set(code: &str) -> bool {
    code.starts_with("InvalidChangeSetStatus") || code.starts_with("ChangeSetNotFound")
}
