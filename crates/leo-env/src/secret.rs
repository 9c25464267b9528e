use std::fmt;

use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroize as _};

/// A value that must not be seen. It can be handed on and, in one place, [exposed](Secret::expose); it has no `Display`,
/// no `Serialize`, and a `Debug` without the value. Its memory is overwritten when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value out of sight. The text that is handed over is overwritten where it had to be copied.
    pub fn new(value: impl Into<String>) -> Self {
        let mut value = value.into();
        if value.capacity() == value.len() {
            return Self(value.into());
        }
        // Shrinking a text in place may move it and leave the old memory as it was.
        let exact: Box<str> = value.as_str().into();
        value.zeroize();
        Self(exact.into())
    }

    /// The value itself, for the one call that sends it to where it is kept.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::zeroize::ZeroizeOnDrop;

    use super::*;

    #[test]
    fn debug_output_hides_the_value_and_its_length() {
        assert_eq!(format!("{:?}", Some(Secret::new("hush"))), "Some(Secret(hidden))");
        assert_eq!(format!("{:#?}", vec![Secret::new("hush")]), "[\n    Secret(hidden),\n]");
    }

    #[test]
    fn a_text_with_room_to_spare_is_taken_whole() {
        let mut roomy = String::with_capacity(100);
        roomy.push_str("hush");
        assert_eq!(Secret::new(roomy).expose(), "hush");
        assert_eq!(Secret::new("hush").clone().expose(), "hush");
        assert_eq!(Secret::new("").expose(), "");
    }

    #[test]
    fn what_holds_the_value_is_overwritten_when_it_is_dropped() {
        fn overwritten<T: ZeroizeOnDrop>(_: &T) {}
        overwritten(&Secret::new("hush").0);
    }
}
