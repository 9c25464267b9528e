//! Changing an environment file without touching anything else in it.
//!
//! What isn't changed stays byte for byte: comments, order, quoting, blanks, line endings, lines that nobody can read. Each
//! change is checked by reading the result: were any other key's value another one than before, it is refused.

mod change;
mod value;
mod write;

use std::{fmt, ops::Range};

use leo_diagnostic::Diagnostic;
use secrecy::zeroize::Zeroizing;

use crate::file::{self, Entry, is_key};
use change::{is_only_change, spliced};
use value::Assignment;
pub(crate) use value::token;
pub use write::{Access, Written, replace_file};

/// An environment file that can be changed. It may hold secrets: its text is cleared when it is dropped, and has no `Debug`.
#[derive(Clone)]
pub struct EnvFile {
    /// Relative to the repository's root.
    path: String,
    /// What was read; `None`: there is no such file.
    original: Option<Zeroizing<String>>,
    text: Zeroizing<String>,
}

/// What a change came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The key wasn't there.
    Added,
    /// It had another value.
    Changed,
    /// It had this value, however it is written: nothing was touched.
    Unchanged,
}

/// Where a key goes that isn't there yet.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// After everything.
    End,
    /// After another key; at the end, where that isn't there.
    AfterKey(&'a str),
    /// After the first line with this text; at the end, where that isn't there.
    AfterLine(&'a str),
}

/// Why a file was not changed. No message holds a value.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file can't be read.
    #[error("read `{path}`: {error}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The file can't be written; it is as it was.
    #[error("write `{path}`: {error}")]
    Write {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// Somebody else changed the file since it was read.
    #[error("write `{path}`: it was changed by somebody else in the meantime")]
    ChangedElsewhere {
        /// The file.
        path: String,
    },
    /// A name that no key has.
    #[error("write a key into `{path}`: its name is none")]
    NotAKey {
        /// The file.
        path: String,
    },
    /// The key is there more than once, so that it isn't clear which one is meant.
    #[error("set `{key}` in `{path}`: it is set there more than once, first in line {line}")]
    Duplicate {
        /// The file.
        path: String,
        /// The key.
        key: String,
        /// The first line that sets it, from 1.
        line: usize,
    },
    /// The key is in a line that can't be read.
    #[error("set `{key}` in `{path}`: its line {line} can't be read")]
    Unreadable {
        /// The file.
        path: String,
        /// The key.
        key: String,
        /// Its line, from 1.
        line: usize,
    },
    /// No way of quoting carries the value so that it is read the same everywhere.
    #[error("set `{key}` in `{path}`: the value can't be written so that everything reads it alike")]
    Unwritable {
        /// The file.
        path: String,
        /// The key.
        key: String,
    },
    /// A value that is to be seen by others looks like a secret.
    #[error("set `{key}` in `{path}`: its value looks secret: {what}")]
    LooksSecret {
        /// The file.
        path: String,
        /// The key.
        key: String,
        /// What it looks like.
        what: &'static str,
    },
}

impl EditError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => "it has to be a file of UTF-8 text that you may read".to_owned(),
            Self::Write { .. } => "make room on the disk, or give its folder back to its owner".to_owned(),
            Self::ChangedElsewhere { .. } => "nothing was written: run the command again".to_owned(),
            Self::NotAKey { .. } => "a key has capital letters, digits and `_`, at most 64".to_owned(),
            Self::Duplicate { .. } => "delete all of its lines but one".to_owned(),
            Self::Unreadable { path, .. } => format!("correct that line of {path}, or delete it"),
            Self::Unwritable { .. } => {
                "line breaks, and a single quote beside a backtick, are read differently by shells and Docker"
                    .to_owned()
            }
            Self::LooksSecret { path, .. } => {
                format!("{path} is to be seen by others: no secret belongs there")
            }
        })
    }
}

impl EnvFile {
    /// A file with this text; `None`: it isn't there yet. The path is relative to the repository's root.
    pub fn new(path: impl Into<String>, text: Option<String>) -> Self {
        let original = text.map(Zeroizing::new);
        Self { path: path.into(), text: original.clone().unwrap_or_default(), original }
    }

    /// Its path, relative to the repository's root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its text as it is now.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its text as it was read; empty where there was no file.
    pub fn original(&self) -> &str {
        self.original.as_deref().map_or("", String::as_str)
    }

    /// Whether there was a file.
    pub fn existed(&self) -> bool {
        self.original.is_some()
    }

    /// Whether anything was changed.
    pub fn is_changed(&self) -> bool {
        self.original() != self.text()
    }

    /// The value of a key, the last one where it is set more than once; cleared when it is dropped.
    pub fn value(&self, key: &str) -> Option<Zeroizing<String>> {
        self.entries().into_iter().rev().find(|entry| entry.key == key).map(|entry| entry.value)
    }

    /// The line that sets a key, from 1.
    pub fn line(&self, key: &str) -> Option<usize> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| entry.lines.start + 1)
    }

    /// Every key that is set, in the order of the file.
    pub fn keys(&self) -> Vec<String> {
        self.entries().into_iter().map(|entry| entry.key).collect()
    }

    /// What is wrong with the lines that can't be read.
    pub fn malformed(&self) -> Vec<Diagnostic> {
        file::parse(&self.path, &self.text).1
    }

    /// Gives a key a value: in its own line, with its own quotes where they can carry it, or in a new one at a place and
    /// below these lines of comment, of which an empty one is an empty line.
    pub fn set(
        &mut self,
        key: &str,
        value: &str,
        place: Place<'_>,
        comment: &[&str],
    ) -> Result<Edit, EditError> {
        if !is_key(key) {
            return Err(EditError::NotAKey { path: self.path.clone() });
        }
        let entries = self.entries();
        let mut of_key = entries.iter().filter(|entry| entry.key == key);
        let there = of_key.next();
        if let (Some(first), Some(_)) = (there, of_key.next()) {
            let (path, key, line) = (self.path.clone(), key.to_owned(), first.lines.start + 1);
            return Err(EditError::Duplicate { path, key, line });
        }
        if let Some(line) = self.unreadable_line(key, &entries) {
            return Err(EditError::Unreadable { path: self.path.clone(), key: key.to_owned(), line });
        }
        match there {
            Some(entry) if *entry.value == value => Ok(Edit::Unchanged),
            Some(entry) => self.replace(entry, value, &entries).map(|()| Edit::Changed),
            None => self.insert(key, value, place, comment, &entries).map(|()| Edit::Added),
        }
    }

    /// The same of a value that is to be seen by others. One that looks like a secret is refused.
    pub fn set_public(
        &mut self,
        key: &str,
        value: &str,
        place: Place<'_>,
        comment: &[&str],
    ) -> Result<Edit, EditError> {
        match leo_token::looks_secret(value) {
            Some(what) => Err(EditError::LooksSecret { path: self.path.clone(), key: key.to_owned(), what }),
            None => self.set(key, value, place, comment),
        }
    }

    /// Takes the lines of a key away, all of them; whether there was one.
    pub fn remove(&mut self, key: &str) -> bool {
        let mut removed = false;
        while let Some(entry) = self.entries().into_iter().find(|entry| entry.key == key) {
            let span = self.span(&entry);
            self.text.replace_range(span, "");
            removed = true;
        }
        removed
    }

    fn entries(&self) -> Vec<Entry> {
        file::parse(&self.path, &self.text).0
    }

    /// The first line, from 1, that seems to set a key and can't be read.
    fn unreadable_line(&self, key: &str, entries: &[Entry]) -> Option<usize> {
        let sets = |line: &str| {
            let line = line.strip_prefix(BOM).unwrap_or(line);
            Assignment::of(line).is_some_and(|assignment| assignment.key == key)
        };
        let read = |at: usize| entries.iter().any(|entry| entry.lines.contains(&at));
        let mut lines = self.text.split_inclusive('\n').enumerate();
        lines.find(|(at, line)| sets(line) && !read(*at)).map(|(at, _)| at + 1)
    }

    /// The bytes of an entry's lines. The mark at the beginning of a file is not of its first line.
    fn span(&self, entry: &Entry) -> Range<usize> {
        let start = self.offset(entry.lines.start);
        let start = if start == 0 && self.text.starts_with(BOM) { BOM.len_utf8() } else { start };
        start..self.offset(entry.lines.end)
    }

    /// Where a line begins, counted from 0.
    fn offset(&self, line: usize) -> usize {
        self.text.split_inclusive('\n').take(line).map(str::len).sum()
    }

    fn replace(&mut self, entry: &Entry, value: &str, entries: &[Entry]) -> Result<(), EditError> {
        let span = self.span(entry);
        let raw = self.text.get(span.clone()).unwrap_or_default();
        let Some(assignment) = Assignment::of(raw) else { return Err(self.unwritable(&entry.key)) };
        let written = span.start + assignment.value.start..span.start + assignment.value.end;
        let style = assignment.style;
        // Of a comment right behind the `=` the value would become a part, or the other way round.
        let behind = raw.get(assignment.value.end..).unwrap_or_default();
        let gap = if behind.starts_with('#') { " " } else { "" };
        self.try_styles(&entry.key, value, entries, value::styles(Some(style)), |text, token| {
            spliced(text, written.clone(), &[token, gap])
        })
    }

    fn insert(
        &mut self,
        key: &str,
        value: &str,
        place: Place<'_>,
        comment: &[&str],
        entries: &[Entry],
    ) -> Result<(), EditError> {
        let at = match place {
            Place::End => None,
            Place::AfterKey(other) => {
                entries.iter().find(|entry| entry.key == other).map(|entry| self.span(entry).end)
            }
            Place::AfterLine(wanted) => {
                let mut lines = self.text.split_inclusive('\n').enumerate();
                lines.find(|(_, line)| line.trim_end() == wanted).map(|(at, _)| self.offset(at + 1))
            }
        };
        let end = self.text.len();
        let at = at.unwrap_or(end);
        let newline = self.newline();
        let before = self.text.get(..at).unwrap_or_default();
        let mut lines = String::new();
        if !before.trim_start_matches(BOM).is_empty() && !before.ends_with('\n') {
            lines.push_str(newline);
        }
        let below_blank = before.lines().next_back().is_none_or(|line| line.trim().is_empty());
        if !comment.is_empty() && !below_blank {
            lines.push_str(newline);
        }
        for line in comment {
            lines.extend(if line.is_empty() { ["", "", newline] } else { ["# ", line, newline] });
        }
        self.try_styles(key, value, entries, value::styles(None), |text, token| {
            spliced(text, at..at, &[&lines, key, "=", token, newline])
        })
    }

    /// Makes a change in the first way of writing the value that changes nothing else.
    fn try_styles(
        &mut self,
        key: &str,
        value: &str,
        before: &[Entry],
        styles: impl Iterator<Item = value::Style>,
        change: impl Fn(&str, &str) -> Zeroizing<String>,
    ) -> Result<(), EditError> {
        for token in styles.filter_map(|style| value::write(value, style)) {
            let changed = change(&self.text, &token);
            if is_only_change(&self.path, &self.text, before, &changed, (key, value)) {
                self.text = changed;
                return Ok(());
            }
        }
        Err(self.unwritable(key))
    }

    fn unwritable(&self, key: &str) -> EditError {
        EditError::Unwritable { path: self.path.clone(), key: key.to_owned() }
    }

    /// How the file ends its lines, by the first of them.
    fn newline(&self) -> &'static str {
        match self.text.split_once('\n') {
            Some((first, _)) if first.ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }
}

/// Without the text: it may hold secrets.
impl fmt::Debug for EnvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What some editors put at the beginning of a file.
const BOM: char = '\u{feff}';

#[cfg(test)]
mod tests;
