//! From what a stack should be to a change set that says what differs.

use std::borrow::Cow;
use std::time::Duration;

use aws_sdk_cloudformation::operation::create_change_set::CreateChangeSetOutput;
use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types as sdk;
use aws_sdk_cloudformation::types::ChangeSetStatus as Status;
use leo_aws::ServiceError;

use super::failure::{deployment_config, on_stack_failure};
use super::{
    INLINE_TEMPLATE_LIMIT, Mode, Prepared, ReviewedChangeSet, Stack, StackRequest, Stacks, TemplateSource,
    is_absent, new_token,
};
use crate::cause::{Cause, causes, resource_causes};
use crate::change::{Change, Finding};
use crate::error::DeployError;
use crate::event::{OnEvent, StackEvent};
use crate::pace::{Pace, Patience};
use crate::stacks::poller::{Poller, start_of_running};
use crate::state::{Action, Block, action};

/// For how long AWS may give no answer about a change set.
const LOST_AFTER: Duration = Duration::from_mins(2);
/// How often a change set is tried again because another operation was quicker.
const RACES: usize = 5;

/// What the reason of a change set without any change begins with, in both of CloudFormation's spellings.
const NO_CHANGE: [&str; 2] =
    ["The submitted information didn't contain changes.", "No updates are to be performed."];

const ROLLS_BACK: &str = "ROLLBACK_IN_PROGRESS";

/// A change set that CloudFormation has accepted and may still be computing.
struct Created {
    id: String,
    stack_id: String,
    token: String,
    mode: Mode,
}

impl Stacks {
    /// Computes what differs between the stack and the request. An operation that runs is followed first.
    pub async fn prepare(
        &self,
        request: &StackRequest,
        on_event: &OnEvent<'_>,
    ) -> Result<Prepared, DeployError> {
        self.prepare_seen(request, None, on_event).await
    }

    /// The same of a stack that was described a moment ago, which so is not asked for once more. What happened to it since
    /// then shows where CloudFormation refuses the change set, and is looked at anew.
    pub async fn prepare_seen(
        &self,
        request: &StackRequest,
        mut seen: Option<Stack>,
        on_event: &OnEvent<'_>,
    ) -> Result<Prepared, DeployError> {
        if let TemplateSource::Inline(body) = &request.template
            && body.len() > INLINE_TEMPLATE_LIMIT
        {
            let (stack, bytes, limit) = (request.name.clone(), body.len(), INLINE_TEMPLATE_LIMIT);
            return Err(DeployError::TemplateTooLarge { stack, bytes, limit });
        }
        let mut races = RACES;
        loop {
            let (stack, mode) = self.at_rest(&request.name, seen.take(), on_event).await?;
            on_event(StackEvent::Preparing { creates: mode == Mode::Create });
            let kept_in_express = stack.as_ref().is_some_and(|stack| stack.express);
            let request = match mode {
                // What express mode kept takes no other mode until it is complete again ("This stack is in a
                // UPDATE_FAILED state from a previous operation that used EXPRESS deployment mode").
                Mode::RetryForward if kept_in_express => {
                    Cow::Owned(StackRequest { express: true, ..request.clone() })
                }
                _ => Cow::Borrowed(request),
            };
            match self.create_change_set(&request, mode).await {
                Ok(created) => return self.review(&request, created, stack, on_event).await,
                Err(error) if races > 0 && is_about_another_state(&error) => {
                    races -= 1;
                    Pace::of_operation().wait().await;
                }
                Err(source) => {
                    return Err(DeployError::Service { stack: request.name.clone(), source });
                }
            }
        }
    }

    /// Deletes a change set that is not wanted, and the empty stack that it made.
    pub async fn discard(&self, ready: ReviewedChangeSet) -> Result<(), DeployError> {
        let refused = |source| DeployError::Service { stack: ready.request.name.clone(), source };
        self.delete_change_set(&ready.id).await.map_err(refused)?;
        if ready.creates_stack() {
            self.delete_if_empty(&ready.stack_id).await.map_err(refused)?;
        }
        Ok(())
    }

    /// The stack once nothing works on it any more, and how it can be deployed to.
    async fn at_rest(
        &self,
        name: &str,
        mut seen: Option<Stack>,
        on_event: &OnEvent<'_>,
    ) -> Result<(Option<Stack>, Mode), DeployError> {
        loop {
            let found = match seen.take() {
                Some(stack) => Some(stack),
                None => self.describe(name).await?,
            };
            let Some(stack) = found else { return Ok((None, Mode::Create)) };
            let mode = match action(Some(&stack.status)) {
                Action::Attach => {
                    self.attach(&stack, on_event).await?;
                    continue;
                }
                Action::Blocked(block) => return Err(self.blocked(stack, block).await),
                Action::Create | Action::Reuse => Mode::Create,
                Action::Update => Mode::Update,
                Action::RetryForward => Mode::RetryForward,
            };
            return Ok((Some(stack), mode));
        }
    }

    async fn blocked(&self, stack: Stack, block: Block) -> DeployError {
        let cause = self.last_cause(&stack.id).await;
        let Stack { name: stack, status, status_reason, .. } = stack;
        DeployError::Blocked { stack, status, status_reason, block, cause }
    }

    /// The first cause of the stack's last operation, where its events are still there.
    async fn last_cause(&self, stack_id: &str) -> Option<Cause> {
        let (start, _) = start_of_running(&self.client, stack_id).await.ok()?;
        let events = Poller::new(self.client.clone(), stack_id, start).poll().await.ok()?;
        // Where a rollback failed too, that failure is the one to remove.
        let rollback = events.iter().rposition(|event| event.of_stack && event.status.ends_with(ROLLS_BACK));
        let of_rollback = events.get(rollback.unwrap_or(0)..).map(resource_causes).unwrap_or_default();
        of_rollback.into_iter().chain(causes(&events)).next()
    }

    async fn create_change_set(&self, request: &StackRequest, mode: Mode) -> Result<Created, ServiceError> {
        // Also the change set's name, which has to be unique in its stack and to begin with a letter.
        let token = new_token();
        let parameters = request
            .parameters
            .iter()
            .map(|(key, value)| sdk::Parameter::builder().parameter_key(key).parameter_value(value).build());
        let tags = request.tags.iter().map(|(key, value)| sdk::Tag::builder().key(key).value(value).build());
        let (body, url) = match &request.template {
            TemplateSource::Inline(body) => (Some(body.clone()), None),
            TemplateSource::Stored { url } => (None, Some(url.clone())),
        };
        let drift =
            (request.revert_drift && mode != Mode::Create).then_some(sdk::DeploymentMode::RevertDrift);
        let answer = self
            .client
            .create_change_set()
            .stack_name(&request.name)
            .change_set_name(&token)
            .client_token(&token)
            .change_set_type(match mode {
                Mode::Create => sdk::ChangeSetType::Create,
                Mode::Update | Mode::RetryForward => sdk::ChangeSetType::Update,
            })
            .set_template_body(body)
            .set_template_url(url)
            .set_parameters(Some(parameters.collect()))
            .set_capabilities(Some(request.capabilities.clone()))
            .set_tags(Some(tags.collect()))
            .set_on_stack_failure(on_stack_failure(request, mode))
            .set_deployment_mode(drift)
            .set_deployment_config(deployment_config(request, mode))
            .set_description(request.description.clone())
            .send()
            .await
            .map_err(|error| ServiceError::of("CreateChangeSet", &error));
        let (id, stack_id) = self.created(answer, &request.name, &token).await?;
        Ok(Created { id, stack_id, token, mode })
    }

    /// The ids of a new change set and of its stack, also where the creation was refused because it is there: then the
    /// answer to an earlier attempt was lost on its way. Its name was drawn for this call alone, so it is ours.
    pub(super) async fn created(
        &self,
        answer: Result<CreateChangeSetOutput, ServiceError>,
        stack: &str,
        token: &str,
    ) -> Result<(String, String), ServiceError> {
        let (id, stack_id) = match answer {
            Ok(answer) => (answer.id, answer.stack_id),
            Err(refused) if refused.code.as_deref().is_some_and(|code| code.starts_with("AlreadyExists")) => {
                let request = self.client.describe_change_set().stack_name(stack).change_set_name(token);
                match request.send().await.map_err(|error| ServiceError::of("DescribeChangeSet", &error)) {
                    Ok(found) => (found.change_set_id, found.stack_id),
                    // It is the stack that exists already.
                    Err(error) if is_absent(&error) => return Err(refused),
                    Err(error) => return Err(error),
                }
            }
            Err(refused) => return Err(refused),
        };
        Ok((id.unwrap_or_else(|| token.to_owned()), stack_id.unwrap_or_else(|| stack.to_owned())))
    }

    async fn review(
        &self,
        request: &StackRequest,
        created: Created,
        stack: Option<Stack>,
        on_event: &OnEvent<'_>,
    ) -> Result<Prepared, DeployError> {
        let refused = |source| DeployError::Service { stack: request.name.clone(), source };
        let computed = match self.computed(&created.id, on_event).await {
            Err(error) if is_absent(&error) => {
                let (stack, status) = (request.name.clone(), "deleted".to_owned());
                return Err(DeployError::ChangeSetGone { stack, status });
            }
            computed => computed.map_err(refused)?,
        };
        if computed.succeeded {
            let findings = self.findings(&created.id).await;
            for finding in &findings {
                on_event(StackEvent::Finding(finding.clone()));
            }
            on_event(StackEvent::Prepared { resources: computed.changes.len() });
            return Ok(Prepared::Ready(ReviewedChangeSet {
                request: request.clone(),
                id: created.id,
                stack_id: created.stack_id,
                token: created.token,
                mode: created.mode,
                changes: computed.changes,
                findings,
            }));
        }
        let no_change = NO_CHANGE.iter().any(|start| computed.reason.starts_with(start));
        let findings = if no_change { Vec::new() } else { self.findings(&created.id).await };
        self.clean_up(&created, on_event).await;
        match stack {
            Some(stack) if no_change && created.mode == Mode::RetryForward => {
                Err(DeployError::NothingNewToTry { stack: stack.name, status: stack.status })
            }
            Some(stack) if no_change => {
                on_event(StackEvent::NoChange);
                Ok(Prepared::NoChange(stack.outcome(None)))
            }
            _ => {
                Err(DeployError::ChangeSet { stack: request.name.clone(), reason: computed.reason, findings })
            }
        }
    }

    /// Waits until CloudFormation knows what the change set would do.
    pub(super) async fn computed(&self, id: &str, on_event: &OnEvent<'_>) -> Result<Computed, ServiceError> {
        let mut pace = Pace::of_change_set();
        let mut patience = Patience::new(LOST_AFTER);
        loop {
            match self.change_set(id).await {
                Ok(Some(computed)) => return Ok(computed),
                Ok(None) => patience.restore(),
                Err(error) if error.is_retryable() && patience.bears() => {
                    pace.slow_down();
                    on_event(StackEvent::PollDelayed { reason: error.to_string() });
                }
                Err(error) => return Err(error),
            }
            pace.wait().await;
        }
    }

    /// The change set, all its pages; `None` while it is being computed.
    async fn change_set(&self, id: &str) -> Result<Option<Computed>, ServiceError> {
        let mut changes = Vec::new();
        let mut token = None;
        loop {
            let page = self.change_set_page(id, token.take()).await?;
            let succeeded = match page.status() {
                Some(Status::CreatePending | Status::CreateInProgress) => return Ok(None),
                status => status == Some(&Status::CreateComplete),
            };
            changes.extend(page.changes().iter().filter_map(Change::of));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                let status = page.status().map_or("no status", Status::as_str);
                let reason = page.status_reason().unwrap_or(status).to_owned();
                return Ok(Some(Computed { succeeded, reason, changes }));
            }
        }
    }

    pub(super) async fn change_set_page(
        &self,
        id: &str,
        token: Option<String>,
    ) -> Result<DescribeChangeSetOutput, ServiceError> {
        let request = self.client.describe_change_set().change_set_name(id).set_next_token(token);
        request.send().await.map_err(|error| ServiceError::of("DescribeChangeSet", &error))
    }

    /// What the service's validation says about the change set. Endpoints without `DescribeEvents` say it in the
    /// change set's reason alone, so a refused call means no finding.
    pub(super) async fn findings(&self, id: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.describe_events().change_set_name(id).set_next_token(token.take());
            let Ok(page) = request.send().await else { return findings };
            findings.extend(page.operation_events().iter().filter_map(Finding::of));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return findings;
            }
        }
    }

    /// Deletes what a change set that can't be executed leaves. What could not be deleted is reported and does not
    /// decide anything.
    async fn clean_up(&self, created: &Created, on_event: &OnEvent<'_>) {
        let mut deleted = self.delete_change_set(&created.id).await;
        if deleted.is_ok() && created.mode == Mode::Create {
            deleted = self.delete_if_empty(&created.stack_id).await;
        }
        if let Err(error) = deleted {
            on_event(StackEvent::LeftBehind { change_set: created.id.clone(), reason: error.to_string() });
        }
    }

    pub(super) async fn delete_change_set(&self, id: &str) -> Result<(), ServiceError> {
        match self.client.delete_change_set().change_set_name(id).send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = ServiceError::of("DeleteChangeSet", &error);
                if is_absent(&error) { Ok(()) } else { Err(error) }
            }
        }
    }

    /// Deletes a stack that was never created, unless somebody else is reviewing a change set of it.
    pub(super) async fn delete_if_empty(&self, stack_id: &str) -> Result<(), ServiceError> {
        let stack = self.look_up(stack_id).await?;
        let empty = stack.is_some_and(|stack| action(Some(&stack.status)) == Action::Reuse);
        if !empty || self.has_change_sets(stack_id).await? {
            return Ok(());
        }
        let request = self.client.delete_stack().stack_name(stack_id);
        request.send().await.map(|_| ()).map_err(|error| ServiceError::of("DeleteStack", &error))
    }

    async fn has_change_sets(&self, stack_id: &str) -> Result<bool, ServiceError> {
        let request = self.client.list_change_sets().stack_name(stack_id);
        let answer = request.send().await.map_err(|error| ServiceError::of("ListChangeSets", &error))?;
        Ok(!answer.summaries().is_empty() || answer.next_token().is_some())
    }
}

/// Whether the stack is no longer in the state in which it was found: between the look and the call someone else began
/// an operation, created it or deleted it.
pub(super) fn is_about_another_state(error: &ServiceError) -> bool {
    is_absent(error)
        || ["_IN_PROGRESS", "already exists", "can not be updated"]
            .iter()
            .any(|words| error.message.contains(words))
}

/// What CloudFormation computed.
pub(super) struct Computed {
    pub(super) succeeded: bool,
    pub(super) reason: String,
    pub(super) changes: Vec<Change>,
}
