//! What CloudFormation is told to do when an operation fails, in the three places where it takes that.
//!
//! The three exclude each other: "Either DisableRollback or OnStackFailure can be specified, but not both" ("ExecuteChangeSet").
//! A create that `OnStackFailure=DO_NOTHING` kept can't be updated any more, one that `DisableRollback` kept can. Express
//! mode has a `DisableRollback` of its own, which is true unless it is said to be false ("Deploy AWS CloudFormation stacks
//! faster with express mode"), and is said in each case.
//!
//! Nothing can be replaced while `DisableRollback` is true ("Replacement type updates not supported on stack with
//! disable-rollback"), so what can't be retried otherwise is retried with a rollback to where the stack last stood.

use aws_sdk_cloudformation::types as sdk;

use super::{Mode, OnCreateFailure, ReviewedChangeSet, StackRequest};
use crate::change::Replacement;
use crate::state::StackStatus;

/// `OnStackFailure` of the change set.
pub(super) fn on_stack_failure(request: &StackRequest, mode: Mode) -> Option<sdk::OnStackFailure> {
    match (mode, request.on_create_failure) {
        _ if request.express => None,
        (Mode::Create, OnCreateFailure::Delete) => Some(sdk::OnStackFailure::Delete),
        (Mode::Create, OnCreateFailure::Rollback) => Some(sdk::OnStackFailure::Rollback),
        (Mode::Create, OnCreateFailure::Keep) | (Mode::Update | Mode::RetryForward, _) => None,
    }
}

/// `DisableRollback` of the execution.
pub(super) fn disable_rollback_of_execution(ready: &ReviewedChangeSet) -> Option<bool> {
    match ready.mode {
        _ if ready.request.express => None,
        Mode::RetryForward => Some(!ready.replaces()),
        mode => keeps_failure(&ready.request, mode).then_some(true),
    }
}

/// `DeploymentConfig` of the change set. `replaces` is what is known of its changes before it is computed.
pub(super) fn deployment_config(
    request: &StackRequest,
    mode: Mode,
    replaces: bool,
) -> Option<sdk::DeploymentConfig> {
    let rolls_back = mode == Mode::RetryForward && replaces;
    request.express.then(|| {
        sdk::DeploymentConfig::builder()
            .mode(sdk::DeploymentConfigMode::Express)
            .disable_rollback(keeps_failure(request, mode) && !rolls_back)
            .build()
    })
}

/// Whether what failed stays as it is.
fn keeps_failure(request: &StackRequest, mode: Mode) -> bool {
    match mode {
        Mode::Create => request.on_create_failure == OnCreateFailure::Keep,
        Mode::Update => false,
        Mode::RetryForward => true,
    }
}

impl ReviewedChangeSet {
    /// Whether it was computed with a `DisableRollback` with which it can't be executed. In express mode that is part of
    /// the change set, and what it replaces is known only once it is computed.
    pub(super) fn is_stuck(&self) -> bool {
        self.request.express && self.mode == Mode::RetryForward && self.replaces()
    }

    fn replaces(&self) -> bool {
        self.changes.iter().any(|change| change.replacement > Replacement::No)
    }

    /// Whether this is where a failed create was to be deleted, and CloudFormation could not be told to.
    pub(super) fn is_left_rolled_back(&self, status: &StackStatus) -> bool {
        self.request.express
            && self.creates_stack()
            && self.request.on_create_failure == OnCreateFailure::Delete
            && *status == StackStatus::RollbackComplete
    }
}
