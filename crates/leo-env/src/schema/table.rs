//! A table of the schema, read entry by entry with every finding collected.

use std::{cell::RefCell, ops::Range};

use leo_diagnostic::{Diagnostic, Location, SourceFile, nearest};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{document::type_of, visible::holds_secret};

/// Collects what is wrong.
pub(super) struct Report<'f> {
    file: &'f SourceFile,
    findings: RefCell<Vec<Diagnostic>>,
}

impl<'f> Report<'f> {
    pub(super) fn new(file: &'f SourceFile) -> Self {
        Self { file, findings: RefCell::new(Vec::new()) }
    }

    pub(super) fn add(&self, span: Range<usize>, finding: Diagnostic) {
        let finding = finding.at(self.location(span));
        self.findings.borrow_mut().push(finding);
    }

    /// The number of a span's line.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.file.location(span.clone()).line
    }

    /// The line of a span; its text only where no token is in it.
    pub(super) fn location(&self, span: Range<usize>) -> Location {
        crate::visible(self.file.location(span))
    }

    /// Adds a finding about an entry whose value may be a secret that was written where none belongs: of its line only the
    /// name is shown.
    pub(super) fn add_hidden(&self, span: Range<usize>, name: &str, finding: Diagnostic) {
        let Location { path, line, .. } = self.location(span);
        let finding = finding.at(Location::hidden(&path, line, &format!("{name} = <not shown>")));
        self.findings.borrow_mut().push(finding);
    }

    pub(super) fn into_findings(self) -> Vec<Diagnostic> {
        self.findings.into_inner()
    }
}

/// A text of the file for a message; not where it holds what looks like a secret.
pub(super) fn shown(text: &str) -> String {
    if holds_secret(text) { "<not shown>".to_owned() } else { text.escape_debug().to_string() }
}

/// A text and where it is.
pub(super) type At<T> = (T, Range<usize>);

/// The table of one key. An entry that was asked for is known; the others are reported by [`Table::close`].
pub(super) struct Table<'a> {
    pub(super) report: &'a Report<'a>,
    /// The key's name.
    pub(super) name: &'a str,
    /// The same for a message.
    pub(super) shown: String,
    /// Where the name is.
    pub(super) span: Range<usize>,
    entries: &'a DeTable<'a>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        report: &'a Report<'a>,
        name: &'a str,
        span: Range<usize>,
        entries: &'a DeTable<'a>,
    ) -> Self {
        Self { report, name, shown: shown(name), span, entries, known: RefCell::default() }
    }

    /// Whether there is an entry of this name, good or bad.
    pub(super) fn has(&self, entry: &str) -> bool {
        self.entries.contains_key(entry)
    }

    /// Where an entry's value is, or the table's name.
    pub(super) fn place(&self, entry: &str) -> Range<usize> {
        self.entries.get(entry).map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// Where an entry's name is, or the table's.
    pub(super) fn name_of(&self, entry: &str) -> Range<usize> {
        self.entries.get_key_value(entry).map_or_else(|| self.span.clone(), |(name, _)| name.span())
    }

    /// Takes an entry for known without reading it.
    pub(super) fn known(&self, entry: &'static str) {
        self.known.borrow_mut().push(entry);
    }

    fn get(&self, entry: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known(entry);
        self.entries.get(entry)
    }

    pub(super) fn text(&self, entry: &'static str) -> Option<At<&'a str>> {
        let value = self.get(entry)?;
        let text = self.text_of(entry, value)?;
        Some((text, value.span()))
    }

    fn text_of(&self, entry: &str, value: &'a Spanned<DeValue<'a>>) -> Option<&'a str> {
        match value.get_ref() {
            DeValue::String(text) if holds_secret(text) => {
                let message = format!("`{entry}` of `{}` holds what looks like a secret", self.shown);
                let finding = Diagnostic::error(message)
                    .hint("take it out: this file is committed; revoke it if it was ever pushed");
                self.report.add_hidden(value.span(), entry, finding);
                None
            }
            DeValue::String(text) if text.is_empty() || text.contains(['\n', '\r']) => {
                let what = if text.is_empty() { "is empty" } else { "goes over several lines" };
                self.wrong(value.span(), entry, what, "one line of text");
                None
            }
            DeValue::String(text) => Some(text),
            other => self.mistyped(value.span(), entry, "a text", "in double quotes", other),
        }
    }

    /// A list of texts; none where one of them is no text.
    pub(super) fn texts(&self, entry: &'static str) -> Option<Vec<At<&'a str>>> {
        let value = self.get(entry)?;
        let DeValue::Array(array) = value.get_ref() else {
            return self.mistyped(
                value.span(),
                entry,
                "a list",
                "in brackets: `[\"a\", \"b\"]`",
                value.get_ref(),
            );
        };
        let mut texts: Vec<At<&str>> = Vec::new();
        for item in array {
            if !matches!(item.get_ref(), DeValue::String(_)) {
                return self.mistyped(
                    item.span(),
                    entry,
                    "a list of texts",
                    "each in quotes",
                    item.get_ref(),
                );
            }
            let text = self.text_of(entry, item)?;
            if texts.iter().any(|(other, _)| *other == text) {
                let what = format!("names `{}` twice", shown(text));
                self.wrong(item.span(), entry, &what, "each once");
                return None;
            }
            texts.push((text, item.span()));
        }
        Some(texts)
    }

    pub(super) fn flag(&self, entry: &'static str) -> Option<bool> {
        let value = self.get(entry)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => self.mistyped(value.span(), entry, "`true` or `false`", "without quotes", other),
        }
    }

    pub(super) fn number(&self, entry: &'static str) -> Option<i64> {
        let value = self.get(entry)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            return self.mistyped(value.span(), entry, "a whole number", "without quotes", value.get_ref());
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        if number.is_none() {
            self.wrong(value.span(), entry, "is out of range", "a whole number of at most 63 bits");
        }
        number
    }

    /// Reports what is wrong with an entry: `what` reads after its name.
    pub(super) fn wrong(&self, span: Range<usize>, entry: &str, what: &str, hint: &str) {
        self.report.add(span, Diagnostic::error(format!("`{entry}` of `{}` {what}", self.shown)).hint(hint));
    }

    /// Reports what is wrong with the key as a whole: `what` reads after its name.
    pub(super) fn refuse(&self, what: &str, hint: &str) {
        self.report.add(self.span.clone(), Diagnostic::error(format!("`{}` {what}", self.shown)).hint(hint));
    }

    fn mistyped<T>(
        &self,
        span: Range<usize>,
        entry: &str,
        wanted: &str,
        how: &str,
        found: &DeValue<'_>,
    ) -> Option<T> {
        let message = format!("`{entry}` of `{}` is not {wanted}", self.shown);
        let finding = Diagnostic::error(message).found(type_of(found)).hint(how);
        self.report.add(span, finding);
        None
    }

    /// Reports every entry that nobody asked for.
    pub(super) fn close(self) {
        let known = self.known.into_inner();
        for (name, value) in self.entries {
            let entry = name.get_ref().as_ref();
            if known.contains(&entry) {
                continue;
            }
            let hint = match nearest(entry, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("what a key may have: {}", known.join(", ")),
            };
            let entry = shown(entry);
            let message = format!("`{entry}` is nothing that a key has");
            let finding = Diagnostic::error(message).hint(hint);
            match value.get_ref() {
                DeValue::String(text) if holds_secret(text) => {
                    self.report.add_hidden(name.span(), &entry, finding);
                }
                _ => self.report.add(name.span(), finding),
            }
        }
    }
}
