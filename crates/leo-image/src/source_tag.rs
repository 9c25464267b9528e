use std::time::SystemTime;

use time::{Date, Duration, OffsetDateTime};

use crate::ImageTag;

/// A day of the calendar in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    /// The day on which this moment is.
    pub fn of(moment: SystemTime) -> Self {
        Self(OffsetDateTime::from(moment).date())
    }

    /// This day and the `count` days before it, the newest first.
    fn and_before(self, count: u32) -> impl Iterator<Item = Self> {
        (0..=count).map_while(move |days| self.0.checked_sub(Duration::days(days.into())).map(Self))
    }

    /// Like `20261122`.
    fn digits(self) -> String {
        format!("{:04}{:02}{:02}", self.0.year(), u8::from(self.0.month()), self.0.day())
    }
}

/// The tags that say what an image was built from. Such a tag is a proof: the image was built from exactly that, and
/// was looked at in the registry before it got the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceTags {
    /// What an image that is built now gets.
    pub new: ImageTag,
    /// An image with any of these need not be built again; the newest first.
    pub accepted: Vec<ImageTag>,
}

impl SourceTags {
    /// The tags of a source with this hash (hexadecimal digits). With bases that don't move the same source is the same
    /// image for ever; others may have moved, so what was built from them counts for `max_age_days`.
    pub fn of(hash: &str, moving: bool, today: Day, max_age_days: u32) -> Self {
        if moving {
            let accepted =
                today.and_before(max_age_days).map(|day| ImageTag::of_source(hash, Some(&day.digits())));
            Self { new: ImageTag::of_source(hash, Some(&today.digits())), accepted: accepted.collect() }
        } else {
            let tag = ImageTag::of_source(hash, None);
            Self { new: tag.clone(), accepted: vec![tag] }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration as Seconds;

    use super::*;

    /// 2024-03-01, a second before midnight: the day before was a leap day.
    fn today() -> Day {
        Day::of(SystemTime::UNIX_EPOCH + Seconds::from_secs(1_709_337_599))
    }

    fn texts(tags: &[ImageTag]) -> Vec<&str> {
        tags.iter().map(ImageTag::as_str).collect()
    }

    #[test]
    fn pinned_bases_make_one_tag_that_lasts() {
        let tags = SourceTags::of("0a1b", false, today(), 7);
        assert_eq!((tags.new.as_str(), texts(&tags.accepted)), ("src-0a1b", vec!["src-0a1b"]));
    }

    #[test]
    fn moving_bases_make_one_tag_a_day_and_the_newest_is_asked_for_first() {
        let tags = SourceTags::of("0a1b", true, today(), 2);
        assert_eq!(tags.new.as_str(), "src-0a1b-20240301");
        assert_eq!(texts(&tags.accepted), ["src-0a1b-20240301", "src-0a1b-20240229", "src-0a1b-20240228"]);
        assert_eq!(SourceTags::of("0a1b", true, today(), 90).accepted.len(), 91);
    }
}
