/// What the caller of a failed call may do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Codes with which AWS says that it does not know the caller, or does not let them (IAM User Guide, "Common errors").
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

const TRANSIENT: [&str; 10] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceError",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

impl ErrorClass {
    /// The class of an error code of AWS, with the message and the HTTP status that came with it.
    pub fn of_code(code: &str, message: &str, status: Option<u16>) -> Self {
        if CREDENTIALS.contains(&code) {
            Self::Credentials
        // ECS hides it behind InvalidParameterException.
        } else if THROTTLED.contains(&code) || message.contains("Rate exceeded") {
            Self::Throttled
        } else if TRANSIENT.contains(&code) || status.is_some_and(is_of_the_service) {
            Self::Transient
        } else {
            Self::Final
        }
    }
}

/// Whether the fault is the service's own. 501 says that it never does what was asked.
fn is_of_the_service(status: u16) -> bool {
    status >= 500 && status != 501
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        let table = [
            ("ExpiredToken", "", 400, ErrorClass::Credentials),
            ("InvalidClientTokenId", "", 403, ErrorClass::Credentials),
            ("AccessDenied", "", 403, ErrorClass::Credentials),
            ("AccessDeniedException", "", 400, ErrorClass::Credentials),
            ("Throttling", "Rate exceeded", 400, ErrorClass::Throttled),
            ("InvalidParameterException", "Rate exceeded", 400, ErrorClass::Throttled),
            ("SlowDown", "", 503, ErrorClass::Throttled),
            ("InternalFailure", "", 400, ErrorClass::Transient),
            ("ServiceUnavailableException", "", 400, ErrorClass::Transient),
            ("InternalServerException", "", 400, ErrorClass::Transient),
            ("RequestTimeoutException", "", 400, ErrorClass::Transient),
            ("ValidationError", "Stack [x] does not exist", 400, ErrorClass::Final),
            ("SomethingNew", "", 400, ErrorClass::Final),
            ("SomethingNew", "", 500, ErrorClass::Transient),
            ("NotImplemented", "", 501, ErrorClass::Final),
        ];
        for (code, message, status, expected) in table {
            assert_eq!(
                ErrorClass::of_code(code, message, Some(status)),
                expected,
                "{code} {message} {status}"
            );
        }
        assert_eq!(ErrorClass::of_code("SomethingNew", "", None), ErrorClass::Final);
    }
}
