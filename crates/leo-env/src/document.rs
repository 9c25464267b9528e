//! What is said alike of every TOML file of ours.

use leo_diagnostic::{Diagnostic, SourceFile};
use toml::de::{DeValue, Error};

/// One slip can make an error of every line after it; the first few say enough.
const MOST_SYNTAX_ERRORS: usize = 10;

/// What keeps a file from being TOML: the first errors of the parser, each with `hint`. A line that holds what looks like
/// a secret is not shown.
pub fn not_toml(file: &SourceFile, errors: &[Error], hint: &str) -> Vec<Diagnostic> {
    let finding = |error: &Error| {
        let message = error.message().lines().next().unwrap_or("it can't be read").to_owned();
        Diagnostic::error(format!("`{}` is not TOML: {message}", file.path))
            .at(crate::visible(file.location(error.span().unwrap_or_default())))
            .hint(hint)
    };
    errors.iter().take(MOST_SYNTAX_ERRORS).map(finding).collect()
}

/// What a value is, in words.
pub fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
