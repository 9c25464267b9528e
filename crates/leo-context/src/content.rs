//! What is in a file, as far as a build can tell, and which secrets it looks like.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use crate::leak::{OVERLAP, Scanner, Token, Window};

/// How much of a file is read at once.
const READ: usize = 1 << 20;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    /// BLAKE3 of its bytes.
    pub(crate) hash: [u8; 32],
    /// Its extended attributes, in order; nearly always none.
    pub(crate) attributes: Vec<u8>,
    /// The shapes of secrets in it: each kind once, where it is first.
    pub(crate) tokens: Vec<Token>,
}

/// Reads files one after the other, with one buffer.
pub(crate) struct Reader<'a> {
    scanner: &'a Scanner,
    buffer: Vec<u8>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(scanner: &'a Scanner) -> Self {
        Self::with_buffer(scanner, OVERLAP + READ)
    }

    fn with_buffer(scanner: &'a Scanner, size: usize) -> Self {
        Self { scanner, buffer: vec![0; size] }
    }

    /// Reads a file to its end.
    pub(crate) fn read(&mut self, path: &Path) -> io::Result<Content> {
        let mut file = File::open(path)?;
        let mut hasher = blake3::Hasher::new();
        let mut found: Vec<(u8, u64)> = Vec::new();
        // The buffer begins with `kept` bytes that were hashed already, at `start` in the file.
        let (mut kept, mut start) = (0, 0_u64);
        loop {
            let fresh = fill(&mut file, self.buffer.get_mut(kept..).unwrap_or_default())?;
            let end = kept + fresh;
            hasher.update(self.buffer.get(kept..end).unwrap_or_default());
            let last = end < self.buffer.len();
            let bytes = self.buffer.get(..end).unwrap_or_default();
            self.scanner.scan(Window { bytes, first: start == 0, last }, |kind, place| {
                if !found.iter().any(|&(own, _)| own == kind) {
                    found.push((kind, start + place as u64));
                }
            });
            if last {
                break;
            }
            let gone = end - OVERLAP;
            self.buffer.copy_within(gone..end, 0);
            kept = OVERLAP;
            start += gone as u64;
        }
        let tokens = with_lines(&mut file, found)?;
        Ok(Content { hash: *hasher.finalize().as_bytes(), attributes: attributes(path), tokens })
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Says the line of each offset, for which the file is read again: this is rare.
fn with_lines(file: &mut File, mut found: Vec<(u8, u64)>) -> io::Result<Vec<Token>> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    found.sort_unstable_by_key(|&(_, offset)| offset);
    file.rewind()?;
    let mut bytes = io::BufReader::new(file).bytes();
    let (mut at, mut line) = (0, 1_u32);
    let mut tokens = Vec::new();
    for (kind, offset) in found {
        while at < offset {
            let Some(byte) = bytes.next().transpose()? else { break };
            at += 1;
            line = line.saturating_add(u32::from(byte == b'\n'));
        }
        tokens.push(Token { kind, line });
    }
    Ok(tokens)
}

/// The extended attributes that BuildKit takes along and that don't belong to the machine: the user's own, and a
/// program's capabilities.
#[cfg(target_os = "linux")]
fn attributes(path: &Path) -> Vec<u8> {
    let mut names = Vec::with_capacity(1024);
    // Where there is no room, or no support, there are none that matter.
    let listed = rustix::fs::llistxattr(path, rustix::buffer::spare_capacity(&mut names));
    if listed.is_err() || names.is_empty() {
        return Vec::new();
    }
    let mut names: Vec<&[u8]> = names.split(|&byte| byte == 0).collect();
    names.retain(|name| name.starts_with(b"user.") || *name == b"security.capability");
    names.sort_unstable();
    let mut attributes = Vec::new();
    for name in names {
        let mut value = Vec::with_capacity(1 << 16);
        if rustix::fs::lgetxattr(path, name, rustix::buffer::spare_capacity(&mut value)).is_ok() {
            for part in [name, &value] {
                attributes.extend((part.len() as u64).to_le_bytes());
                attributes.extend(part);
            }
        }
    }
    attributes
}

#[cfg(not(target_os = "linux"))]
fn attributes(_: &Path) -> Vec<u8> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leak::kind_name;

    #[test]
    fn a_token_is_found_once_wherever_the_buffer_ends() {
        let scanner = Scanner::new();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let token = format!("{}{}", "ghp_", "x1Y2z3q7Wv9K".repeat(3));
        let size = OVERLAP + 64;
        for before in [0, 1, 30, 63, 64, 65, OVERLAP - 1, OVERLAP, size - 20, size, 3 * size + 7] {
            let text = format!("{}{token}\n{}", "0123456\n".repeat(before / 8 + 1), "after\n".repeat(before));
            std::fs::write(&path, &text).unwrap();
            let content = Reader::with_buffer(&scanner, size).read(&path).unwrap();
            assert_eq!(content.hash, *blake3::hash(text.as_bytes()).as_bytes());
            let line = u32::try_from(before / 8 + 2).unwrap();
            let found: Vec<_> =
                content.tokens.iter().map(|token| (kind_name(token.kind), token.line)).collect();
            assert_eq!(found.len(), 1, "{before}: {found:?}");
            assert_eq!(found[0].1, line, "{before}");
        }
    }
}
