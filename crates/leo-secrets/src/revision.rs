use std::fmt;

use crate::fingerprint::fingerprint;

/// Which versions of the secrets the tasks get: 16 hexadecimal digits over names and version ids. It changes when a
/// secret gets another version, and tells nothing of any value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision(String);

impl Revision {
    /// The revision of these pairs of secret name and id of the current version, in any order.
    pub fn of<'a>(versions: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut versions: Vec<_> = versions.into_iter().collect();
        versions.sort_unstable();
        let bits = fingerprint(versions.into_iter().flat_map(|(name, version)| [name, version]));
        Self(format!("{:016x}", bits >> 64))
    }

    /// The digits: the value of the platform's parameter.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_depends_on_every_name_and_version_and_on_no_order() {
        let one = Revision::of([("a", "1"), ("b", "2")]);
        assert_eq!(one, Revision::of([("b", "2"), ("a", "1")]));
        assert_eq!(one.as_str().len(), 16);
        for other in [&[("a", "2"), ("b", "1")][..], &[("a", "1")], &[("a", "1"), ("b", "3")], &[]] {
            assert_ne!(one, Revision::of(other.iter().copied()));
        }
    }
}
