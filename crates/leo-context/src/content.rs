//! What is in a file, as far as a build can tell, and which secrets it looks like.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use crate::leak::{OVERLAP, Scanner, Token};

/// How much of a file is read at once.
const READ: usize = 1 << 20;
/// Where Linux keeps a file's capabilities: the one extended attribute that BuildKit puts into an image.
#[cfg(target_os = "linux")]
const CAPABILITIES: &str = "security.capability";

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    /// BLAKE3 of its bytes.
    pub(crate) hash: [u8; 32],
    /// Its capabilities, as Linux stores them; mostly none.
    pub(crate) capabilities: Vec<u8>,
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
        Self { scanner, buffer: vec![0; OVERLAP + READ] }
    }

    /// Reads a file to its end.
    pub(crate) fn read(&mut self, path: &Path) -> io::Result<Content> {
        let mut file = File::open(path)?;
        let mut hasher = blake3::Hasher::new();
        let mut found = Vec::new();
        // The buffer holds `kept` bytes that were hashed already, `start` is where in the file they begin.
        let (mut kept, mut start) = (0, 0_u64);
        loop {
            let fresh = fill(&mut file, self.buffer.get_mut(kept..).unwrap_or_default())?;
            let end = kept + fresh;
            hasher.update(self.buffer.get(kept..end).unwrap_or_default());
            let last = end < self.buffer.len();
            let window = self.buffer.get(..end).unwrap_or_default();
            self.scanner.scan(window, last, |kind, place| {
                let offset = start + place as u64;
                if !found.iter().any(|&(own, _)| own == kind) {
                    found.push((kind, offset));
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
        Ok(Content { hash: *hasher.finalize().as_bytes(), capabilities: capabilities(path), tokens })
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
    let (mut at, mut line) = (0, 1);
    let mut tokens = Vec::new();
    for (kind, offset) in found {
        while at < offset {
            let Some(byte) = bytes.next().transpose()? else { break };
            at += 1;
            line += u32::from(byte == b'\n');
        }
        tokens.push(Token { kind, line });
    }
    Ok(tokens)
}

#[cfg(target_os = "linux")]
fn capabilities(path: &Path) -> Vec<u8> {
    let mut value = Vec::with_capacity(64);
    // Absent for nearly every file, and not supported by every file system.
    match rustix::fs::lgetxattr(path, CAPABILITIES, rustix::buffer::spare_capacity(&mut value)) {
        Ok(_) => value,
        Err(_) => Vec::new(),
    }
}

#[cfg(not(target_os = "linux"))]
fn capabilities(_: &Path) -> Vec<u8> {
    Vec::new()
}
