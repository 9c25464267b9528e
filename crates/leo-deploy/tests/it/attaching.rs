//! Operations that someone else began, and where following them ends.

use leo_aws::FailureKind;
use leo_deploy::{Control, DeployError, Prepared};

use crate::answers::*;
use crate::wire::{Answer, Conversation};

#[tokio::test(start_paused = true)]
async fn a_failed_create_is_followed_into_its_deletion() {
    for found in ["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"] {
        let start = ("e1", "leo-dev", "", "CREATE_IN_PROGRESS", "User Initiated");
        let rolled_back = ("e2", "leo-dev", "", "ROLLBACK_COMPLETE", "");
        let gone = ("e3", "leo-dev", "", "DELETE_COMPLETE", "");
        let conversation = Conversation::new([
            (DESCRIBE, stack(found)),
            (EVENTS, events(&[start], None)),
            (REVIEW, change_set_in("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", "")),
            // For a moment it looks as if it stayed.
            (EVENTS, events(&[start, rolled_back], None)),
            (DESCRIBE, stack("ROLLBACK_COMPLETE")),
            (EVENTS, events(&[start, rolled_back], None)),
            (DESCRIBE, stack("DELETE_IN_PROGRESS")),
            (EVENTS, events(&[start, rolled_back, gone], None)),
            (DESCRIBE, stack("DELETE_COMPLETE")),
            // The own work.
            (DESCRIBE, no_stack()),
            (CREATE, created()),
            (REVIEW, change_set(&[("Add", "Service", "")], None)),
            (FINDINGS, no_findings()),
        ]);
        let prepared = stacks(&conversation).prepare(&request(), &|_| {}).await.unwrap();
        conversation.assert_over();
        assert!(matches!(prepared, Prepared::Ready(ready) if ready.creates_stack()), "{found}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_look_for_the_beginning_is_repeated() {
    let start = ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");
    let end = ("e2", "leo-dev", "", "UPDATE_COMPLETE", "");
    let conversation = Conversation::new([
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        (EVENTS, throttled()),
        (EVENTS, Answer::Reset),
        (EVENTS, events(&[start], None)),
        (REVIEW, change_set_in("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", "")),
        (EVENTS, events(&[start, end], None)),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
        (CREATE, created()),
        (REVIEW, change_set_in("FAILED", "UNAVAILABLE", "No updates are to be performed.")),
        (DELETE, done(DELETE)),
    ]);
    let lines = Lines::default();
    stacks(&conversation).deploy(&request(), &Control::default(), &lines.sink()).await.unwrap();
    conversation.assert_over();
    assert_eq!(lines.text().matches("progress is late").count(), 2, "{}", lines.text());
}

#[tokio::test(start_paused = true)]
async fn what_runs_is_not_said_to_have_failed_where_its_beginning_is_never_told() {
    let conversation = Conversation::played(|call| match call.operation.as_str() {
        DESCRIBE => stack("UPDATE_IN_PROGRESS"),
        EVENTS => throttled(),
        other => panic!("{other} was not expected"),
    });
    let error = stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap_err();
    assert!(matches!(error, DeployError::LostContact { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Detached);
    let times = conversation.calls(EVENTS).iter().map(|call| call.at).collect::<Vec<_>>();
    let (first, last) = (times[0], times[times.len() - 1]);
    assert!(last.duration_since(first).as_secs() >= 600, "{:?}", last.duration_since(first));
}
