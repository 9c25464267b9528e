//! From a request to an outcome.

use leo_aws::FailureKind;
use leo_deploy::{ChangeAction, DeployError, Prepared, Replacement, replacements_and_removals};

use crate::answers::*;
use crate::deploying::{OLD, deploy, reviewed};
use crate::wire::Conversation;

#[tokio::test(start_paused = true)]
async fn a_first_deploy_creates_and_follows() {
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
                    ("e2", "Service", "", "CREATE_IN_PROGRESS", ""),
                ],
                None,
            ),
        ),
        (DESCRIBE, stack("CREATE_IN_PROGRESS")),
        (
            EVENTS,
            events(
                &[
                    ("e2", "Service", "", "CREATE_IN_PROGRESS", ""),
                    ("e3", "Service", "s", "CREATE_COMPLETE", ""),
                    ("e4", "Bucket", "b", "CREATE_COMPLETE", ""),
                    ("e5", "leo-dev", "", "CREATE_COMPLETE", ""),
                ],
                None,
            ),
        ),
        (DESCRIBE, stack("CREATE_COMPLETE")),
    ]);
    let conversation = Conversation::new(calls);
    let lines = Lines::default();
    let outcome = deploy(&conversation, &lines).await.unwrap();

    assert!(outcome.changed);
    assert_eq!(outcome.status.as_str(), "CREATE_COMPLETE");
    assert_eq!(outcome.outputs["Url"], "http://x");
    assert_eq!(outcome.changes.len(), 2);
    insta::assert_snapshot!(lines.text(), @r"
    computing what to create
    2 resources to change
    executing
    CREATE_IN_PROGRESS leo-dev: User Initiated
    CREATE_IN_PROGRESS Service (AWS::ECS::Service)
    0/2 resources done, 1 in progress
    CREATE_COMPLETE Service (AWS::ECS::Service)
    CREATE_COMPLETE Bucket (AWS::ECS::Service)
    CREATE_COMPLETE leo-dev
    2/2 resources done
    CREATE_COMPLETE
    ");

    let sent = conversation.fields(CREATE);
    assert_eq!(sent["ChangeSetType"], "CREATE");
    assert_eq!(sent["OnStackFailure"], "DELETE");
    assert_eq!(sent["ClientToken"], sent["ChangeSetName"]);
    assert_eq!(sent["Parameters.member.1.ParameterValue"], "sha256:1");
    assert_eq!(sent["Capabilities.member.1"], "CAPABILITY_NAMED_IAM");
    let executed = conversation.fields(EXECUTE);
    assert_eq!(executed["ClientRequestToken"], sent["ClientToken"]);
    assert!(!executed.contains_key("DisableRollback"), "not together with OnStackFailure");
}

#[tokio::test(start_paused = true)]
async fn an_update_that_is_over_before_the_first_look_is_seen() {
    let old = [("e0", "leo-dev", "", "CREATE_COMPLETE", "")];
    let all = [
        ("e0", "leo-dev", "", "CREATE_COMPLETE", ""),
        ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("e2", "Service", "s", "UPDATE_COMPLETE", ""),
        ("e3", "leo-dev", "", "UPDATE_COMPLETE", ""),
    ];
    let mut calls = reviewed(stack("CREATE_COMPLETE"), &[("Modify", "Service", "False")]);
    calls.extend([
        (EVENTS, events(&old, None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&all, None)),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
    ]);
    let conversation = Conversation::new(calls);
    let outcome = deploy(&conversation, &Lines::default()).await.unwrap();
    assert!(outcome.changed);
    let sent = conversation.fields(CREATE);
    assert_eq!(sent["ChangeSetType"], "UPDATE");
    assert!(!sent.contains_key("OnStackFailure"));
}

#[tokio::test(start_paused = true)]
async fn the_state_from_before_the_operation_is_not_taken_for_its_end() {
    let old = ("e0", "leo-dev", "", "UPDATE_COMPLETE", "");
    let start = ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");
    let mut calls = reviewed(stack("UPDATE_COMPLETE"), &[("Modify", "Service", "False")]);
    calls.extend([
        (EVENTS, events(&[old], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&[old], None)),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
        (EVENTS, events(&[old, start], None)),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
        (
            EVENTS,
            events(
                &[
                    old,
                    start,
                    ("e2", "Service", "s", "UPDATE_FAILED", "circuit breaker"),
                    ("e3", "leo-dev", "", "UPDATE_ROLLBACK_COMPLETE", ""),
                ],
                None,
            ),
        ),
        (DESCRIBE, stack("UPDATE_ROLLBACK_COMPLETE")),
    ]);
    let conversation = Conversation::new(calls);
    let error = deploy(&conversation, &Lines::default()).await.unwrap_err();
    insta::assert_snapshot!(error, @r"
    deploy leo-dev: it was rolled back (UPDATE_ROLLBACK_COMPLETE)
      Service (AWS::ECS::Service) UPDATE_FAILED: circuit breaker
    ");
}

#[tokio::test(start_paused = true)]
async fn no_change_is_a_success_in_both_spellings() {
    for reason in [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ] {
        let conversation = Conversation::new([
            (DESCRIBE, stack("UPDATE_ROLLBACK_COMPLETE")),
            (CREATE, created()),
            (REVIEW, change_set_in("FAILED", "UNAVAILABLE", reason)),
            (DELETE, done(DELETE)),
        ]);
        let outcome = deploy(&conversation, &Lines::default()).await.unwrap();
        assert!(!outcome.changed);
        assert_eq!(outcome.outputs["Url"], "http://x");
        assert_eq!(conversation.fields(DELETE)["ChangeSetName"], CHANGE_SET);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_outputs_alone_is_executed() {
    let mut calls = reviewed(stack("CREATE_COMPLETE"), &[]);
    calls.truncate(5);
    let conversation = Conversation::new(calls);
    let prepared = stacks(&conversation).prepare(&request(), &|_| {}).await.unwrap();
    assert!(matches!(prepared, Prepared::Ready(ready) if ready.changes().is_empty()));
}

#[tokio::test(start_paused = true)]
async fn an_empty_change_set_that_can_not_be_deleted_is_still_a_success() {
    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (CREATE, created()),
        (REVIEW, change_set_in("FAILED", "UNAVAILABLE", "No updates are to be performed.")),
        (DELETE, throttled()),
    ]);
    let lines = Lines::default();
    assert!(!deploy(&conversation, &lines).await.unwrap().changed);
    insta::assert_snapshot!(lines.text(), @r"
    computing what would change
    could not delete arn:aws:cloudformation:us-east-1:111122223333:changeSet/leo-x/1 (DeleteChangeSet: Throttling: Rate exceeded)
    no difference
    ");
}

#[tokio::test(start_paused = true)]
async fn a_refused_change_set_shows_the_findings_and_leaves_nothing() {
    let conversation = Conversation::new([
        (DESCRIBE, no_stack()),
        (CREATE, created()),
        (REVIEW, change_set_in("FAILED", "UNAVAILABLE", "Validation failed")),
        (FINDINGS, finding("FAIL", "Bucket", "/Resources/Bucket/Properties/Colour", "unknown property")),
        (DELETE, done(DELETE)),
        (DESCRIBE, stack("REVIEW_IN_PROGRESS")),
        ("ListChangeSets", change_sets(0)),
        ("DeleteStack", done("DeleteStack")),
    ]);
    let error = deploy(&conversation, &Lines::default()).await.unwrap_err();
    assert!(matches!(error, DeployError::ChangeSet { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Failed);
    insta::assert_snapshot!(error, @r"
    deploy leo-dev: the change set was refused: Validation failed
      refused Bucket /Resources/Bucket/Properties/Colour: unknown property
    ");
}

#[tokio::test(start_paused = true)]
async fn warnings_of_the_validation_do_not_stop_a_change_set() {
    let conversation = Conversation::new([
        (DESCRIBE, no_stack()),
        (CREATE, created()),
        (REVIEW, change_set(&[("Add", "Service", "")], Some("more"))),
        (REVIEW, change_set(&[("Modify", "Vpc", "True"), ("Remove", "Role", "")], None)),
        (FINDINGS, finding("WARN", "Bucket", "/Resources/Bucket", "the bucket is not empty")),
    ]);
    let prepared = stacks(&conversation).prepare(&request(), &|_| {}).await.unwrap();
    conversation.assert_over();
    let Prepared::Ready(ready) = prepared else { panic!("there are changes") };
    insta::assert_snapshot!(ready.findings()[0], @"warning Bucket /Resources/Bucket: the bucket is not empty");
    assert!(ready.creates_stack());
    assert_eq!(ready.changes().len(), 3, "both pages");
    assert_eq!(ready.changes()[1].action, ChangeAction::Modify);
    assert_eq!(ready.changes()[1].replacement, Replacement::Yes);
    assert_eq!(ready.changes()[1].properties, ["TaskDefinition"]);
    let destroyed = replacements_and_removals(ready.changes());
    assert_eq!(destroyed.iter().map(|change| &change.logical_id).collect::<Vec<_>>(), ["Vpc", "Role"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_wanted_is_discarded_with_its_empty_stack() {
    let mut calls = reviewed(no_stack(), &[("Add", "Service", "")]);
    calls.extend([
        (DELETE, done(DELETE)),
        (DESCRIBE, stack("REVIEW_IN_PROGRESS")),
        ("ListChangeSets", change_sets(0)),
        ("DeleteStack", done("DeleteStack")),
    ]);
    let conversation = Conversation::new(calls);
    let stacks = stacks(&conversation);
    let Prepared::Ready(ready) = stacks.prepare(&request(), &|_| {}).await.unwrap() else { panic!() };
    stacks.discard(ready).await.unwrap();
    conversation.assert_over();
    assert_eq!(conversation.fields("DeleteStack")["StackName"], STACK);
}

#[tokio::test(start_paused = true)]
async fn an_empty_stack_that_someone_else_reviews_stays() {
    let mut calls = reviewed(stack("REVIEW_IN_PROGRESS"), &[("Add", "Service", "")]);
    calls.extend([
        (DELETE, done(DELETE)),
        (DESCRIBE, stack("REVIEW_IN_PROGRESS")),
        ("ListChangeSets", change_sets(1)),
    ]);
    let conversation = Conversation::new(calls);
    let stacks = stacks(&conversation);
    let Prepared::Ready(ready) = stacks.prepare(&request(), &|_| {}).await.unwrap() else { panic!() };
    assert!(ready.creates_stack(), "a stack that was never created is reused");
    stacks.discard(ready).await.unwrap();
    conversation.assert_over();
}
