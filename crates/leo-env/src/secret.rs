use std::fmt;

/// A value that must not be seen. It can be handed on and, in one place, [exposed](Secret::expose); it has no `Display`,
/// no `Serialize`, and a `Debug` without the value.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes a value out of sight.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one call that sends it to where it is kept.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_value_and_its_length() {
        assert_eq!(format!("{:?}", Some(Secret::new("hush"))), "Some(Secret(hidden))");
        assert_eq!(Secret::new("hush").expose(), "hush");
    }
}
