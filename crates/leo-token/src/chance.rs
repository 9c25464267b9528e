//! Whether characters look like chance: written by a generator of keys, not by hand.

use std::collections::{BTreeMap, BTreeSet};

use crate::alphabet::{Alphabet, base64, hex, plain_word};

/// Whether nobody wrote this by hand: examples repeat a few characters, count up, or say that they are examples.
pub(crate) fn by_chance(secret: &[u8]) -> bool {
    let counts = secret.windows(6).any(|part| part.is_sorted_by(|a, b| *b == a.wrapping_add(1)));
    let repeats = secret.windows(5).any(|part| part.is_sorted_by(|a, b| a == b));
    varied(secret, 8) && !counts && !repeats
}

/// Whether it has so many different characters, and no word of an example.
pub(crate) fn varied(secret: &[u8], least: usize) -> bool {
    let lower = secret.to_ascii_lowercase();
    let says = |word: &str| lower.windows(word.len()).any(|part| part == word.as_bytes());
    let distinct = lower.iter().copied().collect::<BTreeSet<u8>>().len();
    distinct >= least && !["example", "placeholder", "your_", "your-"].into_iter().any(says)
}

/// Whether a value has a word in it that is as random as a key.
///
/// Names of resources are long, too, and some end in random characters; what tells a key is that it is random from one
/// end to the other. So besides the entropy of its characters it is counted how often two neighbours are of different
/// kinds (capital, small letter, digit): in names and in words that are written together seldom, in keys nearly always.
pub(crate) fn random_word(value: &str) -> bool {
    value
        .split(|c: char| c.is_whitespace() || ",;\"'`()[]{}<>|".contains(c))
        .filter(|word| !is_arn(word))
        .flat_map(without_digests)
        .any(|part| pieces(part).any(is_random) || is_random_base64(part))
}

/// Amazon resource names hold ids and nothing that is secret.
fn is_arn(word: &str) -> bool {
    let mut parts = word.splitn(6, ':');
    parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| partition.starts_with("aws"))
        && parts.count() == 4
}

/// What digests are written behind, and the alphabet that they are written in.
const DIGESTS: [(&str, Alphabet); 7] = [
    ("sha256:", hex),
    ("sha512:", hex),
    ("git-", hex),
    ("src-", hex),
    ("sha256-", base64),
    ("sha384-", base64),
    ("sha512-", base64),
];

/// The parts of a word around digests.
fn without_digests(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = word;
    while let Some((at, name, alphabet)) = DIGESTS
        .iter()
        .filter_map(|(name, alphabet)| Some((rest.find(name)?, name, alphabet)))
        .min_by_key(|found| found.0)
    {
        let (before, digest) = rest.split_at(at);
        parts.push(before);
        let digest = digest.get(name.len()..).unwrap_or_default();
        rest = digest.trim_start_matches(|c: char| u8::try_from(c).is_ok_and(alphabet));
    }
    parts.push(rest);
    parts
}

/// The letters and digits of a word between its punctuation.
fn pieces(word: &str) -> impl Iterator<Item = &[u8]> {
    word.split(|c: char| !c.is_ascii_alphanumeric()).map(str::as_bytes)
}

/// Whether letters and digits without a break look like chance. The bounds are far below what 20 or more random
/// characters come to, and above what names come to; the tests count both.
fn is_random(piece: &[u8]) -> bool {
    let kinds = piece.iter().copied().map(kind).collect::<BTreeSet<_>>();
    // Of letters alone are names that are written together, and next to no keys.
    if !kinds.contains(&Kind::Digit) {
        return false;
    }
    let (length, changing, entropy) = match (kinds.len(), piece.iter().copied().all(hex)) {
        (2.., true) => (32, 0.25, 3.0),
        (3, _) => (20, 0.35, 3.4),
        (2, _) => (24, 0.22, 3.5),
        _ => return false,
    };
    piece.len() >= length && changes(piece) >= changing && entropy_bits(piece) >= entropy && by_chance(piece)
}

/// The same of base64 with its punctuation, of which random bytes have little.
fn is_random_base64(word: &str) -> bool {
    let word = word.as_bytes();
    let plain: Vec<u8> = word.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    word.iter().copied().all(base64)
        && plain.len() >= 24
        && word.len() - plain.len() <= word.len() / 8
        && plain.iter().copied().map(kind).collect::<BTreeSet<_>>().len() == 3
        && changes(&plain) >= 0.45
        && entropy_bits(&plain) >= 4.0
        && by_chance(word)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Upper,
    Lower,
    Digit,
}

fn kind(byte: u8) -> Kind {
    match byte {
        b'0'..=b'9' => Kind::Digit,
        b'A'..=b'Z' => Kind::Upper,
        _ => Kind::Lower,
    }
}

/// The share of neighbours that are of different kinds.
#[expect(clippy::cast_precision_loss, reason = "lengths of values are far below 2^52")]
fn changes(piece: &[u8]) -> f64 {
    let different = piece
        .windows(2)
        .filter(|pair| pair.first().copied().map(kind) != pair.last().copied().map(kind))
        .count();
    different as f64 / piece.len().saturating_sub(1).max(1) as f64
}

/// Shannon's entropy of the characters, in bits a character.
#[expect(clippy::cast_precision_loss, reason = "lengths of values are far below 2^52")]
fn entropy_bits(piece: &[u8]) -> f64 {
    let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
    for byte in piece {
        *counts.entry(*byte).or_default() += 1;
    }
    let share = |count: &usize| *count as f64 / piece.len() as f64;
    -counts.values().map(share).map(|share| share * share.log2()).sum::<f64>()
}

/// Whether a value is a URL with a password: `scheme://user:password@host`.
pub(crate) fn url_with_password(value: &str) -> bool {
    value.match_indices("://").any(|(at, _)| {
        let scheme = value.get(..at).unwrap_or_default();
        let rest = value.get(at + 3..).unwrap_or_default();
        let authority = rest.split(|c: char| c == '/' || c.is_whitespace()).next().unwrap_or_default();
        let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
        scheme.bytes().next_back().is_some_and(plain_word)
            && password.is_some_and(|(_, password)| {
                !password.is_empty() && !password.starts_with(['$', '<', '*', '{'])
            })
    })
}
