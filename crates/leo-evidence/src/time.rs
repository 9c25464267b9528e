//! Times as they are saved: RFC 3339 in UTC.

use std::time::SystemTime;

use aws_sdk_ecs::primitives::{DateTime, DateTimeFormat};

/// This moment, in whole seconds.
pub(crate) fn now() -> String {
    let seconds = DateTime::from(SystemTime::now()).secs();
    text(&DateTime::from_secs(seconds)).unwrap_or_default()
}

pub(crate) fn text(time: &DateTime) -> Option<String> {
    time.fmt(DateTimeFormat::DateTime).ok()
}

/// Seconds since 1970.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    DateTime::from_str(text, DateTimeFormat::DateTime).ok().map(|time| time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_compared() {
        assert!(seconds(&now()).is_some_and(|now| now > 1_700_000_000.0));
        assert_eq!(seconds("2026-11-01T12:00:00.5Z"), Some(1_793_534_400.5));
        assert_eq!(seconds("soon"), None);
    }
}
