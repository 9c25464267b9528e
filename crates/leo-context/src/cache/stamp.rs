//! When a file can be taken for the one that was read.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::hash::Fields;

/// Time stamps come from the clock's last tick, which is at most 10 ms ago (Linux with `CONFIG_HZ=100`).
const TICK: Duration = Duration::from_millis(20);
/// The coarsest time stamps that a file system keeps are FAT's.
const COARSE: Duration = Duration::from_secs(2);

/// What tells whether a file is still the one that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(super) size: u64,
    pub(super) modified: Moment,
    pub(super) changed: Moment,
    pub(super) inode: u64,
    pub(super) device: u64,
}

/// Seconds and nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(super) i64, pub(super) i64);

impl Moment {
    /// The clock's.
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), i64::from(since.subsec_nanos()))
    }

    fn plus(self, time: Duration) -> Self {
        let nanoseconds = self.1 + i64::from(time.subsec_nanos());
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let carried = nanoseconds.div_euclid(1_000_000_000);
        Self(self.0.saturating_add(seconds).saturating_add(carried), nanoseconds.rem_euclid(1_000_000_000))
    }
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            modified: Moment(metadata.mtime(), metadata.mtime_nsec()),
            changed: Moment(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
        }
    }

    /// Makes it part of what `hash` stands for.
    pub(crate) fn add_to(&self, hash: &mut Fields) {
        let Self { size, modified, changed, inode, device } = *self;
        for number in [size, inode, device] {
            hash.number(number);
        }
        for number in [modified.0, modified.1, changed.0, changed.1] {
            hash.add(&number.to_le_bytes());
        }
    }

    /// Whether a change of the file after `look` began would give it another stamp. One that was changed just
    /// before could be changed again with the same time stamp and size.
    pub(crate) fn settled(&self, look: Moment) -> bool {
        let last = self.modified.max(self.changed);
        let whole_seconds = self.modified.1 == 0 && self.changed.1 == 0;
        last.plus(if whole_seconds { COARSE } else { TICK }) < look
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_changed_just_now_may_change_again_unseen() {
        let stamp = |modified, changed| Stamp { size: 1, modified, changed, inode: 1, device: 1 };
        let look = Moment(100, 5_000_000);
        for (modified, changed, settled) in [
            (Moment(90, 1), Moment(90, 1), true),
            (Moment(99, 980_000_000), Moment(99, 980_000_000), true),
            (Moment(99, 990_000_000), Moment(99, 990_000_000), false),
            (Moment(90, 1), Moment(99, 990_000_000), false),
            (Moment(99, 990_000_000), Moment(90, 1), false),
            (Moment(200, 0), Moment(90, 1), false),
            // Whole seconds are what a coarse file system has.
            (Moment(99, 0), Moment(99, 0), false),
            (Moment(97, 0), Moment(97, 0), true),
            // A date that was set is no sign of that.
            (Moment(0, 0), Moment(99, 980_000_000), true),
        ] {
            assert_eq!(stamp(modified, changed).settled(look), settled, "{modified:?} {changed:?}");
        }
    }
}
