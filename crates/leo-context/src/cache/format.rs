//! How a cache is written: a head, the entries, and a hash of it all.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::stamp::{Moment, Stamp};
use crate::content::Content;
use crate::leak::{self, Token};

/// A file as it was when it was read.
pub(super) type Entry = (OsString, Stamp, Content);

const MAGIC: &[u8; 16] = b"leo-context  1\r\n";
const CHECK: usize = 32;

/// The head: what was written by another version, or found by other rules, is not understood.
fn head() -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    head.extend(leak::rules());
    head
}

/// In the order of their paths.
pub(super) fn encode<'a>(entries: impl Iterator<Item = (&'a Path, Stamp, &'a Content)>) -> Vec<u8> {
    let mut bytes = head();
    for (path, stamp, content) in entries {
        field(&mut bytes, path.as_os_str().as_bytes());
        for number in [stamp.size, stamp.inode, stamp.device] {
            bytes.extend(number.to_le_bytes());
        }
        for number in [stamp.modified.0, stamp.modified.1, stamp.changed.0, stamp.changed.1] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(content.hash);
        field(&mut bytes, &content.attributes);
        let tokens: Vec<u8> = content
            .tokens
            .iter()
            .flat_map(|token| [&[token.kind][..], &token.line.to_le_bytes()].concat())
            .collect();
        field(&mut bytes, &tokens);
    }
    let check = *blake3::hash(&bytes).as_bytes();
    bytes.extend(check);
    bytes
}

fn field(bytes: &mut Vec<u8>, field: &[u8]) {
    // No path and no attribute is near 4 GiB.
    bytes.extend(u32::try_from(field.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(field);
}

/// `None` where it is not exactly what was written.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Entry>> {
    let (bytes, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
    if blake3::hash(bytes).as_bytes() != check {
        return None;
    }
    let mut rest = Rest(bytes.strip_prefix(head().as_slice())?);
    let mut entries = Vec::new();
    while !rest.0.is_empty() {
        let path = OsString::from_vec(rest.field()?.to_vec());
        let (size, inode, device) = (rest.number()?, rest.number()?, rest.number()?);
        let modified = Moment(rest.signed()?, rest.signed()?);
        let changed = Moment(rest.signed()?, rest.signed()?);
        let hash = rest.array()?;
        let attributes = rest.field()?.to_vec();
        let mut found = Rest(rest.field()?);
        let mut tokens = Vec::new();
        while !found.0.is_empty() {
            let [kind] = found.array()?;
            tokens.push(Token { kind, line: u32::from_le_bytes(found.array()?) });
        }
        let stamp = Stamp { size, modified, changed, inode, device };
        entries.push((path, stamp, Content { hash, attributes, tokens }));
    }
    Some(entries)
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn signed(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn field(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_le_bytes(self.array()?);
        self.take(usize::try_from(length).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> (Vec<u8>, Vec<Entry>) {
        let stamp = Stamp { size: 7, modified: Moment(-1, 2), changed: Moment(3, 4), inode: 5, device: 6 };
        let content = Content {
            hash: [9; 32],
            attributes: b"attribute".to_vec(),
            tokens: vec![Token { kind: 1, line: 70_000 }, Token { kind: 2, line: 1 }],
        };
        let plain = Content { hash: [8; 32], attributes: Vec::new(), tokens: Vec::new() };
        let odd = OsString::from_vec(b"a\xff\nb".to_vec());
        let entries = vec![(odd, stamp, plain), (OsString::from("src/main.rs"), stamp, content)];
        let bytes = encode(entries.iter().map(|(path, stamp, content)| (Path::new(path), *stamp, content)));
        (bytes, entries)
    }

    #[test]
    fn what_was_written_is_read() {
        let (bytes, entries) = written();
        assert_eq!(decode(&bytes), Some(entries));
        assert_eq!(decode(&encode(std::iter::empty())), Some(Vec::new()));
    }

    #[test]
    fn a_damaged_cache_is_no_cache() {
        let (bytes, _) = written();
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length]), None, "{length}");
        }
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert_eq!(decode(&damaged), None, "{place}");
        }
    }
}
