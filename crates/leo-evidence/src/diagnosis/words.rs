//! Words found in what AWS wrote.

use crate::evidence::{Evidence, FindingSeen, ResourceFailure};

/// Who may not do what to which resource, as far as a refusal says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Denial {
    pub(super) who: Option<String>,
    pub(super) action: Option<String>,
    pub(super) resource: Option<String>,
    /// A permissions boundary says no, not a policy that is missing.
    pub(super) boundary: bool,
}

/// Reads `User: … is not authorized to perform: … on resource: … because …` ("Troubleshoot access denied error
/// messages", IAM User Guide).
pub(super) fn denial(text: &str) -> Denial {
    let who = before(text, " is not authorized to perform").and_then(|text| text.split_whitespace().last());
    let action =
        after(text, "not authorized to perform:").or_else(|| after(text, "not authorized to perform "));
    Denial {
        who: who.map(clean),
        action: action.and_then(first_word),
        resource: after(text, "on resource:").and_then(first_word),
        boundary: text.contains("permissions boundary"),
    }
}

pub(super) fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark).map(|(_, after)| after)
}

fn before<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark).map(|(before, _)| before)
}

pub(super) fn first_word(text: &str) -> Option<String> {
    text.split_whitespace().next().map(clean).filter(|word| !word.is_empty())
}

fn clean(word: &str) -> String {
    word.trim_matches(['\'', '"', ',', '.', ';', '(', ')', '{', '}', '[', ']']).to_owned()
}

/// The name of the secret whose ARN the text has: without the six characters that Secrets Manager adds.
pub(super) fn secret_name(text: &str) -> Option<String> {
    let arn = text.split([' ', '\'', '"', ',']).find(|word| word.contains(":secretsmanager:"))?;
    let name = arn.split(":secret:").nth(1)?.split(':').next()?;
    let stem = name.rsplit_once('-').filter(|(_, end)| end.len() == 6).map_or(name, |(stem, _)| stem);
    Some(stem.to_owned())
}

/// The region in the first ARN of a service.
pub(super) fn region_of_arn<'a>(text: &'a str, service: &str) -> Option<&'a str> {
    after(text, &format!(":{service}:"))?.split(':').next().filter(|region| region.contains('-'))
}

/// What an exit code means where it is not the program's own ("Advanced Bash-Scripting Guide", exit codes; from 128
/// on it is a signal's number).
pub(super) fn exit_code(code: i32) -> &'static str {
    match code {
        0 => "; a service has to keep running",
        126 => ", which means that its program can't be executed",
        127 => ", which means that its program is not in the image",
        132 => " (SIGILL): it is built for a newer processor",
        134 => " (SIGABRT)",
        137 => " (SIGKILL)",
        139 => " (SIGSEGV)",
        143 => " (SIGTERM)",
        _ => "",
    }
}

/// What CloudFormation reported of a resource that could not be made.
#[derive(Debug)]
pub(super) struct Reported<'a> {
    pub(super) reason: &'a str,
    pub(super) line: String,
}

/// All reports, failures of resources before findings of the validation; not what failed only while the stack rolled
/// back where tasks had failed before.
pub(super) fn reports(evidence: &Evidence) -> impl Iterator<Item = Reported<'_>> {
    let tasks_failed = !evidence.failed_stops().is_empty();
    let failures = evidence
        .stack
        .failures
        .iter()
        .filter(move |failure| !(failure.late && tasks_failed))
        .map(|failure| Reported { reason: &failure.reason, line: failure_line(failure) });
    let findings = evidence
        .stack
        .findings
        .iter()
        .filter(|finding| finding.fatal)
        .map(|finding| Reported { reason: &finding.reason, line: finding_line(finding) });
    let refused = evidence.stack.refused.iter().map(|reason| Reported { reason, line: reason.clone() });
    failures.chain(findings).chain(refused)
}

pub(super) fn failure_line(failure: &ResourceFailure) -> String {
    format!("{} ({}) {}: {}", failure.logical_id, failure.resource_type, failure.status, failure.reason)
}

pub(super) fn finding_line(finding: &FindingSeen) -> String {
    let place: Vec<&str> =
        [&finding.logical_id, &finding.path].into_iter().flatten().map(String::as_str).collect();
    if place.is_empty() { finding.reason.clone() } else { format!("{}: {}", place.join(" "), finding.reason) }
}

/// The environment's name, by its cluster's.
pub(super) fn environment(evidence: &Evidence) -> &str {
    let cluster = &evidence.subject.cluster;
    cluster.strip_prefix("leo-").unwrap_or(cluster)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_read() {
        let text = "User: arn:aws:sts::123456789012:assumed-role/deployer/ci is not authorized to perform: \
                    iam:CreateRole on resource: arn:aws:iam::123456789012:role/leo-dev because no identity-based \
                    policy allows the iam:CreateRole action (Service: Iam, Status Code: 403)";
        assert_eq!(
            denial(text),
            Denial {
                who: Some("arn:aws:sts::123456789012:assumed-role/deployer/ci".to_owned()),
                action: Some("iam:CreateRole".to_owned()),
                resource: Some("arn:aws:iam::123456789012:role/leo-dev".to_owned()),
                boundary: false,
            }
        );
        assert_eq!(denial("Access Denied"), Denial::default());
    }

    #[test]
    fn a_secret_is_named_by_its_arn() {
        let text = "failed to fetch secret arn:aws:secretsmanager:us-east-1:123456789012:secret:leo/dev/supabase-AbCd12 \
                    from secrets manager: ResourceNotFoundException";
        assert_eq!(secret_name(text).as_deref(), Some("leo/dev/supabase"));
        assert_eq!(secret_name("nothing"), None);
    }
}
