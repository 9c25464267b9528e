use crate::InvalidValue;

/// CloudWatch Logs, PutRetentionPolicy, "retentionInDays".
const ALLOWED: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// For how long CloudWatch keeps log lines: one of the periods that it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogRetention(u32);

impl LogRetention {
    /// Seven days, the default.
    pub const WEEK: Self = Self(7);

    /// A period in days; the error names the nearest ones that CloudWatch allows.
    pub fn from_days(days: u32) -> Result<Self, InvalidValue> {
        if Self::allowed().any(|allowed| allowed == days) {
            return Ok(Self(days));
        }
        let shorter = Self::allowed().filter(|allowed| *allowed < days).max();
        let longer = Self::allowed().filter(|allowed| *allowed > days).min();
        let nearest: Vec<String> = shorter.into_iter().chain(longer).map(|days| days.to_string()).collect();
        Err(InvalidValue::new(
            "is not a retention that CloudWatch Logs allows",
            format!("the nearest: {}", nearest.join(" or ")),
        )
        .found(format!("{days} days")))
    }

    /// The period in days.
    pub fn days(self) -> u32 {
        self.0
    }

    /// Every period that CloudWatch allows, in days, ascending.
    pub fn allowed() -> impl Iterator<Item = u32> {
        ALLOWED.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_periods_of_cloudwatch_are_taken() {
        assert!(LogRetention::allowed().is_sorted());
        assert!(
            LogRetention::allowed()
                .all(|days| LogRetention::from_days(days).is_ok_and(|found| found.days() == days))
        );
        let hint = |days| LogRetention::from_days(days).unwrap_err().hint().unwrap();
        assert_eq!(hint(0), "the nearest: 1");
        assert_eq!(hint(8), "the nearest: 7 or 14");
        assert_eq!(hint(4000), "the nearest: 3653");
    }
}
