//! Why a stack was not deployed, and what to do about it.

use std::time::Duration;

use leo_aws::{FailureKind, ServiceError};

use crate::cause::Cause;
use crate::change::Finding;
use crate::control::GaveUp;
use crate::state::{Block, StackStatus};

/// Why a stack was not deployed. Messages read after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeployError {
    /// A call was refused or not answered; nothing of ours runs.
    #[error("deploy {stack}: {source}")]
    Service {
        /// The stack.
        stack: String,
        /// The call.
        source: ServiceError,
    },
    /// The template can't be sent inline.
    #[error(
        "deploy {stack}: its template has {bytes} bytes, and CloudFormation takes at most {limit} inline"
    )]
    TemplateTooLarge {
        /// The stack.
        stack: String,
        /// The size of the template, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The stack's status allows no deploy.
    #[error("deploy {stack}: it is in {status}{}", reason_of(cause.as_ref(), status_reason.as_deref()))]
    Blocked {
        /// The stack.
        stack: String,
        /// Its status.
        status: StackStatus,
        /// What the stack says about it.
        status_reason: Option<String>,
        /// Why it is not deployable.
        block: Block,
        /// What failed then, where the events still say so.
        cause: Option<Cause>,
    },
    /// The service did not accept the change set.
    #[error("deploy {stack}: the change set was refused: {reason}{}", lines(findings))]
    ChangeSet {
        /// The stack.
        stack: String,
        /// The service's reason.
        reason: String,
        /// What its validation found.
        findings: Vec<Finding>,
    },
    /// A failed operation was kept as it is, and there is nothing new to try it with.
    #[error("deploy {stack}: it is in {status}, and nothing has changed since that failed")]
    NothingNewToTry {
        /// The stack.
        stack: String,
        /// Its status.
        status: StackStatus,
    },
    /// The operation ended in another state than a success.
    #[error("deploy {stack}: {}{}", ended(status), lines(causes))]
    Failed {
        /// The stack.
        stack: String,
        /// The status that it ended in; `DELETE_COMPLETE` when a failed create left nothing.
        status: StackStatus,
        /// The independent failures, the first one first.
        causes: Vec<Cause>,
    },
    /// The operation was ended early, and what it did was undone as far as that went.
    #[error("deploy {stack}: {why}; {}{}", undone(status), lines(causes))]
    GivenUp {
        /// The stack.
        stack: String,
        /// Why.
        why: GaveUp,
        /// The status that it ended in; `DELETE_COMPLETE` when a create was given up.
        status: StackStatus,
        /// What had failed until then, the first failure first.
        causes: Vec<Cause>,
    },
    /// Something else deleted the stack while it was deployed to.
    #[error("deploy {stack}: something else deleted it meanwhile")]
    Vanished {
        /// The stack.
        stack: String,
    },
    /// There is no update that could be cancelled.
    #[error("cancel the update of {stack}: {}", not_cancellable(status.as_ref()))]
    NotCancellable {
        /// The stack.
        stack: String,
        /// Its status; `None` without a stack.
        status: Option<StackStatus>,
    },
    /// The change set was accepted for execution, but the stack never began to change.
    #[error("deploy {stack}: it did not begin to change within {} s", waited.as_secs())]
    NotStarted {
        /// The stack.
        stack: String,
        /// How long that was waited for.
        waited: Duration,
    },
    /// An operation runs, and AWS does not answer questions about it any more.
    #[error("follow {stack}, whose operation goes on in AWS: {source}")]
    LostContact {
        /// The stack.
        stack: String,
        /// The last refused or unanswered call.
        source: ServiceError,
    },
    /// A call that a recovery, a delete, an adoption or a look at the drift needs was refused or not answered.
    #[error("{doing} {stack}: {source}")]
    Call {
        /// What was being done, as a verb.
        doing: &'static str,
        /// The stack.
        stack: String,
        /// The call.
        source: ServiceError,
    },
    /// The stack refuses to be deleted.
    #[error("delete {stack}: its termination protection is on")]
    Protected {
        /// The stack.
        stack: String,
    },
    /// A delete left something behind.
    #[error("delete {stack}: it ended in {status}{}", lines(blockers))]
    NotDeleted {
        /// The stack.
        stack: String,
        /// The status that it ended in.
        status: StackStatus,
        /// What could not be deleted, and why.
        blockers: Vec<Cause>,
    },
    /// A rollback that was continued failed again.
    #[error("recover {stack}: it ended in {status}{}", lines(causes))]
    NotRecovered {
        /// The stack.
        stack: String,
        /// The status that it ended in.
        status: StackStatus,
        /// What the rollback failed on, the first one first.
        causes: Vec<Cause>,
    },
    /// What was left of a stack can't join a new one.
    #[error("adopt what was left of {stack}: {reason}{}", lines(causes))]
    NotAdoptable {
        /// The stack.
        stack: String,
        /// Why.
        reason: String,
        /// What the import failed on, where it came that far.
        causes: Vec<Cause>,
    },
    /// CloudFormation did not say whether the stack has drifted.
    #[error("detect the drift of {stack}: {reason}")]
    DriftUnknown {
        /// The stack.
        stack: String,
        /// Why.
        reason: String,
    },
    /// Something else ended the change set before it was used.
    #[error("deploy {stack}: the change set that was reviewed can't be executed any more ({status})")]
    ChangeSetGone {
        /// The stack.
        stack: String,
        /// What became of the change set.
        status: String,
    },
}

impl DeployError {
    /// What it means for the exit code.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Service { source, .. } | Self::Call { source, .. } => source.kind(),
            Self::LostContact { source, .. } if source.kind() == FailureKind::Credentials => {
                FailureKind::Credentials
            }
            Self::LostContact { .. } | Self::NotStarted { .. } => FailureKind::Detached,
            Self::TemplateTooLarge { .. } => FailureKind::Usage,
            Self::Blocked { .. }
            | Self::NothingNewToTry { .. }
            | Self::ChangeSet { .. }
            | Self::Failed { .. }
            | Self::Protected { .. }
            | Self::NotDeleted { .. }
            | Self::NotRecovered { .. }
            | Self::NotAdoptable { .. }
            | Self::DriftUnknown { .. }
            | Self::GivenUp { .. }
            | Self::Vanished { .. }
            | Self::NotCancellable { .. }
            | Self::ChangeSetGone { .. } => FailureKind::Failed,
        }
    }

    /// The stack that it is about.
    pub fn stack(&self) -> &str {
        match self {
            Self::Service { stack, .. }
            | Self::TemplateTooLarge { stack, .. }
            | Self::Blocked { stack, .. }
            | Self::ChangeSet { stack, .. }
            | Self::NothingNewToTry { stack, .. }
            | Self::Failed { stack, .. }
            | Self::GivenUp { stack, .. }
            | Self::Vanished { stack }
            | Self::NotCancellable { stack, .. }
            | Self::NotStarted { stack, .. }
            | Self::LostContact { stack, .. }
            | Self::Call { stack, .. }
            | Self::Protected { stack }
            | Self::NotDeleted { stack, .. }
            | Self::NotRecovered { stack, .. }
            | Self::NotAdoptable { stack, .. }
            | Self::DriftUnknown { stack, .. }
            | Self::ChangeSetGone { stack, .. } => stack,
        }
    }

    /// The first cause, where a resource's failure is one.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Failed { causes, .. }
            | Self::GivenUp { causes, .. }
            | Self::NotRecovered { causes, .. }
            | Self::NotAdoptable { causes, .. } => causes.first(),
            Self::NotDeleted { blockers, .. } => blockers.first(),
            Self::Blocked { cause, .. } => cause.as_ref(),
            _ => None,
        }
    }

    /// What to do, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Service { source, .. } | Self::Call { source, .. } => source.hint(),
            Self::LostContact { source, .. } if source.kind() == FailureKind::Credentials => Some(
                "sign in again, then run the same command: it attaches to the operation and continues"
                    .to_owned(),
            ),
            Self::LostContact { .. } | Self::NotStarted { .. } => {
                Some("run the same command again: it attaches to the operation and continues".to_owned())
            }
            Self::Blocked { stack, block, status, .. } => Some(unblock(stack, *block, status)),
            Self::ChangeSet { reason, .. } if reason.contains("LimitExceeded") => {
                Some("delete change sets of this stack that nobody needs, or raise the quota".to_owned())
            }
            Self::TemplateTooLarge { .. }
            | Self::ChangeSet { .. }
            | Self::NotCancellable { .. }
            | Self::NotAdoptable { .. }
            | Self::DriftUnknown { .. } => None,
            Self::Protected { .. } => Some(
                "it is meant to stay; to delete it all the same, take `protected` from its environment in \
                 infra/leo.toml and deploy, which turns the protection off"
                    .to_owned(),
            ),
            Self::NotDeleted { .. } => {
                Some("remove what stopped the delete, then run the same command again".to_owned())
            }
            Self::NothingNewToTry { stack, .. } => Some(format!(
                "change what failed and deploy again, or go back: aws cloudformation rollback-stack --stack-name {stack}"
            )),
            Self::Failed { status: StackStatus::UpdateRollbackFailed, stack, .. }
            | Self::GivenUp { status: StackStatus::UpdateRollbackFailed, stack, .. }
            | Self::NotRecovered { stack, .. } => {
                Some(unblock(stack, Block::UpdateRollbackFailed, &StackStatus::UpdateRollbackFailed))
            }
            Self::Failed { status: status @ StackStatus::DeleteFailed, stack, .. }
            | Self::GivenUp { status: status @ StackStatus::DeleteFailed, stack, .. } => {
                Some(unblock(stack, Block::DeleteFailed, status))
            }
            Self::Failed {
                status: status @ (StackStatus::RollbackComplete | StackStatus::RollbackFailed),
                stack,
                ..
            } => Some(unblock(stack, Block::CreateRolledBack, status)),
            Self::GivenUp { why: GaveUp::Deadline(_), .. } => Some(
                "cargo xtask diagnose says what it waited for; --deadline gives it longer where that is all it needs"
                    .to_owned(),
            ),
            Self::Failed { .. } | Self::GivenUp { .. } => {
                Some("fix the cause, then run the same command again".to_owned())
            }
            Self::Vanished { .. } => Some("run the same command again: it creates the stack anew".to_owned()),
            Self::ChangeSetGone { .. } => {
                Some("something else deployed to this stack meanwhile: run the same command again".to_owned())
            }
        }
    }
}

fn unblock(stack: &str, block: Block, status: &StackStatus) -> String {
    match block {
        Block::CreateRolledBack => {
            "such a stack can only be deleted and created again: cargo xtask deploy --recover does both, and asks before it \
             deletes"
                .to_owned()
        }
        Block::UpdateRollbackFailed => {
            "remove what stopped the rollback, then: cargo xtask deploy --recover (it tries the rollback again, and \
             shows what it would have to skip before it skips anything)"
                .to_owned()
        }
        Block::DeleteFailed => {
            "remove what stopped the delete, then: cargo xtask deploy --recover (it tries the delete again, and shows what \
             it would have to leave behind before it does)"
                .to_owned()
        }
        // No rule of AWS says what a delete does to what was imported halfway, so no command of ours does it.
        Block::ImportRollbackFailed => format!(
            "see what is stuck: aws cloudformation describe-stack-events --stack-name {stack}; where \
             aws cloudformation list-stack-resources --stack-name {stack} lists nothing but buckets, repositories and \
             secrets, aws cloudformation delete-stack --stack-name {stack} leaves them where they are, and the next \
             deploy adopts them; otherwise ask AWS Support before anything is changed"
        ),
        Block::Unknown => format!(
            "{status} is not known to this version: look at the stack in the console before anything is changed"
        ),
    }
}

fn ended(status: &StackStatus) -> String {
    match status {
        StackStatus::DeleteComplete => "its create failed, and it was deleted again".to_owned(),
        rolled_back if rolled_back.as_str().ends_with("ROLLBACK_COMPLETE") => {
            format!("it was rolled back ({status})")
        }
        _ => format!("it ended in {status}"),
    }
}

fn undone(status: &StackStatus) -> String {
    match status {
        StackStatus::DeleteComplete => "the new stack was deleted again".to_owned(),
        _ => ended(status),
    }
}

fn not_cancellable(status: Option<&StackStatus>) -> String {
    match status {
        Some(status) => format!("it is in {status}, and only UPDATE_IN_PROGRESS can be cancelled"),
        None => "there is no such stack".to_owned(),
    }
}

fn reason_of(cause: Option<&Cause>, status_reason: Option<&str>) -> String {
    match (cause, status_reason) {
        (Some(cause), _) => format!(" since {cause}"),
        (None, Some(reason)) => format!(" ({reason})"),
        (None, None) => String::new(),
    }
}

/// Each item on an indented line of its own.
pub(crate) fn lines(items: &[impl std::fmt::Display]) -> String {
    items.iter().fold(String::new(), |text, item| text + "\n  " + &item.to_string())
}
