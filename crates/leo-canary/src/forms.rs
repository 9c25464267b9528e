//! The forms in which a value may get out.

use std::{
    collections::hash_map::RandomState,
    fmt::Write as _,
    hash::{BuildHasher as _, Hasher as _},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// How much of a value has to get out to be found: too long to occur by chance, too short to be of use.
const PIECE: usize = 8;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    Base64,
    Hexadecimal,
    Url,
    Json,
}

impl Form {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Base64 => "base64",
            Self::Hexadecimal => "hexadecimal",
            Self::Url => "URL-encoded",
            Self::Json => "JSON",
        }
    }
}

/// Every form of a value and of each piece of its core.
pub(crate) fn of(value: &str, core: &str) -> Vec<(Form, String)> {
    let mut forms = vec![(Form::Plain, value.to_owned())];
    let encoded = [(Form::Url, url(value)), (Form::Json, json(value)), (Form::Json, json(&json(value)))];
    forms.extend(encoded.into_iter().filter(|(_, text)| text != value));
    let mut rest = core;
    while let Some((piece, after)) = rest.split_at_checked(PIECE) {
        forms.push((Form::Plain, piece.to_owned()));
        forms.push((Form::Plain, piece.to_uppercase()));
        forms.push((Form::Hexadecimal, hexadecimal(piece)));
        forms.push((Form::Hexadecimal, hexadecimal(piece).to_uppercase()));
        forms.extend(base64(piece).into_iter().map(|text| (Form::Base64, text)));
        rest = after;
    }
    forms
}

/// What base64 makes of a text wherever it begins in what is encoded: three alignments, both alphabets, without the
/// characters at the edges that depend on what is around it.
fn base64(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let bytes = [" ".repeat(before).as_bytes(), text.as_bytes()].concat();
        // Bits of what is before are in so many characters, and the last one may hold bits of what follows.
        let (first, whole) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            forms.extend(engine.encode(&bytes).get(first..whole).map(str::to_owned));
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

fn url(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// As the inside of a JSON text.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string().trim_matches('"').to_owned()
}

fn hexadecimal(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "{byte:02x}");
        encoded
    })
}

/// Lower-case letters and digits that no other run has.
pub(crate) fn random(length: usize) -> String {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::new();
    while text.len() < length {
        let bits = RandomState::new().build_hasher().finish();
        let character = ALPHABET.iter().cycle().nth((bits % 36) as usize).copied().unwrap_or(b'a');
        text.push(char::from(character));
    }
    text
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::{Canaries, Canary};

    fn canaries() -> Canaries {
        Canaries::new(vec![
            Canary::new("token", |core| format!("pre_{core}")),
            Canary::new("awkward", |core| format!("\"{core}\\/+ é")),
        ])
        .unwrap()
    }

    fn found(canaries: &Canaries, text: &str) -> Vec<(String, &'static str)> {
        canaries.in_bytes("here", text.as_bytes()).into_iter().map(|leak| (leak.canary, leak.form)).collect()
    }

    #[test]
    fn every_form_of_a_value_and_of_a_third_of_it_is_found() {
        let canaries = canaries();
        assert_eq!(found(&canaries, "nothing of either: pre_ é"), []);
        for name in ["token", "awkward"] {
            let value = canaries.value(name).to_owned();
            let has = |text: &str, form: &str| {
                let found = found(&canaries, text);
                assert!(found.iter().any(|(of, as_)| of == name && *as_ == form), "{form} {text}");
            };
            has(&format!("<{value}>"), "plain");
            has(value.get(..16).unwrap_or(&value), "plain");
            has(&hexadecimal(&value), "hexadecimal");
            for before in ["", "x", "xy", "xyz"] {
                has(&STANDARD.encode(format!("{before}{value} and more")), "base64");
                has(&URL_SAFE_NO_PAD.encode(format!("{before}{value}")), "base64");
            }
        }
        let awkward = canaries.value("awkward");
        assert!(found(&canaries, &url(awkward)).contains(&("awkward".to_owned(), "URL-encoded")));
        let twice = serde_json::json!({"body": serde_json::json!({"A": awkward}).to_string()}).to_string();
        assert!(found(&canaries, &twice).contains(&("awkward".to_owned(), "JSON")), "{twice}");
    }

    #[test]
    fn no_two_are_the_same() {
        assert_ne!(random(24), random(24));
        assert!(random(24).len() == 24 && random(24).bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}
