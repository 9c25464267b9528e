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
pub(crate) struct Fields(blake3::Hasher);

impl Fields {
    pub(crate) fn new(purpose: &str) -> Self {
        let mut fields = Self(blake3::Hasher::new());
        fields.add(purpose.as_bytes());
        fields
    }

    pub(crate) fn add(&mut self, field: &[u8]) {
        self.0.update(&(field.len() as u64).to_le_bytes());
        self.0.update(field);
    }

    /// Something that may be absent, which is another thing than empty.
    pub(crate) fn optional(&mut self, field: Option<&[u8]>) {
        self.number(u64::from(field.is_some()));
        self.add(field.unwrap_or_default());
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    pub(crate) fn finish(&self) -> SourceHash {
        SourceHash(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
