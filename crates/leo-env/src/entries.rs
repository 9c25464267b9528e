//! The lines of a file, for whoever checks or shows them one by one.

use std::{mem::take, ops::RangeInclusive};

use crate::{Secret, file};

/// A variable of a file.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub key: String,
    /// Its value, perhaps empty. Whether it is a secret is not known here.
    pub value: Secret,
    /// Its lines, from 1.
    pub lines: RangeInclusive<usize>,
}

/// The variables of a file's text that can be read. What is wrong with the others says [`Env::check`](crate::Env::check).
pub fn entries(path: &str, text: &str) -> Vec<Entry> {
    let (entries, _) = file::parse(path, text);
    let entry = |mut entry: file::Entry| Entry {
        key: entry.key,
        value: Secret::new(take(&mut *entry.value)),
        lines: entry.lines.start + 1..=entry.lines.end,
    };
    entries.into_iter().filter(|entry| file::is_key(&entry.key)).map(entry).collect()
}
