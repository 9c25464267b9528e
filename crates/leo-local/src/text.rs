//! Small pieces of text that more than one module writes.

use std::fmt::Write as _;

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Lines to go below a message, each on a line of its own.
pub(crate) fn indented(lines: &[String]) -> String {
    lines.iter().flat_map(|line| ["\n  ", line.as_str()]).collect()
}

/// The last `count` lines of a program's words that are not empty.
pub(crate) fn last_lines(said: &[u8], count: usize) -> Vec<String> {
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(count)).map(|&line| line.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept() {
        assert_eq!(last_lines(b"a\n\nb \nc\n", 2), ["b", "c"]);
        assert!(last_lines(b"", 2).is_empty());
    }

    #[test]
    fn hexadecimal_has_two_digits_a_byte() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
