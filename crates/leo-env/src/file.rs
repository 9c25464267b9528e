use std::{cell::Cell, io, ops::Range};

use leo_diagnostic::{Diagnostic, Location};

/// A variable of a file.
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: String,
    /// The lines of the file, from 0.
    pub(crate) lines: Range<usize>,
}

/// What a file holds: the entries that could be read, and a finding for every line that could not.
///
/// The parser is `dotenvy`'s, fed one line at a time so that each entry's lines are known. Its one surprise is refused: it
/// would replace `$NAME` in a value by a variable of the process.
pub(crate) fn parse(path: &str, text: &str) -> (Vec<Entry>, Vec<Diagnostic>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut entries = Vec::new();
    let mut findings = Vec::new();
    let mut from = 0;
    while let Some(rest) = lines.get(from..).filter(|rest| !rest.is_empty()) {
        let Some(unclosed) = parse_lines(path, rest, from, &mut entries, &mut findings) else { break };
        // All that follows was taken for the inside of a quote: go on after the line that opened it.
        findings.push(malformed(
            path,
            unclosed,
            lines.get(unclosed).copied().unwrap_or_default(),
            "a quote is opened here and never closed",
            "put the value in single quotes: KEY='value'",
        ));
        from = unclosed + 1;
    }
    (entries, findings)
}

/// Parses to the end, or to a quote that is never closed, whose line is returned.
fn parse_lines(
    path: &str,
    lines: &[&str],
    offset: usize,
    entries: &mut Vec<Entry>,
    findings: &mut Vec<Diagnostic>,
) -> Option<usize> {
    let taken = Cell::new(0);
    let mut parser = dotenvy::Iter::new(LineByLine { lines, line: &taken, in_line: 0 });
    loop {
        let before = taken.get();
        let next = parser.next()?;
        let first = (before..taken.get()).find(|line| holds_entry(lines, *line)).unwrap_or(before);
        let span = first + offset..taken.get().max(first + 1) + offset;
        let raw = lines.get(first..taken.get()).unwrap_or_default().concat();
        match next {
            Ok(_) if expands(&raw) => findings.push(malformed(
                path,
                span.start,
                &raw,
                "the value holds a `$`, which would be replaced by a variable",
                "put the value in single quotes: KEY='value'",
            )),
            Ok((key, value)) => entries.push(Entry { key, value, lines: span }),
            Err(dotenvy::Error::LineParse(text, at))
                if at == text.len() && taken.get() == lines.len() && span.len() > 1 =>
            {
                return Some(span.start);
            }
            Err(_) => findings.push(unreadable(path, span.start, &raw)),
        }
    }
}

/// A finding for a line that is not an entry. The line may hold a secret, so at most its key is shown.
fn malformed(path: &str, line: usize, raw: &str, message: &str, hint: &str) -> Diagnostic {
    let shown = key(raw).map_or_else(|| "<not shown>".to_owned(), |key| format!("{key}=<not shown>"));
    Diagnostic::error(message).at(Location::hidden(path, line + 1, &shown)).hint(hint)
}

fn unreadable(path: &str, line: usize, raw: &str) -> Diagnostic {
    if key(raw).is_some() {
        let hint = "a value with spaces, quotes or backslashes goes into single quotes: KEY='value'";
        malformed(path, line, raw, "the value can't be read", hint)
    } else {
        malformed(
            path,
            line,
            raw,
            "the line is not `KEY=value`",
            "write `KEY=value`, or begin the line with `#`",
        )
    }
}

/// What a line sets, where it has the form of a key.
fn key(raw: &str) -> Option<&str> {
    let (key, _) = raw.split_once('=')?;
    let key = key.trim().trim_start_matches("export ").trim();
    is_key(key).then_some(key)
}

/// Whether a key has the form of one. Anything else may be a secret that was pasted without its key, so it isn't shown.
pub(crate) fn is_key(key: &str) -> bool {
    key.len() <= 64
        && key.starts_with(|first: char| first.is_ascii_uppercase())
        && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Whether a line is neither empty nor a comment.
fn holds_entry(lines: &[&str], line: usize) -> bool {
    lines.get(line).is_some_and(|text| {
        let text = text.trim();
        !text.is_empty() && !text.starts_with('#')
    })
}

/// Whether an entry has a `$` outside single quotes that no backslash precedes.
fn expands(raw: &str) -> bool {
    let Some((_, value)) = raw.split_once('=') else { return false };
    let (mut single, mut double, mut escaped) = (false, false, false);
    let mut before = ' ';
    for c in value.trim_start().chars() {
        match c {
            _ if escaped => escaped = false,
            '\'' if !double => single = !single,
            _ if single => {}
            '\\' => escaped = true,
            '"' => double = !double,
            '$' => return true,
            '#' if !double && before.is_whitespace() => return false,
            _ => {}
        }
        before = c;
    }
    false
}

/// Hands out at most one line a call, each ended by a line feed, and counts the lines handed out.
struct LineByLine<'t, 'c> {
    lines: &'t [&'t str],
    line: &'c Cell<usize>,
    in_line: usize,
}

impl io::Read for LineByLine<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(line) = self.lines.get(self.line.get()) else { return Ok(0) };
        let rest = line.as_bytes().get(self.in_line..).unwrap_or_default();
        // The last line of a file may lack its line feed; without one the parser takes a trailing space for an open value.
        let source = if rest.is_empty() { b"\n" } else { rest };
        let length = source.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(source) {
            *to = *from;
        }
        self.in_line += length;
        if source.get(length.wrapping_sub(1)) == Some(&b'\n') {
            self.line.set(self.line.get() + 1);
            self.in_line = 0;
        }
        Ok(length)
    }
}
