//! Values that stand in for one that was never filled in.

/// What a value is that was never filled in, where it is one: "a placeholder". `key` is its own key.
pub fn placeholder(key: &str, value: &str) -> Option<&'static str> {
    let word = value.trim().trim_matches(['"', '\'', '`']);
    let lower = word.to_ascii_lowercase();
    let normal = lower.replace(['_', ' ', '.'], "-");
    if word.is_empty() {
        return None;
    }
    if is_bracketed(word) {
        return Some("a placeholder in brackets");
    }
    if is_filling(word) {
        return Some("a row of the same character");
    }
    if lower == key.to_ascii_lowercase() {
        return Some("the key's own name");
    }
    if WORDS.contains(&normal.as_str()) || STARTS.iter().any(|start| normal.starts_with(start)) {
        return Some("a placeholder");
    }
    if ENDS.iter().any(|end| normal.ends_with(end)) {
        return Some("a placeholder");
    }
    if is_unfilled_token(word) {
        return Some("a token's prefix with nothing behind it");
    }
    let host = host(&lower);
    if host.split('.').any(|label| {
        STARTS.iter().any(|start| label.replace('_', "-").starts_with(start))
            || is_bracketed(label)
            || is_filling(label)
    }) {
        return Some("an address with a placeholder in it");
    }
    EXAMPLE_HOSTS
        .iter()
        .any(|example| host == *example || host.strip_suffix(example).is_some_and(|rest| rest.ends_with('.')))
        .then_some("a domain that is kept for examples")
}

/// Without `_` and blanks, which count as `-` here.
const WORDS: [&str; 21] = [
    "changeme",
    "change-me",
    "changeit",
    "change-it",
    "replaceme",
    "replace-me",
    "fillme",
    "fill-me-in",
    "fill-in",
    "todo",
    "tbd",
    "tba",
    "fixme",
    "placeholder",
    "example",
    "dummy",
    "null",
    "none",
    "undefined",
    "n/a",
    "secret",
];

const STARTS: [&str; 11] = [
    "your-",
    "<",
    "insert-",
    "enter-your",
    "enter-the",
    "paste-",
    "put-your",
    "my-token",
    "replace-with",
    "change-this",
    "todo:",
];

const ENDS: [&str; 4] = ["-here", "-goes-here", "-placeholder", "-changeme"];

/// RFC 2606 keeps them for documents, so nobody has them.
const EXAMPLE_HOSTS: [&str; 4] = ["example.com", "example.net", "example.org", "example"];

/// `<…>`, `[…]`, `{{…}}`, `{…}`, `%…%`: a word in a form's brackets.
fn is_bracketed(word: &str) -> bool {
    let pairs = [("<", ">"), ("{{", "}}"), ("{", "}"), ("[", "]"), ("%", "%"), ("__", "__")];
    pairs.iter().any(|(open, close)| {
        let inside = word.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        inside.is_some_and(|inside| !inside.is_empty() && !inside.contains(['"', ':', ',']))
    })
}

/// `xxx`, `***`, `...`, `----`: three or more of one character that stands for others, or an ellipsis.
fn is_filling(word: &str) -> bool {
    let mut characters = word.chars();
    let Some(first) = characters.next() else { return false };
    let same = characters.all(|c| c == first);
    same && (first == '…' || (word.chars().count() >= 3 && "xX*.-_?#0•".contains(first)))
}

/// `ghp_xxxx`, `sk-ant-oat01-...`, `github_pat_`: what every token of its kind begins with, and filling or nothing.
fn is_unfilled_token(word: &str) -> bool {
    const PREFIXES: [&str; 11] = [
        "ghp_",
        "gho_",
        "ghs_",
        "ghu_",
        "github_pat_",
        "sk-ant-oat01-",
        "sk-ant-",
        "fm2_",
        "FlyV1",
        "sb_publishable_",
        "sb_secret_",
    ];
    let rest = PREFIXES.iter().filter_map(|prefix| word.strip_prefix(prefix)).min_by_key(|rest| rest.len());
    rest.is_some_and(|rest| {
        let rest = rest.trim();
        rest.is_empty()
            || is_filling(rest)
            || is_bracketed(rest)
            || rest.split(['_', '-']).all(|part| part.is_empty() || is_filling(part))
    })
}

/// The host of a URL, or the text itself where it can be one.
fn host(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split(':').next().unwrap_or_default();
    if host.contains('.') { host } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_filled_in_is_known() {
        for value in [
            "changeme",
            "CHANGE_ME",
            "Change Me",
            "xxx",
            "XXXXXXXX",
            "***",
            "...",
            "…",
            "<token>",
            "<your token>",
            "{{ token }}",
            "[token]",
            "%TOKEN%",
            "__TOKEN__",
            "todo",
            "TODO: ask Ada",
            "your-token-here",
            "your_api_key",
            "paste-it-here",
            "insert-token",
            "token_goes_here",
            "GITHUB_TOKEN",
            "github_token",
            "ghp_xxxxxxxx",
            "ghp_",
            "github_pat_...",
            "github_pat_xxxx_xxxx",
            "sk-ant-oat01-...",
            "sb_secret_",
            "https://your-project.supabase.co",
            "https://xxxx.supabase.co",
            "https://<project>.supabase.co",
            "leo.example.com",
            "https://example.org/x",
            "null",
            "000000000000",
        ] {
            assert!(placeholder("GITHUB_TOKEN", value).is_some(), "{value}");
        }
    }

    #[test]
    fn what_was_filled_in_is_not() {
        for value in [
            "",
            "us-east-1",
            "dev",
            "123456789012",
            "leo",
            "ghp_a1b2",
            "https://abcdefgh.supabase.co",
            "leo.dev",
            "example-corp",
            "my-profile",
            "yours",
            "here",
            "{\"a\": 1}",
            "sk-ant-oat01-aXb",
            "x",
            "xx",
            "todos.app",
            "examples.com",
        ] {
            assert_eq!(placeholder("AWS_PROFILE", value), None, "{value}");
        }
    }
}
