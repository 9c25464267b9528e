//! The alphabets of tokens.

/// Whether a character is one of an alphabet's.
pub(crate) type Alphabet = fn(u8) -> bool;

pub(crate) fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

pub(crate) fn letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic()
}

pub(crate) fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

pub(crate) fn lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

pub(crate) fn hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

pub(crate) fn base32(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'2'..=b'7')
}

pub(crate) fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

pub(crate) fn plain_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(crate) fn word(byte: u8) -> bool {
    plain_word(byte) || byte == b'-'
}

pub(crate) fn dotted(byte: u8) -> bool {
    word(byte) || byte == b'.'
}
