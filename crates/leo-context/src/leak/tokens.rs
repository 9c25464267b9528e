//! Finds tokens in bytes.

use aho_corasick::{AhoCorasick, MatchKind};

use super::Secret;
use super::shapes::{Place, SHAPES};

/// Bytes at the end of what was read that come again in front of what follows: no token is longer, with what stands
/// around it.
pub(crate) const OVERLAP: usize = 8192;
/// As much before a token's known part is looked at.
const BEHIND: usize = 256;

/// To be changed when the same bytes are to be judged otherwise than before, with the same shapes.
const RULES: u32 = 1;

/// A token that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Which shape.
    pub(crate) kind: u8,
    /// The line, from 1.
    pub(crate) line: u32,
}

/// A part of a file.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    pub(crate) bytes: &'a [u8],
    /// Whether the file begins here. If not, its first [`OVERLAP`] bytes were the last ones of the window before.
    pub(crate) first: bool,
    /// Whether the file ends here.
    pub(crate) last: bool,
}

/// What decides which tokens are found: with other rules, what was found before is worth nothing.
pub(crate) fn rules() -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&RULES.to_le_bytes());
    for shape in SHAPES {
        hasher.update(shape.known.as_bytes()).update(b"\0").update(shape.what.0.as_bytes()).update(b"\0");
    }
    *hasher.finalize().as_bytes()
}

/// The kind of secret that a [`Token`] is.
pub(crate) fn kind_name(kind: u8) -> Option<Secret> {
    SHAPES.get(usize::from(kind)).map(|shape| shape.what)
}

/// Looks for all shapes at once.
pub(crate) struct Scanner {
    /// `None` only if the table of shapes could not be compiled, which a test rules out.
    search: Option<AhoCorasick>,
}

impl Scanner {
    pub(crate) fn new() -> Self {
        let known = SHAPES.iter().map(|shape| shape.known);
        Self { search: AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(known).ok() }
    }

    /// The kinds of tokens in a short text.
    pub(crate) fn scan_all(&self, bytes: &[u8]) -> Vec<u8> {
        let mut kinds = Vec::new();
        self.scan(Window { bytes, first: true, last: true }, |kind, _| kinds.push(kind));
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// Reports each token with its kind and its place in the window.
    pub(crate) fn scan(&self, window: Window<'_>, mut report: impl FnMut(u8, usize)) {
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
                && shape.fits(place)
            {
                report(kind, found.start());
            }
        }
    }
}

#[cfg(test)]
mod tests;
