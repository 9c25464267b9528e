//! Stacks that go, and what they leave.

use leo_aws::FailureKind;
use leo_deploy::{Deleted, DeployError};

use crate::answers::*;
use crate::wire::{Answer, Conversation};

const OLD: Event<'_> = ("e0", "leo-dev", "", "CREATE_COMPLETE", "");
const BEGUN: Event<'_> = ("d1", "leo-dev", "", "DELETE_IN_PROGRESS", "User Initiated");
const SKIPPED: Event<'_> = ("d2", "Bucket", "leo-apps", "DELETE_SKIPPED", "");
const GONE: Event<'_> = ("d9", "leo-dev", "", "DELETE_COMPLETE", "");

/// A delete from the look at the stack on, in `status` before and ending with these events.
fn deleted(
    status: &str,
    before: &[Event<'_>],
    after: &[Event<'_>],
    ended: Answer,
) -> Vec<(&'static str, Answer)> {
    let all = [before, after].concat();
    vec![
        (DESCRIBE, stack(status)),
        (EVENTS, events(before, None)),
        (DELETE_STACK, done(DELETE_STACK)),
        (EVENTS, events(&[before, &after[..1]].concat(), None)),
        (DESCRIBE, stack("DELETE_IN_PROGRESS")),
        (EVENTS, events(&all, None)),
        (DESCRIBE, ended),
    ]
}

/// The same of a delete for which it is looked at what may be left: logical id and status.
fn leaving(mut calls: Vec<(&'static str, Answer)>, listed: &[(&str, &str)]) -> Vec<(&'static str, Answer)> {
    let listed = listed.iter().map(|(id, status)| (*id, "AWS::EC2::VPC", "p", *status)).collect::<Vec<_>>();
    calls.insert(2, (LIST, resources(&listed, None)));
    calls
}

async fn delete(conversation: &Conversation, retain: &[&str], lines: &Lines) -> Result<Deleted, DeployError> {
    let retain = retain.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let deleted = stacks(conversation).delete("leo-dev", &retain, &lines.sink()).await;
    conversation.assert_over();
    deleted
}

#[tokio::test(start_paused = true)]
async fn what_a_delete_left_behind_is_told() {
    let after = [BEGUN, SKIPPED, ("d3", "Service", "s", "DELETE_COMPLETE", ""), GONE];
    let conversation =
        Conversation::new(deleted("UPDATE_COMPLETE", &[OLD], &after, stack("DELETE_COMPLETE")));
    let lines = Lines::default();
    let deleted = delete(&conversation, &["Bucket"], &lines).await.unwrap();
    assert_eq!(deleted.retained.len(), 1);
    assert_eq!(deleted.retained[0].logical_id, "Bucket");
    assert_eq!(deleted.retained[0].physical_id.as_deref(), Some("leo-apps"));
    // What may stay is only named once it could not be deleted.
    let call = conversation.fields(DELETE_STACK);
    assert_eq!(call["StackName"], STACK);
    assert!(!call.contains_key("RetainResources.member.1"), "{call:?}");
    assert!(call["ClientRequestToken"].starts_with("leo-"));
    insta::assert_snapshot!(lines.text(), @r"
    deleting the stack
    DELETE_IN_PROGRESS leo-dev: User Initiated
    0 resources done
    DELETE_SKIPPED Bucket (AWS::ECS::Service)
    DELETE_COMPLETE Service (AWS::ECS::Service)
    DELETE_COMPLETE leo-dev
    2 resources done
    DELETE_COMPLETE
    ");
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_is_not_there_needs_no_delete() {
    for found in [no_stack(), stack("DELETE_COMPLETE")] {
        let conversation = Conversation::new([(DESCRIBE, found)]);
        let deleted = delete(&conversation, &[], &Lines::default()).await.unwrap();
        assert_eq!(deleted, Deleted::default());
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_already_runs_is_followed_and_its_leavings_told() {
    let all = [OLD, BEGUN, SKIPPED, GONE];
    let conversation = Conversation::new([
        (DESCRIBE, stack("DELETE_IN_PROGRESS")),
        (EVENTS, events(&[OLD, BEGUN], None)),
        (REVIEW, refused(404, "ChangeSetNotFound", "ChangeSet [x] does not exist")),
        (EVENTS, events(&all, None)),
        (DESCRIBE, stack("DELETE_COMPLETE")),
        (DESCRIBE, stack("DELETE_COMPLETE")),
        // What it left: throttled once, then where it began, and its events.
        (EVENTS, throttled()),
        (EVENTS, events(&all, None)),
        (EVENTS, events(&all, None)),
    ]);
    let deleted = delete(&conversation, &[], &Lines::default()).await.unwrap();
    assert_eq!(deleted.retained.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_runs_is_followed_before_the_delete() {
    let updated =
        [OLD, ("u1", "leo-dev", "", "UPDATE_IN_PROGRESS", ""), ("u2", "leo-dev", "", "UPDATE_COMPLETE", "")];
    let mut calls = vec![
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        (EVENTS, events(&updated[..2], None)),
        (REVIEW, change_set_in("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", "")),
        (EVENTS, events(&updated, None)),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
    ];
    calls.extend(deleted("UPDATE_COMPLETE", &updated, &[BEGUN, GONE], no_stack()));
    let conversation = Conversation::new(calls);
    delete(&conversation, &[], &Lines::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_was_quicker_is_followed() {
    let conversation = Conversation::new(
        [
            (DESCRIBE, stack("CREATE_COMPLETE")),
            (EVENTS, events(&[OLD], None)),
            (
                DELETE_STACK,
                refused(
                    400,
                    "ValidationError",
                    "Stack [x] is in UPDATE_IN_PROGRESS state and can not be deleted",
                ),
            ),
        ]
        .into_iter()
        .chain(deleted("CREATE_COMPLETE", &[OLD], &[BEGUN, GONE], no_stack())),
    );
    delete(&conversation, &[], &Lines::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_may_have_begun_it() {
    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (EVENTS, events(&[OLD], None)),
        (DELETE_STACK, Answer::Reset),
        (DESCRIBE, stack("DELETE_IN_PROGRESS")),
        (EVENTS, events(&[OLD, BEGUN, GONE], None)),
        (DESCRIBE, no_stack()),
    ]);
    delete(&conversation, &[], &Lines::default()).await.unwrap();

    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (EVENTS, events(&[OLD], None)),
        (DELETE_STACK, Answer::Reset),
        (DESCRIBE, stack("CREATE_COMPLETE")),
    ]);
    let error = delete(&conversation, &[], &Lines::default()).await.unwrap_err();
    assert!(matches!(error, DeployError::Call { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_deleted_is_told_with_what_to_do() {
    let after = [
        BEGUN,
        ("d2", "Network", "n", "DELETE_FAILED", "has dependencies"),
        ("d3", "Service", "s", "DELETE_FAILED", "Resource deletion cancelled"),
        ("d4", "leo-dev", "", "DELETE_FAILED", "failed to delete: [Network, Service]"),
    ];
    let conversation = Conversation::new(deleted("CREATE_COMPLETE", &[OLD], &after, stack("DELETE_FAILED")));
    let error = delete(&conversation, &["Service"], &Lines::default()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Failed);
    insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
    delete leo-dev: it ended in DELETE_FAILED
      Network (AWS::ECS::Service) DELETE_FAILED: has dependencies
    remove what stopped the delete, then run the same command again
    ");
}

#[tokio::test(start_paused = true)]
async fn what_may_stay_is_left_once_it_could_not_be_deleted_and_nothing_else() {
    let first = [
        BEGUN,
        ("d2", "Network", "n", "DELETE_FAILED", "has dependencies"),
        ("d3", "leo-dev", "", "DELETE_FAILED", ""),
    ];
    let second = [
        ("r1", "leo-dev", "", "DELETE_IN_PROGRESS", "User Initiated"),
        ("r2", "Network", "n", "DELETE_SKIPPED", ""),
        ("r3", "Group", "g", "DELETE_FAILED", "in use"),
        ("r4", "leo-dev", "", "DELETE_FAILED", ""),
    ];
    let third = [
        ("t1", "leo-dev", "", "DELETE_IN_PROGRESS", "User Initiated"),
        // Network is not mentioned again: its skip was told in the round before.
        ("t3", "Group", "g", "DELETE_SKIPPED", ""),
        ("t4", "leo-dev", "", "DELETE_COMPLETE", ""),
    ];
    let before_second = [&[OLD][..], &first].concat();
    let before_third = [&before_second[..], &second].concat();
    let conversation = Conversation::new(
        deleted("CREATE_COMPLETE", &[OLD], &first, stack("DELETE_FAILED"))
            .into_iter()
            .chain(leaving(
                deleted("DELETE_FAILED", &before_second, &second, stack("DELETE_FAILED")),
                &[("Network", "DELETE_FAILED"), ("Group", "CREATE_COMPLETE"), ("Role", "DELETE_COMPLETE")],
            ))
            .chain(leaving(
                deleted("DELETE_FAILED", &before_third, &third, stack("DELETE_COMPLETE")),
                &[("Network", "DELETE_SKIPPED"), ("Group", "DELETE_FAILED"), ("Role", "DELETE_COMPLETE")],
            )),
    );
    let deleted = delete(&conversation, &["Group", "Network", "Service"], &Lines::default()).await.unwrap();
    let retained = deleted.retained.iter().map(|one| one.logical_id.as_str()).collect::<Vec<_>>();
    assert_eq!(retained, ["Network", "Group"]);
    let calls = conversation.all_fields(DELETE_STACK);
    let kept = calls
        .iter()
        .map(|call| {
            (1..4).filter_map(|n| call.get(&format!("RetainResources.member.{n}"))).collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();
    assert_eq!(kept, [vec![], vec!["Network"], vec!["Group"]]);
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_can_neither_be_deleted_nor_left_ends_it() {
    let failed = |begun: &'static str, failed: &'static str, ended: &'static str| {
        [
            (begun, "leo-dev", "", "DELETE_IN_PROGRESS", "User Initiated"),
            (failed, "Network", "n", "DELETE_FAILED", "has dependencies"),
            (ended, "leo-dev", "", "DELETE_FAILED", ""),
        ]
    };
    let (first, second) = (failed("d1", "d2", "d3"), failed("r1", "r2", "r3"));
    let before = [&[OLD][..], &first].concat();
    let conversation = Conversation::new(
        deleted("CREATE_COMPLETE", &[OLD], &first, stack("DELETE_FAILED")).into_iter().chain(leaving(
            deleted("DELETE_FAILED", &before, &second, stack("DELETE_FAILED")),
            &[("Network", "DELETE_FAILED")],
        )),
    );
    let error = delete(&conversation, &["Network"], &Lines::default()).await.unwrap_err();
    assert!(matches!(error, DeployError::NotDeleted { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_protected_stack_is_not_touched() {
    let protected = answer(
        DESCRIBE,
        &format!(
            "<Stacks><member><StackName>leo-dev</StackName><StackId>{STACK}</StackId>\
             <StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-11-01T00:00:00Z</CreationTime>\
             <EnableTerminationProtection>true</EnableTerminationProtection></member></Stacks>"
        ),
    );
    let conversation = Conversation::new([(DESCRIBE, protected)]);
    let error = delete(&conversation, &[], &Lines::default()).await.unwrap_err();
    insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
    delete leo-dev: its termination protection is on
    it is meant to stay; to delete it all the same, take `protected` from its environment in infra/leo.toml and deploy, which turns the protection off
    ");

    // Turned on between the look and the call.
    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (EVENTS, events(&[OLD], None)),
        (
            DELETE_STACK,
            refused(
                400,
                "ValidationError",
                "Stack [x] cannot be deleted while TerminationProtection is enabled",
            ),
        ),
    ]);
    let error = delete(&conversation, &[], &Lines::default()).await.unwrap_err();
    assert!(matches!(error, DeployError::Protected { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_look_at_the_end_decides_nothing() {
    let all = [OLD, BEGUN, GONE];
    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (EVENTS, events(&[OLD], None)),
        (DELETE_STACK, done(DELETE_STACK)),
        (EVENTS, throttled()),
        (DESCRIBE, throttled()),
        (EVENTS, Answer::Reset),
        (DESCRIBE, stack("DELETE_IN_PROGRESS")),
        (EVENTS, events(&all, None)),
        (DESCRIBE, throttled()),
        (EVENTS, events(&all, None)),
        (DESCRIBE, stack("DELETE_COMPLETE")),
    ]);
    delete(&conversation, &[], &Lines::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_refused_say_so() {
    let conversation = Conversation::new([(DESCRIBE, refused(403, "ExpiredToken", "expired"))]);
    let error = delete(&conversation, &[], &Lines::default()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Credentials);
    assert_eq!(error.to_string(), "delete leo-dev: DescribeStacks: ExpiredToken: expired");
}
