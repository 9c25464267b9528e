//! A value as it stands in its line, and how one is written.

use std::ops::Range;

use secrecy::zeroize::Zeroizing;

/// The lines of one key, taken apart.
pub(super) struct Assignment<'a> {
    /// The key.
    pub(super) key: &'a str,
    /// The bytes of the value with its quotes; empty behind the `=` where there is none.
    pub(super) value: Range<usize>,
    /// How it is quoted.
    pub(super) style: Style,
}

/// How a value is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Not at all: the one way that also `docker run --env-file` reads like the others.
    Bare,
    /// `'…'`: nothing in it means anything.
    Single,
    /// `"…"`: `\`, `"` and `$` are escaped.
    Double,
}

impl<'a> Assignment<'a> {
    /// Takes `KEY=value` apart; `None`: it has not that form.
    pub(super) fn of(raw: &'a str) -> Option<Self> {
        let (before, after) = raw.split_once('=')?;
        let key = before.trim();
        let key = match key.strip_prefix("export") {
            Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim_start(),
            _ => key,
        };
        let blanks = after.len() - after.trim_start_matches([' ', '\t']).len();
        let token = after.get(blanks..)?;
        let length = token_length(token);
        let start = before.len() + 1;
        // A comment, or nothing, is no value: one that is set goes right behind the `=`.
        let value = if length == 0 || token.starts_with('#') {
            start..start
        } else {
            start + blanks..start + blanks + length
        };
        Some(Self { key, style: style(raw.get(value.clone())?), value })
    }
}

/// How much of the text is the value: up to the first blank or line end outside quotes.
fn token_length(text: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (None | Some('"'), '\\') => escaped = true,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ' | '\t' | '\r' | '\n') => return at,
            (Some(_) | None, _) => {}
        }
    }
    text.len()
}

fn style(token: &str) -> Style {
    let within = |quote: char| {
        token
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
            .is_some_and(|inner| quote == '"' || !inner.contains(quote))
    };
    if within('\'') {
        Style::Single
    } else if within('"') {
        Style::Double
    } else {
        Style::Bare
    }
}

/// The ways to write a value, best first: as it was, then as little quoted as can be.
pub(super) fn styles(now: Option<Style>) -> impl Iterator<Item = Style> {
    let others =
        [Style::Bare, Style::Single, Style::Double].into_iter().filter(move |style| Some(*style) != now);
    now.into_iter().chain(others)
}

/// A value as it is written with as few quotes as it needs; `None`: no way of writing carries it.
pub(crate) fn token(value: &str) -> Option<Zeroizing<String>> {
    styles(None).find_map(|style| write(value, style))
}

/// A value as it is written in a style; `None` where shells, Docker and `dotenvy` would not read it alike from that.
pub(super) fn write(value: &str, style: Style) -> Option<Zeroizing<String>> {
    if value.chars().any(char::is_control) {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    let (quote, carries) = match style {
        Style::Bare => ("", value.chars().all(plain)),
        Style::Single => ("'", !value.contains('\'') && !value.ends_with('\\')),
        // A shell runs what is between backticks, and has no escape for them that others know.
        Style::Double => ("\"", !value.contains('`')),
    };
    if !carries {
        return None;
    }
    // Room for all of it, also where every character is escaped: what moves while it grows would leave a part behind.
    let mut token = Zeroizing::new(String::with_capacity(value.len() * 2 + 2));
    token.push_str(quote);
    for c in value.chars() {
        token.extend((style == Style::Double && matches!(c, '\\' | '"' | '$')).then_some('\\'));
        token.push(c);
    }
    token.push_str(quote);
    Some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_apart(raw: &str) -> Option<(&str, &str, Style)> {
        let assignment = Assignment::of(raw)?;
        Some((assignment.key, &raw[assignment.value], assignment.style))
    }

    #[test]
    fn a_line_is_taken_apart() {
        for (raw, expected) in [
            ("A=b\n", Some(("A", "b", Style::Bare))),
            ("  export  A = b # c\r\n", Some(("A", "b", Style::Bare))),
            ("A='b # c' # d", Some(("A", "'b # c'", Style::Single))),
            ("A=\"b \\\" c\" d", Some(("A", "\"b \\\" c\"", Style::Double))),
            ("A='one\ntwo'\n", Some(("A", "'one\ntwo'", Style::Single))),
            ("A='b'c", Some(("A", "'b'c", Style::Bare))),
            ("A=b#c", Some(("A", "b#c", Style::Bare))),
            ("A=\n", Some(("A", "", Style::Bare))),
            ("A=  # c\n", Some(("A", "", Style::Bare))),
            ("A==b", Some(("A", "=b", Style::Bare))),
            ("exported=b", Some(("exported", "b", Style::Bare))),
            ("just text", None),
        ] {
            assert_eq!(taken_apart(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn a_value_is_written_as_its_style_allows() {
        let all = |value: &str| {
            styles(None)
                .filter_map(|style| write(value, style))
                .map(|token| (*token).clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(all("arn:aws:x:1/2"), ["arn:aws:x:1/2", "'arn:aws:x:1/2'", "\"arn:aws:x:1/2\""]);
        assert_eq!(all("a b"), ["'a b'", "\"a b\""]);
        assert_eq!(all("it's $5"), ["\"it's \\$5\""]);
        assert_eq!(all("~/x"), ["'~/x'", "\"~/x\""]);
        assert_eq!(all("both ' and `"), [""; 0]);
        assert_eq!(all("two\nlines"), [""; 0]);
    }
}
