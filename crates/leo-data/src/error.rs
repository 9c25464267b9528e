use std::time::Duration;

use leo_aws::{FailureKind, ServiceError};

use crate::Task;

/// Why something was not found out, or did not go. Messages read after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A call was refused or not answered. What was done before it stays done; the next run continues.
    #[error("call {} for {subject}: {}", source.operation, source.reason())]
    Service {
        /// What it was about, by its name in the account.
        subject: String,
        /// The call.
        source: ServiceError,
    },
    /// A call was answered, but not about everything that it was asked for.
    #[error("see {subject}: {operation} says: {reason}")]
    Gap {
        /// The call.
        operation: &'static str,
        /// What is not in the answer.
        subject: String,
        /// What the service says of it.
        reason: String,
    },
    /// S3 deletes everything in a bucket but this.
    #[error("empty bucket {bucket}: {left} of its object versions can't be deleted{}", listed(refusals))]
    KeysLeft {
        /// The bucket.
        bucket: String,
        /// How many stay.
        left: usize,
        /// The first of them, with what S3 says.
        refusals: Vec<Refusal>,
    },
    /// Whenever the bucket is empty, something is written to it again.
    #[error("delete bucket {bucket}: it is not empty, however often it is emptied")]
    NotEmpty {
        /// The bucket.
        bucket: String,
    },
    /// Tasks that were told to stop have not gone yet.
    #[error("stop what runs in cluster {cluster}: after {} s there still is{}", waited.as_secs(), listed(tasks))]
    StillRunning {
        /// The cluster.
        cluster: String,
        /// The tasks.
        tasks: Vec<Task>,
        /// How long they were waited for.
        waited: Duration,
    },
}

/// An object version that S3 does not delete.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} (version {version}): {code}: {message}")]
pub struct Refusal {
    /// The object's key.
    pub key: String,
    /// Its version; `null` in a bucket without versions.
    pub version: String,
    /// S3's error code.
    pub code: String,
    /// S3's message.
    pub message: String,
}

impl DataError {
    /// Which exit code this failure ends in.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Service { source, .. } => source.kind(),
            Self::Gap { .. } | Self::KeysLeft { .. } | Self::NotEmpty { .. } | Self::StillRunning { .. } => {
                FailureKind::Failed
            }
        }
    }

    /// What to do about it, where something can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Service { source, .. } => source
                .hint()
                .or_else(|| Some("run the same command again: what is done stays done".to_owned())),
            Self::Gap { .. } => Some("run the same command again".to_owned()),
            Self::KeysLeft { bucket, .. } => Some(format!(
                "look at who may delete them (s3:DeleteObjectVersion, a policy of bucket {bucket}, a legal hold or a \
                 retention), then run the same command again"
            )),
            Self::NotEmpty { bucket } => {
                Some(format!("stop whatever writes to {bucket}, then run the same command again"))
            }
            Self::StillRunning { cluster, .. } => Some(format!(
                "they were told to stop: run the same command again in a few minutes, or see `aws ecs describe-tasks \
                 --cluster {cluster}`"
            )),
        }
    }
}

/// Each on a line of its own.
fn listed(items: &[impl ToString]) -> String {
    items.iter().map(|item| format!("\n  {}", item.to_string())).collect::<Vec<_>>().concat()
}
