//! The table of stack states: each row as the conversation that a deploy has with a stack in that state.

use leo_deploy::{Control, DeployError, StackOutcome, StackStatus};

use crate::answers::*;
use crate::wire::{Answer, Conversation};

/// What a deploy does with a stack that it finds in some state.
#[derive(Debug, Clone, Copy)]
enum Row {
    Creates,
    Updates,
    /// Updates without a rollback.
    RetriesForward,
    /// Refuses, with the reason that the last operation left.
    Refuses,
    /// Follows what runs until the stack is in the other state, then does what that one asks for.
    Follows(&'static str),
}

use Row::{Creates, Follows, Refuses, RetriesForward, Updates};

/// `None`: there is no stack.
const TABLE: [(Option<&str>, Row); 27] = [
    (None, Creates),
    (Some("DELETE_COMPLETE"), Creates),
    (Some("REVIEW_IN_PROGRESS"), Creates),
    (Some("CREATE_COMPLETE"), Updates),
    (Some("UPDATE_COMPLETE"), Updates),
    (Some("IMPORT_COMPLETE"), Updates),
    (Some("UPDATE_ROLLBACK_COMPLETE"), Updates),
    (Some("IMPORT_ROLLBACK_COMPLETE"), Updates),
    (Some("CREATE_FAILED"), RetriesForward),
    (Some("UPDATE_FAILED"), RetriesForward),
    (Some("ROLLBACK_COMPLETE"), Refuses),
    (Some("ROLLBACK_FAILED"), Refuses),
    (Some("UPDATE_ROLLBACK_FAILED"), Refuses),
    (Some("DELETE_FAILED"), Refuses),
    (Some("IMPORT_ROLLBACK_FAILED"), Refuses),
    (Some("CREATE_IN_PROGRESS"), Follows("CREATE_COMPLETE")),
    (Some("ROLLBACK_IN_PROGRESS"), Follows("ROLLBACK_COMPLETE")),
    (Some("DELETE_IN_PROGRESS"), Follows("DELETE_COMPLETE")),
    (Some("UPDATE_IN_PROGRESS"), Follows("UPDATE_FAILED")),
    (Some("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), Follows("UPDATE_COMPLETE")),
    (Some("UPDATE_ROLLBACK_IN_PROGRESS"), Follows("UPDATE_ROLLBACK_FAILED")),
    (Some("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"), Follows("UPDATE_ROLLBACK_COMPLETE")),
    (Some("IMPORT_IN_PROGRESS"), Follows("IMPORT_COMPLETE")),
    (Some("IMPORT_ROLLBACK_IN_PROGRESS"), Follows("IMPORT_ROLLBACK_FAILED")),
    // Words that this version does not know.
    (Some("HIBERNATED"), Refuses),
    (Some("HIBERNATE_IN_PROGRESS"), Follows("UPDATE_COMPLETE")),
    (Some("THAW_IN_PROGRESS"), Follows("THAWED")),
];

#[tokio::test(start_paused = true)]
async fn every_state_plays_its_row() {
    for (status, row) in TABLE {
        let conversation = Conversation::new(deploy_onto(status, row));
        let result = stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await;
        conversation.assert_over();
        let last = match row {
            Follows(end) => row_of(Some(end)),
            row => row,
        };
        assert_played(status, last, &conversation, result);
    }
}

#[test]
fn every_known_status_has_a_row() {
    let rows = TABLE.iter().filter_map(|(status, _)| *status).collect::<Vec<_>>();
    for status in StackStatus::known() {
        assert!(rows.contains(&status.as_str()), "{status} has no row");
    }
    for status in aws_sdk_cloudformation::types::StackStatus::values() {
        assert!(rows.contains(status), "{status}, which the SDK knows, has no row");
    }
}

fn row_of(status: Option<&str>) -> Row {
    let row = TABLE.iter().find(|(known, _)| *known == status);
    row.map_or(Refuses, |(_, row)| *row)
}

/// Everything that is said when a deploy finds the stack in this state.
fn deploy_onto(status: Option<&'static str>, row: Row) -> Vec<(&'static str, Answer)> {
    let mut calls = vec![(DESCRIBE, status.map_or_else(no_stack, stack))];
    calls.extend(match row {
        Creates => change("CREATE_IN_PROGRESS", "CREATE_COMPLETE"),
        Updates | RetriesForward => change("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"),
        // Where the last operation began, then what it did.
        Refuses => vec![(EVENTS, history()), (EVENTS, history())],
        Follows(end) => {
            let start = ("f1", "leo-dev", "", status.unwrap_or_default(), "User Initiated");
            let ended = events(&[start, ("f2", "leo-dev", "", end, "")], None);
            let mut calls = vec![
                (EVENTS, events(&[start], None)),
                (REVIEW, refused(404, "ChangeSetNotFound", "ChangeSet [x] does not exist")),
            ];
            // A create that was rolled back may yet be deleted: that is looked for a few times.
            let looks = if end == "ROLLBACK_COMPLETE" { 6 } else { 1 };
            for _ in 0..looks {
                calls.extend([(EVENTS, ended.clone()), (DESCRIBE, stack(end))]);
            }
            // A deleted stack is found by its ARN only.
            let found = Some(end).filter(|end| *end != "DELETE_COMPLETE");
            calls.extend(deploy_onto(found, row_of(Some(end))));
            calls
        }
    });
    calls
}

/// A change set, its execution and its end.
fn change(running: &str, done_as: &str) -> Vec<(&'static str, Answer)> {
    let old = ("e0", "leo-dev", "", "AS_BEFORE", "");
    let start = ("e1", "leo-dev", "", running, "User Initiated");
    vec![
        (CREATE, created()),
        (REVIEW, change_set(&[("Modify", "Service", "False")], None)),
        (FINDINGS, no_findings()),
        (EVENTS, events(&[old], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&[old, start], None)),
        (DESCRIBE, stack(running)),
        (EVENTS, events(&[old, start, ("e2", "leo-dev", "", done_as, "")], None)),
        (DESCRIBE, stack(done_as)),
    ]
}

fn history() -> Answer {
    let start = ("h1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");
    events(&[start, ("h2", "Service", "", "UPDATE_FAILED", "no capacity")], None)
}

fn assert_played(
    status: Option<&str>,
    row: Row,
    conversation: &Conversation,
    result: Result<StackOutcome, DeployError>,
) {
    if matches!(row, Refuses) {
        let error = result.unwrap_err();
        assert!(matches!(error, DeployError::Blocked { .. }), "{status:?}: {error}");
        assert!(error.to_string().contains("no capacity"), "{status:?}: {error}");
        return;
    }
    assert!(result.unwrap().changed, "{status:?}");
    let sent = conversation.fields(CREATE);
    let executed = conversation.fields(EXECUTE);
    let creates = matches!(row, Creates);
    assert_eq!(sent["ChangeSetType"], if creates { "CREATE" } else { "UPDATE" }, "{status:?}");
    assert_eq!(sent.get("OnStackFailure").map(String::as_str), creates.then_some("DELETE"), "{status:?}");
    let forward = matches!(row, RetriesForward);
    assert_eq!(executed.get("DisableRollback").map(String::as_str), forward.then_some("true"), "{status:?}");
}
