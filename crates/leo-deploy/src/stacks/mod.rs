//! Stacks as they are, and what is asked of them.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types as sdk;
use leo_aws::ServiceError;
use serde::Serialize;

use crate::change::{Change, Finding};
use crate::control::Control;
use crate::error::DeployError;
use crate::event::OnEvent;
use crate::pace::Turnstile;
use crate::state::StackStatus;

mod adopt;
mod again;
mod cancel;
mod delete;
mod drift;
mod execute;
mod failure;
mod follow;
mod members;
mod poller;
mod prepare;
mod recover;

pub use adopt::ToImport;
pub use aws_sdk_cloudformation::types::Capability;
pub use delete::{Deleted, Retained};
pub use drift::{Difference, Drift, DriftKind, DriftedResource, Observed, Unchecked};
pub use recover::{Recovered, Recovery, Skipped};

/// The largest template that CloudFormation takes in the call itself, in bytes ("CloudFormation quotas").
pub const INLINE_TEMPLATE_LIMIT: usize = 51_200;

/// What a stack should be.
#[derive(Debug, Clone, PartialEq)]
pub struct StackRequest {
    /// The stack's name.
    pub name: String,
    /// Its template.
    pub template: TemplateSource,
    /// A value for every parameter without a default.
    pub parameters: BTreeMap<String, String>,
    /// What the template may do that has to be said, for example create named roles.
    pub capabilities: Vec<Capability>,
    /// Tags for the stack, which reach its resources: never a value that changes with each deploy.
    pub tags: BTreeMap<String, String>,
    /// What becomes of a stack whose first create fails.
    pub on_create_failure: OnCreateFailure,
    /// Whether the operation ends when the configuration is applied, before the resources are ready ("Deploy AWS
    /// CloudFormation stacks faster with express mode"): only where something else judges whether they are.
    pub express: bool,
    /// Whether what was changed by hand is brought back, also where the template is as before ("Using drift-aware
    /// change sets"). A stack that is created has no drift.
    pub revert_drift: bool,
    /// Who deploys what from where; shown to those who find the operation running.
    pub description: Option<String>,
}

/// Where a stack's template is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateSource {
    /// As JSON in the call itself, minified: at most [`INLINE_TEMPLATE_LIMIT`] bytes.
    Inline(String),
    /// In a bucket.
    Stored {
        /// Its address, which begins with `https://`; what is there has at most 1 MB ("CreateChangeSet").
        url: String,
    },
}

/// What becomes of a stack whose first create fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnCreateFailure {
    /// It is deleted, so that the next deploy can create it again.
    #[default]
    Delete,
    /// Its resources go, and the stack stays as `ROLLBACK_COMPLETE`.
    Rollback,
    /// Everything stays as it was when it failed.
    Keep,
}

/// A stack as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its ARN, which also finds a deleted stack.
    pub id: String,
    /// Its status.
    pub status: StackStatus,
    /// What it says about its status.
    pub status_reason: Option<String>,
    /// Its outputs by name.
    pub outputs: BTreeMap<String, String>,
    /// Its parameters by name.
    pub parameters: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether it refuses to be deleted.
    pub termination_protection: bool,
    /// The change set that was executed last.
    pub change_set_id: Option<String>,
    /// Whether its last operation was of express mode.
    #[serde(skip)]
    pub express: bool,
}

/// What became of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StackOutcome {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub stack_id: String,
    /// Its status.
    pub status: StackStatus,
    /// Whether anything was executed.
    pub changed: bool,
    /// Its outputs by name.
    pub outputs: BTreeMap<String, String>,
    /// What was executed.
    pub changes: Vec<Change>,
}

/// What a change set came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Prepared {
    /// The stack already is what it should be. The empty change set is deleted.
    NoChange(StackOutcome),
    /// The change set waits to be executed or discarded.
    Ready(ReviewedChangeSet),
}

/// A change set that is computed and can be executed once.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewedChangeSet {
    pub(crate) request: StackRequest,
    pub(crate) id: String,
    pub(crate) stack_id: String,
    pub(crate) token: String,
    pub(crate) mode: Mode,
    pub(crate) changes: Vec<Change>,
    pub(crate) findings: Vec<Finding>,
}

/// How a change set relates to its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Create,
    Update,
    /// An update of a stack whose failed operation was kept.
    RetryForward,
}

impl ReviewedChangeSet {
    /// The stack's name.
    pub fn stack(&self) -> &str {
        &self.request.name
    }

    /// The change set's ARN.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The stack's ARN.
    pub fn stack_id(&self) -> &str {
        &self.stack_id
    }

    /// The token that the operation's events will carry.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Whether executing it creates the stack.
    pub fn creates_stack(&self) -> bool {
        self.mode == Mode::Create
    }

    /// What it would do. Empty when only outputs change.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What the service's own validation warns of.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// The stacks of one account and region. One for a run: its clones share the pace at which CloudFormation is asked.
#[derive(Debug, Clone)]
pub struct Stacks {
    client: Client,
    turnstile: Turnstile,
}

impl Stacks {
    /// The stacks that `client` can reach.
    pub fn new(client: Client) -> Self {
        Self { client, turnstile: Turnstile::new() }
    }

    /// The stack of this name (or ARN), or `None`. A deleted stack is found by its ARN only.
    pub async fn describe(&self, name: &str) -> Result<Option<Stack>, DeployError> {
        self.look_up(name).await.map_err(|source| DeployError::Service { stack: name.to_owned(), source })
    }

    /// Prepares the stack and executes what differs, with no review in between.
    pub async fn deploy(
        &self,
        request: &StackRequest,
        control: &Control,
        on_event: &OnEvent<'_>,
    ) -> Result<StackOutcome, DeployError> {
        match self.prepare(request, on_event).await? {
            Prepared::NoChange(outcome) => Ok(outcome),
            Prepared::Ready(ready) => self.execute(ready, control, on_event).await,
        }
    }

    async fn look_up(&self, name: &str) -> Result<Option<Stack>, ServiceError> {
        self.turnstile.pass().await;
        match self.client.describe_stacks().stack_name(name).send().await {
            Ok(answer) => Ok(answer.stacks().first().map(Stack::of)),
            Err(error) => {
                let error = ServiceError::of("DescribeStacks", &error);
                if is_absent(&error) { Ok(None) } else { Err(error) }
            }
        }
    }
}

impl Stack {
    fn of(stack: &sdk::Stack) -> Self {
        let pair = |key: Option<&str>, value: Option<&str>| Some((key?.to_owned(), value?.to_owned()));
        Self {
            name: stack.stack_name().unwrap_or_default().to_owned(),
            id: stack.stack_id().unwrap_or_default().to_owned(),
            status: StackStatus::from(stack.stack_status().map_or("", sdk::StackStatus::as_str)),
            status_reason: stack.stack_status_reason().filter(|text| !text.is_empty()).map(str::to_owned),
            outputs: stack
                .outputs()
                .iter()
                .filter_map(|output| pair(output.output_key(), output.output_value()))
                .collect(),
            parameters: stack
                .parameters()
                .iter()
                .filter_map(|parameter| {
                    let value = parameter.resolved_value().or_else(|| parameter.parameter_value());
                    pair(parameter.parameter_key(), value)
                })
                .collect(),
            tags: stack.tags().iter().filter_map(|tag| pair(tag.key(), tag.value())).collect(),
            termination_protection: stack.enable_termination_protection().unwrap_or_default(),
            change_set_id: stack.change_set_id().map(str::to_owned),
            express: stack.deployment_config().and_then(sdk::DeploymentConfig::mode)
                == Some(&sdk::DeploymentConfigMode::Express),
        }
    }

    /// What became of it, where `executed` was done or nothing was to do.
    fn outcome(self, executed: Option<Vec<Change>>) -> StackOutcome {
        StackOutcome {
            name: self.name,
            stack_id: self.id,
            status: self.status,
            changed: executed.is_some(),
            outputs: self.outputs,
            changes: executed.unwrap_or_default(),
        }
    }
}

/// Whether CloudFormation says that the stack or change set is not there: of a stack only its message does.
fn is_absent(error: &ServiceError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    (code == "ValidationError" && error.message.contains("does not exist"))
        || code.starts_with("ChangeSetNotFound")
}

/// A token that no other operation has.
fn new_token() -> String {
    format!("leo-{:032x}", fastrand::u128(..))
}
