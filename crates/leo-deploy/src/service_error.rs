//! A refused or failed call to AWS, reduced to what decides what happens next.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use serde::Serialize;

/// A call to AWS that gave no answer. It holds the service's own words and nothing of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{operation}: {}{message}", code.as_deref().map(|code| format!("{code}: ")).unwrap_or_default())]
pub struct ServiceError {
    /// The API operation, as AWS spells it.
    pub operation: &'static str,
    /// What the caller may do about it.
    pub class: ErrorClass,
    /// AWS's error code, where the service answered at all.
    pub code: Option<String>,
    /// AWS's message, or what the connection said.
    pub message: String,
}

/// What the caller of a failed call may do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorClass {
    /// Credentials are missing, expired, or not allowed to do this: no retry helps.
    Credentials,
    /// Too many calls: slower, then again.
    Throttled,
    /// No connection, a timeout, or a fault on AWS's side: again.
    Transient,
    /// The request itself is refused: no retry helps.
    Final,
}

const CREDENTIALS: [&str; 17] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnauthorizedException",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
];

const THROTTLED: [&str; 10] = [
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

const TRANSIENT: [&str; 6] = [
    "InternalFailure",
    "InternalServerError",
    "InternalError",
    "RequestTimeout",
    "ServerException",
    "ServiceUnavailable",
];

impl ServiceError {
    /// Classifies what the SDK reported about `operation`.
    pub fn of<E>(operation: &'static str, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let service = error.as_service_error();
        let code = service.and_then(ProvideErrorMetadata::code).map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let message = match (service.and_then(ProvideErrorMetadata::message), status) {
            (Some(message), _) => message.to_owned(),
            // A proxy's or a gateway's answer, not the service's.
            (None, Some(status)) => format!("answered with HTTP status {status}"),
            (None, None) => innermost_messages(error),
        };
        let class = match (&code, status) {
            (Some(code), _) => class_of(code, &message),
            (None, Some(429)) => ErrorClass::Throttled,
            (None, Some(400..=499)) => ErrorClass::Final,
            (None, None) if is_credentials_failure(error) => ErrorClass::Credentials,
            (None, None) if matches!(error, SdkError::ConstructionFailure(_)) => ErrorClass::Final,
            (None, _) => ErrorClass::Transient,
        };
        Self { operation, class, code, message }
    }

    /// Whether the call may be tried again.
    pub fn is_retryable(&self) -> bool {
        matches!(self.class, ErrorClass::Throttled | ErrorClass::Transient)
    }

    /// Whether the service says that the named thing is not there.
    pub fn is_absent(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        (code == "ValidationError" && self.message.contains("does not exist"))
            || code.starts_with("ChangeSetNotFound")
    }

    /// What to do, where that is known.
    pub fn hint(&self) -> Option<String> {
        let code = self.code.as_deref().unwrap_or_default();
        match self.class {
            ErrorClass::Credentials if code.contains("Denied") || code.contains("Unauthorized") => {
                Some(format!("allow these credentials to call {}, or use others", self.operation))
            }
            ErrorClass::Credentials => Some(
                "sign in again (`aws sso login`, or new keys in the profile), then run the same command"
                    .to_owned(),
            ),
            ErrorClass::Throttled => {
                Some("other tools use up this account's call rate: run it again in a minute".to_owned())
            }
            ErrorClass::Transient => Some("check the connection, then run the same command".to_owned()),
            ErrorClass::Final => None,
        }
    }
}

fn class_of(code: &str, message: &str) -> ErrorClass {
    if CREDENTIALS.contains(&code) {
        ErrorClass::Credentials
    } else if THROTTLED.contains(&code) || message.contains("Rate exceeded") {
        ErrorClass::Throttled
    } else if TRANSIENT.contains(&code) {
        ErrorClass::Transient
    } else {
        ErrorClass::Final
    }
}

fn is_credentials_failure(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(<dyn StdError>::is::<CredentialsError>)
}

/// The texts of the chain from the outside in, without the outer layers that only say "dispatch failure".
fn innermost_messages(error: &(dyn StdError + 'static)) -> String {
    let texts = chain(error).map(ToString::to_string).collect::<Vec<_>>();
    let from = texts.len().saturating_sub(2);
    texts.get(from..).unwrap_or_default().join(": ")
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        let table = [
            ("ExpiredToken", "", ErrorClass::Credentials),
            ("InvalidClientTokenId", "", ErrorClass::Credentials),
            ("AccessDenied", "", ErrorClass::Credentials),
            ("AccessDeniedException", "", ErrorClass::Credentials),
            ("Throttling", "Rate exceeded", ErrorClass::Throttled),
            ("InvalidParameterException", "Rate exceeded", ErrorClass::Throttled),
            ("InternalFailure", "", ErrorClass::Transient),
            ("ValidationError", "Stack [x] does not exist", ErrorClass::Final),
            ("SomethingNew", "", ErrorClass::Final),
        ];
        for (code, message, expected) in table {
            assert_eq!(class_of(code, message), expected, "{code} {message}");
        }
    }
}
