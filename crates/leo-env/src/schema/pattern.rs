use std::fmt;

use regex::{Regex, RegexBuilder};

/// A regular expression that a value matches from its first character to its last.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    whole: Regex,
}

/// What a compiled pattern may take, in bytes: far more than a key's value needs.
const SIZE_LIMIT: usize = 1 << 20;

impl Pattern {
    /// Compiles a pattern; the error says what is wrong with it in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        // By itself, so that `a)(b` is not made whole by what is put around it.
        compile(text)?;
        // In the verbose form a comment goes on to the end of the line, which has to come before what is put around it.
        let whole = compile(&format!("^(?:{text})$")).or_else(|_| compile(&format!("^(?:{text}\n)$")))?;
        Ok(Self { text: text.to_owned(), whole })
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether all of a value matches.
    pub fn matches(&self, value: &str) -> bool {
        self.whole.is_match(value)
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
    fn a_comment_in_a_pattern_ends_with_it() {
        let pattern = Pattern::parse("(?x) Z [0-9]+ # a zone").unwrap();
        assert!(pattern.matches("Z12") && !pattern.matches("Z12\n") && !pattern.matches("aZ12"));
        assert!(Pattern::parse("Z#").unwrap().matches("Z#"));
    }

    #[test]
    fn what_is_too_large_only_as_a_whole_is_said_at_once() {
        let largest =
            (1..2000).rev().map(|times| format!("[a-z]{{{times}}}")).find(|text| compile(text).is_ok());
        let pattern = Pattern::parse(&largest.unwrap());
        assert!(pattern.map_or_else(|error| !error.is_empty(), |pattern| !pattern.matches("a")));
    }

    #[test]
    fn what_is_no_pattern_is_said_in_one_line() {
        assert_eq!(Pattern::parse("a(").unwrap_err(), "unclosed group");
        assert_eq!(Pattern::parse("a)(b").unwrap_err(), "unopened group");
        assert!(!Pattern::parse("(a{999}){999}").unwrap_err().contains('\n'));
    }
}
