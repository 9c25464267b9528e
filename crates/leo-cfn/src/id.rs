//! Logical ids.

use serde::Serialize;
use std::{borrow::Cow, fmt};

/// A logical id: ASCII letters and digits, between 1 and 255 of them (CloudFormation quotas, "Logical ID").
///
/// Made with [`logical_id!`](crate::logical_id), which checks the name while the program compiles.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct LogicalId(Cow<'static, str>);

impl LogicalId {
    /// The id called `name`.
    ///
    /// # Panics
    /// When `name` is no logical id; in a `const`, where [`logical_id!`](crate::logical_id) puts it, that is a
    /// compile error.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        assert!(is_logical_id(name), "a logical id is 1 to 255 ASCII letters and digits");
        Self(Cow::Borrowed(name))
    }

    /// This id followed by a number: `PublicSubnet` and 1 give `PublicSubnet1`.
    #[must_use]
    pub fn indexed(&self, index: usize) -> Self {
        Self(Cow::Owned(format!("{self}{index}")))
    }

    /// This id followed by the words of a name, capitalised: `Secret` and `my-provider` give `SecretMyProvider`.
    /// What is neither an ASCII letter nor a digit separates words and is left out.
    #[must_use]
    pub fn suffixed(&self, name: &str) -> Self {
        let mut id = self.0.clone().into_owned();
        for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
            let mut letters = word.chars();
            id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            id.extend(letters);
        }
        Self(Cow::Owned(id))
    }

    /// The id as CloudFormation sees it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LogicalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A [`LogicalId`] whose name is checked at compile time.
///
/// ```
/// let id = leo_cfn::logical_id!("Vpc");
/// assert_eq!(id.as_str(), "Vpc");
/// ```
///
/// ```compile_fail
/// let id = leo_cfn::logical_id!("not-an-id");
/// ```
#[macro_export]
macro_rules! logical_id {
    ($name:literal) => {
        const { $crate::LogicalId::new($name) }
    };
}

const fn is_logical_id(name: &str) -> bool {
    let mut bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > 255 {
        return false;
    }
    while let [first, rest @ ..] = bytes {
        if !first.is_ascii_alphanumeric() {
            return false;
        }
        bytes = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_letters_and_digits() {
        assert!(is_logical_id("Vpc1"));
        for bad in ["", "a-b", "a b", "ü", &"x".repeat(256)] {
            assert!(!is_logical_id(bad), "{bad}");
        }
    }

    #[test]
    fn suffixes_stay_ids() {
        assert_eq!(logical_id!("Secret").suffixed("my-provider").as_str(), "SecretMyProvider");
        assert_eq!(logical_id!("Subnet").indexed(2).as_str(), "Subnet2");
    }
}
