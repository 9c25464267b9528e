use leo_aws::FailureKind;

use crate::{ImageDigest, SignInError};

/// Why a registry could not be asked, or an image not be copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OciError {
    /// There is no login for the registry.
    #[error("sign in to {host}: {source}")]
    SignIn {
        /// The registry.
        host: String,
        /// Why.
        source: SignInError,
    },
    /// The registry did not answer, or fell silent.
    #[error("reach {host}: {message}")]
    Unreachable {
        /// The host.
        host: String,
        /// Why.
        message: String,
    },
    /// The registry refused the login, twice.
    #[error("{doing}: access was denied: {message}")]
    Denied {
        /// What was being done, and where.
        doing: String,
        /// The registry's words.
        message: String,
    },
    /// The registry has no such repository.
    #[error("find the repository {repository} in {host}")]
    RepositoryMissing {
        /// The registry.
        host: String,
        /// The repository's name.
        repository: String,
    },
    /// The repository has no such image.
    #[error("find the image {digest} in {host}/{repository}")]
    ImageMissing {
        /// The registry.
        host: String,
        /// The repository's name.
        repository: String,
        /// What was looked for.
        digest: ImageDigest,
    },
    /// The registry refused something for another reason.
    #[error("{doing}: the registry answered {status}: {message}")]
    Refused {
        /// What was being done, and where.
        doing: String,
        /// The status of its answer.
        status: u16,
        /// The registry's words.
        message: String,
    },
    /// The host to which the registry led refused. It takes a signed address and no login.
    #[error("{doing}: {host}, to which the registry led, answered {status}: {message}")]
    RefusedElsewhere {
        /// What was being done, and where.
        doing: String,
        /// Who refused.
        host: String,
        /// The status of its answer.
        status: u16,
        /// The code of its refusal.
        message: String,
    },
    /// What arrived is not what was asked for.
    #[error("{doing}: what arrived has the digest {found}, not {wanted}")]
    Corrupt {
        /// What was being done, and where.
        doing: String,
        /// The digest that was asked for.
        wanted: ImageDigest,
        /// The digest of what came.
        found: ImageDigest,
    },
    /// The registry answered with something that can't be an answer.
    #[error("understand {what} of {host}: {problem}")]
    Answer {
        /// Who answered.
        host: String,
        /// What of it.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl OciError {
    /// Which exit code this failure ends in.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::SignIn { .. } | Self::Denied { .. } => FailureKind::Credentials,
            Self::ImageMissing { .. } => FailureKind::Usage,
            Self::Unreachable { .. }
            | Self::RepositoryMissing { .. }
            | Self::Refused { .. }
            | Self::RefusedElsewhere { .. }
            | Self::Corrupt { .. }
            | Self::Answer { .. } => FailureKind::Failed,
        }
    }

    /// What to do about it, where something can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Denied { .. } => Some(
                "check that the credentials may read images there (ecr:BatchGetImage, ecr:GetDownloadUrlForLayer, \
                 ecr:BatchCheckLayerAvailability) and, for a copy, write them (ecr:InitiateLayerUpload, \
                 ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:PutImage)"
                    .to_owned(),
            ),
            Self::RefusedElsewhere { host, .. } => Some(format!(
                "another login does not help there: look at what is on the way to {host}, a proxy or the policy of a \
                 VPC endpoint for S3, which has to let s3:GetObject through to the registry's bucket"
            )),
            Self::RepositoryMissing { .. } => {
                Some("deploy first: `cargo xtask deploy` makes the repositories".to_owned())
            }
            Self::Unreachable { .. } => {
                Some("run the command again: what has arrived already is not sent twice".to_owned())
            }
            _ => None,
        }
    }

    /// Whether the same may well succeed a moment later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Corrupt { .. } => true,
            Self::Refused { status, .. } | Self::RefusedElsewhere { status, .. } => {
                matches!(status, 408 | 429 | 500..)
            }
            _ => false,
        }
    }
}
