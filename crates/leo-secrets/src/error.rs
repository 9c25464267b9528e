use leo_aws::{FailureKind, ServiceError};

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
    /// The secret's value lacks a key that a container is given: its task could not start.
    #[error("`{key}` is not in the value that {secret} has")]
    KeyNotThere {
        /// The secret's name.
        secret: String,
        /// The key.
        key: String,
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
    /// Which exit code this failure ends in.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Blocked { .. } => FailureKind::Usage,
            Self::Service { source, .. } => source.kind(),
            Self::NotCurrent { .. } => FailureKind::Failed,
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
            Self::Service { .. } => Some("run the command again: what was created already stays".to_owned()),
        }
    }
}

impl Problem {
    fn hint(&self) -> String {
        match self {
            Self::NoValue { .. } => "write `KEY=value` for each into env/.env (or into env/.env.<environment>, where \
                                     that file exists), or set LEO_SECRET_<KEY> in the process environment"
                .to_owned(),
            Self::KeyNotThere { secret, .. } | Self::NotAnObject { secret } => format!(
                "put a JSON object with all its keys into {secret}: a deploy never overwrites a value that exists"
            ),
            Self::ScheduledForDeletion { secret } => {
                format!("bring it back: aws secretsmanager restore-secret --secret-id {secret}")
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
