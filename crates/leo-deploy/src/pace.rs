//! How often AWS is asked, and for how long a silence is borne.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

/// Grows while nothing happens, shrinks when something does, and never beats in time with other tools.
#[derive(Debug)]
pub(crate) struct Pace {
    shortest: Duration,
    longest: Duration,
    current: Duration,
}

/// How far a throttled or broken connection may stretch the pace.
const SLOWEST: Duration = Duration::from_secs(30);

impl Pace {
    /// Of a change set, which is computed in seconds.
    pub(crate) fn of_change_set() -> Self {
        Self::between(Duration::from_millis(200), Duration::from_secs(3))
    }

    /// Of a stack's operation, which takes minutes.
    pub(crate) fn of_operation() -> Self {
        Self::between(Duration::from_millis(500), Duration::from_secs(4))
    }

    fn between(shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest, current: shortest }
    }

    /// Something happened: more is likely to follow soon.
    pub(crate) fn quicken(&mut self) {
        self.current = self.shortest;
    }

    /// The other side asks for fewer calls, or can't be reached.
    pub(crate) fn slow_down(&mut self) {
        self.current = (self.current.max(self.longest) * 2).min(SLOWEST);
    }

    /// Waits for the next turn.
    pub(crate) async fn wait(&mut self) {
        sleep(self.current.mul_f64(0.75 + 0.5 * fastrand::f64())).await;
        self.current = (self.current.mul_f64(1.5)).min(self.longest.max(self.current));
    }
}

/// Spaces calls of one kind over everything that shares it: DescribeStacks is throttled at about 5 calls a second
/// for the whole account, and other tools want some of them.
#[derive(Debug, Clone)]
pub(crate) struct Turnstile {
    next: Arc<Mutex<Instant>>,
}

const SPACING: Duration = Duration::from_millis(600);
/// Three calls may go at once, so at most four in any second.
const BURST: Duration = SPACING.saturating_mul(2);

impl Turnstile {
    pub(crate) fn new() -> Self {
        Self { next: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Waits for a turn.
    pub(crate) async fn pass(&self) {
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(Instant::now());
            *next = turn + SPACING;
            turn
        };
        if let Some(at) = turn.checked_sub(BURST) {
            sleep_until(at).await;
        }
    }
}

/// For how long calls may fail in a row before an operation is left alone.
#[derive(Debug)]
pub(crate) struct Patience {
    limit: Duration,
    failing_since: Option<Instant>,
}

impl Patience {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, failing_since: None }
    }

    /// A call was answered.
    pub(crate) fn restore(&mut self) {
        self.failing_since = None;
    }

    /// A call was not answered; whether it is worth trying again.
    pub(crate) fn bears(&mut self) -> bool {
        self.failing_since.get_or_insert_with(Instant::now).elapsed() < self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn at_most_four_calls_pass_in_any_second() {
        let turnstile = Turnstile::new();
        let mut times = Vec::new();
        for _ in 0..50 {
            turnstile.pass().await;
            times.push(Instant::now());
        }
        for (index, start) in times.iter().enumerate() {
            let within =
                times[index..].iter().filter(|time| **time - *start < Duration::from_secs(1)).count();
            assert!(within <= 4, "{within} calls in the second after call {index}");
        }
        assert_eq!(times[0], times[2], "a burst of three does not wait");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pace_slows_in_silence_and_recovers() {
        let mut pace = Pace::of_operation();
        for _ in 0..20 {
            pace.wait().await;
        }
        assert_eq!(pace.current, Duration::from_secs(4));
        pace.slow_down();
        assert_eq!(pace.current, Duration::from_secs(8));
        for _ in 0..5 {
            pace.slow_down();
        }
        assert_eq!(pace.current, SLOWEST);
        pace.quicken();
        assert_eq!(pace.current, Duration::from_millis(500));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_counts_from_the_first_failure_in_a_row() {
        let mut patience = Patience::new(Duration::from_mins(1));
        assert!(patience.bears());
        sleep(Duration::from_secs(59)).await;
        assert!(patience.bears());
        patience.restore();
        sleep(Duration::from_secs(59)).await;
        assert!(patience.bears());
        sleep(Duration::from_mins(1)).await;
        assert!(!patience.bears());
    }
}
