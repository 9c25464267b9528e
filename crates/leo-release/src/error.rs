use crate::{
    artifacts::TEMPLATE_LIMIT,
    lease::{Holder, Lost},
};
use leo_aws::{FailureKind, ServiceError};
use std::time::Duration;

/// Why the artifacts bucket did not give or take something.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// A call to S3 failed for good.
    #[error("{task}: {source}")]
    Service {
        /// What it was for; reads after "failed to …".
        task: String,
        /// The call.
        source: ServiceError,
    },
    /// There is no artifacts bucket: nothing was ever deployed to this account and region, or it was deleted.
    #[error("{task}: there is no bucket `{bucket}`")]
    NoBucket {
        /// What it was for; reads after "failed to …".
        task: String,
        /// The bucket's name.
        bucket: String,
    },
    /// CloudFormation takes no template of this size.
    #[error("stage a template: it has {bytes} bytes, and CloudFormation takes {TEMPLATE_LIMIT}")]
    TemplateTooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
    /// A template that a release names is not in the bucket.
    #[error("read template {sha256}: `{key}` is not in `{bucket}`")]
    NoTemplate {
        /// The SHA-256 of its body.
        sha256: String,
        /// Where it should be.
        key: String,
        /// The bucket's name.
        bucket: String,
    },
    /// What is stored is not what was stored once.
    #[error("read `{key}` of `{bucket}`: {reason}")]
    Damaged {
        /// The object.
        key: String,
        /// The bucket's name.
        bucket: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Others came before each time that it was tried.
    #[error("write a record of `{environment}`: others wrote it {tries} times in a row at the same moment")]
    Contended {
        /// The environment.
        environment: String,
        /// How often it was tried.
        tries: u32,
    },
    /// Another deploy works on the environment, and went on for longer than it was waited for.
    #[error("have `{}` for itself: {holder}{}", holder.environment, waited_for(*waited))]
    Held {
        /// Who works on it.
        holder: Box<Holder>,
        /// For how long it was waited.
        waited: Duration,
    },
    /// The environment was this deploy's own and no longer is.
    #[error("keep `{environment}` for itself: {lost}")]
    LeaseLost {
        /// The environment.
        environment: String,
        /// How.
        lost: Lost,
    },
}

fn waited_for(waited: Duration) -> String {
    match waited.as_secs() {
        0 => String::new(),
        seconds => format!(" (waited {seconds} s)"),
    }
}

impl ReleaseError {
    /// Which exit code this failure ends in.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Service { source, .. } => source.kind(),
            Self::TemplateTooLarge { .. } => FailureKind::Usage,
            Self::LeaseLost { lost: Lost::NotRenewed { kind, .. }, .. } => *kind,
            Self::NoBucket { .. }
            | Self::NoTemplate { .. }
            | Self::Damaged { .. }
            | Self::Contended { .. }
            | Self::Held { .. }
            | Self::LeaseLost { .. } => FailureKind::Failed,
        }
    }

    /// What to do about it, where something can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Service { source, .. } => source.hint(),
            Self::NoBucket { .. } => {
                Some("deploy first: `cargo xtask deploy` makes the registry, and the bucket with it".to_owned())
            }
            Self::TemplateTooLarge { .. } => {
                Some("make the template smaller: fewer secrets or zones in infra/leo.toml".to_owned())
            }
            Self::NoTemplate { key, bucket, .. } | Self::Damaged { key, bucket, .. } => Some(format!(
                "the bucket keeps every version: look at `aws s3api list-object-versions --bucket {bucket} --prefix \
                 {key}` and bring back the one that was right"
            )),
            Self::Contended { .. } => Some("run the same command again".to_owned()),
            Self::Held { .. } => Some(
                "wait until it is done, then run the same command again; if its machine is gone, its claim ends by \
                 itself within two minutes"
                    .to_owned(),
            ),
            Self::LeaseLost { lost, .. } => Some(match lost {
                Lost::TakenOver { .. } => {
                    "let the other one finish, then run the same command again: it continues from there".to_owned()
                }
                Lost::NotRenewed { kind: FailureKind::Credentials, .. } => {
                    "sign in again, then run the same command: it continues where this one stopped".to_owned()
                }
                Lost::Removed | Lost::NotRenewed { .. } => {
                    "run the same command again: it continues where this one stopped".to_owned()
                }
            }),
        }
    }
}
