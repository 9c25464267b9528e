//! Secret values, taken out of everything that is kept or shown: those that are known here, and what looks like one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use leo_env::Secret;

use crate::keys::without_keys;

/// What stands in a secret's place.
const HIDDEN: &str = "‹redacted›";
/// Shorter values are ordinary words of any log; replacing them would hide nothing and garble everything.
const SHORTEST: usize = 4;
/// The same for what a value looks like encoded.
const SHORTEST_ENCODED: usize = 10;

/// The secret values that must not be kept: as they are, as JSON and URLs write them, a line of them, and in base64.
///
/// A container may have been given others, by someone else's machine or by hand: of those only what looks like a key or
/// a token is recognised.
#[derive(Clone, Default)]
pub struct Redact(Vec<String>);

impl Redact {
    /// Knows these values.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut patterns: Vec<String> =
            secrets.into_iter().flat_map(|secret| patterns(secret.expose())).collect();
        // A value that holds another one goes as a whole.
        patterns.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        patterns.dedup();
        Self(patterns)
    }

    /// `text` without them, and without what looks like a key.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for pattern in &self.0 {
            if text.contains(pattern) {
                text = text.replace(pattern, HIDDEN);
            }
        }
        without_keys(&text, HIDDEN)
    }
}

impl fmt::Debug for Redact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redact(hidden)")
    }
}

fn patterns(value: &str) -> Vec<String> {
    let value = value.trim();
    let mut all = vec![value.to_owned()];
    all.extend(value.lines().map(str::trim).filter(|line| line.len() >= 8).map(str::to_owned));
    all.extend(serde_json::to_string(value).ok().map(|json| json.trim_matches('"').to_owned()));
    all.push(percent_encoded(value));
    all.retain(|pattern| pattern.len() >= SHORTEST);
    let encoded = (0..3).map(|offset| base64_at(value, offset));
    all.extend(encoded.filter(|pattern| pattern.len() >= SHORTEST_ENCODED));
    all
}

/// What base64 makes of the value wherever it stands in a longer text, `offset` bytes after a multiple of three: the
/// characters that depend on it alone.
fn base64_at(value: &str, offset: usize) -> String {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(value.as_bytes());
    let whole = bytes.len() / 3 * 3;
    bytes.truncate(whole);
    let text = STANDARD_NO_PAD.encode(&bytes);
    // The character that still has bits of what stands before.
    let skip = [0, 2, 3].get(offset).copied().unwrap_or_default();
    text.get(skip..).unwrap_or_default().to_owned()
}

fn percent_encoded(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    const VALUE: &str = "sk-canary/7f\"3+9=";

    fn redact() -> Redact {
        Redact::new(&[
            Secret::new(VALUE),
            Secret::new("abc"),
            Secret::new("first-line-of-a-key\nsecond-line-of-it"),
        ])
    }

    #[test]
    fn a_value_goes_in_every_spelling() {
        let redact = redact();
        let mut texts = vec![
            format!("token={VALUE};"),
            serde_json::json!({ "token": VALUE }).to_string(),
            format!("https://x/?token={}", percent_encoded(VALUE)),
            "read second-line-of-it".to_owned(),
        ];
        texts.extend(
            ["", "u", "us", "user:"].map(|before| STANDARD.encode(format!("{before}{VALUE}, and more"))),
        );
        for text in texts {
            let shown = redact.apply(&text);
            assert!(shown.contains(HIDDEN), "{text} -> {shown}");
            assert!(!shown.contains("canary") && !shown.contains("second-line"), "{shown}");
        }
    }

    #[test]
    fn everything_else_stays_but_what_looks_like_a_key() {
        assert_eq!(redact().apply("abc: listening on 8080"), "abc: listening on 8080");
        assert_eq!(Redact::default().apply("x"), "x");
        let unknown = "signing in with ghp_hunter2hunter2";
        assert_eq!(Redact::default().apply(unknown), "signing in with ‹redacted›");
        assert_eq!(format!("{:?}", redact()), "Redact(hidden)");
    }
}
