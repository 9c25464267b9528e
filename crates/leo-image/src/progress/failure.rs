use super::node::Node;

/// Why a build failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// As BuildKit names it.
    pub(crate) step: Option<String>,
    pub(crate) message: String,
    /// The last lines that the step wrote.
    pub(crate) log: Vec<String>,
    /// The place in the Dockerfile, as BuildKit shows it.
    pub(crate) excerpt: Vec<String>,
}

impl Failure {
    /// From the vertex that failed, and the text around BuildKit's documents.
    pub(super) fn of(failed: Option<Node>, text: &[String]) -> Self {
        let mut failed = failed.unwrap_or_default();
        failed.log.end_line();
        let last_error = text.iter().rev().find_map(|line| line.strip_prefix("ERROR: "));
        let message = last_error
            .map(|line| line.strip_prefix("failed to solve: ").unwrap_or(line))
            .or(failed.error.as_deref())
            .or_else(|| text.last().map(String::as_str))
            .unwrap_or("it ended without a word");
        Self {
            message: essence(message).to_owned(),
            step: Some(failed.name).filter(|name| !name.is_empty()),
            log: failed.log.lines.into(),
            excerpt: excerpt(text),
        }
    }
}

/// BuildKit's reason without what the step's name and the Dockerfile's lines say already: the command once more, and ids of
/// its own.
fn essence(message: &str) -> &str {
    if let Some((_, reason)) = message.rsplit_once("\" did not complete successfully: ")
        && message.starts_with("process \"")
    {
        return reason;
    }
    let reason = message.strip_prefix("failed to compute cache key: ").unwrap_or(message);
    let reference = reason.strip_prefix("failed to calculate checksum of ref ");
    reference.and_then(|reference| reference.split_once(": ")).map_or(reason, |(_, reason)| reason)
}

/// The lines between BuildKit's two rules, with the line before them: `Dockerfile:4` and its surroundings.
fn excerpt(text: &[String]) -> Vec<String> {
    let is_rule = |line: &String| line.len() >= 10 && line.bytes().all(|byte| byte == b'-');
    let mut rules = text.iter().enumerate().filter(|(_, line)| is_rule(line)).map(|(index, _)| index);
    let (Some(first), Some(last)) = (rules.next(), rules.next_back()) else { return Vec::new() };
    text.get(first.saturating_sub(1)..=last).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_does_not_repeat_what_is_said_beside_it() {
        for (message, reason) in [
            (
                "process \"/bin/sh -c make \\\"all\\\"\" did not complete successfully: exit code: 7",
                "exit code: 7",
            ),
            (
                "failed to compute cache key: failed to calculate checksum of ref sds1::dr96: \"/nope\": not found",
                "\"/nope\": not found",
            ),
            (
                "dockerfile parse error on line 2: unknown instruction: COPPY",
                "dockerfile parse error on line 2: unknown instruction: COPPY",
            ),
            ("failed to compute cache key: x", "x"),
            ("process \"", "process \""),
        ] {
            assert_eq!(essence(message), reason);
        }
    }
}
