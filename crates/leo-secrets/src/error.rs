use leo_aws::{FailureKind, ServiceError};

use crate::look::LONGEST;

/// Why not every secret has a value now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretsError {
    /// Something has to be put right first. Nothing was sent.
    #[error("give every secret a value: {}", listed(problems))]
    Blocked {
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
    /// The role may not read values, which comparing them needs. Nothing was sent.
    #[error(
        "compare {} with what is here: these credentials may not read secret values (secretsmanager:GetSecretValue)",
        secrets.join(", ")
    )]
    ReadDenied {
        /// The names of all secrets that may not be read.
        secrets: Vec<String>,
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
    #[error("{secret} may not be read")]
    MayNotRead {
        /// The secret's name.
        secret: String,
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
    /// The error of these problems. Without the right to read, nothing else is known for certain.
    pub(crate) fn of(problems: Vec<Problem>) -> Self {
        let secrets: Vec<_> = problems
            .iter()
            .filter_map(|problem| match problem {
                Problem::MayNotRead { secret } => Some(secret.clone()),
                _ => None,
            })
            .collect();
        if secrets.is_empty() { Self::Blocked { problems } } else { Self::ReadDenied { secrets } }
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
            Self::Blocked { problems } => {
                let mut hints: Vec<String> = Vec::new();
                for hint in problems.iter().map(Problem::hint) {
                    if !hints.contains(&hint) {
                        hints.push(hint);
                    }
                }
                (!hints.is_empty()).then(|| hints.join("\n"))
            }
            Self::Service { source, .. } if source.kind() == FailureKind::Credentials => Some(format!(
                "sign in again, and check that the role may call secretsmanager:{}",
                source.operation
            )),
            Self::NotCurrent { secret } => Some(format!(
                "put a value with AWSCURRENT into {secret}: its versions were relabelled by hand"
            )),
            Self::ReadDenied { .. } => Some(
                "use a role that may: sign in with another profile, or name it in infra/leo.toml as `secrets_profile` of \
                 the environment"
                    .to_owned(),
            ),
            Self::ChangedMeanwhile { .. } => Some("run the command again: it compares anew".to_owned()),
            Self::Service { .. } => Some("run the command again: what is done already stays".to_owned()),
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
            Self::MayNotRead { .. } => "allow these credentials secretsmanager:GetSecretValue".to_owned(),
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

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
