//! A `.dockerignore`: which of a context's paths a build does not see.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::ContextError;
use crate::pattern::{Pattern, characters, clean};

/// The name of the list that belongs to a context.
pub(crate) const IGNORE_FILE: &str = ".dockerignore";

/// The patterns of one list, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct IgnoreList {
    patterns: Vec<Pattern>,
    exceptions: bool,
    /// Whether no exception has a wildcard but at its end, so that it can be told where exceptions lie.
    plain_exceptions: bool,
}

/// Which patterns matched a folder: what the paths in it start from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matched(Vec<bool>);

/// The list that is used with this Dockerfile: its own, or that of the context.
pub(crate) fn list_of(context: &Path, dockerfile: &Path) -> PathBuf {
    let mut own = dockerfile.as_os_str().to_owned();
    own.push(IGNORE_FILE);
    let own = PathBuf::from(own);
    if own.exists() { own } else { context.join(IGNORE_FILE) }
}

impl IgnoreList {
    /// Reads a list; one that is not there leaves nothing out.
    pub(crate) fn read(path: &Path) -> Result<Self, ContextError> {
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(&bytes, path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ContextError::Unreadable { path: path.to_owned(), source }),
        }
    }

    /// Moby's `ignorefile.ReadAll`, and then its `patternmatcher.New`.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Self, ContextError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut list = Self { plain_exceptions: true, ..Self::default() };
        for (index, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            let line = String::from_utf8_lossy(line);
            let Some(text) = normalized(&line) else { continue };
            let pattern = Pattern::parse(&text).map_err(|problem| ContextError::Pattern {
                path: path.to_owned(),
                line: index + 1,
                pattern: line.trim().to_owned(),
                problem: problem.to_string(),
                fix: problem.fix(),
            })?;
            let Some(pattern) = pattern else { continue };
            if pattern.is_exception() {
                list.exceptions = true;
                list.plain_exceptions &= !pattern.folder().contains(['*', '[', ']', '?', '^', '\\']);
            }
            list.patterns.push(pattern);
        }
        Ok(list)
    }

    /// Whether `path` is left out, where `parent` is what its folder matched (`None` at the top), and what `path`
    /// matched itself. Moby's `MatchesUsingParentResults`.
    pub(crate) fn excludes(&self, path: &[u8], parent: Option<&Matched>) -> (bool, Matched) {
        let mut excluded = false;
        let mut matched = vec![false; self.patterns.len()];
        for (index, (pattern, own)) in self.patterns.iter().zip(&mut matched).enumerate() {
            let inherited = parent.and_then(|parent| parent.0.get(index)).copied().unwrap_or(false);
            if !inherited {
                // It could change nothing.
                if pattern.is_exception() != excluded {
                    continue;
                }
                if !pattern.matches(path) {
                    continue;
                }
            }
            *own = true;
            excluded = !pattern.is_exception();
        }
        (excluded, Matched(matched))
    }

    /// Whether nothing in this folder, which is left out itself, can be taken back by an exception.
    pub(crate) fn nothing_below(&self, folder: &[u8]) -> bool {
        if !self.exceptions {
            return true;
        }
        if !self.plain_exceptions {
            return false;
        }
        let inside = |pattern: &Pattern| {
            let rest = pattern.folder().as_bytes().strip_prefix(folder);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        !self.patterns.iter().any(|pattern| pattern.is_exception() && inside(pattern))
    }
}

/// A line as a pattern that is relative to the context; `None` for comments and empty lines.
fn normalized(line: &str) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let line = line.trim();
    let (mark, pattern) = match line.strip_prefix('!') {
        Some(rest) => ("!", rest.trim()),
        None => ("", line),
    };
    if line.is_empty() {
        return None;
    }
    if pattern.is_empty() {
        return Some(mark.to_owned());
    }
    let pattern = clean(pattern);
    let relative = pattern.strip_prefix('/').filter(|rest| !rest.is_empty()).unwrap_or(&pattern);
    Some(format!("{mark}{relative}"))
}

/// The line that leaves out exactly this path, which is relative to the context.
pub(crate) fn line_for(path: &Path) -> String {
    let characters: Vec<char> = characters(path.as_os_str().as_bytes()).collect();
    let last = characters.len().saturating_sub(1);
    let mut line = String::new();
    for (index, &character) in characters.iter().enumerate() {
        match character {
            '*' | '?' | '[' | ']' | '^' | '\\' => {
                line.push('\\');
                line.push(character);
            }
            '#' | '!' if index == 0 => {
                line.push('\\');
                line.push(character);
            }
            // What a line can't hold, and what is trimmed off it.
            '\n' | '\r' | char::REPLACEMENT_CHARACTER => line.push('?'),
            space if space.is_whitespace() && (index == 0 || index == last) => line.push('?'),
            plain => line.push(plain),
        }
    }
    line
}

#[cfg(test)]
mod tests;
