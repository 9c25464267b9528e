use std::fmt::{self, Display, Formatter};

/// What a build would see, as one number: equal hashes mean equal builds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceHash([u8; 32]);

impl SourceHash {
    /// The 40 leading hex digits, which fit into a tag.
    pub fn short(&self) -> String {
        self.to_string().chars().take(40).collect()
    }
}

/// 64 hex digits.
impl Display for SourceHash {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SourceHash {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "SourceHash({self})")
    }
}

/// Collects what goes into a [`SourceHash`]. Every field is preceded by its length, so that no two different
/// sequences of fields are the same bytes.
pub(crate) struct Fields {
    hasher: blake3::Hasher,
    /// What the hasher has not seen yet: it is several times as fast with much at once.
    waiting: Vec<u8>,
}

/// How many bytes wait.
const WAITING: usize = 1 << 16;

impl Fields {
    pub(crate) fn new(purpose: &str) -> Self {
        let mut fields = Self { hasher: blake3::Hasher::new(), waiting: Vec::new() };
        fields.add(purpose.as_bytes());
        fields
    }

    pub(crate) fn add(&mut self, field: &[u8]) {
        self.number(field.len() as u64);
        self.bytes(field);
    }

    /// Something that may be absent, which is another thing than empty.
    pub(crate) fn optional(&mut self, field: Option<&[u8]>) {
        self.number(u64::from(field.is_some()));
        self.add(field.unwrap_or_default());
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= WAITING {
            self.hasher.update(&self.waiting);
            self.waiting.clear();
        }
    }

    pub(crate) fn finish(&self) -> SourceHash {
        SourceHash(*self.hasher.clone().update(&self.waiting).finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_and_little_at_once_are_the_same_bytes() {
        let mut fields = Fields::new("test");
        let mut bytes = [&4_u64.to_le_bytes()[..], b"test"].concat();
        for length in [0, 1, 1000, WAITING - 1, WAITING, 3 * WAITING, 5] {
            let field = vec![7; length];
            fields.add(&field);
            bytes.extend((length as u64).to_le_bytes());
            bytes.extend(&field);
            assert_eq!(fields.finish().0, *blake3::hash(&bytes).as_bytes(), "{length}");
        }
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let of = |fields: &[&str]| {
            let mut hash = Fields::new("test");
            for field in fields {
                hash.add(field.as_bytes());
            }
            hash.finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab"]), of(&["ab", ""]));
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        assert_eq!(of(&[]).to_string().len(), 64);
        assert!(of(&[]).to_string().starts_with(&of(&[]).short()));
        assert_eq!(of(&[]).short().len(), 40);
    }
}
