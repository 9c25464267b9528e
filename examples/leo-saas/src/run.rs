//! A job's name, and where its objects are.

use std::fmt;

use crate::random;

/// 128 random bits as 32 lower-case hexadecimal digits: who knows it may see the job, and nobody can guess it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RunId(String);

impl RunId {
    /// A new one, from the operating system's random numbers.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        random::digits().map(Self)
    }

    /// What a client sent; `None` if it can't be a run id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (text.len() == 32 && digits).then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What all keys of the run begin with.
    pub(crate) fn prefix(&self) -> String {
        format!("jobs/{self}/")
    }

    /// The prompt. There from the start, so a run without it does not exist.
    pub(crate) fn input(&self) -> String {
        format!("jobs/{self}/input")
    }

    /// The ARN of the task that was started for it.
    pub(crate) fn task(&self) -> String {
        format!("jobs/{self}/task")
    }

    /// What all keys that the generator writes begin with.
    pub(crate) fn output(&self) -> String {
        format!("jobs/{self}/output/")
    }

    /// What the generator writes last: how it ended.
    pub(crate) fn status(&self) -> String {
        format!("jobs/{self}/output/status.json")
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::RunId;

    #[test]
    fn a_new_id_is_one_and_never_the_same() {
        let (one, other) = (RunId::random().unwrap(), RunId::random().unwrap());
        assert_eq!(RunId::parse(&one.to_string()), Some(one.clone()));
        assert_ne!(one, other);
    }

    #[test]
    fn nothing_else_is_a_run_id() {
        for text in [
            "",
            "..",
            "demo-token",
            "0123456789abcdef",
            "0123456789ABCDEF0123456789ABCDEF",
            "0123456789abcdef/123456789abcdef",
            "0123456789abcdef0123456789abcdef0",
        ] {
            assert_eq!(RunId::parse(text), None, "{text}");
        }
    }
}
