//! One change of a text, and whether it is the only one.

use std::ops::Range;

use secrecy::zeroize::Zeroizing;

use crate::file::{self, Entry};

/// A text with other parts in one place. It has room for all of them at once: what moves while it grows would leave its
/// text behind in memory.
pub(super) fn spliced(text: &str, place: Range<usize>, parts: &[&str]) -> Zeroizing<String> {
    let length = text.len() + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut changed = Zeroizing::new(String::with_capacity(length));
    changed.push_str(text.get(..place.start).unwrap_or_default());
    for part in parts {
        changed.push_str(part);
    }
    changed.push_str(text.get(place.end..).unwrap_or_default());
    changed
}

/// Whether the changed text reads like the one before but for one key, which has this value, and nothing more of it can't
/// be read.
pub(super) fn is_only_change(
    path: &str,
    text: &str,
    before: &[Entry],
    changed: &str,
    (key, value): (&str, &str),
) -> bool {
    let (after, findings) = file::parse(path, changed);
    let mut of_key = after.iter().filter(|entry| entry.key == key);
    of_key.next().is_some_and(|entry| *entry.value == value)
        && of_key.next().is_none()
        && others(before, key).eq(others(&after, key))
        && findings.len() <= file::parse(path, text).1.len()
}

/// What all keys but one are set to.
fn others<'e>(entries: &'e [Entry], key: &'e str) -> impl Iterator<Item = (&'e str, &'e str)> {
    entries
        .iter()
        .filter(move |entry| entry.key != key)
        .map(|entry| (entry.key.as_str(), entry.value.as_str()))
}
