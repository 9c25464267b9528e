//! What CloudFormation lists as the resources of a stack.

use aws_sdk_cloudformation::types as sdk;
use leo_aws::ServiceError;

use super::{Stack, Stacks};
use crate::error::DeployError;

/// A resource of a stack as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) logical_id: String,
    pub(super) resource_type: String,
    pub(super) physical_id: Option<String>,
    /// As received.
    pub(super) status: String,
}

impl Stacks {
    /// All resources of the stack, by its name or ARN.
    pub(super) async fn members(&self, stack: &str) -> Result<Vec<Member>, ServiceError> {
        let mut members = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.list_stack_resources().stack_name(stack).set_next_token(token.take());
            let page =
                request.send().await.map_err(|error| ServiceError::of("ListStackResources", &error))?;
            members.extend(page.stack_resource_summaries().iter().map(Member::of));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(members);
            }
        }
    }

    /// The stack of this name or ARN; one that is deleted is none.
    pub(super) async fn standing(
        &self,
        doing: &'static str,
        name: &str,
    ) -> Result<Option<Stack>, DeployError> {
        let found = self.look_up(name).await.map_err(|source| call(doing, name, source))?;
        Ok(found.filter(|stack| stack.status != crate::state::StackStatus::DeleteComplete))
    }
}

impl Member {
    fn of(resource: &sdk::StackResourceSummary) -> Self {
        Self {
            logical_id: resource.logical_resource_id().unwrap_or_default().to_owned(),
            resource_type: resource.resource_type().unwrap_or_default().to_owned(),
            physical_id: resource.physical_resource_id().filter(|id| !id.is_empty()).map(str::to_owned),
            status: resource.resource_status().map_or("", sdk::ResourceStatus::as_str).to_owned(),
        }
    }
}

/// The error of a call that `doing` needs.
pub(super) fn call(doing: &'static str, stack: &str, source: ServiceError) -> DeployError {
    DeployError::Call { doing, stack: stack.to_owned(), source }
}
