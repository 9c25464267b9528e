//! The calls to Secrets Manager, each with its errors reduced to what is safe to show.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use leo_aws::ServiceError;
use leo_env::Secret;
use serde_json::Value;

use crate::SecretsError;
use crate::fingerprint::fingerprint;

/// What a secret is like, without its value.
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

/// The keys of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// It is a JSON object with these.
    Of(Vec<String>),
    /// It is an empty text: nobody's value, and as good as none. AWS takes none (PutSecretValue: at least one
    /// character); the emulator gives one to every secret that a stack creates.
    Blank,
    /// It is no JSON object.
    NotAnObject,
    /// The caller may not look.
    Denied,
}

/// The staging label of the version that a task gets.
const CURRENT: &str = "AWSCURRENT";

/// What the secret is like now.
pub(crate) async fn state(client: &Client, name: &str) -> Result<State, SecretsError> {
    let answer = match client.describe_secret().secret_id(name).send().await {
        Ok(answer) => answer,
        Err(error) => {
            return match error.as_service_error() {
                Some(DescribeSecretError::ResourceNotFoundException(_)) => Ok(State::Absent),
                _ => Err(failed(name, ServiceError::of("DescribeSecret", &error))),
            };
        }
    };
    if answer.deleted_date().is_some() {
        return Ok(State::ScheduledForDeletion);
    }
    let mut versions = answer.version_ids_to_stages().into_iter().flatten();
    let current = versions.find(|(_, stages)| stages.iter().any(|stage| stage == CURRENT));
    Ok(current.map_or(State::Empty, |(id, _)| State::Valued { version: id.clone() }))
}

/// The keys of a secret's value. The value is dropped before this returns.
pub(crate) async fn keys(client: &Client, name: &str) -> Result<Keys, SecretsError> {
    let answer = match client.get_secret_value().secret_id(name).send().await {
        Ok(answer) => answer,
        Err(error) => {
            let denied = error.as_service_error().and_then(GetSecretValueError::code);
            return match denied {
                Some("AccessDeniedException" | "AccessDenied") => Ok(Keys::Denied),
                _ => Err(failed(name, ServiceError::of("GetSecretValue", &error))),
            };
        }
    };
    Ok(match (answer.secret_string(), answer.secret_binary()) {
        (Some(value), _) => keys_of(value),
        // A binary value can't be an object that ECS takes keys from.
        (None, Some(_)) => Keys::NotAnObject,
        (None, None) => Keys::Blank,
    })
}

/// The keys of a value; nothing of its values is kept.
fn keys_of(value: &str) -> Keys {
    if value.is_empty() {
        return Keys::Blank;
    }
    match serde_json::from_str::<Value>(value) {
        Ok(Value::Object(object)) => Keys::Of(object.into_iter().map(|(key, _)| key).collect()),
        _ => Keys::NotAnObject,
    }
}

/// Gives a secret its first value. `None` where someone else did at the same time, with another value: theirs stays.
pub(crate) async fn create_value(
    client: &Client,
    name: &str,
    keys: &[String],
    value: &Secret,
) -> Result<Option<String>, SecretsError> {
    let token = first_version(name, keys);
    let call = client
        .put_secret_value()
        .secret_id(name)
        .client_request_token(&token)
        .secret_string(value.expose())
        .send();
    match call.await {
        Ok(answer) => Ok(Some(answer.version_id().unwrap_or(&token).to_owned())),
        Err(error) => match error.as_service_error() {
            Some(PutSecretValueError::ResourceExistsException(_)) => Ok(None),
            // A message about what was sent may quote it.
            _ => Err(failed(name, ServiceError::of_confidential("PutSecretValue", &error))),
        },
    }
}

/// The id of a secret's first version: the same for everyone who creates it, so that of two at once the second is
/// refused instead of overwriting the first (`ClientRequestToken` of PutSecretValue: 32 to 64 characters).
fn first_version(name: &str, keys: &[String]) -> String {
    let lines = std::iter::once(name).chain(keys.iter().map(String::as_str));
    format!("leo-first-{:032x}", fingerprint(lines))
}

fn failed(name: &str, source: ServiceError) -> SecretsError {
    SecretsError::Service { secret: name.to_owned(), source }
}
