//! The shapes of tokens and keys, found in text.
//!
//! Three questions, each with its own answer:
//!
//! * [`find`]: which known tokens are in a text? By shapes that are hardly ever anything else, so that it can stop a build.
//! * [`looks_secret`]: is a value that is to be seen by others rather a secret? Also by its entropy, which is a guess.
//! * [`Shape`]: is a value what one key wants, like a fine-grained token of GitHub's? The names are those of
//!   `infra/env.toml`; [`describe`] says what it is instead.
//!
//! What is said about a value never holds a part of it.
//!
//! What this crate deliberately does not do: read files (it is given what was read, if need be in parts: [`Scanner`]), ask
//! a provider whether a token is good, or judge by names of files and keys.

mod alphabet;
mod chance;
mod jwt;
mod named;
mod scan;
mod shapes;

use std::{ops::Range, sync::LazyLock};

pub use named::{Shape, UnknownShape};
pub use scan::{OVERLAP, Scanner, Window, kind_name, rules};

/// A known token in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is: "a GitHub token".
    pub what: &'static str,
    /// Its bytes in the text. Of a token that only its name tells (`aws_secret_access_key = …`) the name belongs to it.
    pub range: Range<usize>,
}

static SCANNER: LazyLock<Scanner> = LazyLock::new(Scanner::new);

/// All known tokens in a text, first to last. They do not overlap.
pub fn find(text: &str) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    SCANNER.spans(Window { bytes: text.as_bytes(), first: true, last: true }, |kind, known, span| {
        let end = text.floor_char_boundary(known.end + span.after);
        let range = known.start.saturating_sub(span.before)..end;
        let after_last = all.last().is_none_or(|last| last.range.end <= range.start);
        if let Some(what) = kind_name(kind).filter(|_| after_last) {
            all.push(Found { what, range });
        }
    });
    all
}

/// What a value looks like that must not be seen: a known token, a URL with a password, or anything that is as random as
/// a key. Names, ids and ARNs of AWS, digests and UUIDs are none.
///
/// For values that are committed or printed. By design it is wrong at times, so whoever is told must be able to go on.
pub fn looks_secret(value: &str) -> Option<&'static str> {
    if let Some(found) = find(value).first() {
        return Some(found.what);
    }
    if chance::url_with_password(value) {
        return Some("a URL with a password");
    }
    if value.split_whitespace().any(jwt::is_token) {
        return Some("a JSON Web Token");
    }
    chance::random_word(value).then_some("a value as random as a key")
}

/// What a whole value is: one of the named shapes, or a known token. `None` says nothing about it.
pub fn describe(value: &str) -> Option<&'static str> {
    let named = Shape::ALL.into_iter().filter(|shape| *shape != Shape::SupabaseUrl);
    named
        .into_iter()
        .find(|shape| shape.matches(value))
        .map(Shape::what)
        .or_else(|| find(value).iter().find(|found| found.range.start == 0).map(|found| found.what))
        .or_else(|| jwt::is_token(value).then_some("a JSON Web Token"))
}

#[cfg(test)]
mod tests;
