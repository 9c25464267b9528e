//! The calls to Secrets Manager, each with its errors reduced to what is safe to show.

use std::error::Error;
use std::fmt::Write as _;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use leo_env::Secret;
use serde_json::Value;

use crate::fingerprint::fingerprint;
use crate::{FailureKind, SecretsError};

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
                _ => Err(service_error("DescribeSecret", name, &error, None)),
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
                _ => Err(service_error("GetSecretValue", name, &error, None)),
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
            _ => Err(service_error("PutSecretValue", name, &error, Some(value))),
        },
    }
}

/// The id of a secret's first version: the same for everyone who creates it, so that of two at once the second is
/// refused instead of overwriting the first (`ClientRequestToken` of PutSecretValue: 32 to 64 characters).
fn first_version(name: &str, keys: &[String]) -> String {
    let lines = std::iter::once(name).chain(keys.iter().map(String::as_str));
    format!("leo-first-{:032x}", fingerprint(lines))
}

/// Error codes with which AWS says that it does not know the caller, or does not let them (IAM User Guide, "Common
/// errors").
const CREDENTIAL_CODES: [&str; 9] = [
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// An error without what was sent: AWS's validation messages may quote a request.
fn service_error<E>(
    operation: &'static str,
    name: &str,
    error: &SdkError<E>,
    sent: Option<&Secret>,
) -> SecretsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let message = match (error.code(), error.message()) {
        (Some(code), Some(_)) if sent.is_some() && !CREDENTIAL_CODES.contains(&code) => code.to_owned(),
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => chain(error),
    };
    let kind = match error.code() {
        Some(code) if CREDENTIAL_CODES.contains(&code) => FailureKind::Credentials,
        // Without a code nothing was asked: the SDK itself found no credentials.
        None if message.contains("credentials") => FailureKind::Credentials,
        _ => FailureKind::Failed,
    };
    SecretsError::Service { operation, secret: name.to_owned(), message, kind }
}

/// An error and its sources, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        // Writing to a String can't fail.
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}
