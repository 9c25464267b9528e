//! How many tests passed, read from what the test runners print.

use std::{fmt, ops::AddAssign};

/// How many tests had which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// The counts in a closing line of nextest or of `cargo test`; `None` for any other line.
    ///
    /// `cargo test` starts its line at the margin. Nextest shows the same line of each test that failed, but indented.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let list = match line.strip_prefix("test result: ") {
            Some(libtest) => libtest.split_once(". ")?.1,
            None => line.trim_start().strip_prefix("Summary [")?.split_once(" run: ")?.1,
        };
        let mut counts = Self::default();
        // What stands in brackets, as `(2 slow, 1 leaky)`, tells those before it apart.
        let list: String = list.split('(').map(|part| part.rsplit(')').next().unwrap_or_default()).collect();
        for part in list.split([',', ';']) {
            let mut words = part.split_whitespace();
            let (Some(Ok(number)), Some(kind)) = (words.next().map(str::parse::<u64>), words.next()) else {
                continue;
            };
            match kind {
                "passed" => counts.passed += number,
                "skipped" | "ignored" => counts.skipped += number,
                // What libtest was told not to run counts nowhere; the rest of libtest's line is the time.
                "filtered" | "measured" => {}
                // "failed", "timed out", "exec failed", "leaky-failed": not passed.
                _ => counts.failed += number,
            }
        }
        Some(counts)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn closing_lines_are_counted() {
        for (line, expected) in [
            (
                "     Summary [   0.512s] 12 tests run: 12 passed (2 slow, 1 leaky), 3 skipped",
                Some(counts(12, 0, 3)),
            ),
            (
                "     Summary [   9.001s] 10/12 tests run: 7 passed, 1 failed, 2 timed out, 0 skipped",
                Some(counts(7, 3, 0)),
            ),
            (
                "     Summary [   0.001s] 1 test run: 0 passed, 1 exec failed, 0 skipped",
                Some(counts(0, 1, 0)),
            ),
            (
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 9 filtered out; finished in 0.02s",
                Some(counts(3, 0, 1)),
            ),
            (
                "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
                Some(counts(3, 2, 0)),
            ),
            ("    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 31 filtered out", None),
            ("        PASS [   0.004s] leo-cfn id::tests::one", None),
            ("", None),
        ] {
            assert_eq!(Counts::read(line), expected, "{line}");
        }
    }
}
