use std::fmt;

use secrecy::zeroize::Zeroizing;

/// What stands for a name that may be a secret itself.
const HIDDEN: &str = "a key whose name is not shown";
/// The longest name that is shown, in characters.
const LONGEST: usize = 64;

/// The name of a key in a secret's JSON object.
///
/// Whoever edits a secret by hand may paste a token where its key belongs, so a name that nothing declares is shown only
/// where it looks like one: it is the only way for a part of a value to get into a plan, a report or a status. `Display` and
/// `Debug` keep to that.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyName {
    name: Zeroizing<String>,
    is_shown: bool,
}

impl KeyName {
    /// A name that `infra/env.toml` declares.
    pub fn declared(name: impl Into<String>) -> Self {
        Self { name: Zeroizing::new(name.into()), is_shown: true }
    }

    /// A name that was found in a secret, and that nothing declares.
    pub fn found(name: impl Into<String>) -> Self {
        let name = Zeroizing::new(name.into());
        let is_shown = is_name(&name)
            && leo_token::looks_secret(&name).is_none()
            && leo_token::describe(&name).is_none();
        Self { name, is_shown }
    }

    /// The name, or where it must not be seen what stands for it.
    pub fn shown(&self) -> &str {
        if self.is_shown { &self.name } else { HIDDEN }
    }

    /// The name itself.
    pub(crate) fn raw(&self) -> &str {
        &self.name
    }
}

/// Whether it is what a program would call a key.
fn is_name(name: &str) -> bool {
    let first = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let rest = |next: char| next.is_ascii_alphanumeric() || "_.-".contains(next);
    first && name.len() <= LONGEST && name.chars().all(rest)
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_name_is_shown() {
        for name in ["url", "GITHUB_TOKEN", "_old", "db.password-2", &"x".repeat(LONGEST)] {
            let key = KeyName::found(name);
            assert_eq!((key.shown(), key.raw()), (name, name));
        }
        let tail = "abcdefghij0123456789ABCDEFGHIJ012345";
        for hidden in [
            String::new(),
            "two words".to_owned(),
            "1st".to_owned(),
            "\u{1b}[2J".to_owned(),
            "a\nb".to_owned(),
            "schlüssel".to_owned(),
            "x".repeat(LONGEST + 1),
            format!("ghp_{tail}"),
            format!("sb_secret_{tail}"),
            "kJ8sQ2vX9pL4mN7rT1wZ5yB3cD6fG0hK8sQ2vX9pL4".to_owned(),
        ] {
            let key = KeyName::found(hidden.as_str());
            assert_eq!((key.to_string().as_str(), key.raw()), (HIDDEN, hidden.as_str()));
            assert_eq!(format!("{key:?}"), format!("{HIDDEN:?}"));
        }
        assert_eq!(KeyName::declared(format!("ghp_{tail}")).shown(), format!("ghp_{tail}"));
    }
}
