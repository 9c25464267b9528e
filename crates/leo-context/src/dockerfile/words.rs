//! Variables in a Dockerfile's words, as BuildKit's shlex fills them in.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// Names and their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    pub(super) fn set(&mut self, name: String, value: String) {
        self.0.insert(name, value);
    }

    /// What an `ARG` declares: `name`, or `name=default`, more than once. A value that is given wins over `inherited`
    /// (the value before the first stage), which wins over nothing.
    pub(super) fn declare(
        &mut self,
        text: &str,
        given: &BTreeMap<String, String>,
        inherited: &BTreeMap<String, String>,
    ) {
        for word in split(text) {
            let (name, default) = match word.split_once('=') {
                Some((name, default)) => (name, self.fill(default)),
                None => (word.as_str(), inherited.get(&word).cloned()),
            };
            if let Some(value) = given.get(name).cloned().or(default) {
                self.set(name.to_owned(), value);
            }
        }
    }

    /// What an `ENV` sets: `name=value`, more than once, or `name value`.
    pub(super) fn environment(&mut self, text: &str) {
        let words = split(text);
        let pairs: Vec<(String, String)> = match words.first() {
            Some(first) if !first.contains('=') => {
                let value = text.trim_start().strip_prefix(first.as_str()).unwrap_or_default();
                vec![(first.clone(), value.trim().to_owned())]
            }
            _ => {
                let pair = |word: &String| word.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
                words.iter().filter_map(pair).collect()
            }
        };
        for (name, value) in pairs {
            match self.fill(&value) {
                Some(value) => self.set(name, value),
                None => {
                    self.0.remove(&name);
                }
            }
        }
    }

    pub(super) fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// A word with its quotes taken off and its variables filled in; `None` where one has no known value or a form
    /// that is not understood here.
    pub(super) fn fill(&self, word: &str) -> Option<String> {
        self.words(&mut word.chars().peekable(), None)
    }

    fn words(&self, rest: &mut Peekable<Chars<'_>>, until: Option<char>) -> Option<String> {
        let mut filled = String::new();
        let mut quoted = false;
        loop {
            match rest.next() {
                None => return until.is_none().then_some(filled),
                Some(end) if !quoted && until == Some(end) => return Some(filled),
                Some('\'') if !quoted => loop {
                    match rest.next()? {
                        '\'' => break,
                        plain => filled.push(plain),
                    }
                },
                Some('"') => quoted = !quoted,
                Some('\\') => match rest.next()? {
                    escaped if !quoted || matches!(escaped, '"' | '$' | '\\') => filled.push(escaped),
                    plain => filled.extend(['\\', plain]),
                },
                Some('$') => filled.push_str(&self.variable(rest)?),
                Some(plain) => filled.push(plain),
            }
        }
    }

    /// What stands for `$name` or `${name…}`, after the `$`.
    fn variable(&self, rest: &mut Peekable<Chars<'_>>) -> Option<String> {
        let braced = rest.next_if_eq(&'{').is_some();
        let mut name = String::new();
        while let Some(part) = rest.next_if(|part| part.is_ascii_alphanumeric() || *part == '_') {
            name.push(part);
        }
        let value = self.0.get(&name).cloned();
        if !braced {
            return if name.is_empty() { None } else { value };
        }
        let mut operator = rest.next()?;
        if operator == '}' {
            return value;
        }
        // With a colon an empty value is none.
        let value = if operator == ':' {
            operator = rest.next()?;
            value.filter(|value| !value.is_empty())
        } else {
            value
        };
        let word = self.words(rest, Some('}'));
        match operator {
            '-' => value.or(word),
            '+' => value.map_or(Some(String::new()), |_| word),
            '?' => value,
            _ => None,
        }
    }
}

/// Splits at spaces that are not quoted; quotes stay.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' if quote != Some('\'') => {
                word.push(character);
                word.extend(rest.next());
            }
            '"' | '\'' => {
                word.push(character);
                quote = match quote {
                    None => Some(character),
                    Some(open) if open == character => None,
                    open => open,
                };
            }
            space if space.is_whitespace() && quote.is_none() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            plain => word.push(plain),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_in_as_buildkit_does() {
        let mut variables = Variables::default();
        variables.set("A".into(), "1".into());
        variables.set("E".into(), String::new());
        for (word, filled) in [
            ("plain", Some("plain")),
            ("$A", Some("1")),
            ("${A}b", Some("1b")),
            ("x$A-y", Some("x1-y")),
            ("$B", None),
            ("${B}", None),
            ("${B:-2}", Some("2")),
            ("${B-2}", Some("2")),
            ("${B:-${A}.0}", Some("1.0")),
            ("${E:-2}", Some("2")),
            ("${E-2}", Some("")),
            ("${A:+3}", Some("3")),
            ("${B:+3}", Some("")),
            ("${E:+3}", Some("")),
            ("${E+3}", Some("3")),
            ("${A:?no}", Some("1")),
            ("${B:?no}", None),
            ("${A#1}", None),
            ("${A", None),
            ("\"$A\"", Some("1")),
            ("'$A'", Some("$A")),
            ("\\$A", Some("$A")),
            ("\"a\\b\"", Some("a\\b")),
            ("'open", None),
            ("$", None),
        ] {
            assert_eq!(variables.fill(word).as_deref(), filled, "{word}");
        }
    }

    #[test]
    fn arguments_and_environment() {
        let given = BTreeMap::from([("GIVEN".to_owned(), "given".to_owned())]);
        let inherited = BTreeMap::from([("GLOBAL".to_owned(), "global".to_owned())]);
        let mut variables = Variables::default();
        variables.declare("GIVEN=default OTHER=\"a b\" GLOBAL NONE USES=${OTHER}c", &given, &inherited);
        variables.environment("X=1 Y=\"2 3\" Z=$X$GIVEN");
        variables.environment("OLD some value");
        let all: Vec<String> =
            variables.all().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let wanted = "GIVEN=given|GLOBAL=global|OLD=some value|OTHER=a b|USES=a bc|X=1|Y=2 3|Z=1given";
        assert_eq!(all.join("|"), wanted);
    }
}
