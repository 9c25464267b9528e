//! A secret's value: the text of a JSON object, changed key by key and otherwise left byte for byte as it is.

mod scan;
#[cfg(test)]
mod tests;

use std::fmt;
use std::mem;
use std::ops::Range;

use leo_env::Secret;
use secrecy::zeroize::{Zeroize as _, Zeroizing};
use serde::de::IgnoredAny;

use self::scan::{Member, members};

/// The value of a secret. Its memory is overwritten when it is dropped; `Debug` shows nothing of it.
#[derive(Clone)]
pub(crate) struct Object {
    text: Zeroizing<String>,
    members: Vec<Member>,
}

/// How a key's value compares with a wanted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// There is no such key.
    Absent,
    /// It is this text.
    Same,
    /// It is another one, or not a text.
    Other,
}

impl Object {
    /// The object that a text is, or `None` where it is no JSON object.
    pub(crate) fn parse(text: Zeroizing<String>) -> Option<Self> {
        // The whole grammar; nothing of it is kept.
        serde_json::from_str::<IgnoredAny>(&text).ok()?;
        let members = members(&text)?;
        Some(Self { text, members })
    }

    /// The object `{}`.
    pub(crate) fn empty() -> Self {
        Self { text: Zeroizing::new("{}".to_owned()), members: Vec::new() }
    }

    /// The names of its keys, in their order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.name.as_str())
    }

    /// Whether it has a key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.members.iter().any(|member| member.name == key)
    }

    /// How the value of a key compares with this one. Of a key that is there twice, both have to.
    pub(crate) fn compare(&self, key: &str, wanted: &Secret) -> Held {
        let encoded = encoded(wanted.expose());
        let mut held = Held::Absent;
        for raw in self.values(key) {
            if raw != encoded.as_str() && !decodes_to(raw, wanted.expose()) {
                return Held::Other;
            }
            held = Held::Same;
        }
        held
    }

    /// Whether a key has the same bytes, or is absent, in both.
    pub(crate) fn agrees(&self, other: &Self, key: &str) -> bool {
        self.values(key).eq(other.values(key))
    }

    /// The same object with some keys changed: to a value, or (`None`) taken out.
    pub(crate) fn edited<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a str, Option<&'a Secret>)>,
    ) -> Self {
        let mut object = self.clone();
        for (key, value) in changes {
            object = match value {
                Some(value) if object.has(key) => object.replaced(key, value),
                Some(value) => object.with(key, value),
                None => object.without(key),
            };
        }
        object
    }

    /// Its text, for the call that sends it.
    pub(crate) fn into_secret(mut self) -> Secret {
        Secret::new(mem::take(&mut *self.text))
    }

    /// The length of its text in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        let text = self.text.as_str();
        self.members
            .iter()
            .filter(move |member| member.name == key)
            .map(move |member| text.get(member.value.clone()).unwrap_or_default())
    }

    fn replaced(&self, key: &str, value: &Secret) -> Self {
        let value = encoded(value.expose());
        let mut text = self.room_for(value.len().saturating_mul(self.members.len()));
        let mut from = 0;
        for member in self.members.iter().filter(|member| member.name == key) {
            text.push_str(self.part(from..member.value.start));
            text.push_str(&value);
            from = member.value.end;
        }
        text.push_str(self.part(from..self.text.len()));
        self.again(text)
    }

    /// The new key comes last, set off as the first one is.
    fn with(&self, key: &str, value: &Secret) -> Self {
        let (name, value) = (encoded(key), encoded(value.expose()));
        let (lead, between, end) = match (self.members.first(), self.members.last()) {
            (Some(first), Some(last)) => {
                let open = self.text.find('{').map_or(0, |at| at + 1);
                (
                    self.part(open..first.key.start),
                    self.part(first.key.end..first.value.start),
                    last.value.end,
                )
            }
            _ => ("", ":", self.text.find('{').map_or(0, |at| at + 1)),
        };
        let mut text = self.room_for(name.len() + value.len() + lead.len() + between.len() + 1);
        text.push_str(self.part(0..end));
        if !self.members.is_empty() {
            text.push(',');
        }
        for part in [lead, name.as_str(), between, value.as_str(), self.part(end..self.text.len())] {
            text.push_str(part);
        }
        self.again(text)
    }

    fn without(&self, key: &str) -> Self {
        let (Some(first), Some(last)) = (self.members.first(), self.members.last()) else {
            return self.clone();
        };
        let mut text = self.room_for(0);
        text.push_str(self.part(0..first.key.start));
        let mut before: Option<&Member> = None;
        let mut is_first = true;
        for member in &self.members {
            if member.name != key {
                if let Some(before) = before.filter(|_| !is_first) {
                    text.push_str(self.part(before.value.end..member.key.start));
                }
                text.push_str(self.part(member.key.start..member.value.end));
                is_first = false;
            }
            before = Some(member);
        }
        text.push_str(self.part(last.value.end..self.text.len()));
        self.again(text)
    }

    fn part(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// An empty text that never has to grow, and so to move, for a change of `more` bytes.
    fn room_for(&self, more: usize) -> Zeroizing<String> {
        Zeroizing::new(String::with_capacity(self.text.len() + more))
    }

    /// The object of a text that was made from this one's.
    fn again(&self, text: Zeroizing<String>) -> Self {
        Self::parse(text).unwrap_or_else(|| self.clone())
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Object(hidden)")
    }
}

/// A text as JSON writes it. It is written into memory that is large enough, so that no copy is left behind.
fn encoded(text: &str) -> Zeroizing<String> {
    // The longest escape of a byte is `\u001f`.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 6 + 2));
    // Writing a text into memory can't fail.
    let _ = serde_json::to_writer(&mut *bytes, text);
    match String::from_utf8(mem::take(&mut *bytes)) {
        Ok(encoded) => Zeroizing::new(encoded),
        Err(error) => {
            error.into_bytes().zeroize();
            Zeroizing::new(String::new())
        }
    }
}

/// Whether a JSON value is this text, however it is escaped.
fn decodes_to(raw: &str, wanted: &str) -> bool {
    raw.contains('\\')
        && serde_json::from_str::<String>(raw).map(Zeroizing::new).is_ok_and(|text| text.as_str() == wanted)
}
