//! Where the members of an object stand in its text.

use std::ops::Range;

/// A member of an object: its name, and where its key and its value stand, without the space around them.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// The members of the object that a text is, which is known to be JSON; `None` where it is something else.
pub(super) fn members(text: &str) -> Option<Vec<Member>> {
    Scanner { text, at: 0 }.object()
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn object(mut self) -> Option<Vec<Member>> {
        let mut members = Vec::new();
        self.space();
        self.take(b'{')?;
        loop {
            self.space();
            match self.peek()? {
                b'}' => return Some(members),
                b',' => self.at += 1,
                _ => members.push(self.member()?),
            }
        }
    }

    fn member(&mut self) -> Option<Member> {
        let key = self.string()?;
        let name = serde_json::from_str(self.text.get(key.clone())?).ok()?;
        self.space();
        self.take(b':')?;
        self.space();
        let value = self.value()?;
        Some(Member { name, key, value })
    }

    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        self.take(b'"')?;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(start..self.at)
    }

    fn value(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let mut end = start;
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    end = self.at;
                    continue;
                }
                b',' | b'}' if depth == 0 => return Some(start..end),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1)?,
                b' ' | b'\t' | b'\r' | b'\n' => {
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            end = self.at;
        }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
