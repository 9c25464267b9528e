/// Why a text or a number is not a value of a type, with what would be right.
///
/// `Display` gives a predicate that reads after the name of the key: "is not an AWS region".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct InvalidValue {
    problem: String,
    found: Option<String>,
    hint: String,
    hidden: bool,
}

impl InvalidValue {
    /// A secret in a place that is none's: whatever was written there is not shown.
    pub(crate) fn secret(hint: impl Into<String>) -> Self {
        Self { hidden: true, ..Self::new("is a secret", hint) }
    }

    /// Whether the value must not be shown.
    pub(crate) fn hides(&self) -> bool {
        self.hidden
    }

    pub(crate) fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { problem: problem.into(), found: None, hint: hint.into(), hidden: false }
    }

    pub(crate) fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    /// What was there instead, where that can be said better than by repeating it ("an IAM role").
    pub fn found_instead(&self) -> Option<&str> {
        self.found.as_deref()
    }

    /// What would be right.
    pub fn hint(&self) -> Option<String> {
        Some(self.hint.clone())
    }
}
