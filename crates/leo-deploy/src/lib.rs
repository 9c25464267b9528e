//! The CloudFormation deploy engine and its health gate.
//!
//! [`Stacks`] turns a request into a change set that can be reviewed, executes it, follows it to its end whatever
//! happens to the connection, and says what became of the stack. [`Run`] composes steps and tells how far each one is.
//! [`gate`] decides whether what was planned really runs.
//!
//! Nothing here prints, asks, reads a file or an environment variable, or knows what Leo's stacks contain: templates
//! and parameters come in, events and outcomes go out. What is destroyed, recovered or rolled back on purpose is the
//! caller's decision; an error says which command would do it.

mod cause;
mod change;
mod control;
mod error;
mod event;
mod import_template;
mod pace;
mod part;
mod progress;
mod run;
mod stacks;
mod state;

pub mod gate;

pub use cause::{Cause, causes};
pub use change::{Change, ChangeAction, Finding, Replacement, replacements_and_removals};
pub use control::{Control, GaveUp, Respite};
pub use error::DeployError;
pub use event::{
    OnEvent, Owner, Reporter, ResourceEvent, Sink, StackEvent, Step, StepEvent, StepEventKind, StepStatus,
};
pub use part::{Part, PartStatus};
pub use progress::{Counter, Progress};
pub use run::{Finished, Run, Stopped};
pub use stacks::{
    Capability, Deleted, Difference, Drift, DriftKind, DriftedResource, INLINE_TEMPLATE_LIMIT, Observed,
    OnCreateFailure, Prepared, Recovered, Recovery, Retained, ReviewedChangeSet, Skipped, Stack,
    StackOutcome, StackRequest, Stacks, TemplateSource, ToImport, Unchecked,
};
pub use state::{Action, Block, StackStatus, action};
