use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::{ErrorClass, FailureKind};

/// A call to AWS that gave no answer. It holds the service's own words and nothing of the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {}", self.reason())]
pub struct ServiceError {
    /// The API operation, as AWS spells it.
    pub operation: &'static str,
    /// What the caller may do about it.
    pub class: ErrorClass,
    /// AWS's error code, where the service answered at all.
    pub code: Option<String>,
    /// AWS's message, or what the connection said; empty where the code has to do.
    pub message: String,
}

impl ServiceError {
    /// Classifies what the SDK reported about `operation`.
    pub fn of<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let service = error.as_service_error();
        let code = service.and_then(ProvideErrorMetadata::code).map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let message = match service.and_then(ProvideErrorMetadata::message) {
            Some(message) => message.to_owned(),
            None => without_words(code.as_deref(), status, error),
        };
        let class = match (&code, status) {
            (Some(code), status) => ErrorClass::of_code(code, &message, status),
            (None, Some(429)) => ErrorClass::Throttled,
            (None, Some(400..=499)) => ErrorClass::Final,
            (None, None) if is_credentials_failure(error) => ErrorClass::Credentials,
            (None, None) if matches!(error, SdkError::ConstructionFailure(_)) => ErrorClass::Final,
            (None, _) => ErrorClass::Transient,
        };
        Self { operation, class, code, message }
    }

    /// As [`ServiceError::of`], for a call that sends what nobody may see: the service's message, which may quote it,
    /// is left out unless it is IAM's own about who may not do what.
    pub fn of_confidential<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let told = Self::of(operation, error);
        if told.class == ErrorClass::Credentials && names_who_may_not(&told.message) {
            return told;
        }
        let status = error.raw_response().map(|response| response.status().as_u16());
        Self { message: without_words(told.code.as_deref(), status, error), ..told }
    }

    /// Code and message, as far as there are any.
    pub fn reason(&self) -> String {
        match &self.code {
            Some(code) if self.message.is_empty() => code.clone(),
            Some(code) => format!("{code}: {}", self.message),
            None => self.message.clone(),
        }
    }

    /// Whether the call may be tried again.
    pub fn is_retryable(&self) -> bool {
        matches!(self.class, ErrorClass::Throttled | ErrorClass::Transient)
    }

    /// What it means for the exit code.
    pub fn kind(&self) -> FailureKind {
        match self.class {
            ErrorClass::Credentials => FailureKind::Credentials,
            ErrorClass::Throttled | ErrorClass::Transient | ErrorClass::Final => FailureKind::Failed,
        }
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

/// Whether a message is IAM's own ("Troubleshoot access denied error messages"): names and ARNs, which need no character
/// that a quoted request has.
fn names_who_may_not(message: &str) -> bool {
    message.starts_with("User: arn:")
        && message.contains(" is not authorized to perform: ")
        && !message.contains(['"', '\'', '`', '{', '=', '\\', '\n'])
}

/// What can be said of a failed call without the service's message.
fn without_words(code: Option<&str>, status: Option<u16>, error: &(dyn StdError + 'static)) -> String {
    match (code, status) {
        (Some(_), _) => String::new(),
        // A proxy's or a gateway's answer, not the service's.
        (None, Some(status)) => format!("answered with HTTP status {status}"),
        (None, None) => innermost_messages(error),
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
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    type Error = SdkError<ErrorMetadata, HttpResponse>;

    fn answered(status: u16, code: Option<&str>, message: Option<&str>) -> Error {
        let mut metadata = ErrorMetadata::builder();
        if let Some(code) = code {
            metadata = metadata.code(code);
        }
        if let Some(message) = message {
            metadata = metadata.message(message);
        }
        let status = StatusCode::try_from(status).unwrap();
        Error::service_error(metadata.build(), HttpResponse::new(status, SdkBody::empty()))
    }

    fn not_sent(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error::dispatch_failure(ConnectorError::other(source.into(), None))
    }

    #[test]
    fn what_came_back_decides_the_class_and_the_text() {
        let table = [
            (
                answered(400, Some("ExpiredToken"), Some("is expired")),
                ErrorClass::Credentials,
                "Call: ExpiredToken: is expired",
            ),
            (
                answered(400, Some("ValidationError"), Some("no")),
                ErrorClass::Final,
                "Call: ValidationError: no",
            ),
            (answered(400, Some("ValidationError"), None), ErrorClass::Final, "Call: ValidationError"),
            (
                answered(503, Some("SomethingNew"), Some("later")),
                ErrorClass::Transient,
                "Call: SomethingNew: later",
            ),
            (answered(429, None, None), ErrorClass::Throttled, "Call: answered with HTTP status 429"),
            (answered(404, None, None), ErrorClass::Final, "Call: answered with HTTP status 404"),
            (answered(502, None, None), ErrorClass::Transient, "Call: answered with HTTP status 502"),
            (not_sent("connection refused"), ErrorClass::Transient, "Call: other: connection refused"),
            (
                not_sent(CredentialsError::not_loaded("no profile")),
                ErrorClass::Credentials,
                "Call: the credential provider was not enabled: no profile",
            ),
            (
                Error::timeout_error("too slow"),
                ErrorClass::Transient,
                "Call: request has timed out: too slow",
            ),
            (
                Error::construction_failure("no name"),
                ErrorClass::Final,
                "Call: failed to construct request: no name",
            ),
        ];
        for (error, class, text) in table {
            let error = ServiceError::of("Call", &error);
            assert_eq!((error.class, error.to_string().as_str()), (class, text));
        }
    }

    #[test]
    fn of_a_confidential_call_only_words_about_credentials_are_shown() {
        let table = [
            (
                answered(400, Some("ValidationException"), Some("'canary' is bad")),
                "Call: ValidationException",
            ),
            (
                answered(400, Some("ThrottlingException"), Some("'canary' is one too many")),
                "Call: ThrottlingException",
            ),
            (
                answered(500, Some("InternalServiceError"), Some("'canary' is too much")),
                "Call: InternalServiceError",
            ),
            (answered(400, None, Some("'canary' is bad")), "Call: answered with HTTP status 400"),
            (
                answered(
                    400,
                    Some("AccessDeniedException"),
                    Some("User: arn:aws:iam::1:user/a is not authorized to perform: x:Y"),
                ),
                "Call: AccessDeniedException: User: arn:aws:iam::1:user/a is not authorized to perform: x:Y",
            ),
            (
                answered(
                    400,
                    Some("AccessDeniedException"),
                    Some("User: arn:aws:iam::1:user/a is not authorized to perform: x:Y with {\"canary\"}"),
                ),
                "Call: AccessDeniedException",
            ),
            (answered(400, Some("ExpiredTokenException"), Some("canary")), "Call: ExpiredTokenException"),
            (not_sent("connection refused"), "Call: other: connection refused"),
        ];
        for (error, text) in table {
            let open = ServiceError::of("Call", &error);
            let confidential = ServiceError::of_confidential("Call", &error);
            assert_eq!(confidential.to_string(), text);
            assert_eq!(confidential.class, open.class);
            assert!(!format!("{confidential:?}").contains("canary"));
        }
    }

    #[test]
    fn the_gravest_kind_is_the_greatest() {
        use FailureKind::{Credentials, Detached, Failed, Usage};
        assert_eq!([Usage, Credentials, Detached, Failed].into_iter().max(), Some(Credentials));
        assert_eq!([Failed, Detached, Usage].into_iter().max(), Some(Detached));
        assert_eq!([Failed, Usage, Credentials, Detached].map(FailureKind::exit_code), [1, 2, 4, 5]);
    }
}
