//! The syntax of a pattern: Go's `filepath.Clean` and `filepath.Match`, and moby's translation to a regular
//! expression.

use super::BadPattern;

/// Go's `filepath.Clean`: no doubled or trailing slash, no `.`, and `..` only where nothing is left to go up from.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(part),
            },
            _ => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// What Go's `filepath.Match` refuses.
pub(super) fn check(pattern: &str) -> Result<(), BadPattern> {
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => {
                rest.next().ok_or(BadPattern::Syntax)?;
            }
            '[' => {
                rest.next_if_eq(&'^');
                let mut ranges = 0;
                while ranges == 0 || rest.next_if_eq(&']').is_none() {
                    bound(&mut rest)?;
                    if rest.next_if_eq(&'-').is_some() {
                        bound(&mut rest)?;
                    }
                    ranges += 1;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// One end of a range in a class. Something has to follow it.
fn bound(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<(), BadPattern> {
    match rest.next() {
        None | Some('-' | ']') => return Err(BadPattern::Syntax),
        Some('\\') => {
            rest.next().ok_or(BadPattern::Syntax)?;
        }
        Some(_) => {}
    }
    rest.peek().map(|_| ()).ok_or(BadPattern::Syntax)
}

/// What moby makes of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Translated {
    Exact,
    Prefix,
    Suffix,
    /// A regular expression in Go's syntax, `^…$`.
    Expression(String),
}

/// Moby's `Pattern.compile`, wildcards inside of classes included.
pub(super) fn translate(pattern: &str) -> Translated {
    enum Kind {
        Exact,
        Prefix,
        Suffix,
        Wild,
    }
    let mut expression = "^".to_owned();
    let mut kind = Kind::Exact;
    let mut rest = pattern.chars().peekable();
    let mut first = true;
    while let Some(character) = rest.next() {
        match character {
            '*' if rest.next_if_eq(&'*').is_some() => {
                rest.next_if_eq(&'/');
                if rest.peek().is_some() {
                    expression.push_str("(.*/)?");
                    kind = Kind::Wild;
                } else if matches!(kind, Kind::Exact) {
                    kind = Kind::Prefix;
                } else {
                    expression.push_str(".*");
                    kind = Kind::Wild;
                }
                if first {
                    kind = Kind::Suffix;
                }
            }
            '*' => {
                expression.push_str("[^/]*");
                kind = Kind::Wild;
            }
            '?' => {
                expression.push_str("[^/]");
                kind = Kind::Wild;
            }
            '\\' => {
                expression.push('\\');
                expression.extend(rest.next());
                kind = Kind::Wild;
            }
            '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => {
                expression.push('\\');
                expression.push(character);
            }
            '[' | ']' => {
                expression.push(character);
                kind = Kind::Wild;
            }
            _ => expression.push(character),
        }
        first = false;
    }
    match kind {
        Kind::Exact => Translated::Exact,
        Kind::Prefix => Translated::Prefix,
        Kind::Suffix => Translated::Suffix,
        Kind::Wild => Translated::Expression(expression + "$"),
    }
}
