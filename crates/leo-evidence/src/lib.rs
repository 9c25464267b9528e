//! What a platform's containers did while it was deployed, kept, and the cause of a failure read from it.
//!
//! CloudFormation says that a service did not stabilise; why is known to ECS, the load balancer and the logs, and a
//! rollback takes it away. A [`Recorder`] looks at all of them while a deploy runs and saves an [`Evidence`] at once.
//! [`diagnose`] reads from it the cause in plain words, the line that it rests on, and the fix. [`look`] takes the
//! evidence of what is there now.
//!
//! Deliberately absent: changing anything in AWS, deciding whether a deploy is given up (there is a signal for who
//! decides that), printing, and guesses: a cause is named only with the line that shows it.

mod collect;
mod diagnosis;
mod distinct;
mod evidence;
mod keys;
mod live;
mod look;
mod newness;
mod normalise;
mod pace;
mod recorder;
mod redact;
mod stack;
mod stop;
mod store;
mod time;

pub use diagnosis::{CauseKind, Diagnosis, diagnose};
pub use distinct::{Counted, Distinct};
pub use evidence::{
    ContainerSeen, DeploymentSeen, Evidence, FindingSeen, LogTail, ProtectedTask, ResourceFailure,
    ResourceWaiting, ServiceSeen, StackSeen, Stop, Subject, TargetSeen, TaskSeen,
};
pub use keys::holds_a_key;
pub use live::look;
pub use look::Clients;
pub use recorder::Recorder;
pub use redact::Redact;
pub use store::{StoreError, saved_operations};
