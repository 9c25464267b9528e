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

const TRANSIENT: [&str; 7] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "RequestTimeout",
    "ServerException",
    "ServiceUnavailable",
];

impl ErrorClass {
    /// The class of an error code of AWS, with the message that came with it.
    pub(crate) fn of_code(code: &str, message: &str) -> Self {
        if CREDENTIALS.contains(&code) {
            Self::Credentials
        // ECS hides it behind InvalidParameterException.
        } else if THROTTLED.contains(&code) || message.contains("Rate exceeded") {
            Self::Throttled
        } else if TRANSIENT.contains(&code) {
            Self::Transient
        } else {
            Self::Final
        }
    }
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
            assert_eq!(ErrorClass::of_code(code, message), expected, "{code} {message}");
        }
    }
}
