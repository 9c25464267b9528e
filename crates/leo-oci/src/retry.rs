use std::future::Future;
use std::time::Duration;

use crate::OciError;

/// Before each further attempt.
pub(crate) const PAUSES: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(4)];

/// Tries again what failed for a passing reason.
pub(crate) async fn persist<T, F>(
    mut attempt: impl FnMut() -> F,
    again: impl Fn(&OciError),
) -> Result<T, OciError>
where
    F: Future<Output = Result<T, OciError>>,
{
    let mut falsified = false;
    for pause in PAUSES {
        match attempt().await {
            // What is false twice is false where it comes from.
            Err(error @ OciError::Corrupt { .. }) if std::mem::replace(&mut falsified, true) => {
                return Err(error);
            }
            Err(error) if error.is_passing() => {
                again(&error);
                tokio::time::sleep(pause).await;
            }
            result => return result,
        }
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::manifest::digest_of;

    fn refused(status: u16) -> OciError {
        OciError::Refused { doing: "ask".to_owned(), status, message: "later".to_owned() }
    }

    async fn attempts(error: impl Fn() -> OciError) -> usize {
        let count = Cell::new(0);
        let attempt = || {
            count.set(count.get() + 1);
            std::future::ready(Err::<(), _>(error()))
        };
        persist(attempt, |_| {}).await.unwrap_err();
        count.get()
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_four_times_and_what_lasts_once() {
        for (status, times) in [(500, 4), (503, 4), (429, 4), (408, 4), (400, 1), (404, 1), (405, 1)] {
            assert_eq!(attempts(|| refused(status)).await, times, "{status}");
        }
        let silent = || OciError::Unreachable { host: "h".to_owned(), message: "m".to_owned() };
        assert_eq!(attempts(silent).await, 4);
        let corrupt = || OciError::Corrupt {
            doing: "read".to_owned(),
            wanted: digest_of(b"a"),
            found: digest_of(b"b"),
        };
        assert_eq!(attempts(corrupt).await, 2);
    }
}
