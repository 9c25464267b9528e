//! The regular expressions that moby makes of patterns, in Go's syntax: characters, classes, `.`, `*`, one optional
//! group, `^` and `$`. Nothing else can come out of a pattern, so nothing else is understood.

use std::iter::Peekable;
use std::str::Chars;

use super::BadPattern;

/// A compiled expression. It runs in time proportional to the path times the pattern.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    steps: Vec<Step>,
    /// Bytes that every match ends with.
    tail: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Step {
    /// One of these characters.
    One(Set),
    /// Any number of these characters.
    Many(Set),
    /// `(.*/)?`: nothing, or go on with the step after it.
    Folders,
    /// Inside of `(.*/)`: it ends after a slash.
    InFolders,
    /// `^`: nothing has been read.
    Start,
}

#[derive(Clone, Debug)]
enum Set {
    Char(char),
    /// `.`, which in Go is not a line's end.
    Dot,
    Class(Class),
}

#[derive(Clone, Debug, Default)]
struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
    /// `\D`, `\W`, `\S`: all but these.
    others: Vec<&'static [(char, char)]>,
}

impl Set {
    fn contains(&self, character: char) -> bool {
        match self {
            Self::Char(own) => *own == character,
            Self::Dot => character != '\n',
            Self::Class(class) => class.contains(character),
        }
    }
}

fn within(ranges: &[(char, char)], character: char) -> bool {
    ranges.iter().any(|&(low, high)| (low..=high).contains(&character))
}

impl Class {
    fn contains(&self, character: char) -> bool {
        let found =
            within(&self.ranges, character) || self.others.iter().any(|ranges| !within(ranges, character));
        found != self.negated
    }
}

impl Program {
    /// An expression that [`super::glob::translate`] wrote.
    pub(super) fn parse(expression: &str) -> Result<Self, BadPattern> {
        let mut rest = expression.chars().peekable();
        let mut steps = Vec::new();
        rest.next_if_eq(&'^');
        while let Some(character) = rest.next() {
            let set = match character {
                '$' if rest.peek().is_none() => break,
                '^' => {
                    steps.push(Step::Start);
                    continue;
                }
                '(' => {
                    // Only ever `(.*/)?`.
                    for _ in 0..5 {
                        rest.next();
                    }
                    steps.extend([Step::Folders, Step::InFolders]);
                    continue;
                }
                '.' => Set::Dot,
                '[' => Set::Class(class(&mut rest)?),
                '\\' => escaped(&mut rest)?,
                plain => Set::Char(plain),
            };
            steps.push(if rest.next_if_eq(&'*').is_some() { Step::Many(set) } else { Step::One(set) });
        }
        let plain = |step: &Step| match step {
            Step::One(Set::Char(character)) => Some(*character),
            _ => None,
        };
        let mut tail: Vec<char> = steps.iter().rev().map_while(plain).collect();
        tail.reverse();
        Ok(Self { steps, tail: String::from_iter(tail).into_bytes() })
    }

    /// Whether it matches all of `path`.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        if !path.ends_with(&self.tail) {
            return false;
        }
        let mut active = vec![false; self.steps.len() + 1];
        let mut next = active.clone();
        self.enter(&mut active, 0, true);
        for character in characters(path) {
            next.fill(false);
            let mut alive = false;
            for (index, step) in self.steps.iter().enumerate() {
                if !active.get(index).copied().unwrap_or(false) {
                    continue;
                }
                match step {
                    Step::One(set) if set.contains(character) => self.enter(&mut next, index + 1, false),
                    Step::Many(set) if set.contains(character) => self.enter(&mut next, index, false),
                    Step::InFolders if character != '\n' => {
                        if let Some(state) = next.get_mut(index) {
                            *state = true;
                        }
                        if character == '/' {
                            self.enter(&mut next, index + 1, false);
                        }
                    }
                    _ => continue,
                }
                alive = true;
            }
            if !alive {
                return false;
            }
            std::mem::swap(&mut active, &mut next);
        }
        active.last().copied().unwrap_or(false)
    }

    /// Makes a step active, and those that can be reached from it without reading anything.
    fn enter(&self, active: &mut [bool], index: usize, at_start: bool) {
        let Some(state) = active.get_mut(index) else { return };
        if std::mem::replace(state, true) {
            return;
        }
        match self.steps.get(index) {
            Some(Step::Many(_)) => self.enter(active, index + 1, at_start),
            Some(Step::Folders) => {
                self.enter(active, index + 1, at_start);
                self.enter(active, index + 2, at_start);
            }
            Some(Step::Start) if at_start => self.enter(active, index + 1, at_start),
            _ => {}
        }
    }
}

/// A path's characters as Go reads them: each byte that is not UTF-8 is one U+FFFD.
pub(crate) fn characters(path: &[u8]) -> impl Iterator<Item = char> {
    path.utf8_chunks().flat_map(|chunk| {
        chunk.valid().chars().chain(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER))
    })
}

const DIGITS: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const SPACE: &[(char, char)] = &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')];

/// Go's names between `[:` and `:]`.
const NAMED: &[(&str, &[(char, char)])] = &[
    ("alnum", &[('0', '9'), ('A', 'Z'), ('a', 'z')]),
    ("alpha", &[('A', 'Z'), ('a', 'z')]),
    ("ascii", &[('\0', '\x7f')]),
    ("blank", &[('\t', '\t'), (' ', ' ')]),
    ("cntrl", &[('\0', '\x1f'), ('\x7f', '\x7f')]),
    ("digit", DIGITS),
    ("graph", &[('!', '~')]),
    ("lower", &[('a', 'z')]),
    ("print", &[(' ', '~')]),
    ("punct", &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
    ("space", &[('\t', '\r'), (' ', ' ')]),
    ("upper", &[('A', 'Z')]),
    ("word", WORD),
    ("xdigit", &[('0', '9'), ('A', 'F'), ('a', 'f')]),
];

/// What stands after a `\`.
enum Escape {
    Char(char),
    These(&'static [(char, char)]),
    AllBut(&'static [(char, char)]),
}

fn escape(rest: &mut Peekable<Chars<'_>>) -> Result<Escape, BadPattern> {
    let character = rest.next().ok_or(BadPattern::Syntax)?;
    Ok(match character {
        'd' => Escape::These(DIGITS),
        'w' => Escape::These(WORD),
        's' => Escape::These(SPACE),
        'D' => Escape::AllBut(DIGITS),
        'W' => Escape::AllBut(WORD),
        'S' => Escape::AllBut(SPACE),
        'a' => Escape::Char('\x07'),
        'f' => Escape::Char('\x0c'),
        't' => Escape::Char('\t'),
        'n' => Escape::Char('\n'),
        'r' => Escape::Char('\r'),
        'v' => Escape::Char('\x0b'),
        'x' => Escape::Char(hexadecimal(rest).ok_or(BadPattern::Escape('x'))?),
        plain if plain.is_ascii() && !plain.is_ascii_alphanumeric() => Escape::Char(plain),
        other => return Err(BadPattern::Escape(other)),
    })
}

/// The two digits of `\xHH`. The form with braces can't be in a pattern, whose braces are escaped.
fn hexadecimal(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    let mut digit = || rest.next().and_then(|digit| digit.to_digit(16));
    char::from_u32(digit()? * 16 + digit()?)
}

fn escaped(rest: &mut Peekable<Chars<'_>>) -> Result<Set, BadPattern> {
    Ok(match escape(rest)? {
        Escape::Char(character) => Set::Char(character),
        Escape::These(ranges) => Set::Class(Class { ranges: ranges.to_vec(), ..Class::default() }),
        Escape::AllBut(ranges) => Set::Class(Class { others: vec![ranges], ..Class::default() }),
    })
}

/// The rest of a class after its `[`.
fn class(rest: &mut Peekable<Chars<'_>>) -> Result<Class, BadPattern> {
    let mut class = Class { negated: rest.next_if_eq(&'^').is_some(), ..Class::default() };
    let mut first = true;
    loop {
        let character = rest.next().ok_or(BadPattern::Syntax)?;
        match character {
            ']' if !first => return Ok(class),
            '[' if rest.peek() == Some(&':') => match named(rest)? {
                Some(ranges) => class.ranges.extend(ranges),
                None => range('[', rest, &mut class)?,
            },
            '\\' => match escape(rest)? {
                Escape::Char(low) => range(low, rest, &mut class)?,
                Escape::These(ranges) => class.ranges.extend(ranges),
                Escape::AllBut(ranges) => class.others.push(ranges),
            },
            low => range(low, rest, &mut class)?,
        }
        first = false;
    }
}

/// `[:name:]`, whose `[` has been read; `None`, with nothing read, where there is no `:]` any more.
fn named(rest: &mut Peekable<Chars<'_>>) -> Result<Option<&'static [(char, char)]>, BadPattern> {
    let text: String = rest.clone().skip(1).collect();
    let Some((name, _)) = text.split_once(":]") else { return Ok(None) };
    let ranges = NAMED.iter().find(|(own, _)| *own == name).map(|(_, ranges)| *ranges);
    for _ in 0..name.chars().count() + 3 {
        rest.next();
    }
    ranges.map(Some).ok_or(BadPattern::ClassName)
}

/// `low`, or `low-high`.
fn range(low: char, rest: &mut Peekable<Chars<'_>>, class: &mut Class) -> Result<(), BadPattern> {
    let mut ahead = rest.clone();
    let mut high = low;
    if ahead.next() == Some('-') && ahead.peek().is_some_and(|&next| next != ']') {
        rest.next();
        high = match rest.next() {
            Some('\\') => match escape(rest)? {
                Escape::Char(character) => character,
                Escape::These(_) | Escape::AllBut(_) => return Err(BadPattern::Range),
            },
            Some(character) => character,
            None => return Err(BadPattern::Syntax),
        };
    }
    if high < low {
        return Err(BadPattern::Range);
    }
    class.ranges.push((low, high));
    Ok(())
}
