//! What single characters of a value are to whoever reads it.

/// Whether everybody reads a character as itself, wherever it stands in a value.
pub(crate) fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-./:@%+,=?*!^[]{}".contains(c) || (!c.is_ascii() && !is_invisible(c))
}

/// Control characters, and those of Unicode that look like a space or like nothing.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control() || (c.is_whitespace() && !matches!(c, ' ' | '\t')) || c == BLANK_BRAILLE || is_ignorable(c)
}

/// The quotes that word processors put in the place of typed ones. Nothing that reads a file takes them for quotes.
pub(crate) fn is_typographic_quote(c: char) -> bool {
    matches!(c, '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}')
}

/// Braille without a dot.
const BLANK_BRAILLE: char = '\u{2800}';

/// What nothing is to be shown for: `Default_Ignorable_Code_Point` of Unicode's DerivedCoreProperties.txt.
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignorable_is_what_unicode_says() {
        let unicode = regex::Regex::new(r"^\p{Default_Ignorable_Code_Point}$").unwrap();
        for c in '\0'..=char::MAX {
            assert_eq!(
                is_ignorable(c),
                unicode.is_match(c.encode_utf8(&mut [0; 4])),
                "{}",
                c.escape_unicode()
            );
        }
    }

    #[test]
    fn letters_of_any_script_are_plain_and_blanks_of_any_are_not() {
        for c in "aZ0üß漢".chars() {
            assert!(is_plain(c) && !is_invisible(c), "{c}");
        }
        for c in ['\u{a0}', '\u{2800}', '\u{2028}', '\u{3164}', '\u{e0041}', '\u{fe0f}', '\u{85}'] {
            assert!(is_invisible(c) && !is_plain(c), "{}", c.escape_unicode());
        }
    }
}
