//! How much of a value may be seen.

use leo_env::Secret;

/// What stands for a secret: nothing of a short one but its length, of another one its last two characters as well.
pub(crate) fn hidden(value: &str) -> String {
    let length = value.chars().count();
    let last = value.get(value.len().saturating_sub(2)..).filter(|_| length >= SHORTEST);
    match last.filter(|last| last.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        Some(last) => format!("•••• ({length}, …{last})"),
        None => format!("•••• ({length})"),
    }
}

/// Two characters of a shorter value would give too much of it away.
const SHORTEST: usize = 16;

/// A value that is no secret by its key: as it is, unless it looks like one all the same.
pub(crate) fn plain(value: &str) -> String {
    if leo_token::looks_secret(value).is_some() { hidden(value) } else { value.to_owned() }
}

/// Takes out of a text whatever must not be seen: what looks like a token, and the values that are known to be secrets.
#[derive(Debug, Default)]
pub(crate) struct Mask<'a> {
    secrets: Vec<&'a Secret>,
}

/// A shorter one may be a part of any word.
const SHORTEST_MASKED: usize = 8;

impl<'a> Mask<'a> {
    pub(crate) fn new(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        Self { secrets: secrets.filter(|secret| secret.expose().len() >= SHORTEST_MASKED).collect() }
    }

    pub(crate) fn apply(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for secret in &self.secrets {
            if masked.contains(secret.expose()) {
                masked = masked.replace(secret.expose(), "••••");
            }
        }
        for found in leo_token::find(&masked).into_iter().rev() {
            masked.replace_range(found.range, "••••");
        }
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_the_length_and_two_characters_are_seen() {
        assert_eq!(hidden(""), "•••• (0)");
        assert_eq!(hidden("fifteen-chars-x"), "•••• (15)");
        assert_eq!(hidden("sixteen-chars-xy"), "•••• (16, …xy)");
        assert_eq!(hidden("sixteen-chars-x\n"), "•••• (16)");
        assert_eq!(hidden("ääääääääääääääää"), "•••• (16)");
    }

    #[test]
    fn a_token_is_hidden_under_any_key() {
        let token = format!("gh{}{}", "p_", "k3LmT0pRxQ7bW8cYvN4eJfgS1dUiO6hKqZ5aH");
        assert_eq!(plain("us-east-1"), "us-east-1");
        assert_eq!(plain(&token), "•••• (41, …aH)");
        let hush = Secret::new("hush-hush-hush");
        let mask = Mask::new([&hush].into_iter());
        assert_eq!(mask.apply(&format!("`{token}` and hush-hush-hush")), "`••••` and ••••");
        assert_eq!(mask.apply("nothing"), "nothing");
    }
}
