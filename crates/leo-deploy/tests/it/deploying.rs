//! What the tests of whole deploys share.

use leo_deploy::{Control, DeployError, StackOutcome};

use crate::answers::*;
use crate::wire::{Answer, Conversation};

pub(crate) const OLD: Event<'_> = ("e0", "leo-dev", "", "REVIEW_IN_PROGRESS", "User Initiated");

/// What every deploy says up to the execution, given what DescribeStacks finds and the change set holds.
pub(crate) fn reviewed(found: Answer, changes: &[(&str, &str, &str)]) -> Vec<(&'static str, Answer)> {
    vec![
        (DESCRIBE, found),
        (CREATE, created()),
        (REVIEW, change_set_in("CREATE_IN_PROGRESS", "UNAVAILABLE", "")),
        (REVIEW, change_set(changes, None)),
        (FINDINGS, no_findings()),
    ]
}

pub(crate) async fn deploy(conversation: &Conversation, lines: &Lines) -> Result<StackOutcome, DeployError> {
    let outcome = stacks(conversation).deploy(&request(), &Control::default(), &lines.sink()).await;
    conversation.assert_over();
    outcome
}
