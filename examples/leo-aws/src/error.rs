//! What can go wrong in a call, and which of it is worth another try.

/// A call that did not succeed. No variant can carry a credential.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The container's credentials endpoint gave none, or something that is none.
    #[error("get the task role's credentials: {reason}")]
    Credentials {
        /// What it did instead.
        reason: String,
    },
    /// The request can't be signed or written down; a defect of the caller's input, such as a bucket name with a space.
    #[error("write the request {operation}: {reason}")]
    Request {
        /// The AWS name of the operation.
        operation: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// No answer came: no connection, a broken one, or none in time.
    #[error("reach AWS for {operation}: {reason}")]
    Transport {
        /// The AWS name of the operation.
        operation: &'static str,
        /// Every cause, outermost first.
        reason: String,
    },
    /// AWS answered with an error.
    #[error("{operation}: {code} (HTTP {status}): {message}")]
    Service {
        /// The AWS name of the operation.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
        /// AWS's name of the error, such as `AccessDenied`.
        code: String,
        /// AWS's own words.
        message: String,
    },
    /// AWS answered with success, and the answer can't be read.
    #[error("read the answer to {operation}: {reason}")]
    Answer {
        /// The AWS name of the operation.
        operation: &'static str,
        /// What was not there.
        reason: String,
    },
}

impl Error {
    /// Whether the same call may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport { .. } => true,
            Self::Service { status, .. } => {
                matches!(status, 429 | 500 | 502 | 503 | 504) || self.is_throttled()
            }
            Self::Credentials { .. } | Self::Request { .. } | Self::Answer { .. } => false,
        }
    }

    /// Whether AWS asked for a slower pace. ECS hides it in `InvalidParameterException … Rate exceeded` when it is
    /// Fargate's launch rate that was passed.
    pub fn is_throttled(&self) -> bool {
        let Self::Service { code, message, .. } = self else { return false };
        matches!(
            code.as_str(),
            "Throttling"
                | "ThrottlingException"
                | "ThrottledException"
                | "TooManyRequestsException"
                | "RequestLimitExceeded"
                | "SlowDown"
        ) || message.contains("Rate exceeded")
    }

    /// Whether the object or bucket that was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Service { status: 404, .. })
    }

    /// Whether AWS forbids it. S3 says so too of an object that is not there, to who may not list the bucket.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Service { status: 403, .. })
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Credentials { .. } => {
                "the task definition needs a task role; outside ECS, set AWS_ACCESS_KEY_ID and \
                                         AWS_SECRET_ACCESS_KEY"
            }
            Self::Service { code, .. } if code.starts_with("AccessDenied") => {
                "the task role's policy does not allow this call on this resource"
            }
            Self::Transport { .. } => {
                "a task in a public subnet needs a public IP address and a security group that lets HTTPS out"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    fn service(status: u16, code: &str, message: &str) -> Error {
        Error::Service { operation: "RunTask", status, code: code.to_owned(), message: message.to_owned() }
    }

    #[test]
    fn throttling_is_seen_behind_every_name_that_it_has() {
        for error in [
            service(400, "ThrottlingException", "slow down"),
            service(400, "InvalidParameterException", "Task launch: Rate exceeded"),
            service(503, "SlowDown", "Please reduce your request rate."),
        ] {
            assert!(error.is_throttled() && error.is_transient(), "{error}");
        }
        assert!(!service(400, "InvalidParameterException", "No such subnet").is_transient());
        assert!(!service(403, "AccessDenied", "no").is_transient());
    }

    #[test]
    fn messages_read_after_failed_to() {
        insta::assert_snapshot!(service(403, "AccessDenied", "not you"), @"RunTask: AccessDenied (HTTP 403): not you");
        let error = Error::Transport { operation: "PutObject", reason: "connection refused".to_owned() };
        insta::assert_snapshot!(error, @"reach AWS for PutObject: connection refused");
    }
}
