//! Ending an operation that runs, and keeping a stack from being ended.

use leo_aws::ServiceError;

use super::{Stack, Stacks, new_token};
use crate::error::DeployError;
use crate::state::StackStatus;

impl Stacks {
    /// Cancels the update that runs on the stack; CloudFormation rolls it back then, which this does not wait for.
    /// Only an update that has not come to its cleanup can be cancelled ("CancelUpdateStack").
    pub async fn cancel_update(&self, stack: &str) -> Result<(), DeployError> {
        let found = self.describe(stack).await?;
        match found.as_ref().map(|found| &found.status) {
            Some(StackStatus::UpdateInProgress) => self
                .send_cancel(stack)
                .await
                .map_err(|source| DeployError::Service { stack: stack.to_owned(), source }),
            status => Err(DeployError::NotCancellable { stack: stack.to_owned(), status: status.cloned() }),
        }
    }

    /// Turns the stack's termination protection on or off, where it differs.
    pub async fn protect(&self, stack: &str, on: bool) -> Result<(), DeployError> {
        if self.describe(stack).await?.is_some_and(|found| found.termination_protection == on) {
            return Ok(());
        }
        let request =
            self.client.update_termination_protection().stack_name(stack).enable_termination_protection(on);
        request.send().await.map(|_| ()).map_err(|error| DeployError::Service {
            stack: stack.to_owned(),
            source: ServiceError::of("UpdateTerminationProtection", &error),
        })
    }

    /// Ends the operation that runs on the stack: a create is deleted, an update rolled back.
    pub(super) async fn stop(&self, stack: &Stack) -> Result<(), ServiceError> {
        if stack.status != StackStatus::CreateInProgress {
            return self.send_cancel(&stack.id).await;
        }
        let request = self.client.delete_stack().stack_name(&stack.id).client_request_token(new_token());
        request.send().await.map(|_| ()).map_err(|error| ServiceError::of("DeleteStack", &error))
    }

    async fn send_cancel(&self, stack: &str) -> Result<(), ServiceError> {
        let request = self.client.cancel_update_stack().stack_name(stack).client_request_token(new_token());
        request.send().await.map(|_| ()).map_err(|error| ServiceError::of("CancelUpdateStack", &error))
    }
}

/// Whether the operation on a stack in this status can be ended early: an update until its cleanup
/// ("CancelUpdateStack"), a create, which is deleted instead. An import, a delete and a rollback run to their end.
pub(super) fn is_stoppable(status: &StackStatus) -> bool {
    matches!(status, StackStatus::UpdateInProgress | StackStatus::CreateInProgress)
}
