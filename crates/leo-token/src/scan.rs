//! Finds tokens in bytes, also in parts of a file that is too long to be held at once.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::shapes::{Place, SHAPES, Span};

/// Bytes at the end of what was read that come again in front of what follows: no token is longer, with what stands
/// around it.
pub const OVERLAP: usize = 8192;
/// As much before a token's known part is looked at.
const BEHIND: usize = 256;

/// To be changed when the same bytes are to be judged otherwise than before, with the same shapes.
const RULES: u32 = 1;

/// A part of a file.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    /// What was read.
    pub bytes: &'a [u8],
    /// Whether the file begins here. If not, its first [`OVERLAP`] bytes were the last ones of the window before.
    pub first: bool,
    /// Whether the file ends here.
    pub last: bool,
}

/// Hands out what decides which tokens are found, piece by piece, for a digest of it: with another one, what was found
/// before is worth nothing.
pub fn rules(mut add: impl FnMut(&[u8])) {
    add(&RULES.to_le_bytes());
    for shape in SHAPES {
        for part in [shape.known.as_bytes(), b"\0", shape.what.as_bytes(), b"\0"] {
            add(part);
        }
    }
}

/// The kind of secret behind a number that [`Scanner::scan`] reported: "a GitHub token".
pub fn kind_name(kind: u8) -> Option<&'static str> {
    SHAPES.get(usize::from(kind)).map(|shape| shape.what)
}

/// Looks for all shapes at once.
pub struct Scanner {
    /// `None` only if the table of shapes could not be compiled, which a test rules out.
    search: Option<AhoCorasick>,
}

impl Scanner {
    /// Compiles the table of shapes, which takes a fraction of a millisecond.
    pub fn new() -> Self {
        let known = SHAPES.iter().map(|shape| shape.known);
        Self { search: AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(known).ok() }
    }

    /// The kinds of tokens in a short text, each once.
    pub fn scan_all(&self, bytes: &[u8]) -> Vec<u8> {
        let mut kinds = Vec::new();
        self.scan(Window { bytes, first: true, last: true }, |kind, _| kinds.push(kind));
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// Reports each token with its kind and its place in the window: the beginning of the part that is always the same.
    pub fn scan(&self, window: Window<'_>, mut report: impl FnMut(u8, usize)) {
        self.spans(window, |kind, known, _| report(kind, known.start));
    }

    /// The same with the known part and how far the secret goes around it.
    pub(crate) fn spans(&self, window: Window<'_>, mut report: impl FnMut(u8, Range<usize>, Span)) {
        let Window { bytes, first, last } = window;
        let Some(search) = &self.search else { return };
        let from = if first { 0 } else { BEHIND };
        let until = if last { bytes.len() } else { (bytes.len() + BEHIND).saturating_sub(OVERLAP) };
        for found in search.find_iter(bytes) {
            if found.start() >= until {
                break;
            }
            if found.start() < from {
                continue;
            }
            let index = found.pattern().as_usize();
            let before = bytes.get(..found.start()).unwrap_or_default();
            let place = Place {
                before: before.get(before.len().saturating_sub(BEHIND)..).unwrap_or_default(),
                rest: bytes.get(found.end()..).unwrap_or_default(),
            };
            if let (Some(shape), Ok(kind)) = (SHAPES.get(index), u8::try_from(index))
                && let Some(span) = shape.fits(place)
            {
                report(kind, found.range(), span);
            }
        }
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
