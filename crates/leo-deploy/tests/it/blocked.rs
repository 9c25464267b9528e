//! Stacks that can't be deployed to as they are.

use leo_aws::FailureKind;
use leo_deploy::{Control, DeployError};

use crate::answers::*;
use crate::wire::Conversation;

#[tokio::test(start_paused = true)]
async fn every_blocked_state_says_why_and_what_to_run() {
    let mut texts = Vec::new();
    for status in [
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "UPDATE_ROLLBACK_FAILED",
        "DELETE_FAILED",
        "IMPORT_ROLLBACK_FAILED",
        "HIBERNATED",
    ] {
        let conversation = Conversation::new([
            (DESCRIBE, stack(status)),
            // First for where the operation begins, then for what it did.
            (EVENTS, history()),
            (EVENTS, history()),
        ]);
        let error = stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap_err();
        conversation.assert_over();
        assert!(matches!(error, DeployError::Blocked { .. }), "{status}: {error}");
        assert_eq!(error.kind(), FailureKind::Failed, "{status}");
        texts.push(format!("{error}\n  hint: {}", error.hint().unwrap()));
    }
    insta::assert_snapshot!(texts.join("\n"), @r"
    deploy leo-dev: it is in ROLLBACK_COMPLETE since Service (AWS::ECS::Service) UPDATE_FAILED: no capacity
      hint: such a stack can only be deleted and created again: cargo xtask deploy --recover does both, and asks before it deletes
    deploy leo-dev: it is in ROLLBACK_FAILED since Service (AWS::ECS::Service) UPDATE_FAILED: no capacity
      hint: such a stack can only be deleted and created again: cargo xtask deploy --recover does both, and asks before it deletes
    deploy leo-dev: it is in UPDATE_ROLLBACK_FAILED since Service (AWS::ECS::Service) UPDATE_FAILED: no capacity
      hint: remove what stopped the rollback, then: cargo xtask deploy --recover (it tries the rollback again, and shows what it would have to skip before it skips anything)
    deploy leo-dev: it is in DELETE_FAILED since Service (AWS::ECS::Service) UPDATE_FAILED: no capacity
      hint: remove what stopped the delete, then: cargo xtask deploy --recover (it tries the delete again, and shows what it would have to leave behind before it does)
    deploy leo-dev: it is in IMPORT_ROLLBACK_FAILED since Service (AWS::ECS::Service) UPDATE_FAILED: no capacity
      hint: see what is stuck: aws cloudformation describe-stack-events --stack-name leo-dev; where aws cloudformation list-stack-resources --stack-name leo-dev lists nothing but buckets, repositories and secrets, aws cloudformation delete-stack --stack-name leo-dev leaves them where they are, and the next deploy adopts them; otherwise ask AWS Support before anything is changed
    deploy leo-dev: it is in HIBERNATED since Service (AWS::ECS::Service) UPDATE_FAILED: no capacity
      hint: HIBERNATED is not known to this version: look at the stack in the console before anything is changed
    ");
}

fn history() -> crate::wire::Answer {
    events(
        &[
            ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated"),
            ("e2", "Service", "", "UPDATE_FAILED", "no capacity"),
            ("e3", "leo-dev", "", "UPDATE_FAILED", ""),
        ],
        None,
    )
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_failed_shows_what_it_failed_on() {
    let history = || {
        events(
            &[
                ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated"),
                ("e2", "Service", "", "UPDATE_FAILED", "no capacity"),
                ("e3", "leo-dev", "", "UPDATE_ROLLBACK_IN_PROGRESS", "failed to update: [Service]"),
                ("e4", "Role", "", "UPDATE_FAILED", "the role was deleted by hand"),
                ("e5", "leo-dev", "", "UPDATE_ROLLBACK_FAILED", "failed to update: [Role]"),
            ],
            None,
        )
    };
    let conversation = Conversation::new([
        (DESCRIBE, stack("UPDATE_ROLLBACK_FAILED")),
        (EVENTS, history()),
        (EVENTS, history()),
    ]);
    let error = stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap_err();
    assert_eq!(error.cause().unwrap().path, ["Role"]);
}

#[tokio::test(start_paused = true)]
async fn the_block_is_told_also_when_the_events_are_not() {
    let conversation = Conversation::new([(DESCRIBE, stack("ROLLBACK_COMPLETE")), (EVENTS, throttled())]);
    let error = stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "deploy leo-dev: it is in ROLLBACK_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn a_kept_failure_is_retried_forward_without_a_rollback() {
    let old = ("e0", "leo-dev", "", "CREATE_FAILED", "");
    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_FAILED")),
        (CREATE, created()),
        (REVIEW, change_set(&[("Modify", "Service", "False")], None)),
        (FINDINGS, no_findings()),
        (EVENTS, events(&[old], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&[old], None)),
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        (EVENTS, events(&[old, ("e1", "leo-dev", "", "UPDATE_COMPLETE", "")], None)),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
    ]);
    let outcome = stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap();
    assert!(outcome.changed);
    assert_eq!(conversation.fields(CREATE)["ChangeSetType"], "UPDATE");
    assert_eq!(conversation.fields(EXECUTE)["DisableRollback"], "true");
}

#[tokio::test(start_paused = true)]
async fn a_kept_failure_that_needs_a_replacement_is_retried_with_a_rollback() {
    for replacement in ["True", "Conditional"] {
        let conversation = Conversation::new([
            (DESCRIBE, stack("UPDATE_FAILED")),
            (CREATE, created()),
            (REVIEW, change_set(&[("Modify", "Service", replacement)], None)),
            (FINDINGS, no_findings()),
            (EVENTS, events(&[("e0", "leo-dev", "", "UPDATE_FAILED", "")], None)),
            (EXECUTE, done(EXECUTE)),
            (EVENTS, events(&[("e1", "leo-dev", "", "UPDATE_COMPLETE", "")], None)),
            (DESCRIBE, stack("UPDATE_COMPLETE")),
        ]);
        stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap();
        assert_eq!(conversation.fields(EXECUTE)["DisableRollback"], "false", "{replacement}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_change_does_not_make_a_success_of_a_kept_failure() {
    let conversation = Conversation::new([
        (DESCRIBE, stack("UPDATE_FAILED")),
        (CREATE, created()),
        (REVIEW, change_set_in("FAILED", "UNAVAILABLE", "No updates are to be performed.")),
        (DELETE, done(DELETE)),
    ]);
    let error = stacks(&conversation).deploy(&request(), &Control::default(), &|_| {}).await.unwrap_err();
    assert!(matches!(error, DeployError::NothingNewToTry { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Failed);
    insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
    deploy leo-dev: it is in UPDATE_FAILED, and nothing has changed since that failed
    change what failed and deploy again, or go back: aws cloudformation rollback-stack --stack-name leo-dev
    ");
}
