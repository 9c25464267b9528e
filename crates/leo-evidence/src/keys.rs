//! What looks like a key or a token, whoever's it is.

use std::ops::Range;

/// What keys and tokens begin with.
const BEGINNINGS: [&str; 14] = [
    "-----BEGIN",
    "AKIA",
    "ASIA",
    "Bearer ",
    "FlyV1",
    "eyJ",
    "fm2_",
    "github_pat_",
    "gho_",
    "ghp_",
    "ghs_",
    "sb_secret_",
    "sbp_",
    "sk-",
];

/// Letters and digits in a row of both cases that are no name any more: CloudFormation's own suffixes have 13.
const KEY_LENGTH: usize = 24;

/// Whether a text holds something with the beginning of a known kind of token, or a long run of letters of both cases
/// and digits. It may be wrong either way: it is for values that nobody has to read, where what is known to be secret
/// is not at hand.
pub fn holds_a_key(text: &str) -> bool {
    !places(text).is_empty()
}

/// `text` with `hidden` in the place of each of them.
pub(crate) fn without_keys(text: &str, hidden: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for place in places(text) {
        out.push_str(text.get(end..place.start).unwrap_or_default());
        out.push_str(hidden);
        end = place.end;
    }
    out.push_str(text.get(end..).unwrap_or_default());
    out
}

/// Where they are, in order and apart.
fn places(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = BEGINNINGS.iter().flat_map(|start| beginning(text, start)).collect();
    let mut at = 0;
    for run in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '+' && c != '=') {
        if is_random(run) {
            found.push(at..at + run.len());
        }
        // Past the run and the character that ends it.
        at += run.len();
        at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    found.sort_by_key(|place| place.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for place in found {
        match apart.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => apart.push(place),
        }
    }
    apart
}

/// Where a token begins so, with all that belongs to it.
fn beginning<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    text.match_indices(start).filter_map(move |(at, _)| {
        let before = text.get(..at)?.chars().next_back();
        if before.is_some_and(|before| before.is_ascii_alphanumeric()) {
            return None;
        }
        let from = at + start.len();
        let rest = text.get(from..)?;
        let inside = |c: char| c.is_ascii_alphanumeric() || "-_.~+/=|%".contains(c);
        let length = if start.starts_with('-') {
            // All of a private key that follows.
            rest.rfind("-----").map_or(rest.len(), |end| end + 5)
        } else {
            // `FlyV1` and `Bearer` stand before their token.
            let spaces = rest.len() - rest.trim_start_matches(' ').len();
            let spaces = if start.ends_with(' ') || start == "FlyV1" { spaces } else { 0 };
            let token = rest.get(spaces..)?;
            spaces + token.find(|c: char| !inside(c)).unwrap_or(token.len())
        };
        Some(at..from + length)
    })
}

/// Digests have digits and one case, names have few digits: a long run of all three is neither.
fn is_random(run: &str) -> bool {
    let count = |wanted: fn(&char) -> bool| run.chars().filter(wanted).count();
    run.len() >= KEY_LENGTH
        && count(char::is_ascii_uppercase) > 2
        && count(char::is_ascii_lowercase) > 2
        && count(char::is_ascii_digit) > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_key_goes_whole_and_its_neighbours_stay() {
        let table = [
            ("signed in with ghp_hunter2hunter2, ok", "signed in with #, ok"),
            ("authorization: Bearer abc.def-ghi next", "authorization: # next"),
            ("FlyV1 fm2_abc/def== is refused", "# is refused"),
            ("token=eyJhbGciOi.eyJzdWIi.c2ln;x", "token=#;x"),
            ("key wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY1a2b.", "key #."),
            ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- done", "# done"),
            ("ä sk-proj-1 ö AKIAIOSFODNN7EXAMPLE ü", "ä # ö # ü"),
        ];
        for (text, shown) in table {
            assert!(holds_a_key(text), "{text}");
            assert_eq!(without_keys(text, "#"), shown);
        }
    }

    #[test]
    fn names_digests_and_words_stay() {
        for text in [
            "arn:aws:iam::111122223333:role/leo-dev-foundation-OrchestratorRole-1A2B3C4D5E6F7",
            "leo@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "the task-runner asks disk-3; RequestToken: 121161f9-1c97-e3d5-b4d3-8328bb2b676c",
            "ResourceInitializationError: unable to pull secrets",
            "thread 'main' panicked at src/main.rs:12:31:",
            "",
        ] {
            assert!(!holds_a_key(text), "{text}");
            assert_eq!(without_keys(text, "#"), text);
        }
    }
}
