//! The shapes of known tokens.

use aho_corasick::packed::{Config, MatchKind, Searcher};

use super::Secret;

/// Bytes at the end of what was read that are judged together with what follows.
pub(crate) const OVERLAP: usize = 4096;

/// A token that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Which shape.
    pub(crate) kind: u8,
    /// The line, from 1.
    pub(crate) line: u32,
}

struct Shape {
    what: Secret,
    prefix: &'static str,
    rest: fn(&[u8]) -> bool,
}

const SHAPES: &[Shape] =
    &[Shape { what: Secret("a GitHub token"), prefix: "ghp_", rest: |rest| alphanumeric(rest) >= 36 }];

fn alphanumeric(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count()
}

pub(crate) fn kind_name(kind: u8) -> Option<Secret> {
    SHAPES.get(usize::from(kind)).map(|shape| shape.what)
}

/// Finds tokens.
pub(crate) struct Scanner(Option<Searcher>);

impl Scanner {
    pub(crate) fn new() -> Self {
        let mut builder = Config::new().match_kind(MatchKind::LeftmostFirst).builder();
        Self(builder.extend(SHAPES.iter().map(|shape| shape.prefix)).build())
    }

    /// Reports each token that begins in `window`, with its kind and place. Unless it is the `last` one, its
    /// last [`OVERLAP`] bytes come again at the beginning of the next.
    pub(crate) fn scan(&self, window: &[u8], last: bool, mut report: impl FnMut(u8, usize)) {
        let Some(searcher) = &self.0 else { return };
        let judged = if last { window.len() } else { window.len().saturating_sub(OVERLAP) };
        for found in searcher.find_iter(window) {
            if found.start() >= judged {
                break;
            }
            let kind = found.pattern().as_usize();
            let rest = window.get(found.end()..).unwrap_or_default();
            if let (Some(shape), Ok(number)) = (SHAPES.get(kind), u8::try_from(kind))
                && (shape.rest)(rest)
            {
                report(number, found.start());
            }
        }
    }
}
