//! Which values of a drifted resource may be seen.
//!
//! The templates hold no secret, but whoever changed a resource by hand may have put one there: in an environment
//! variable, a command, a header. The command does not read the environment's secrets, so it can't know theirs; it
//! shows what looks like a setting, and neither what is written where secrets usually go nor what looks like a key.

use leo_deploy::Observed;
use leo_evidence::holds_a_key;

const WITHHELD: &str = "‹withheld: may hold a secret›";

/// Places where people put secrets, as words of a property's path or of the names inside its value, in lower case.
const PLACES: [&str; 12] = [
    "apikey",
    "authorization",
    "command",
    "credential",
    "entrypoint",
    "environment",
    "header",
    "password",
    "privatekey",
    "secretstring",
    "token",
    "userdata",
];

/// A value as it may be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown(String);

impl Shown {
    /// The value at `path`, or in its place that there is one.
    pub(super) fn of(path: &str, value: &Observed) -> Self {
        let text = value.expose();
        let hidden =
            names_a_place(path) || (text.starts_with(['{', '[']) && names_a_place(text)) || holds_a_key(text);
        Self(if hidden { WITHHELD.to_owned() } else { text.to_owned() })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// At most so many characters of it.
    pub(super) fn cut(&self, length: usize) -> String {
        match self.0.char_indices().nth(length) {
            Some((end, _)) => format!("{}…", self.0.get(..end).unwrap_or_default()),
            None => self.0.clone(),
        }
    }
}

fn names_a_place(text: &str) -> bool {
    let text: String = text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).collect();
    let text = text.to_ascii_lowercase();
    PLACES.iter().any(|place| text.contains(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_shown() {
        for (path, value) in [
            ("/VersioningConfiguration/Status", "Suspended"),
            ("/DesiredCount", "2"),
            ("/Tags/3", "{\"Key\":\"leo:stack\",\"Value\":\"leo-dev-foundation\"}"),
            (
                "/Policies/0/PolicyDocument",
                "{\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::leo-dev-apps-111122223333-us-east-1/*\"}",
            ),
            (
                "/TaskRoleArn",
                "arn:aws:iam::111122223333:role/leo-dev-foundation-OrchestratorRole-1A2B3C4D5E6F7",
            ),
            (
                "/Image",
                "1.dkr.ecr.us-east-1.amazonaws.com/leo@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            ),
            ("/Description", "Leo dev: GITHUB_TOKEN_IS_HELD_ELSEWHERE"),
        ] {
            let shown = Shown::of(path, &Observed::new(value));
            assert_eq!(shown.as_str(), value, "{path}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not() {
        for (path, value) in [
            ("/ContainerDefinitions/0/Environment/1/Value", "hunter2"),
            ("/ContainerDefinitions/0", "{\"Environment\":[{\"Name\":\"A\",\"Value\":\"hunter2\"}]}"),
            ("/ContainerDefinitions/0/Command/2", "--password=hunter2"),
            ("/SecretString", "hunter2"),
            ("/Tags/1/Value", "ghp_hunter2"),
            ("/Description", "key AKIAIOSFODNN7EXAMPLE"),
            ("/Description", "use eyJhbGciOi.hunter2"),
            ("/Description", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY1a2b"),
        ] {
            let shown = Shown::of(path, &Observed::new(value));
            assert_eq!(shown.as_str(), WITHHELD, "{path} {value}");
        }
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let shown = Shown::of("/Description", &Observed::new("äöü"));
        assert_eq!((shown.cut(2), shown.cut(3)), ("äö…".to_owned(), "äöü".to_owned()));
    }
}
