//! Operations that run, and connections that don't.

use std::time::Duration;

use leo_aws::FailureKind;
use leo_deploy::{Control, Prepared, Stacks};
use tokio::time::Instant;

use crate::answers::*;
use crate::wire::{Answer, Conversation};

const OLD: Event<'_> = ("e0", "leo-dev", "", "CREATE_COMPLETE", "");

/// An update up to its execution, then what follows.
fn executed(rest: impl IntoIterator<Item = (&'static str, Answer)>) -> Conversation {
    let mut calls = vec![
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (CREATE, created()),
        (REVIEW, change_set(&[("Modify", "Service", "False")], None)),
        (FINDINGS, no_findings()),
        (EVENTS, events(&[OLD], None)),
        (EXECUTE, done(EXECUTE)),
    ];
    calls.extend(rest);
    Conversation::new(calls)
}

#[tokio::test(start_paused = true)]
async fn a_foreign_operation_is_followed_and_then_the_own_work_done() {
    let start = ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");
    let conversation = Conversation::new([
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        // Where it began, and whose it is.
        (EVENTS, events(&[OLD, start], None)),
        (REVIEW, change_set_in("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", "")),
        (EVENTS, events(&[OLD, start, ("e2", "Service", "s", "UPDATE_COMPLETE", "")], None)),
        (DESCRIBE, stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")),
        (EVENTS, events(&[OLD, start, ("e3", "leo-dev", "", "UPDATE_COMPLETE", "")], None)),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
        // The own work.
        (DESCRIBE, stack("UPDATE_COMPLETE")),
        (CREATE, created()),
        (REVIEW, change_set_in("FAILED", "UNAVAILABLE", "No updates are to be performed.")),
        (DELETE, done(DELETE)),
    ]);
    let lines = Lines::default();
    let outcome = stacks(&conversation).deploy(&request(), &Control::default(), &lines.sink()).await.unwrap();
    conversation.assert_over();
    assert!(!outcome.changed);
    insta::assert_snapshot!(lines.text(), @r"
    already UPDATE_IN_PROGRESS: following the operation of ada@laptop, commit 1a2b3c (token token-of-e1)
    UPDATE_IN_PROGRESS leo-dev: User Initiated
    UPDATE_COMPLETE Service (AWS::ECS::Service)
    1 resources done
    UPDATE_COMPLETE leo-dev
    1 resources done
    that operation ended with UPDATE_COMPLETE
    computing what would change
    no difference
    ");
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_is_being_deleted_is_waited_for_and_created() {
    let start = ("e1", "leo-dev", "", "DELETE_IN_PROGRESS", "User Initiated");
    let conversation = Conversation::new([
        (DESCRIBE, stack("DELETE_IN_PROGRESS")),
        (EVENTS, events(&[start], None)),
        (REVIEW, refused(404, "ChangeSetNotFound", "ChangeSet [x] does not exist")),
        (EVENTS, events(&[start, ("e2", "leo-dev", "", "DELETE_COMPLETE", "")], None)),
        (DESCRIBE, no_stack()),
        (DESCRIBE, no_stack()),
        (CREATE, created()),
        (REVIEW, change_set(&[("Add", "Service", "")], None)),
        (FINDINGS, no_findings()),
    ]);
    let lines = Lines::default();
    let prepared = stacks(&conversation).prepare(&request(), &lines.sink()).await.unwrap();
    conversation.assert_over();
    assert!(matches!(prepared, Prepared::Ready(ready) if ready.creates_stack()));
    assert!(lines.text().contains("following the operation of token token-of-e1"), "{}", lines.text());
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_not_taken_for_the_last_change_set_that_was_executed() {
    let named = |answer: Answer, name: &str| {
        let Answer::Body(status, body) = answer else { panic!() };
        let name = format!("<ChangeSetName>{name}</ChangeSetName><ChangeSetId>");
        Answer::Body(status, body.replace("<ChangeSetId>", &name))
    };
    let mut texts = Vec::new();
    for (status, name, execution) in [
        ("UPDATE_IN_PROGRESS", "by-another-tool", "EXECUTE_IN_PROGRESS"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "token-of-e1", "EXECUTE_FAILED"),
        ("UPDATE_IN_PROGRESS", "the-one-before", "EXECUTE_COMPLETE"),
        ("DELETE_IN_PROGRESS", "the-one-before", "EXECUTE_IN_PROGRESS"),
    ] {
        let start = ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");
        let conversation = Conversation::new([
            (DESCRIBE, stack(status)),
            (EVENTS, events(&[start], None)),
            (REVIEW, named(change_set_in("CREATE_COMPLETE", execution, ""), name)),
            (EVENTS, refused(403, "ExpiredToken", "expired")),
            (DESCRIBE, refused(403, "ExpiredToken", "expired")),
        ]);
        let lines = Lines::default();
        stacks(&conversation).prepare(&request(), &lines.sink()).await.unwrap_err();
        texts.push(lines.text());
    }
    insta::assert_snapshot!(texts.join("\n"), @r"
    already UPDATE_IN_PROGRESS: following the operation of ada@laptop, commit 1a2b3c (token token-of-e1)
    already UPDATE_ROLLBACK_IN_PROGRESS: following the operation of ada@laptop, commit 1a2b3c (token token-of-e1)
    already UPDATE_IN_PROGRESS: following the operation of token token-of-e1
    already DELETE_IN_PROGRESS: following the operation of token token-of-e1
    ");
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_began_between_look_and_call_is_attached_to() {
    let start = ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");
    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (
            CREATE,
            refused(400, "ValidationError", "Stack:x is in UPDATE_IN_PROGRESS state and can not be updated."),
        ),
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        (EVENTS, events(&[OLD, start], None)),
        (REVIEW, change_set_in("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", "")),
        (EVENTS, events(&[OLD, start, ("e2", "leo-dev", "", "UPDATE_COMPLETE", "")], None)),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
        (CREATE, created()),
        (REVIEW, change_set_in("FAILED", "UNAVAILABLE", "No updates are to be performed.")),
        (DELETE, done(DELETE)),
    ]);
    stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap();
    conversation.assert_over();
}

#[tokio::test(start_paused = true)]
async fn throttled_and_broken_polls_decide_nothing() {
    let start = ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");
    let end = ("e2", "leo-dev", "", "UPDATE_COMPLETE", "");
    let conversation = executed([
        (EVENTS, throttled()),
        (DESCRIBE, throttled()),
        (EVENTS, Answer::Reset),
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        (EVENTS, events(&[OLD, start], None)),
        (DESCRIBE, Answer::Body(503, String::new())),
        // The last look: the stack is done, its events are not told.
        (EVENTS, throttled()),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
        (EVENTS, events(&[OLD, start, end], None)),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
    ]);
    let lines = Lines::default();
    let outcome = stacks(&conversation).deploy(&request(), &Control::default(), &lines.sink()).await.unwrap();
    conversation.assert_over();
    assert!(outcome.changed);
    insta::assert_snapshot!(lines.text(), @r"
    computing what would change
    1 resource to change
    executing
    progress is late (DescribeStacks: Throttling: Rate exceeded)
    progress is late (DescribeStackEvents: io error: connection reset by peer)
    UPDATE_IN_PROGRESS leo-dev: User Initiated
    0/1 resources done
    progress is late (DescribeStacks: answered with HTTP status 503)
    progress is late (DescribeStackEvents: Throttling: Rate exceeded)
    UPDATE_COMPLETE leo-dev
    0/1 resources done
    UPDATE_COMPLETE
    ");
}

#[tokio::test(start_paused = true)]
async fn the_outcome_is_known_although_the_last_events_never_come() {
    let start = ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");
    let mut rest = vec![(EVENTS, events(&[OLD, start], None)), (DESCRIBE, stack("UPDATE_IN_PROGRESS"))];
    for _ in 0..6 {
        rest.extend([(EVENTS, throttled()), (DESCRIBE, stack("UPDATE_COMPLETE"))]);
    }
    let conversation = executed(rest);
    assert!(stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap().changed);
    conversation.assert_over();
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_on_the_way_leave_the_operation_running() {
    let conversation = executed([
        (EVENTS, events(&[OLD], None)),
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        (EVENTS, refused(403, "ExpiredToken", "The security token included in the request is expired")),
        (DESCRIBE, refused(403, "ExpiredToken", "The security token included in the request is expired")),
    ]);
    let error = stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap_err();
    conversation.assert_over();
    assert_eq!(error.kind(), FailureKind::Credentials);
    insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
    follow leo-dev, whose operation goes on in AWS: DescribeStacks: ExpiredToken: The security token included in the request is expired
    sign in again, then run the same command: it attaches to the operation and continues
    ");
}

#[tokio::test(start_paused = true)]
async fn denied_credentials_are_told_before_anything_is_sent() {
    let denied = "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: cloudformation:DescribeStacks";
    let conversation = Conversation::new([(DESCRIBE, refused(403, "AccessDenied", denied))]);
    let error = stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Credentials);
    insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
    deploy leo-dev: DescribeStacks: AccessDenied: User: arn:aws:iam::111122223333:user/ada is not authorized to perform: cloudformation:DescribeStacks
    allow these credentials to call DescribeStacks, or use others
    ");
}

#[tokio::test(start_paused = true)]
async fn missing_credentials_are_told() {
    let conversation = Conversation::new([]);
    let stacks = Stacks::new(conversation.cloudformation_without_credentials());
    let error = stacks.deploy(&request(), &Control::default(), &|_| {}).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Credentials);
    insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
    deploy leo-dev: DescribeStacks: the credential provider was not enabled: no providers in chain provided credentials
    sign in again (`aws sso login`, or new keys in the profile), then run the same command
    ");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_stays_away_is_left_after_ten_minutes() {
    let mut rest = Vec::new();
    for _ in 0..60 {
        rest.extend([(EVENTS, Answer::Reset), (DESCRIBE, Answer::Reset)]);
    }
    let conversation = executed(rest);
    let began = Instant::now();
    let error = stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Detached);
    let waited = began.elapsed();
    assert!(waited > Duration::from_mins(9) && waited < Duration::from_mins(12), "{waited:?}");
    insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
    follow leo-dev, whose operation goes on in AWS: DescribeStacks: io error: connection reset by peer
    run the same command again: it attaches to the operation and continues
    ");
}

#[tokio::test(start_paused = true)]
async fn an_accepted_change_set_that_never_begins_is_told() {
    let mut rest = Vec::new();
    for _ in 0..60 {
        rest.extend([(EVENTS, events(&[OLD], None)), (DESCRIBE, stack("CREATE_COMPLETE"))]);
    }
    let conversation = executed(rest);
    let error = stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Detached);
    assert!(error.to_string().starts_with("deploy leo-dev: it did not begin to change within 12"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn events_over_many_pages_come_once_and_in_order() {
    let start = ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");
    let resources = [
        ("e2", "A", "a", "UPDATE_IN_PROGRESS", ""),
        ("e3", "A", "a", "UPDATE_COMPLETE", ""),
        ("e4", "B", "b", "UPDATE_IN_PROGRESS", ""),
    ];
    let late = ("e3b", "C", "c", "UPDATE_COMPLETE", "");
    let end = ("e5", "leo-dev", "", "UPDATE_COMPLETE", "");
    let conversation = executed([
        // Three pages, newest first; the second repeats an event of the first, because a new one moved it there
        // meanwhile; the third holds the event before the operation and is the last one read.
        (EVENTS, events(&resources[2..], Some("2"))),
        (EVENTS, events(&resources, Some("3"))),
        (EVENTS, events(&[OLD, start], Some("4"))),
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        // The first page meets a known event, so the second is not read; one event turned up behind it.
        (EVENTS, events(&[late, resources[2], end], Some("2"))),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
    ]);
    let lines = Lines::default();
    stacks(&conversation).deploy(&request(), &Control::default(), &lines.sink()).await.unwrap();
    conversation.assert_over();
    insta::assert_snapshot!(lines.text(), @r"
    computing what would change
    1 resource to change
    executing
    UPDATE_IN_PROGRESS leo-dev: User Initiated
    UPDATE_IN_PROGRESS A (AWS::ECS::Service)
    UPDATE_COMPLETE A (AWS::ECS::Service)
    UPDATE_IN_PROGRESS B (AWS::ECS::Service)
    1/2 resources done, 1 in progress
    UPDATE_COMPLETE C (AWS::ECS::Service)
    UPDATE_COMPLETE leo-dev
    2/3 resources done, 1 in progress
    UPDATE_COMPLETE
    ");
}
