//! How often is looked: seldom while nothing happens, and seldom when AWS asks for it.

use std::time::Duration;

use leo_aws::{ErrorClass, ServiceError};
use tokio::time::sleep;

/// A look is five to eight calls, so these keep well under the rates of ECS ("Request throttling for the Amazon ECS
/// API", Amazon ECS API Reference: 20 calls a second refill most reads).
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(6);
/// How far throttling, a broken connection or expired credentials stretch it.
const SLOWEST: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct Pace(Duration);

impl Pace {
    pub(crate) fn new() -> Self {
        Self(SHORTEST)
    }

    /// After a look that did or did not bring something new, and whose calls failed so.
    pub(crate) fn after(&mut self, news: bool, failed: &[ServiceError]) {
        let is = |class| failed.iter().any(|error| error.class == class);
        self.0 = if failed.iter().any(is_expired) {
            SLOWEST
        } else if is(ErrorClass::Throttled) || is(ErrorClass::Transient) {
            (self.0.max(LONGEST / 2) * 2).min(SLOWEST)
        } else if news {
            SHORTEST
        } else {
            self.0.mul_f64(1.4).min(LONGEST)
        };
    }

    /// Waits for the next look, never in time with other tools.
    pub(crate) async fn wait(&self) {
        sleep(self.0.mul_f64(0.75 + 0.5 * fastrand::f64())).await;
    }
}

/// The credentials as such are refused, not this one call.
fn is_expired(error: &ServiceError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    error.class == ErrorClass::Credentials && !code.contains("Denied") && !code.contains("Unauthorized")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(class: ErrorClass, code: &str) -> ServiceError {
        ServiceError { operation: "ListTasks", class, code: Some(code.to_owned()), message: String::new() }
    }

    #[test]
    fn throttling_slows_news_quicken_and_a_refused_call_does_neither() {
        let mut pace = Pace::new();
        for _ in 0..10 {
            pace.after(false, &[]);
        }
        assert_eq!(pace.0, LONGEST);
        pace.after(true, &[error(ErrorClass::Throttled, "ThrottlingException")]);
        assert_eq!(pace.0, LONGEST * 2);
        for _ in 0..10 {
            pace.after(true, &[error(ErrorClass::Throttled, "ThrottlingException")]);
        }
        assert_eq!(pace.0, SLOWEST);
        pace.after(true, &[error(ErrorClass::Credentials, "AccessDeniedException")]);
        assert_eq!(pace.0, SHORTEST);
        pace.after(true, &[error(ErrorClass::Credentials, "ExpiredTokenException")]);
        assert_eq!(pace.0, SLOWEST);
    }
}
