//! A finding with its place, what was found and the fix, and how it is printed.
//!
//! Whoever checks input collects [`Diagnostic`]s and goes on, so that all problems are seen at once; the command renders
//! them. A diagnostic owns the one line of text that it shows, so whoever makes it decides what of a file may be seen:
//! a line of a file with secrets is given with its value hidden ([`Location::hidden`]), and can't be looked up again here.
//!
//! What this crate deliberately does not do: read files, know TOML or `.env`, decide an exit code, or print.

mod first;
mod nearest;
mod render;

use std::ops::Range;

pub use first::{MOST_OF_A_FILE, first_of_each_file};
pub use nearest::nearest;
pub use render::{Colours, render, render_all};

/// Whether something is wrong or merely worth knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing can be done before it is put right.
    Error,
    /// It works, perhaps not as meant.
    Warning,
}

/// A finding: what is wrong, where, what was there instead, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// Where; `None` where no file is to blame.
    pub location: Option<Location>,
    /// What was found, printed after the word "found".
    pub found: Option<String>,
    /// What would be right.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), location: None, found: None, hint: None }
    }

    /// A warning without a place yet.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// The same at a place.
    #[must_use]
    pub fn at(self, location: impl Into<Option<Location>>) -> Self {
        Self { location: location.into(), ..self }
    }

    /// The same with what was there.
    #[must_use]
    pub fn found(self, found: impl Into<String>) -> Self {
        Self { found: Some(found.into()), ..self }
    }

    /// The same with what would be right.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// A place in one line of a file, with as much of the line as may be seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// The file, relative to the repository's root.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The bytes of `text` that are meant.
    pub columns: Range<usize>,
    /// The line as it may be shown, without its end.
    pub text: String,
}

impl Location {
    /// A line whose text must not be shown: `shown` stands in its place.
    pub fn hidden(path: &str, line: usize, shown: &str) -> Self {
        Self { path: path.to_owned(), line, columns: 0..shown.len(), text: shown.to_owned() }
    }
}

/// A file that was read.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The file, relative to the repository's root.
    pub path: String,
    /// All of its text.
    pub text: String,
}

impl SourceFile {
    /// A file and its text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// The place of a range of bytes. Of a range over several lines it is the part in the first one; a range that is not in
    /// the text at all gives the end of the text.
    pub fn location(&self, span: Range<usize>) -> Location {
        let start = self.boundary(span.start);
        let end = self.boundary(span.end).max(start);
        let before = self.text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = self.text.get(line_start..).unwrap_or_default();
        let text = rest.lines().next().unwrap_or_default();
        let column = (start - line_start).min(text.len());
        Location {
            path: self.path.clone(),
            line: before.matches('\n').count() + 1,
            columns: column..(end - line_start).min(text.len()).max(column),
            text: text.to_owned(),
        }
    }

    /// The nearest character boundary at or before an offset.
    fn boundary(&self, offset: usize) -> usize {
        (0..=offset.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or_default()
    }
}

/// Without the text: it may be a file with secrets.
impl std::fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceFile").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_the_line_and_the_columns_of_a_span() {
        let file = SourceFile::new("a.toml", "one = 1\nzwö = 'x'\r\nthree = 3");
        let at = |needle: &str| {
            let start = file.text.find(needle).unwrap();
            file.location(start..start + needle.len())
        };
        assert_eq!(
            at("1"),
            Location { path: "a.toml".into(), line: 1, columns: 6..7, text: "one = 1".into() }
        );
        assert_eq!(
            at("'x'"),
            Location { path: "a.toml".into(), line: 2, columns: 7..10, text: "zwö = 'x'".into() }
        );
        assert_eq!(at("3").line, 3);
    }

    #[test]
    fn a_span_over_lines_is_cut_to_the_first() {
        let file = SourceFile::new("a.toml", "a = [\n1,\n]\n");
        assert_eq!(file.location(4..10).columns, 4..5);
        assert_eq!(file.location(4..10).text, "a = [");
    }

    #[test]
    fn a_span_outside_the_text_does_not_panic() {
        let file = SourceFile::new("a.toml", "ü");
        assert_eq!(file.location(1..99).line, 1);
        assert_eq!(SourceFile::new("b", "").location(5..6).columns, 0..0);
    }

    #[test]
    fn debug_output_of_a_file_has_no_text() {
        assert!(!format!("{:?}", SourceFile::new("env/.env", "GITHUB_TOKEN=hush")).contains("hush"));
    }
}
