//! What outlived its stack, made part of a new one instead of failing on its name.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types as sdk;
use leo_aws::ServiceError;
use serde::Serialize;

use super::follow::{Ended, Operation};
use super::members::call;
use super::poller::start_of_next;
use super::{
    INLINE_TEMPLATE_LIMIT, Mode, ReviewedChangeSet, Stack, StackOutcome, StackRequest, Stacks,
    TemplateSource, new_token,
};
use crate::error::DeployError;
use crate::event::{OnEvent, StackEvent};
use crate::import_template::cut;
use crate::pace::Pace;
use crate::state::StackStatus;

const ADOPT: &str = "adopt what was left of";

/// How often an empty stack in review is asked to go, before the import is tried in it.
const EMPTY_DELETES: usize = 5;

/// Statuses of listed resources that a stack does not hold (any more).
const RELEASED: [&str; 3] = ["DELETE_COMPLETE", "DELETE_SKIPPED", "IMPORT_ROLLBACK_COMPLETE"];

/// A resource that is there and belongs to no stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToImport {
    /// Its name in the template.
    pub logical_id: String,
    /// Its CloudFormation type.
    pub resource_type: String,
    /// What identifies it: its type's primary identifier and the value, such as `BucketName`, `RepositoryName`, or
    /// `Id` (the ARN) of a secret.
    pub identifier: BTreeMap<String, String>,
}

impl Stacks {
    /// Makes a stack of `resources` alone, which are taken over as they are: an import compares nothing with the
    /// template, and changes nothing but CloudFormation's own tags. A deploy of the whole request updates it
    /// afterwards.
    ///
    /// The request's template is given inline, however large: only what is cut from it is sent. The stack must not
    /// exist yet. What is left of an earlier attempt is removed first. Where the import fails, nothing of it is
    /// left either, and the resources stay what they were.
    pub async fn adopt(
        &self,
        request: &StackRequest,
        resources: &[ToImport],
        on_event: &OnEvent<'_>,
    ) -> Result<StackOutcome, DeployError> {
        let refused = |reason| not_adoptable(&request.name, reason);
        let wanted =
            resources.iter().map(|one| (one.logical_id.as_str(), one.resource_type.as_str())).collect();
        let TemplateSource::Inline(template) = &request.template else {
            return Err(refused("its template has to be at hand to be cut down to what is there".to_owned()));
        };
        let (body, parameters) = cut(template, &wanted).map_err(refused)?;
        if body.len() > INLINE_TEMPLATE_LIMIT {
            let (stack, bytes, limit) = (request.name.clone(), body.len(), INLINE_TEMPLATE_LIMIT);
            return Err(DeployError::TemplateTooLarge { stack, bytes, limit });
        }
        let mut request = StackRequest { template: TemplateSource::Inline(body.clone()), ..request.clone() };
        request.parameters.retain(|name, _| parameters.contains(name));
        self.make_room(&request.name, on_event).await?;
        on_event(StackEvent::Begins { what: format!("adopting {}", names(resources)) });
        let ready = self.import_change_set(&request, &body, resources, on_event).await?;
        let ended = self.import(&ready, on_event).await?;
        on_event(StackEvent::Finished { status: ended.stack.status.clone() });
        if ended.stack.status.is_success() {
            return Ok(ended.stack.outcome(Some(ready.changes)));
        }
        let causes = self.causes_of(&ended.events).await;
        let status = self.clear_away(ended.stack, on_event).await;
        let reason = match status {
            StackStatus::DeleteComplete => "the import failed, and left no stack".to_owned(),
            status => format!("the import failed, and left the stack in {status}"),
        };
        Err(DeployError::NotAdoptable { stack: request.name, reason, causes })
    }

    /// Whether a failed import made this stack and left nothing in it: then it is no stack to update, and
    /// [`Stacks::adopt`] removes it. In this status is also a stack that a failed import was to join; that one holds
    /// something.
    pub async fn is_left_by_failed_import(&self, stack: &Stack) -> Result<bool, DeployError> {
        if stack.status != StackStatus::ImportRollbackComplete {
            return Ok(false);
        }
        self.holds_nothing(stack).await.map_err(|source| call(ADOPT, &stack.name, source))
    }

    /// Waits for what runs, and deletes a stack that holds nothing.
    async fn make_room(&self, name: &str, on_event: &OnEvent<'_>) -> Result<(), DeployError> {
        let mut pace = Pace::of_operation();
        let mut deletes = EMPTY_DELETES;
        loop {
            let Some(stack) = self.standing(ADOPT, name).await? else { return Ok(()) };
            let refused = |source| call(ADOPT, name, source);
            match &stack.status {
                status if status.in_progress() => self.attach(&stack, on_event).await?,
                StackStatus::ReviewInProgress => {
                    // Somebody may be reviewing a change set of it: an import goes into such a stack as well.
                    if deletes == 0 || self.has_change_sets(&stack.id).await.map_err(refused)? {
                        return Ok(());
                    }
                    deletes -= 1;
                    self.send_delete(&stack.id).await.map_err(refused)?;
                    // While it goes, nothing can be imported into its name.
                    pace.wait().await;
                }
                status
                    if may_be_left_empty(status) && self.holds_nothing(&stack).await.map_err(refused)? =>
                {
                    self.delete(&stack.id, &[], on_event).await?;
                }
                status => {
                    let reason = format!("there is a stack already, in {status}");
                    return Err(not_adoptable(name, reason));
                }
            }
        }
    }

    async fn holds_nothing(&self, stack: &Stack) -> Result<bool, ServiceError> {
        let members = self.members(&stack.id).await?;
        Ok(members.iter().all(|member| RELEASED.contains(&member.status.as_str())))
    }

    /// Deletes the empty stack that a failed import leaves. What could not be deleted blocks
    /// the next deploy, which says so.
    async fn clear_away(&self, stack: Stack, on_event: &OnEvent<'_>) -> StackStatus {
        let empty = may_be_left_empty(&stack.status) && self.holds_nothing(&stack).await.unwrap_or_default();
        if empty && self.delete(&stack.id, &[], on_event).await.is_ok() {
            return StackStatus::DeleteComplete;
        }
        stack.status
    }

    async fn import_change_set(
        &self,
        request: &StackRequest,
        body: &str,
        resources: &[ToImport],
        on_event: &OnEvent<'_>,
    ) -> Result<ReviewedChangeSet, DeployError> {
        let refused = |source| call(ADOPT, &request.name, source);
        let token = new_token();
        let parameters = request
            .parameters
            .iter()
            .map(|(key, value)| sdk::Parameter::builder().parameter_key(key).parameter_value(value).build());
        let to_import = resources.iter().map(|one| {
            sdk::ResourceToImport::builder()
                .resource_type(&one.resource_type)
                .logical_resource_id(&one.logical_id)
                .set_resource_identifier(Some(one.identifier.clone().into_iter().collect()))
                .build()
        });
        // No tags: an import may not add any to the stack, and the update after it does.
        let answer = self
            .client
            .create_change_set()
            .stack_name(&request.name)
            .change_set_name(&token)
            .client_token(&token)
            .change_set_type(sdk::ChangeSetType::Import)
            .template_body(body)
            .set_parameters(Some(parameters.collect()))
            .set_capabilities(Some(request.capabilities.clone()))
            .set_resources_to_import(Some(to_import.collect()))
            .set_description(request.description.clone())
            .send()
            .await
            .map_err(|error| ServiceError::of("CreateChangeSet", &error));
        let (id, stack_id) = self.created(answer, &request.name, &token).await.map_err(refused)?;
        let computed = self.computed(&id, on_event).await.map_err(refused)?;
        if !computed.succeeded {
            let findings = self.findings(&id).await;
            let mut deleted = self.delete_change_set(&id).await;
            if deleted.is_ok() {
                deleted = self.delete_if_empty(&stack_id).await;
            }
            if let Err(error) = deleted {
                on_event(StackEvent::LeftBehind { change_set: id, reason: error.to_string() });
            }
            return Err(DeployError::ChangeSet {
                stack: request.name.clone(),
                reason: computed.reason,
                findings,
            });
        }
        Ok(ReviewedChangeSet {
            request: request.clone(),
            id,
            stack_id,
            token,
            mode: Mode::Create,
            changes: computed.changes,
            findings: Vec::new(),
        })
    }

    async fn import(&self, ready: &ReviewedChangeSet, on_event: &OnEvent<'_>) -> Result<Ended, DeployError> {
        let refused = |source| call(ADOPT, &ready.request.name, source);
        let start = start_of_next(&self.client, &ready.stack_id).await.map_err(refused)?;
        self.begin(ready).await?;
        on_event(StackEvent::Executing);
        let operation = Operation {
            stack: &ready.request.name,
            stack_id: &ready.stack_id,
            start,
            token: Some(ready.token()),
            total: Some(ready.changes.len()),
            running: false,
            deletes_on_failure: false,
        };
        self.follow(operation, on_event).await
    }
}

/// Whether a create or an import that failed can have left a stack so which it made, with nothing in it.
fn may_be_left_empty(status: &StackStatus) -> bool {
    matches!(status, StackStatus::RollbackComplete | StackStatus::ImportRollbackComplete)
}

fn not_adoptable(stack: &str, reason: String) -> DeployError {
    DeployError::NotAdoptable { stack: stack.to_owned(), reason, causes: Vec::new() }
}

fn names(resources: &[ToImport]) -> String {
    resources.iter().map(|one| one.logical_id.as_str()).collect::<Vec<_>>().join(", ")
}
