//! The failure of a new account that passes, and the second try after it.

use std::time::Duration;

use tokio::time::sleep;

use super::{Prepared, ReviewedChangeSet, StackOutcome, Stacks};
use crate::cause::is_still_leaving;
use crate::control::{Control, Limits};
use crate::error::DeployError;
use crate::event::{OnEvent, StackEvent};
use crate::pace::{Pace, Patience};
use crate::state::StackStatus;

/// How long is waited before each further try: for the new role to be usable, and for what the failed create made to
/// be gone. Longer each time, because names of deleted secrets and buckets come free when they like.
const PAUSES: [Duration; 3] = [Duration::from_secs(15), Duration::from_secs(30), Duration::from_mins(1)];
/// Within what time a deleted stack leaves its name.
const GONE_WITHIN: Duration = Duration::from_mins(2);

impl Stacks {
    /// Executes the change set and follows it to its end. A rollback is an error.
    ///
    /// What `control` ends is undone: an update is cancelled and rolled back, a create deleted, and that is followed
    /// to its end too. What has come too far for that is followed as if nothing was said.
    ///
    /// A create that only failed because the account's first use of ECS was making its service-linked role, and was
    /// deleted again, is tried once more as a new change set of the same request. When that meets names which the
    /// deletion has not freed yet, it is tried again a little later.
    pub async fn execute(
        &self,
        ready: ReviewedChangeSet,
        control: &Control,
        on_event: &OnEvent<'_>,
    ) -> Result<StackOutcome, DeployError> {
        let mut limits = Limits::begin(control);
        let mut error = match self.execute_once(&ready, &mut limits, on_event).await {
            Err(error) if ready.creates_stack() && failed_on_new_role(&error) => error,
            decided => return decided,
        };
        for pause in PAUSES {
            if let Some(cause) = error.cause() {
                on_event(StackEvent::Retrying { cause: cause.clone() });
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = limits.wait() => return Err(error),
            }
            self.wait_until_gone(ready.stack(), ready.stack_id()).await?;
            error = match self.once_more(&ready, &mut limits, on_event).await {
                Err(error) if failed_on_leftovers(&error) => error,
                decided => return decided,
            };
        }
        Err(error)
    }

    async fn once_more(
        &self,
        ready: &ReviewedChangeSet,
        limits: &mut Limits,
        on_event: &OnEvent<'_>,
    ) -> Result<StackOutcome, DeployError> {
        match self.prepare(&ready.request, on_event).await? {
            Prepared::NoChange(outcome) => Ok(outcome),
            Prepared::Ready(again) => self.execute_once(&again, limits, on_event).await,
        }
    }

    /// Waits until the name no longer leads to the stack that was deleted; not for ever, because what happens then
    /// says more than this could.
    async fn wait_until_gone(&self, name: &str, stack_id: &str) -> Result<(), DeployError> {
        let mut pace = Pace::of_operation();
        let mut patience = Patience::new(GONE_WITHIN);
        loop {
            match self.describe(name).await {
                Ok(Some(stack)) if stack.id == stack_id && stack.status != StackStatus::DeleteComplete => {}
                Ok(_) => return Ok(()),
                Err(DeployError::Service { source, .. }) if source.is_retryable() => pace.slow_down(),
                Err(error) => return Err(error),
            }
            if !patience.bears() {
                return Ok(());
            }
            pace.wait().await;
        }
    }
}

/// Whether the create failed on the new role alone and left nothing behind.
fn failed_on_new_role(error: &DeployError) -> bool {
    matches!(
        error,
        DeployError::Failed { status: StackStatus::DeleteComplete, causes, .. }
            if causes.first().is_some_and(crate::cause::Cause::is_new_service_linked_role)
    )
}

/// Whether the create failed on what an earlier one has yet to free, and left nothing behind.
fn failed_on_leftovers(error: &DeployError) -> bool {
    match error {
        DeployError::Failed { status: StackStatus::DeleteComplete, causes, .. } => {
            causes.first().is_some_and(|cause| is_still_leaving(&cause.reason))
        }
        DeployError::ChangeSet { reason, findings, .. } => {
            is_still_leaving(reason) || findings.iter().any(|finding| is_still_leaving(&finding.reason))
        }
        _ => false,
    }
}
