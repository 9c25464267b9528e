//! The calls to Secrets Manager, each with its errors reduced to what is safe to show.

use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretError;
use aws_sdk_secretsmanager::operation::put_secret_value::{PutSecretValueError, PutSecretValueOutput};
use aws_sdk_secretsmanager::primitives::DateTime;
use leo_aws::{ErrorClass, ServiceError};
use leo_env::Secret;
use secrecy::zeroize::{Zeroize as _, Zeroizing};

use crate::{Problem, Purpose, SecretsError};

/// What a secret is like, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// `None` of one that is not there.
    pub(crate) arn: Option<String>,
    pub(crate) state: State,
    /// When anything of it was last changed.
    pub(crate) last_changed: Option<SystemTime>,
}

/// Whether a secret has a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none.
    Absent,
    /// It was deleted and blocks its name.
    ScheduledForDeletion,
    /// It has no value: a task that needs it can't start.
    Empty,
    /// It has one.
    Valued {
        /// The id of the version that tasks get.
        version: String,
    },
}

/// What reading a version gave.
pub(crate) enum Reading {
    Text {
        text: Zeroizing<String>,
        created: Option<SystemTime>,
    },
    /// Bytes: no object that ECS takes keys from.
    Binary {
        created: Option<SystemTime>,
    },
    /// It has no value, or (the emulator gives one to every secret of a stack; AWS takes none) an empty text.
    Empty,
    /// There is no such version.
    Gone,
    /// The caller may not look, for want of this right.
    Denied(&'static str),
}

/// The right to read a value.
const READ: &str = "secretsmanager:GetSecretValue";
/// The right to decrypt it, where it has a key of its own.
pub(crate) const DECRYPT: &str = "kms:Decrypt";
/// What Secrets Manager says where the caller may use the secret and not its key. It quotes nothing.
pub(crate) const NO_KEY: &str = "Access to KMS is not allowed";

/// What a role needs for [`plan_push`](crate::plan_push), [`push`](crate::push), [`rotate`](crate::rotate) and
/// [`status`](crate::status), on each secret; IAM's names. Secrets with a key of their own need `kms:Decrypt` and
/// `kms:GenerateDataKey` on it as well.
pub const PUSH_ACTIONS: [&str; 5] = [
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:RestoreSecret",
    "secretsmanager:UpdateSecretVersionStage",
];

/// What a role needs for [`ensure`](crate::ensure) on AWS, on each secret; IAM's names.
///
/// The last one is for a first value only, where AWS should not make that the current one by itself.
pub const ENSURE_ACTIONS: [&str; 3] = [
    "secretsmanager:DescribeSecret",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
];

/// The staging label of the version that a task gets.
const CURRENT: &str = "AWSCURRENT";

/// The staging label of a version that a push has sent and not yet made the current one.
const STAGED: &str = "LEO_STAGED";

/// How long to wait for what was done to be seen everywhere: not at once, as with any distributed service.
const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1)];

/// What the secret is like now.
pub(crate) async fn facts(client: &Client, name: &str) -> Result<Facts, SecretsError> {
    let answer = match client.describe_secret().secret_id(name).send().await {
        Ok(answer) => answer,
        Err(error) => {
            return match error.as_service_error() {
                Some(DescribeSecretError::ResourceNotFoundException(_)) => {
                    Ok(Facts { arn: None, state: State::Absent, last_changed: None })
                }
                _ => Err(failed(name, ServiceError::of("DescribeSecret", &error))),
            };
        }
    };
    let mut versions = answer.version_ids_to_stages().into_iter().flatten();
    let current = versions.find(|(_, stages)| has_current(stages));
    let state = match current {
        _ if answer.deleted_date().is_some() => State::ScheduledForDeletion,
        None => State::Empty,
        Some((id, _)) => State::Valued { version: id.clone() },
    };
    Ok(Facts { arn: answer.arn().map(str::to_owned), state, last_changed: time(answer.last_changed_date()) })
}

/// What a secret is like once this version is to be seen as its current one, and whether that came to be. Another one may
/// be the current one by then: it is waited for no longer than a change takes.
pub(crate) async fn facts_with(
    client: &Client,
    name: &str,
    version: &str,
) -> Result<(Facts, bool), SecretsError> {
    let mut found = facts(client, name).await?;
    for pause in PAUSES {
        if matches!(&found.state, State::Valued { version: current } if current == version) {
            return Ok((found, true));
        }
        tokio::time::sleep(pause).await;
        found = facts(client, name).await?;
    }
    let seen = matches!(&found.state, State::Valued { version: current } if current == version);
    Ok((found, seen))
}

/// The value of one version.
pub(crate) async fn read(client: &Client, name: &str, version: &str) -> Result<Reading, SecretsError> {
    match client.get_secret_value().secret_id(name).version_id(version).send().await {
        Ok(mut answer) => {
            let created = time(answer.created_date());
            Ok(match (answer.secret_string.take(), answer.secret_binary.take()) {
                (Some(text), _) if text.is_empty() => Reading::Empty,
                (Some(text), _) => Reading::Text { text: Zeroizing::new(text), created },
                (None, Some(bytes)) => {
                    bytes.into_inner().zeroize();
                    Reading::Binary { created }
                }
                (None, None) => Reading::Empty,
            })
        }
        Err(error) => match error.as_service_error().and_then(|error| error.code()) {
            Some("AccessDeniedException" | "AccessDenied") if names_key(&error) => {
                Ok(Reading::Denied(DECRYPT))
            }
            Some("AccessDeniedException" | "AccessDenied") => Ok(Reading::Denied(READ)),
            Some("ResourceNotFoundException") => Ok(Reading::Gone),
            _ => Err(failed(name, ServiceError::of_confidential("GetSecretValue", &error))),
        },
    }
}

/// The value of the current version, which may have been made a moment ago.
pub(crate) async fn read_current(
    client: &Client,
    name: &str,
    version: &str,
) -> Result<Reading, SecretsError> {
    for pause in PAUSES {
        tokio::time::sleep(pause).await;
        match read(client, name, version).await? {
            Reading::Gone => {}
            reading => return Ok(reading),
        }
    }
    Ok(Reading::Gone)
}

/// Takes a secret back from its scheduled deletion, and answers when that is to be seen. One that someone else took back
/// meanwhile is as good.
pub(crate) async fn restore(client: &Client, name: &str) -> Result<(), SecretsError> {
    let answer = client.restore_secret().secret_id(name).send().await;
    let error = answer.err().map(|error| ServiceError::of("RestoreSecret", &error));
    for pause in PAUSES {
        tokio::time::sleep(pause).await;
        match facts(client, name).await?.state {
            State::Empty | State::Valued { .. } => return Ok(()),
            State::Absent | State::ScheduledForDeletion => {}
        }
        if let Some(error) = &error {
            return Err(failed(name, error.clone()));
        }
    }
    Err(SecretsError::of(Purpose::Push, vec![Problem::ScheduledForDeletion { secret: name.to_owned() }]))
}

/// What sending a version came to.
pub(crate) enum Sent {
    Version {
        id: String,
        /// Whether tasks get it already.
        current: bool,
    },
    /// There is a version with this id and another value. It stays: a version can't be changed.
    Exists,
}

/// Which label a version is sent with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// No task gets it yet; but the very first version of a secret is always the current one.
    Staged,
    /// It is the current one, whatever was before.
    Current,
}

const PUT: &str = "PutSecretValue";

/// Sends a version under an id, or without one under a new id. However often the SDK repeats the call, there is one
/// version: the id is the idempotency token.
pub(crate) async fn put(
    client: &Client,
    name: &str,
    id: Option<&str>,
    label: Label,
    value: &Secret,
) -> Result<Sent, SecretsError> {
    let stage = match label {
        Label::Staged => STAGED,
        Label::Current => CURRENT,
    };
    let call = client
        .put_secret_value()
        .secret_id(name)
        .set_client_request_token(id.map(str::to_owned))
        .version_stages(stage)
        .secret_string(value.expose());
    let error = match call.send().await {
        Ok(PutSecretValueOutput { version_id: Some(id), version_stages, .. }) => {
            let current = version_stages.is_some_and(|stages| has_current(&stages));
            return Ok(Sent::Version { id, current });
        }
        Ok(_) => {
            let message = "answered without a version id".to_owned();
            ServiceError { operation: PUT, class: ErrorClass::Final, code: None, message }
        }
        Err(error) => match error.as_service_error() {
            Some(PutSecretValueError::ResourceExistsException(_)) => return Ok(Sent::Exists),
            Some(_) if names_key(&error) => {
                ServiceError { message: NO_KEY.to_owned(), ..ServiceError::of_confidential(PUT, &error) }
            }
            // A message about what was sent may quote it.
            _ => ServiceError::of_confidential(PUT, &error),
        },
    };
    Err(failed(name, error))
}

/// Makes `version` the one that tasks get, provided that `base` (or none) still is it. `false` where it isn't: the label can
/// be moved only by whoever names the version that has it (UpdateSecretVersionStage, "RemoveFromVersionId").
pub(crate) async fn make_current(
    client: &Client,
    name: &str,
    version: &str,
    base: Option<&str>,
) -> Result<bool, SecretsError> {
    let mut told = None;
    for pause in PAUSES {
        tokio::time::sleep(pause).await;
        let call = client
            .update_secret_version_stage()
            .secret_id(name)
            .version_stage(CURRENT)
            .move_to_version_id(version)
            .set_remove_from_version_id(base.map(str::to_owned));
        let Err(error) = call.send().await else { return Ok(true) };
        let error = ServiceError::of("UpdateSecretVersionStage", &error);
        if error.is_retryable() || error.class == ErrorClass::Credentials {
            return Err(failed(name, error));
        }
        match facts(client, name).await?.state {
            // An answer was lost, and the repeated call found its own work.
            State::Valued { version: current } if current == version => return Ok(true),
            State::Valued { version: current } if Some(current.as_str()) == base => told = Some(error),
            State::Empty if base.is_none() => told = Some(error),
            _ => return Ok(false),
        }
        if told.as_ref().and_then(|error| error.code.as_deref()) != Some("ResourceNotFoundException") {
            break;
        }
    }
    told.map_or(Ok(false), |error| Err(failed(name, error)))
}

/// Whether it is the secret's key that the caller may not use.
fn names_key<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.as_service_error().and_then(E::message).is_some_and(|message| message.starts_with(NO_KEY))
}

fn has_current(stages: &[String]) -> bool {
    stages.iter().any(|stage| stage == CURRENT)
}

fn failed(name: &str, source: ServiceError) -> SecretsError {
    SecretsError::Service { secret: name.to_owned(), source }
}

fn time(time: Option<&DateTime>) -> Option<SystemTime> {
    SystemTime::try_from(*time?).ok()
}
