use std::{io::Read, ops::Range};

use leo_diagnostic::{Diagnostic, Location};
use secrecy::zeroize::Zeroizing;

use crate::{
    line::{Content, Fault, Line, Mark, Written, lines},
    visible::holds_secret,
};

/// A variable of a file.
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Overwritten when it is dropped, whether or not it turns out to be a secret.
    pub(crate) value: Zeroizing<String>,
    /// The lines of the file, from 0.
    pub(crate) lines: Range<usize>,
}

/// What a file holds: the entries that could be read, and a finding for every line that could not.
///
/// The parser is `dotenvy`'s. It is given one entry at a time, so that what is wrong with one entry does not reach the
/// next one, and has to end where the entry ends for a reader that knows the format, too. Its one surprise is refused: it
/// would replace `$NAME` in a value by a variable of the process.
pub(crate) fn parse(path: &str, text: &str) -> (Vec<Entry>, Vec<Diagnostic>) {
    let mut entries = Vec::new();
    let mut findings = Vec::new();
    for line in lines(without_mark(text)) {
        match line.content {
            Content::Nothing => {}
            Content::Unreadable(fault) => findings.push(refused(path, &line, fault)),
            Content::Entry(ref written) => match value(line.raw, written) {
                Some(value) => {
                    entries.push(Entry { key: written.key.to_owned(), value, lines: line.span });
                }
                None => findings.push(disagreed(path, &line, written)),
            },
        }
    }
    (entries, findings)
}

/// A file's text without the byte order mark that some editors put before it.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// What `dotenvy` reads in the lines of one entry. `None`: nothing, another key, another length, or more than these lines.
pub(crate) fn value(raw: &str, written: &Written<'_>) -> Option<Zeroizing<String>> {
    let mut parser = dotenvy::Iter::new(raw.as_bytes().chain(&b"\nAFTER=1\n"[..]));
    let (read, value) = parser.next()?.ok()?;
    let value = Zeroizing::new(value);
    let ends = matches!(parser.next(), Some(Ok((after, _))) if after == "AFTER") && parser.next().is_none();
    (ends && read == written.key && value.len() == written.length).then_some(value)
}

/// A finding for lines that are no entry. They may hold a secret, so at most the key is shown.
fn refused(path: &str, line: &Line<'_>, fault: Fault) -> Diagnostic {
    let (message, hint) = said(fault);
    Diagnostic::error(message).at(place(path, line)).hint(hint)
}

/// A finding for an entry that `dotenvy` reads otherwise than it is written: it takes quotes in some comments for its own.
fn disagreed(path: &str, line: &Line<'_>, written: &Written<'_>) -> Diagnostic {
    let commented = written.marks.contains(&Mark::Comment) || written.marks.contains(&Mark::CommentForValue);
    let (message, hint) = if commented {
        ("the comment behind the value can't be told from it", "put the comment into a line of its own")
    } else {
        ("the value can't be read", QUOTE_HINT)
    };
    Diagnostic::error(message).at(place(path, line)).hint(hint)
}

const QUOTE_HINT: &str = "a value with spaces, quotes or backslashes goes into single quotes: KEY='value'";
const IN_QUOTES: &str = "put the value in single quotes: KEY='value'";

const CLOSED: &str = "add the closing quote: KEY='value'; a quote that belongs to the value goes between the others: KEY=\"va'lue\"";

/// What is wrong, and what would be right.
fn said(fault: Fault) -> (&'static str, &'static str) {
    match fault {
        Fault::NoAssignment => {
            ("the line is not `KEY=value`", "write `KEY=value`, or begin the line with `#`")
        }
        Fault::Unclosed => ("a quote is opened here and never closed", CLOSED),
        Fault::Words => ("the value goes on behind a space", IN_QUOTES),
        Fault::Dollar => ("the value holds a `$`, which would be replaced by a variable", IN_QUOTES),
        Fault::Escape => ("the value holds a backslash before a character that needs none", IN_QUOTES),
        Fault::Continued => ("the value ends with a backslash", IN_QUOTES),
        Fault::BackslashQuote => (
            "a backslash stands before the quote that closes",
            "write it twice, in double quotes: KEY=\"value\\\\\"",
        ),
        Fault::Invisible => (
            "the line holds a character that can't be seen",
            "type the line anew: it came along when the value was copied",
        ),
    }
}

/// Where an entry begins, with nothing shown but its key.
pub(crate) fn place(path: &str, line: &Line<'_>) -> Location {
    let shown = key(line.raw).map_or_else(|| "<not shown>".to_owned(), |key| format!("{key}=<not shown>"));
    Location::hidden(path, line.span.start + 1, &shown)
}

/// What a line sets, where it has the form of a key.
fn key(raw: &str) -> Option<&str> {
    let (key, value) = raw.split_once('=')?;
    let key = key.trim().trim_start_matches("export ").trim();
    (is_key(key) && may_be_shown(key, value.trim())).then_some(key)
}

/// A longer name without a `_` in it is more probably something else.
const LONGEST_WORD: usize = 15;

/// Whether what has the form of a key is one by its look. A secret that was pasted without its key may be of capital letters
/// and digits alone, as base32 is, which also ends with `=`.
pub(crate) fn may_be_shown(key: &str, value: &str) -> bool {
    let padding = !value.is_empty() && value.bytes().all(|byte| byte == b'=');
    (key.contains('_') || key.len() <= LONGEST_WORD) && !padding && !holds_secret(key)
}

/// Whether a key has the form of one. Anything else may be a secret that was pasted without its key, so it isn't shown.
pub(crate) fn is_key(key: &str) -> bool {
    key.len() <= 64
        && key.starts_with(|first: char| first.is_ascii_uppercase())
        && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}
