//! What is tried again, and what ends a run at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use leo_aws::FailureKind;
use leo_deploy::{Control, DeployError};
use tokio::time::Instant;

use crate::answers::*;
use crate::deploying::{OLD, deploy, reviewed};
use crate::wire::{Answer, Conversation};

const ROLE: &str =
    "Unable to assume the service linked role. Please verify that the ECS service linked role exists.";

/// A create that fails for this reason and is deleted again.
fn fails(reason: &str) -> Vec<(&'static str, Answer)> {
    let mut calls = reviewed(no_stack(), &[("Add", "Service", "")]);
    calls.extend([
        (EVENTS, events(&[OLD], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&[OLD, ("e1", "Service", "", "CREATE_FAILED", reason)], None)),
        (DESCRIBE, stack("DELETE_IN_PROGRESS")),
        (EVENTS, events(&[OLD, ("e2", "leo-dev", "", "DELETE_COMPLETE", "")], None)),
        (DESCRIBE, stack("DELETE_COMPLETE")),
    ]);
    calls
}

fn succeeds() -> Vec<(&'static str, Answer)> {
    let mut calls = reviewed(no_stack(), &[("Add", "Service", "")]);
    calls.extend([
        (EVENTS, events(&[OLD], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&[OLD, ("e9", "leo-dev", "", "CREATE_COMPLETE", "")], None)),
        (DESCRIBE, stack("CREATE_COMPLETE")),
    ]);
    calls
}

#[tokio::test(start_paused = true)]
async fn a_new_accounts_first_create_is_tried_again_once_the_first_is_gone() {
    let mut calls = fails(ROLE);
    calls.extend([
        // The name still leads to the stack that goes, and an answer is lost meanwhile.
        (DESCRIBE, stack("DELETE_IN_PROGRESS")),
        (DESCRIBE, throttled()),
        (DESCRIBE, no_stack()),
    ]);
    calls.extend(succeeds());
    let lines = Lines::default();
    assert!(deploy(&Conversation::new(calls), &lines).await.unwrap().changed);
    assert!(lines.text().contains("trying once more after Service"), "{}", lines.text());
}

#[tokio::test(start_paused = true)]
async fn names_that_are_not_free_yet_are_waited_for() {
    let leaving =
        "You can't create this secret because a secret with this name is already scheduled for deletion.";
    let aborted = "A conflicting conditional operation is currently in progress against this resource. (OperationAborted)";
    let mut calls = fails(ROLE);
    calls.push((DESCRIBE, no_stack()));
    calls.extend(fails(leaving));
    calls.push((DESCRIBE, no_stack()));
    calls.extend(fails(aborted));
    calls.push((DESCRIBE, no_stack()));
    calls.extend(succeeds());
    let began = Instant::now();
    assert!(deploy(&Conversation::new(calls), &Lines::default()).await.unwrap().changed);
    assert!(began.elapsed() > Duration::from_secs(105), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_never_comes_free_is_the_error_in_the_end() {
    let leaving = "a secret with this name is already scheduled for deletion";
    let mut calls = fails(ROLE);
    for _ in 0..3 {
        calls.push((DESCRIBE, no_stack()));
        calls.extend(fails(leaving));
    }
    let error = deploy(&Conversation::new(calls), &Lines::default()).await.unwrap_err();
    assert!(error.to_string().contains(leaving), "{error}");
}

#[tokio::test(start_paused = true)]
async fn data_that_stayed_is_not_waited_for() {
    let mut calls = fails(ROLE);
    calls.push((DESCRIBE, no_stack()));
    calls.extend(fails("leo-dev-apps already exists"));
    let error = deploy(&Conversation::new(calls), &Lines::default()).await.unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_role_is_tried_once_and_no_other_failure_is() {
    let mut calls = fails(ROLE);
    calls.push((DESCRIBE, no_stack()));
    calls.extend(fails(ROLE));
    deploy(&Conversation::new(calls), &Lines::default()).await.unwrap_err();
    let leaving = "a secret with this name is already scheduled for deletion";
    deploy(&Conversation::new(fails(leaving)), &Lines::default()).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_the_wait_for_a_second_try() {
    let conversation = Conversation::new(fails(ROLE));
    let control = Control { deadline: Some(Duration::from_secs(10)), ..Control::default() };
    let error = stacks(&conversation).deploy(&request(), &control, &|_| {}).await.unwrap_err();
    conversation.assert_over();
    assert!(error.cause().is_some_and(leo_deploy::Cause::is_new_service_linked_role), "{error}");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_at_any_call_end_the_run_at_once() {
    let updated = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"];
    for expires_at in 0..10 {
        let calls = AtomicUsize::new(0);
        let conversation = Conversation::played(move |call| {
            let index = calls.fetch_add(1, Ordering::Relaxed);
            if index >= expires_at {
                return refused(403, "ExpiredToken", "The security token included in the request is expired");
            }
            match call.operation.as_str() {
                DESCRIBE => stack(if index == 0 { "CREATE_COMPLETE" } else { updated[0] }),
                CREATE => created(),
                REVIEW => change_set(&[("Modify", "Service", "False")], None),
                FINDINGS => no_findings(),
                EVENTS => events(&[("e0", "leo-dev", "", updated[usize::from(index < 5)], "")], None),
                EXECUTE => done(EXECUTE),
                other => panic!("{other} was not expected"),
            }
        });
        let error = stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Credentials, "{expires_at}: {error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("sign in again")), "{expires_at}: {error}");
        assert!(conversation.len() <= expires_at + 2, "{expires_at}: {} calls", conversation.len());
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_while_a_foreign_operation_is_followed_are_told() {
    let start = ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");
    let expired = || refused(403, "ExpiredToken", "The security token included in the request is expired");
    let conversation = Conversation::new([
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        (EVENTS, events(&[start], None)),
        (REVIEW, change_set_in("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", "")),
        (EVENTS, expired()),
        (DESCRIBE, expired()),
    ]);
    let error = deploy(&conversation, &Lines::default()).await.unwrap_err();
    assert!(matches!(error, DeployError::LostContact { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Credentials);
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_is_deleted_between_look_and_change_set_is_created() {
    let mut calls = vec![
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (CREATE, refused(400, "ValidationError", "Stack [leo-dev] does not exist")),
    ];
    calls.extend(succeeds());
    assert!(deploy(&Conversation::new(calls), &Lines::default()).await.unwrap().changed);
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_someone_creates_between_look_and_change_set_is_updated() {
    let exists = "Stack [leo-dev] already exists and cannot be created again with the changeSet [leo-x].";
    let conversation = Conversation::new([
        (DESCRIBE, no_stack()),
        (CREATE, refused(400, "ValidationError", exists)),
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (CREATE, created()),
        (REVIEW, change_set_in("FAILED", "UNAVAILABLE", "No updates are to be performed.")),
        (DELETE, done(DELETE)),
    ]);
    assert!(!deploy(&conversation, &Lines::default()).await.unwrap().changed);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_stays_is_the_error_in_the_end() {
    let stays = "Stack:leo-dev is in THAWED state and can not be updated.";
    let calls = (0..6).flat_map(|_| {
        [(DESCRIBE, stack("CREATE_COMPLETE")), (CREATE, refused(400, "ValidationError", stays))]
    });
    let error = deploy(&Conversation::new(calls), &Lines::default()).await.unwrap_err();
    insta::assert_snapshot!(error, @"deploy leo-dev: CreateChangeSet: ValidationError: Stack:leo-dev is in THAWED state and can not be updated.");
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_is_deleted_while_its_change_set_is_computed_is_told() {
    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (CREATE, created()),
        (REVIEW, refused(404, "ChangeSetNotFound", "ChangeSet [x] does not exist")),
    ]);
    let error = deploy(&conversation, &Lines::default()).await.unwrap_err();
    assert!(matches!(error, DeployError::ChangeSetGone { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_is_deleted_while_it_is_followed_is_told() {
    let old = ("e0", "leo-dev", "", "CREATE_COMPLETE", "");
    let mut calls = reviewed(stack("CREATE_COMPLETE"), &[("Modify", "Service", "False")]);
    calls.extend([
        (EVENTS, events(&[old], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&[old, ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "")], None)),
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        (EVENTS, events(&[old, ("e2", "leo-dev", "", "DELETE_IN_PROGRESS", "")], None)),
        (DESCRIBE, stack("DELETE_IN_PROGRESS")),
        (EVENTS, events(&[old, ("e3", "leo-dev", "", "DELETE_COMPLETE", "")], None)),
        // Not even its ARN leads to it any more.
        (DESCRIBE, no_stack()),
    ]);
    let error = deploy(&Conversation::new(calls), &Lines::default()).await.unwrap_err();
    insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
    deploy leo-dev: something else deleted it meanwhile
    run the same command again: it creates the stack anew
    ");
}

#[tokio::test(start_paused = true)]
async fn an_end_that_this_version_does_not_know_is_no_success() {
    let old = ("e0", "leo-dev", "", "CREATE_COMPLETE", "");
    let mut calls = reviewed(stack("CREATE_COMPLETE"), &[("Modify", "Service", "False")]);
    calls.extend([
        (EVENTS, events(&[old], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&[old, ("e1", "leo-dev", "", "HIBERNATE_IN_PROGRESS", "")], None)),
        (DESCRIBE, stack("HIBERNATE_IN_PROGRESS")),
        (EVENTS, events(&[old, ("e2", "leo-dev", "", "HIBERNATED", "")], None)),
        (DESCRIBE, stack("HIBERNATED")),
    ]);
    let error = deploy(&Conversation::new(calls), &Lines::default()).await.unwrap_err();
    insta::assert_snapshot!(error, @"deploy leo-dev: it ended in HIBERNATED");
}
