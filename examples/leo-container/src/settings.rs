//! What the task definition and the orchestrator's overrides tell the generator.

use leo_aws::{Client, Retry, Variables, VariablesError};
use std::time::SystemTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Everything that a run needs. Has no `Debug`: it holds secrets.
pub(crate) struct Settings {
    /// `LEO_RUN`, the run's id and its place in the bucket.
    pub(crate) run: String,
    /// `LEO_DEADLINE`, when it must have ended.
    pub(crate) deadline: SystemTime,
    /// `LEO_BUCKET`.
    pub(crate) bucket: String,
    pub(crate) client: Client,
}

impl Settings {
    /// Reads all variables; the error names every one that is missing or malformed.
    pub(crate) fn read(variables: &mut Variables<'_>) -> Result<Self, VariablesError> {
        let run = variables.parsed("LEO_RUN", "a run id: letters, digits, `-` and `_`", |text| {
            // It becomes part of every key: a slash or two dots would lead out of the run's place.
            let safe = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            (safe && text.len() <= 64).then(|| text.to_owned())
        });
        let deadline = variables.parsed("LEO_DEADLINE", "a time such as 2026-11-22T12:00:00Z", |text| {
            OffsetDateTime::parse(text, &Rfc3339).ok().map(SystemTime::from)
        });
        let bucket = variables.required("LEO_BUCKET");
        let client = Client::read(variables, Retry::default());
        variables.check()?;
        match (run, deadline, bucket, client) {
            (Some(run), Some(deadline), Some(bucket), Some(client)) => {
                Ok(Self { run, deadline, bucket, client })
            }
            _ => Err(variables.failed()),
        }
    }

    /// Where the prompt is.
    pub(crate) fn input(&self) -> String {
        format!("jobs/{}/input", self.run)
    }

    /// Where a file of the site goes.
    pub(crate) fn output(&self, file: &str) -> String {
        format!("jobs/{}/output/{file}", self.run)
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use leo_aws::Variables;

    fn problems(lookup: &dyn Fn(&str) -> Option<String>) -> String {
        let settings = Settings::read(&mut Variables::new(lookup));
        settings.err().expect("the variables are wrong").to_string().replace("; ", "\n")
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        insta::assert_snapshot!(problems(&|_| None), @"
        read the environment: LEO_RUN is not set
        LEO_DEADLINE is not set
        LEO_BUCKET is not set
        AWS_REGION is not set
        the task role's AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI, or a pair of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, is not set
        ");
    }

    #[test]
    fn a_run_id_can_not_lead_out_of_its_place() {
        for run in ["../other", "a/b", "a b", "ä", &"a".repeat(65)] {
            let lookup = |name: &str| {
                Some(match name {
                    "LEO_RUN" => run.to_owned(),
                    "LEO_DEADLINE" => "2026-11-22T12:00:00+01:00".to_owned(),
                    "AWS_ENDPOINT_URL" => "http://127.0.0.1:1".to_owned(),
                    _ => "swordfish".to_owned(),
                })
            };
            assert_eq!(
                problems(&lookup),
                "read the environment: LEO_RUN is not a run id: letters, digits, `-` and `_`"
            );
        }
    }
}
