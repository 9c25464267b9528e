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
    /// Sorted by their text.
    secrets: Vec<&'a Secret>,
}

/// A shorter one may be a part of any word.
const SHORTEST_MASKED: usize = 8;

impl<'a> Mask<'a> {
    pub(crate) fn new(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        let mut secrets: Vec<&Secret> =
            secrets.filter(|secret| secret.expose().len() >= SHORTEST_MASKED).collect();
        secrets.sort_unstable_by_key(|secret| secret.expose());
        secrets.dedup_by_key(|secret| secret.expose());
        Self { secrets }
    }

    pub(crate) fn apply(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let hidden = self.longest_before(rest);
            masked.push_str(if hidden > 0 {
                "••••"
            } else {
                rest.get(..c.len_utf8()).unwrap_or_default()
            });
            rest = rest.get(hidden.max(c.len_utf8())..).unwrap_or_default();
        }
        for found in leo_token::find(&masked).into_iter().rev() {
            masked.replace_range(found.range, "••••");
        }
        masked
    }

    /// The length of the longest secret that a text begins with. They are sorted, so that only those with the same first
    /// bytes are compared; an automaton would be quicker still, and one more copy of all of them.
    fn longest_before(&self, text: &str) -> usize {
        let text = text.as_bytes();
        let Some(first) = text.get(..SHORTEST_MASKED) else { return 0 };
        let from = self.secrets.partition_point(|secret| start(secret) < first);
        let near = self.secrets.iter().skip(from).take_while(|secret| start(secret) == first);
        let here = near.map(|secret| secret.expose()).filter(|secret| text.starts_with(secret.as_bytes()));
        here.map(str::len).max().unwrap_or_default()
    }
}

/// The first bytes of a secret.
fn start(secret: &Secret) -> &[u8] {
    secret.expose().as_bytes().get(..SHORTEST_MASKED).unwrap_or_default()
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

    #[test]
    fn of_secrets_with_the_same_beginning_the_longest_is_hidden_wherever_it_is() {
        let secrets =
            ["same-beginning", "same-beginning-and-more", "beginning-and", "ü-is-one-letter", "short"];
        let secrets = secrets.map(Secret::new);
        let mask = Mask::new(secrets.iter());
        for (text, masked) in [
            ("same-beginning-and-more.", "••••."),
            ("x=same-beginning-and", "x=••••-and"),
            ("üsame-beginningsame-beginning", "ü••••••••"),
            ("«ü-is-one-letter»", "«••••»"),
            ("same-begin", "same-begin"),
            ("short", "short"),
            ("", ""),
        ] {
            assert_eq!(mask.apply(text), masked);
        }
    }
}
