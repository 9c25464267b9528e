//! The environment of a container as input: everything that is wrong with it is reported at once.

use std::fmt;

/// Reads variables by name, and remembers what was missing or malformed. An empty variable counts as missing: a task
/// definition has no other way to say "none".
pub struct Variables<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl<'a> Variables<'a> {
    /// Reads through `lookup`, which answers with the value of the variable of that name.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, problems: Vec::new() }
    }

    /// Reads this process's environment. A value that is not UTF-8 counts as missing.
    pub fn of_process() -> Variables<'static> {
        Variables { lookup: &|name| std::env::var(name).ok(), problems: Vec::new() }
    }

    /// The value, if it is set and not empty.
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// The value; without one, a problem.
    pub fn required(&mut self, name: &str) -> Option<String> {
        let value = self.optional(name);
        if value.is_none() {
            self.problems.push(format!("{name} is not set"));
        }
        value
    }

    /// What `parse` makes of the value; without a value, or without a result, a problem that says what is `wanted`.
    pub fn parsed<T>(
        &mut self,
        name: &str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.required(name)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.malformed(name, wanted);
        }
        parsed
    }

    /// Notes that the value of `name` is not what is `wanted`. The value itself is never said: it may be a secret.
    pub fn malformed(&mut self, name: &str, wanted: &str) {
        self.problems.push(format!("{name} is not {wanted}"));
    }

    /// Notes that something is missing that several variables could have given.
    pub fn missing(&mut self, what: &str) {
        self.problems.push(format!("{what} is not set"));
    }

    /// The problems so far as an error; `Ok` without any.
    pub fn check(&mut self) -> Result<(), VariablesError> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.failed()) }
    }

    /// The problems so far as an error, for a caller that already knows that there are some.
    pub fn failed(&mut self) -> VariablesError {
        VariablesError { problems: std::mem::take(&mut self.problems) }
    }
}

/// Everything that is wrong with the environment.
#[derive(Debug)]
pub struct VariablesError {
    problems: Vec<String>,
}

impl fmt::Display for VariablesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read the environment: {}", self.problems.join("; "))
    }
}

impl std::error::Error for VariablesError {}

impl VariablesError {
    /// Where the variables come from.
    pub fn hint(&self) -> Option<String> {
        Some("the task definition sets these; outside ECS, see examples/README.md".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Variables;

    #[test]
    fn all_problems_are_said_at_once_and_no_value_is() {
        let lookup = |name: &str| match name {
            "EMPTY" => Some(String::new()),
            "PORT" => Some("swordfish".to_owned()),
            _ => None,
        };
        let mut variables = Variables::new(&lookup);
        assert_eq!(variables.required("ABSENT"), None);
        assert_eq!(variables.required("EMPTY"), None);
        assert_eq!(variables.parsed("PORT", "a port number", |text| text.parse::<u16>().ok()), None);
        let error = variables.check().unwrap_err();
        insta::assert_snapshot!(error, @"read the environment: ABSENT is not set; EMPTY is not set; PORT is not a port number");
        assert!(variables.check().is_ok(), "an error takes its problems along");
    }
}
