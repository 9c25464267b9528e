//! The lines of an environment file, taken apart as far as where an entry begins and ends and what it is written with.
//! What the value is, `dotenvy` says.

use std::{collections::BTreeSet, ops::Range};

use crate::character::{is_invisible, is_plain, is_typographic_quote};

/// One entry, comment or blank line.
pub(crate) struct Line<'t> {
    /// The lines of the file, from 0.
    pub(crate) span: Range<usize>,
    /// All of its text, with the line ends.
    pub(crate) raw: &'t str,
    pub(crate) content: Content<'t>,
}

pub(crate) enum Content<'t> {
    /// Nothing, or a comment.
    Nothing,
    Entry(Written<'t>),
    Unreadable(Fault),
}

/// How an entry is written.
pub(crate) struct Written<'t> {
    pub(crate) key: &'t str,
    pub(crate) marks: BTreeSet<Mark>,
    /// The bytes that its value has.
    pub(crate) length: usize,
}

/// Something in an entry that not everybody reads alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// `export ` before the key.
    Export,
    /// A space between key and `=`.
    SpaceBeforeEquals,
    /// A space between `=` and the value.
    SpaceAfterEquals,
    /// `#` as the first character after `=`.
    CommentForValue,
    /// Quotes around a value that would need none.
    NeedlessQuotes,
    /// Quotes around a value that needs them.
    Quotes,
    /// `\n`, `\'` or `\ ` in double quotes.
    EscapeInQuotes,
    /// `\n` without quotes.
    PlainLineFeed,
    /// Any other escape without quotes.
    PlainEscape,
    /// A backtick without quotes or in double ones.
    Backtick,
    /// `;`, `&`, `|`, `<`, `>` or a parenthesis without quotes.
    Operator,
    /// `~` where a home folder could be meant.
    Tilde,
    /// A comment behind the value.
    Comment,
    /// Spaces at the end of the line.
    TrailingSpace,
    /// A quote over several lines.
    SeveralLines,
    /// A tab anywhere.
    Tab,
    /// A word processor's quote where the value begins or ends.
    TypographicQuote,
    /// In quotes, a character that can't be seen or is taken for a space.
    Invisible,
}

/// Why a line can't be read, or must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No `KEY=`.
    NoAssignment,
    /// A quote that is not closed, or only by the one of another entry.
    Unclosed,
    /// Something follows a space.
    Words,
    /// A `$` that would be replaced.
    Dollar,
    /// A backslash before a character that can't be escaped.
    Escape,
    /// A backslash before the line's end.
    Continued,
    /// A backslash before the quote that closes.
    BackslashQuote,
    /// A character that can't be seen, or is taken for another.
    Invisible,
}

/// Takes a text apart. A byte order mark at its beginning is not of its first line.
pub(crate) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let (mut number, mut start) = (0, 0);
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let (length, content) = next(rest);
        let raw = rest.get(..length).unwrap_or(rest);
        let end = number + raw.matches('\n').count() + usize::from(!raw.ends_with('\n'));
        lines.push(Line { span: number..end, raw, content });
        (number, start) = (end, start + raw.len());
    }
    lines
}

/// The length and the content of what a text begins with.
fn next(text: &str) -> (usize, Content<'_>) {
    let length = text.find('\n').map_or(text.len(), |newline| newline + 1);
    let first = text.get(..length).unwrap_or(text);
    let start = first.trim_start();
    let indent = first.get(..first.len() - start.len()).unwrap_or_default();
    if indent.trim_end_matches(['\r', '\n']).contains(|c: char| !matches!(c, ' ' | '\t')) {
        return (length, Content::Unreadable(Fault::Invisible));
    }
    if start.is_empty() || start.starts_with('#') {
        return (length, Content::Nothing);
    }
    let Some((left, right)) = first.split_once('=').and_then(|(left, right)| Some((key(left)?, right)))
    else {
        return (length, Content::Unreadable(Fault::NoAssignment));
    };
    let mut marks = left.marks;
    let value = right.trim_start_matches([' ', '\t']);
    let spaced = value.len() < right.len() && !value.trim_end().is_empty() && !value.starts_with('#');
    marks.extend(spaced.then_some(Mark::SpaceAfterEquals));
    let from = length - value.len();
    let mut scan = Scan { marks, quoted: false, needed: false, fault: None, length: 0, ends: None };
    let end = if value.starts_with('#') {
        // Behind a space it is a comment for everybody but Docker.
        let mark = if right.starts_with('#') { Mark::CommentForValue } else { Mark::Comment };
        scan.marks.insert(mark);
        Some(value.len())
    } else {
        scan.value(first_lines(text.get(from..).unwrap_or_default()))
    };
    let Some(end) = end else { return (length, Content::Unreadable(Fault::Unclosed)) };
    if let Some(fault) = scan.fault {
        return (from + end, Content::Unreadable(fault));
    }
    let raw = text.get(..from + end).unwrap_or(text);
    let length = scan.length;
    (from + end, Content::Entry(Written { key: left.key, marks: scan.finish(raw), length }))
}

/// The lines that one value may go over. Where a quote is not closed in so many, it is not looked for in all of the file.
const MOST_LINES: usize = 200;

fn first_lines(text: &str) -> &str {
    let end = text.match_indices('\n').nth(MOST_LINES - 1).map_or(text.len(), |(at, _)| at + 1);
    text.get(..end).unwrap_or(text)
}

struct Left<'t> {
    key: &'t str,
    marks: BTreeSet<Mark>,
}

/// What stands before the first `=`: a key as `dotenvy` takes it, `export` before it or not.
fn key(left: &str) -> Option<Left<'_>> {
    let mut marks = BTreeSet::new();
    let blank = [' ', '\t'];
    let trimmed = left.trim_matches(blank);
    marks.extend(left.ends_with(blank).then_some(Mark::SpaceBeforeEquals));
    let key = match trimmed.strip_prefix("export").filter(|rest| rest.starts_with(blank)) {
        Some(rest) => {
            marks.insert(Mark::Export);
            rest.trim_start_matches(blank)
        }
        None => trimmed,
    };
    let begins = key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let is_key = begins && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    is_key.then_some(Left { key, marks })
}

struct Scan {
    marks: BTreeSet<Mark>,
    quoted: bool,
    /// Whether something in quotes would be read otherwise without them.
    needed: bool,
    /// The first one.
    fault: Option<Fault>,
    /// The bytes of the value so far.
    length: usize,
    /// The first and the last character of it.
    ends: Option<(char, char)>,
}

impl Scan {
    /// Where a value ends with what stands behind it; `None`: in a quote that isn't closed.
    fn value(&mut self, text: &str) -> Option<usize> {
        let mut at = 0;
        let mut after_space = false;
        let mut before = '=';
        while let Some(c) = char_at(text, at) {
            let line_end = || text.get(at..)?.find('\n').map(|end| at + end + 1);
            match c {
                '\n' => return Some(at + 1),
                '\r' if char_at(text, at + 1) == Some('\n') => {}
                ' ' | '\t' => after_space = true,
                '#' if after_space => {
                    self.marks.insert(Mark::Comment);
                    return Some(line_end().unwrap_or(text.len()));
                }
                _ if after_space && self.marks.contains(&Mark::SeveralLines) => return None,
                _ if after_space => {
                    self.fault(Fault::Words);
                    return Some(line_end().unwrap_or(text.len()));
                }
                '\'' => at = self.single(text, at + 1)?,
                '"' => at = self.double(text, at + 1)?,
                '\\' => at = self.escape(text, at),
                _ => self.plain(c, before),
            }
            before = c;
            at += char_at(text, at).map_or(1, char::len_utf8);
        }
        Some(text.len())
    }

    /// All the marks of an entry that could be read.
    fn finish(mut self, raw: &str) -> BTreeSet<Mark> {
        let commented = self.marks.contains(&Mark::Comment) || self.marks.contains(&Mark::CommentForValue);
        let spaced = raw.trim_end_matches(['\r', '\n']).ends_with([' ', '\t']);
        let quotes = if self.needed { Mark::Quotes } else { Mark::NeedlessQuotes };
        // With those two it is not the quotes that are to be spoken of.
        let said = [Mark::SeveralLines, Mark::EscapeInQuotes].iter().any(|mark| self.marks.contains(mark));
        self.marks.extend((self.quoted && !said).then_some(quotes));
        self.marks.extend((spaced && !commented).then_some(Mark::TrailingSpace));
        let typographic =
            self.ends.is_some_and(|(first, last)| [first, last].into_iter().any(is_typographic_quote));
        self.marks.extend(typographic.then_some(Mark::TypographicQuote));
        self.marks.extend(raw.contains('\t').then_some(Mark::Tab));
        self.marks
    }

    /// A character without quotes.
    fn plain(&mut self, c: char, before: char) {
        self.note(c);
        self.length += c.len_utf8();
        let mark = match c {
            '$' => return self.fault(Fault::Dollar),
            _ if is_invisible(c) => return self.fault(Fault::Invisible),
            '`' => Mark::Backtick,
            ';' | '&' | '|' | '<' | '>' | '(' | ')' => Mark::Operator,
            '~' if matches!(before, '=' | ':') => Mark::Tilde,
            _ => return,
        };
        self.marks.insert(mark);
    }

    /// The place of the single quote that closes, given the place behind the one that opens.
    fn single(&mut self, text: &str, from: usize) -> Option<usize> {
        let inner = text.get(from..)?.split_once('\'')?.0;
        self.quote(inner)?;
        self.length += inner.len();
        // Until where an entry goes `dotenvy` heeds backslashes here; in the value it does not.
        if inner.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
            self.fault(Fault::BackslashQuote);
        }
        Some(from + inner.len())
    }

    /// The same for double quotes.
    fn double(&mut self, text: &str, from: usize) -> Option<usize> {
        let mut at = from;
        while let Some(c) = char_at(text, at) {
            let next = char_at(text, at + c.len_utf8());
            match (c, next) {
                ('"', _) => {
                    self.quote(text.get(from..at)?)?;
                    return Some(at);
                }
                ('\\', Some('\\' | '"' | '$')) => at += 1,
                ('\\', Some('n' | '\'' | ' ')) => {
                    self.marks.insert(Mark::EscapeInQuotes);
                    at += 1;
                }
                ('\\', Some(other)) => {
                    self.fault(Fault::Escape);
                    at += other.len_utf8();
                }
                ('$', _) => self.fault(Fault::Dollar),
                ('`', _) => {
                    self.marks.insert(Mark::Backtick);
                }
                _ => {}
            }
            at += c.len_utf8();
            // A backslash and what it stands before are one character.
            self.length += c.len_utf8();
        }
        None
    }

    /// What is in quotes; `None`: more than one entry is.
    fn quote(&mut self, inner: &str) -> Option<()> {
        self.quoted = true;
        for c in [inner.chars().next(), inner.chars().next_back()].into_iter().flatten() {
            self.note(c);
        }
        self.needed |= !inner.chars().all(is_plain);
        if inner.contains('\n') {
            // What looks like the next entry most probably is: a quote was forgotten before it.
            if inner.lines().skip(1).any(is_entry) {
                return None;
            }
            self.marks.insert(Mark::SeveralLines);
        }
        for (at, c) in inner.char_indices().filter(|(_, c)| is_invisible(*c)) {
            match c {
                '\n' | '\t' => {}
                '\r' if char_at(inner, at + 1) == Some('\n') => {}
                _ if c.is_control() => self.fault(Fault::Invisible),
                _ => {
                    self.marks.insert(Mark::Invisible);
                }
            }
        }
        Some(())
    }

    /// The place of the character that a backslash without quotes stands before.
    fn escape(&mut self, text: &str, at: usize) -> usize {
        let rest = text.get(at + 1..).unwrap_or_default();
        let blank = [' ', '\t', '\r'];
        let behind = rest.strip_prefix(' ').unwrap_or(rest);
        let ends = behind.trim_start_matches(blank);
        let commented = behind.starts_with(blank) && ends.starts_with('#');
        let mark = match char_at(rest, 0) {
            // Spaces at the line's end are no part of it, escaped or not.
            _ if ends.is_empty() || ends.starts_with('\n') || commented => {
                self.fault(Fault::Continued);
                return at;
            }
            Some('n') => Mark::PlainLineFeed,
            Some(c @ ('\\' | '\'' | '"' | '$' | ' ')) => {
                self.note(c);
                Mark::PlainEscape
            }
            _ => {
                self.fault(Fault::Escape);
                return at + 1;
            }
        };
        self.marks.insert(mark);
        self.length += 1;
        at + 1
    }

    /// A character of the value: the first one it begins with, and until there is another one it ends with it.
    fn note(&mut self, c: char) {
        self.ends = Some((self.ends.map_or(c, |(first, _)| first), c));
    }

    fn fault(&mut self, fault: Fault) {
        self.fault = self.fault.or(Some(fault));
    }
}

fn char_at(text: &str, at: usize) -> Option<char> {
    text.get(at..).and_then(|rest| rest.chars().next())
}

/// Whether a line of a quote reads like an entry of its own. A line of base64 may end with `=` as well.
fn is_entry(line: &str) -> bool {
    let (left, right) = line.split_once('=').unwrap_or_default();
    let key = left.trim().trim_start_matches("export ").trim();
    crate::file::is_key(key) && (key.contains('_') || !right.trim_matches('=').is_empty())
}
