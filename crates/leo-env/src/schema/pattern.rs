use std::{fmt, sync::OnceLock};

use regex::{Regex, RegexBuilder};

/// A regular expression that a value matches from its first character to its last.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    /// Made when a first value is asked about: most patterns never are.
    whole: OnceLock<Option<Regex>>,
}

/// What a compiled pattern may take, in bytes: far more than a key's value needs.
const SIZE_LIMIT: usize = 1 << 20;

impl Pattern {
    /// Compiles a pattern; the error says what is wrong with it in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        // By itself, so that `a)(b` is not made whole by what is put around it.
        compile(text)?;
        Ok(Self { text: text.to_owned(), whole: OnceLock::new() })
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether all of a value matches.
    pub fn matches(&self, value: &str) -> bool {
        let whole = self.whole.get_or_init(|| compile(&format!("^(?:{})$", self.text)).ok());
        whole.as_ref().is_some_and(|whole| whole.is_match(value))
    }
}

fn compile(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(SIZE_LIMIT).build().map_err(|error| {
        let message = error.to_string();
        let last = message.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        last.trim().trim_start_matches("error: ").to_owned()
    })
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_value_has_to_match() {
        for text in ["a|b+", "^a|b+$", "^(a|b+)$"] {
            let pattern = Pattern::parse(text).unwrap();
            assert!(pattern.matches("a") && pattern.matches("bbb"), "{text}");
            assert!(!pattern.matches("ab") && !pattern.matches("a\n") && !pattern.matches(""), "{text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_said_in_one_line() {
        assert_eq!(Pattern::parse("a(").unwrap_err(), "unclosed group");
        assert_eq!(Pattern::parse("a)(b").unwrap_err(), "unopened group");
        assert!(!Pattern::parse("(a{999}){999}").unwrap_err().contains('\n'));
    }
}
