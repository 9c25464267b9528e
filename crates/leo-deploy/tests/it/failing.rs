//! From a request to an outcome that nobody wanted: failures, and answers that are lost on the way.

use leo_aws::FailureKind;
use leo_deploy::{Control, DeployError, OnCreateFailure, StackRequest};

use crate::answers::*;
use crate::deploying::{OLD, deploy, reviewed};
use crate::wire::Conversation;

#[tokio::test(start_paused = true)]
async fn a_failed_create_names_its_cause_and_leaves_no_stack() {
    let mut calls = reviewed(no_stack(), &[("Add", "Service", ""), ("Add", "Bucket", "")]);
    calls.extend([
        (EVENTS, events(&[OLD], None)),
        (EXECUTE, done(EXECUTE)),
        (
            EVENTS,
            events(
                &[
                    OLD,
                    ("e1", "leo-dev", "", "CREATE_IN_PROGRESS", "User Initiated"),
                    ("e2", "Bucket", "", "CREATE_FAILED", "Resource creation cancelled"),
                    ("e3", "Service", "", "CREATE_FAILED", "port 80 is in use"),
                ],
                None,
            ),
        ),
        (DESCRIBE, stack("ROLLBACK_IN_PROGRESS")),
        // The rollback is over, the deletion has yet to begin.
        (EVENTS, events(&[OLD, ("e8", "leo-dev", "", "ROLLBACK_COMPLETE", "")], None)),
        (DESCRIBE, stack("ROLLBACK_COMPLETE")),
        (EVENTS, events(&[OLD, ("e9", "leo-dev", "", "DELETE_COMPLETE", "")], None)),
        (DESCRIBE, stack("DELETE_COMPLETE")),
    ]);
    let conversation = Conversation::new(calls);
    let error = deploy(&conversation, &Lines::default()).await.unwrap_err();
    assert!(matches!(error, DeployError::Failed { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Failed);
    insta::assert_snapshot!(error, @r"
    deploy leo-dev: its create failed, and it was deleted again
      Service (AWS::ECS::Service) CREATE_FAILED: port 80 is in use
    ");
    insta::assert_snapshot!(error.hint().unwrap(), @"fix the cause, then run the same command again");
}

#[tokio::test(start_paused = true)]
async fn the_cause_is_looked_for_in_nested_stacks() {
    let mut calls = reviewed(stack("CREATE_COMPLETE"), &[("Modify", "Nested", "False")]);
    let old = ("e0", "leo-dev", "", "CREATE_COMPLETE", "");
    calls.extend([
        (EVENTS, events(&[old], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&[old], None)),
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        (
            EVENTS,
            events(
                &[
                    ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", ""),
                    ("e2", "Nested", "arn:nested", "UPDATE_FAILED", "Embedded stack failed"),
                    ("e3", "leo-dev", "", "UPDATE_ROLLBACK_COMPLETE", ""),
                ],
                None,
            ),
        ),
        (DESCRIBE, stack("UPDATE_ROLLBACK_COMPLETE")),
        (EVENTS, events(&[("n1", "Deeper", "arn:deeper", "UPDATE_FAILED", "Embedded stack failed")], None)),
        (EVENTS, events(&[("d1", "Service", "", "UPDATE_FAILED", "no capacity")], None)),
    ]);
    let conversation = Conversation::new(calls);
    let error = deploy(&conversation, &Lines::default()).await.unwrap_err();
    insta::assert_snapshot!(error, @r"
    deploy leo-dev: it was rolled back (UPDATE_ROLLBACK_COMPLETE)
      Nested/Deeper/Service (AWS::ECS::Service) UPDATE_FAILED: no capacity
    ");
}

#[tokio::test(start_paused = true)]
async fn a_template_over_the_limit_is_not_sent() {
    let conversation = Conversation::new([]);
    let mut request = request();
    request.template = leo_deploy::TemplateSource::Inline("x".repeat(51_201));
    let error = stacks(&conversation).deploy(&request, &Control::default(), &|_| {}).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    insta::assert_snapshot!(error, @"deploy leo-dev: its template has 51201 bytes, and CloudFormation takes at most 51200 inline");
}

#[tokio::test(start_paused = true)]
async fn a_failed_create_that_stays_says_how_to_go_on() {
    let mut texts = Vec::new();
    for (policy, status) in [
        (OnCreateFailure::Rollback, "ROLLBACK_COMPLETE"),
        (OnCreateFailure::Rollback, "ROLLBACK_FAILED"),
        (OnCreateFailure::Delete, "DELETE_FAILED"),
        (OnCreateFailure::Keep, "CREATE_FAILED"),
    ] {
        let mut calls = reviewed(no_stack(), &[("Add", "Service", "")]);
        calls.extend([
            (EVENTS, events(&[OLD], None)),
            (EXECUTE, done(EXECUTE)),
            (
                EVENTS,
                events(
                    &[
                        OLD,
                        ("e1", "Service", "", "CREATE_FAILED", "no capacity"),
                        ("e2", "leo-dev", "", status, ""),
                    ],
                    None,
                ),
            ),
            (DESCRIBE, stack(status)),
        ]);
        let request = StackRequest { on_create_failure: policy, ..request() };
        let conversation = Conversation::new(calls);
        let error = stacks(&conversation).deploy(&request, &Control::default(), &|_| {}).await.unwrap_err();
        conversation.assert_over();
        texts.push(format!("{error}\n  hint: {}", error.hint().unwrap()));
    }
    insta::assert_snapshot!(texts.join("\n"), @r"
    deploy leo-dev: it was rolled back (ROLLBACK_COMPLETE)
      Service (AWS::ECS::Service) CREATE_FAILED: no capacity
      hint: such a stack can only be deleted and created again: cargo xtask deploy --recover does both, and asks before it deletes
    deploy leo-dev: it ended in ROLLBACK_FAILED
      Service (AWS::ECS::Service) CREATE_FAILED: no capacity
      hint: such a stack can only be deleted and created again: cargo xtask deploy --recover does both, and asks before it deletes
    deploy leo-dev: it ended in DELETE_FAILED
      Service (AWS::ECS::Service) CREATE_FAILED: no capacity
      hint: remove what stopped the delete, then: cargo xtask deploy --recover (it tries the delete again, and shows what it would have to leave behind before it does)
    deploy leo-dev: it ended in CREATE_FAILED
      Service (AWS::ECS::Service) CREATE_FAILED: no capacity
      hint: fix the cause, then run the same command again
    ");
}
