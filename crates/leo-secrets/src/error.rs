use std::fmt;

use leo_aws::{FailureKind, ServiceError};

use crate::look::LONGEST;
use crate::service::{DECRYPT, NO_KEY};

/// What was to be done with secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Every secret was to have a value.
    Ensure,
    /// What is here was to be there.
    Push,
    /// One key was to get a new value.
    Rotate,
}

/// Why not every secret has a value now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretsError {
    /// Something has to be put right first. Nothing was sent to these secrets.
    #[error("{purpose}: {}", listed(problems))]
    Blocked {
        /// What for.
        purpose: Purpose,
        /// Everything that is wrong, at once.
        problems: Vec<Problem>,
    },
    /// A call to Secrets Manager failed. Values that were created before it stay; the next run continues.
    #[error("call Secrets Manager {} for {secret}: {}", source.operation, source.reason())]
    Service {
        /// The secret's name.
        secret: String,
        /// The call, without any value.
        source: ServiceError,
    },
    /// The role may not read values, which comparing them needs. Nothing was sent to these secrets.
    #[error(
        "compare {} with what is here: these credentials may not read secret values ({permission})",
        secrets.join(", ")
    )]
    ReadDenied {
        /// The names of all secrets that may not be read.
        secrets: Vec<String>,
        /// What the role lacks; IAM's name.
        permission: &'static str,
    },
    /// Someone else changed the secret after it was compared. Their value stays.
    #[error("change {secret}: someone else changed it at the same time, and theirs stays")]
    ChangedMeanwhile {
        /// The secret's name.
        secret: String,
    },
    /// The secret's first value was created before and is not the one that a task gets.
    #[error("give {secret} a value: its first one was created before, but is not its current one")]
    NotCurrent {
        /// The secret's name.
        secret: String,
    },
}

/// One thing that keeps a secret from being usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Neither the environment files nor the process environment have a value for a key of a secret that is empty.
    #[error("`{key}` of {secret} has no value")]
    NoValue {
        /// The secret's name.
        secret: String,
        /// The key.
        key: String,
    },
    /// One key of an empty secret can't come alone: its tasks need the others too.
    #[error("{secret} has no value yet, and `{key}` would be missing")]
    NoValueYet {
        /// The secret's name.
        secret: String,
        /// The key.
        key: String,
    },
    /// The value would be longer than Secrets Manager takes.
    #[error("the value of {secret} would have {bytes} bytes, and Secrets Manager takes {LONGEST}")]
    TooLong {
        /// The secret's name.
        secret: String,
        /// How long the JSON object would be.
        bytes: usize,
    },
    /// These credentials may not read the secret's value.
    #[error("{secret} may not be read ({permission})")]
    MayNotRead {
        /// The secret's name.
        secret: String,
        /// What they lack; IAM's name.
        permission: &'static str,
    },
    /// The secret's value is not a JSON object: no container could be given a key of it.
    #[error("the value that {secret} has is not a JSON object")]
    NotAnObject {
        /// The secret's name.
        secret: String,
    },
    /// The secret was deleted and still blocks its name.
    #[error("{secret} is scheduled for deletion")]
    ScheduledForDeletion {
        /// The secret's name.
        secret: String,
    },
    /// There is no such secret.
    #[error("{secret} does not exist")]
    NoSecret {
        /// The secret's name.
        secret: String,
    },
}

impl SecretsError {
    /// The errors of these problems: one of all that has to be put right, and one for each right that is lacking.
    pub(crate) fn all(purpose: Purpose, problems: Vec<Problem>) -> Vec<Self> {
        let mut errors = Vec::new();
        let mut others = Vec::new();
        for problem in problems {
            let Problem::MayNotRead { secret, permission } = problem else {
                others.push(problem);
                continue;
            };
            let same = errors.iter_mut().find_map(|error| match error {
                Self::ReadDenied { secrets, permission: lacking } if *lacking == permission => Some(secrets),
                _ => None,
            });
            match same {
                Some(secrets) => secrets.push(secret),
                None => errors.push(Self::ReadDenied { secrets: vec![secret], permission }),
            }
        }
        if !others.is_empty() || errors.is_empty() {
            errors.push(Self::Blocked { purpose, problems: others });
        }
        errors
    }

    /// The error of the problems of one secret. Without the right to read, nothing else is known for certain.
    pub(crate) fn of(purpose: Purpose, problems: Vec<Problem>) -> Self {
        let first = Self::all(purpose, problems).into_iter().next();
        first.unwrap_or(Self::Blocked { purpose, problems: vec![] })
    }

    /// Which exit code this failure ends in.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Blocked { .. } => FailureKind::Usage,
            Self::Service { source, .. } => source.kind(),
            Self::ReadDenied { .. } => FailureKind::Credentials,
            Self::ChangedMeanwhile { .. } | Self::NotCurrent { .. } => FailureKind::Failed,
        }
    }

    /// What to do about it, where something can be said; one line for each kind of problem.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Blocked { problems, .. } => {
                let mut hints: Vec<String> = Vec::new();
                for hint in problems.iter().map(Problem::hint) {
                    if !hints.contains(&hint) {
                        hints.push(hint);
                    }
                }
                (!hints.is_empty()).then(|| hints.join("\n"))
            }
            Self::Service { source, .. } if source.message == NO_KEY => Some(
                "allow these credentials kms:Decrypt and kms:GenerateDataKey on the key that encrypts the secret, in \
                 their policies and in the key's own"
                    .to_owned(),
            ),
            Self::Service { source, .. } if source.kind() == FailureKind::Credentials => Some(format!(
                "sign in again, and check that the role may call secretsmanager:{}",
                source.operation
            )),
            Self::NotCurrent { secret } => Some(format!(
                "put a value with AWSCURRENT into {secret}: its versions were relabelled by hand"
            )),
            Self::ReadDenied { permission: DECRYPT, .. } => Some(format!(
                "allow these credentials {DECRYPT} on the key that encrypts them, in their policies and in the key's own"
            )),
            Self::ReadDenied { .. } => Some(
                "use a role that may: sign in with another profile, or name it in infra/leo.toml as `secrets_profile` of \
                 the environment"
                    .to_owned(),
            ),
            Self::ChangedMeanwhile { .. } => Some("run the command again: it compares anew".to_owned()),
            Self::Service { source, .. } => Some(match source.code.as_deref() {
                Some("DecryptionFailure" | "EncryptionFailure") => {
                    "look at the KMS key of the secret: it has to be enabled, not scheduled for deletion, and its policy \
                     has to let these credentials use it"
                        .to_owned()
                }
                // PutSecretValue: "It removes outdated versions when there are more than 100, but it doesn't remove
                // versions created less than 24 hours ago."
                Some("LimitExceededException") => {
                    "it has too many versions: Secrets Manager removes old ones once there are more than 100, but none \
                     that is younger than 24 hours; try again tomorrow, and find out what writes it so often"
                        .to_owned()
                }
                _ => "run the command again: what is done already stays".to_owned(),
            }),
        }
    }
}

impl Problem {
    fn hint(&self) -> String {
        match self {
            Self::NoValue { .. } => "write `KEY=value` for each into env/.env (or into env/.env.<environment>, where \
                                     that file exists), or set LEO_SECRET_<KEY> in the process environment"
                .to_owned(),
            Self::NoValueYet { .. } => {
                "give it all its keys at once: `cargo xtask secrets push`".to_owned()
            }
            Self::TooLong { .. } => {
                "shorten the longest value, or move keys to a provider of their own in infra/env.toml".to_owned()
            }
            Self::MayNotRead { permission, .. } => format!("allow these credentials {permission}"),
            Self::NotAnObject { .. } => {
                "replace it as a whole: `cargo xtask secrets push --overwrite`".to_owned()
            }
            Self::ScheduledForDeletion { .. } => {
                "bring it back: `cargo xtask secrets push` restores it".to_owned()
            }
            Self::NoSecret { .. } => {
                "deploy the foundation stack first, which creates the secrets: a full `cargo xtask deploy` does".to_owned()
            }
        }
    }
}

impl fmt::Display for Purpose {
    /// As it reads after "failed to …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ensure => "give every secret a value",
            Self::Push => "push every secret",
            Self::Rotate => "rotate a key",
        })
    }
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
