//! One pattern of a `.dockerignore`, by the rules of moby's patternmatcher.

mod glob;

mod program;

use std::fmt::{self, Display, Formatter};

pub(crate) use self::glob::clean;
use self::program::Program;
pub(crate) use self::program::characters;

/// A pattern that says which paths it matches. Whether a path is left out is decided by the whole list.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    text: String,
    exception: bool,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    /// The path is the pattern.
    Exact,
    /// The path begins so (`dir/**`).
    Prefix(String),
    /// The path ends so, or is it without its leading slash (`**/dir`).
    Suffix(String),
    /// Everything else, which moby makes a regular expression of.
    Program(Program),
}

/// What is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadPattern {
    /// `!` with nothing after it.
    LoneException,
    /// Go's `filepath.Match` refuses it: an unfinished class or escape.
    Syntax,
    /// A class whose range runs backwards, like `[z-a]`.
    Range,
    /// `\` before a letter or a digit means something else to moby's regular expressions.
    Escape(char),
    /// `[[:name:]]` with a name that there is not.
    ClassName,
}

impl Display for BadPattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoneException => f.write_str("`!` has no pattern after it"),
            Self::Syntax => f.write_str("it has an unfinished `[…]` or ends with `\\`"),
            Self::Range => f.write_str("it has a range that runs backwards"),
            Self::Escape(character) => write!(f, "it escapes `{character}`, which needs no escape"),
            Self::ClassName => f.write_str("it has an unknown `[:…:]` class"),
        }
    }
}

impl BadPattern {
    /// What to write instead.
    pub(crate) fn fix(self) -> &'static str {
        match self {
            Self::LoneException => "write a path after the `!`, or take the line out",
            Self::Syntax => {
                "close the `[` with a `]` that has something before it; write `\\\\` for a backslash"
            }
            Self::Range => "let the range go upwards, like `[a-z]`",
            Self::Escape(_) => "write `\\` only before `*`, `?`, `[`, `]` and `\\`",
            Self::ClassName => "name the characters, like `[a-z0-9]`",
        }
    }
}

impl Pattern {
    /// A pattern as it stands in the list: `!` in front makes an exception. Spaces at its ends don't count. `None`
    /// where nothing is left.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, BadPattern> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let cleaned = glob::clean(text);
        let (exception, text) = match cleaned.strip_prefix('!') {
            Some("") => return Err(BadPattern::LoneException),
            Some(rest) => (true, rest.to_owned()),
            None => (false, cleaned),
        };
        glob::check(&text)?;
        let matcher = match glob::translate(&text) {
            glob::Translated::Exact => Matcher::Exact,
            glob::Translated::Prefix => Matcher::Prefix(without_end(&text)),
            glob::Translated::Suffix => Matcher::Suffix(text.chars().skip(2).collect()),
            glob::Translated::Expression(expression) => Matcher::Program(Program::parse(&expression)?),
        };
        Ok(Some(Self { text, exception, matcher }))
    }

    /// Whether it takes back what an earlier pattern left out.
    pub(crate) fn is_exception(&self) -> bool {
        self.exception
    }

    /// Whether it matches this path itself; parents are the caller's concern.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        match &self.matcher {
            Matcher::Exact => path == self.text.as_bytes(),
            Matcher::Prefix(prefix) => path.starts_with(prefix.as_bytes()),
            Matcher::Suffix(suffix) => {
                path.ends_with(suffix.as_bytes())
                    || suffix.strip_prefix('/').is_some_and(|rest| path == rest.as_bytes())
            }
            Matcher::Program(program) => program.matches(path),
        }
    }

    /// The pattern without `/**` and then `/*` at its end: where all that it matches lies, if it has no other
    /// wildcard.
    pub(crate) fn folder(&self) -> &str {
        let text = self.text.strip_suffix("/**").unwrap_or(&self.text);
        text.strip_suffix("/*").unwrap_or(text)
    }
}

/// Without the two characters at its end.
fn without_end(text: &str) -> String {
    text.strip_suffix("**").unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests;
