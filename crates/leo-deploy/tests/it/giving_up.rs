//! Operations that are ended before CloudFormation ends them, or that can't be.

use std::sync::atomic::Ordering;
use std::time::Duration;

use leo_aws::FailureKind;
use leo_deploy::{Control, DeployError, GaveUp, StackOutcome};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::answers::*;
use crate::played::{CANCEL, DELETE_STACK, Played};
use crate::wire::{Answer, Conversation};

/// An update that would take an hour.
const LONG_UPDATE: [(u64, &str); 2] = [(0, "UPDATE_IN_PROGRESS"), (3600, "UPDATE_COMPLETE")];
const LONG_CREATE: [(u64, &str); 2] = [(0, "CREATE_IN_PROGRESS"), (3600, "CREATE_COMPLETE")];
const ROLLED_BACK: [(u64, &str); 4] = [
    (1, "UPDATE_ROLLBACK_IN_PROGRESS"),
    (1, "Service: Resource update cancelled"),
    (60, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
    (60, "UPDATE_ROLLBACK_COMPLETE"),
];
const DELETED: [(u64, &str); 2] = [(1, "DELETE_IN_PROGRESS"), (60, "DELETE_COMPLETE")];

/// Without waiting for the next look; polls share a pace, which may take a moment.
const AT_ONCE: Duration = Duration::from_millis(700);

fn within(seconds: u64) -> Control {
    Control { deadline: Some(Duration::from_secs(seconds)), ..Control::default() }
}

async fn deploy(
    conversation: &Conversation,
    control: &Control,
    lines: &Lines,
) -> Result<StackOutcome, DeployError> {
    stacks(conversation).deploy(&request(), control, &lines.sink()).await
}

fn without_countdown(lines: &Lines) -> String {
    let text = lines.text();
    text.lines().filter(|line| !line.ends_with(" left")).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn an_update_past_its_deadline_is_cancelled_and_followed_back() {
    let conversation = Played::new(Some("CREATE_COMPLETE"), &LONG_UPDATE, &ROLLED_BACK).conversation();
    let lines = Lines::default();
    let error = deploy(&conversation, &within(90), &lines).await.unwrap_err();
    assert_eq!(conversation.fields(CANCEL)["StackName"], STACK);
    assert!(matches!(&error, DeployError::GivenUp { why: GaveUp::Deadline(_), .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Failed);
    insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
    deploy leo-dev: it was not done within 1 min 30 s; it was rolled back (UPDATE_ROLLBACK_COMPLETE)
    cargo xtask diagnose says what it waited for; --deadline gives it longer where that is all it needs
    ");
    insta::assert_snapshot!(without_countdown(&lines), @r"
    computing what would change
    1 resource to change
    executing
    UPDATE_IN_PROGRESS leo-dev
    0/1 resources done
    giving up: it was not done within 1 min 30 s
    UPDATE_ROLLBACK_IN_PROGRESS leo-dev
    UPDATE_FAILED Service (AWS::ECS::Service): Resource update cancelled
    0/1 resources done, 1 failed
    UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS leo-dev
    0/1 resources done, 1 failed
    UPDATE_ROLLBACK_COMPLETE leo-dev
    0/1 resources done, 1 failed
    UPDATE_ROLLBACK_COMPLETE
    ");
}

#[tokio::test(start_paused = true)]
async fn the_time_that_is_left_is_told_and_the_end_is_on_time() {
    let conversation = Played::new(Some("CREATE_COMPLETE"), &LONG_UPDATE, &ROLLED_BACK).conversation();
    let lines = Lines::default();
    let began = Instant::now();
    let limit = Duration::from_mins(15);
    deploy(&conversation, &within(limit.as_secs()), &lines).await.unwrap_err();
    let text = lines.text();
    let told = text.lines().filter(|line| line.ends_with(" left")).collect::<Vec<_>>();
    assert_eq!(told.first(), Some(&"15 min left"));
    // Once a minute until the last one, then six times.
    assert_eq!(told.len(), 14 + 6, "{told:?}");
    let cancelled = conversation.calls(CANCEL).remove(0).at - began;
    assert!(cancelled >= limit && cancelled < limit + AT_ONCE, "{cancelled:?}");
}

#[tokio::test(start_paused = true)]
async fn a_create_past_its_deadline_is_deleted() {
    let conversation = Played::new(None, &LONG_CREATE, &DELETED).conversation();
    let lines = Lines::default();
    let error = deploy(&conversation, &within(60), &lines).await.unwrap_err();
    assert_eq!(conversation.fields(DELETE_STACK)["StackName"], STACK);
    assert!(conversation.fields(DELETE_STACK)["ClientRequestToken"].starts_with("leo-"));
    insta::assert_snapshot!(error, @"deploy leo-dev: it was not done within 1 min; the new stack was deleted again");
    insta::assert_snapshot!(without_countdown(&lines), @r"
    computing what to create
    1 resource to change
    executing
    CREATE_IN_PROGRESS leo-dev
    0/1 resources done
    giving up: it was not done within 1 min
    DELETE_IN_PROGRESS leo-dev
    0/1 resources done
    DELETE_COMPLETE leo-dev
    0/1 resources done
    DELETE_COMPLETE
    ");
}

#[tokio::test(start_paused = true)]
async fn a_create_that_is_given_up_and_can_not_be_deleted_says_so() {
    let stuck = [(1, "DELETE_IN_PROGRESS"), (5, "DELETE_FAILED")];
    let conversation = Played::new(None, &LONG_CREATE, &stuck).conversation();
    let error = deploy(&conversation, &within(60), &Lines::default()).await.unwrap_err();
    insta::assert_snapshot!(error, @"deploy leo-dev: it was not done within 1 min; it ended in DELETE_FAILED");
    assert!(error.hint().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_runs_already_is_only_followed() {
    let failing = [
        (0, "UPDATE_IN_PROGRESS"),
        (30, "Service: circuit breaker"),
        (1, "UPDATE_ROLLBACK_IN_PROGRESS"),
        (120, "UPDATE_ROLLBACK_COMPLETE"),
    ];
    let conversation = Played::new(Some("CREATE_COMPLETE"), &failing, &[]).conversation();
    let lines = Lines::default();
    let error = deploy(&conversation, &within(60), &lines).await.unwrap_err();
    assert!(conversation.calls(CANCEL).is_empty());
    assert!(!lines.text().contains("giving up"), "{}", lines.text());
    insta::assert_snapshot!(error, @r"
    deploy leo-dev: it was rolled back (UPDATE_ROLLBACK_COMPLETE)
      Service (AWS::ECS::Service) UPDATE_FAILED: circuit breaker
    ");
}

#[tokio::test(start_paused = true)]
async fn an_update_that_has_come_to_its_cleanup_is_a_success_after_all() {
    let late =
        [(0, "UPDATE_IN_PROGRESS"), (30, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), (120, "UPDATE_COMPLETE")];
    let conversation = Played::new(Some("CREATE_COMPLETE"), &late, &[]).conversation();
    let lines = Lines::default();
    assert!(deploy(&conversation, &within(60), &lines).await.unwrap().changed);
    assert!(!lines.text().contains("giving up"), "{}", lines.text());
}

#[tokio::test(start_paused = true)]
async fn an_update_that_is_done_before_the_cancel_arrives_is_a_success() {
    let cleanup = [(0, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), (5, "UPDATE_COMPLETE")];
    let conversation = Played::new(Some("CREATE_COMPLETE"), &LONG_UPDATE, &cleanup).conversation();
    assert!(deploy(&conversation, &within(60), &Lines::default()).await.unwrap().changed);
}

#[tokio::test(start_paused = true)]
async fn an_abort_acts_at_once_and_its_reason_is_told() {
    for seconds in [20, 33, 47, 61, 83] {
        let at = Duration::from_secs(seconds);
        let conversation = Played::new(Some("CREATE_COMPLETE"), &LONG_UPDATE, &ROLLED_BACK).conversation();
        let (abort, receiver) = watch::channel(None);
        let control = Control { abort: Some(receiver), ..Control::default() };
        let lines = Lines::default();
        let began = Instant::now();
        let (result, ()) = tokio::join!(deploy(&conversation, &control, &lines), async {
            tokio::time::sleep(at).await;
            abort.send_replace(Some("the same task failed twice: exit code 1".to_owned()));
        });
        let cancelled = conversation.calls(CANCEL).remove(0).at - began;
        assert!(cancelled >= at && cancelled < at + AT_ONCE, "{cancelled:?}");
        let error = result.unwrap_err();
        assert!(matches!(&error, DeployError::GivenUp { why: GaveUp::Aborted(_), .. }), "{error}");
        assert_eq!(
            error.to_string(),
            "deploy leo-dev: the same task failed twice: exit code 1; it was rolled back (UPDATE_ROLLBACK_COMPLETE)"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_left_to_abort_aborts_nothing() {
    let quick = [(0, "UPDATE_IN_PROGRESS"), (30, "UPDATE_COMPLETE")];
    let conversation = Played::new(Some("CREATE_COMPLETE"), &quick, &[]).conversation();
    let (abort, receiver) = watch::channel(None);
    drop(abort);
    let control = Control { abort: Some(receiver), ..Control::default() };
    assert!(deploy(&conversation, &control, &Lines::default()).await.unwrap().changed);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_that_is_refused_is_told_and_the_operation_followed() {
    let slow = [(0, "UPDATE_IN_PROGRESS"), (120, "UPDATE_COMPLETE")];
    let mut played = Played::new(Some("CREATE_COMPLETE"), &slow, &[]);
    played.stopped =
        refused(400, "ValidationError", "CancelUpdateStack cannot be called from current stack status");
    let conversation = played.conversation();
    let lines = Lines::default();
    assert!(deploy(&conversation, &within(60), &lines).await.unwrap().changed);
    assert_eq!(conversation.calls(CANCEL).len(), 1, "asked once");
    insta::assert_snapshot!(without_countdown(&lines), @r"
    computing what would change
    1 resource to change
    executing
    UPDATE_IN_PROGRESS leo-dev
    0/1 resources done
    giving up: it was not done within 1 min
    can't be stopped and goes on (CancelUpdateStack: ValidationError: CancelUpdateStack cannot be called from current stack status)
    UPDATE_COMPLETE leo-dev
    0/1 resources done
    UPDATE_COMPLETE
    ");
}

#[tokio::test(start_paused = true)]
async fn a_protected_stack_is_not_deleted_by_its_deadline() {
    let slow = [(0, "CREATE_IN_PROGRESS"), (120, "CREATE_COMPLETE")];
    let mut played = Played::new(None, &slow, &[]);
    played.stopped = refused(
        400,
        "ValidationError",
        "Stack [leo-dev] cannot be deleted while TerminationProtection is enabled",
    );
    let conversation = played.conversation();
    assert!(deploy(&conversation, &within(60), &Lines::default()).await.unwrap().changed);
    assert_eq!(conversation.calls(DELETE_STACK).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_whose_answer_is_lost_counts_by_what_the_stack_does() {
    let mut played = Played::new(Some("CREATE_COMPLETE"), &LONG_UPDATE, &ROLLED_BACK);
    played.stopped = Answer::Reset;
    let conversation = played.conversation();
    let error = deploy(&conversation, &within(60), &Lines::default()).await.unwrap_err();
    assert!(matches!(error, DeployError::GivenUp { .. }), "{error}");
    assert!(conversation.calls(CANCEL).len() <= 2, "once more at most");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_cancel_is_sent_again() {
    let mut played = Played::new(Some("CREATE_COMPLETE"), &LONG_UPDATE, &ROLLED_BACK);
    played.stopped = throttled();
    let stops = played.stops.clone();
    let conversation = Conversation::played(move |call| {
        if stops.load(Ordering::Relaxed) == 2 {
            played.stopped = done(CANCEL);
        }
        played.answer(call)
    });
    let error = deploy(&conversation, &within(60), &Lines::default()).await.unwrap_err();
    assert!(matches!(error, DeployError::GivenUp { .. }), "{error}");
    assert_eq!(conversation.calls(CANCEL).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_others_began_is_not_given_up() {
    let mut played = Played::new(Some("UPDATE_IN_PROGRESS"), &[(600, "UPDATE_COMPLETE")], &[]);
    let mut deployed = false;
    let conversation = Conversation::played(move |call| {
        played.since.get_or_insert_with(Instant::now);
        if call.operation == CREATE {
            deployed = true;
        }
        match call.operation.as_str() {
            REVIEW if deployed => change_set_in("FAILED", "UNAVAILABLE", "No updates are to be performed."),
            REVIEW => change_set_in("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", ""),
            DELETE => done(DELETE),
            _ => played.answer(call),
        }
    });
    let outcome = deploy(&conversation, &within(60), &Lines::default()).await.unwrap();
    assert!(!outcome.changed);
    assert!(conversation.calls(CANCEL).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_update_is_cancelled_on_request_and_nothing_else_is() {
    let conversation = Conversation::new([(DESCRIBE, stack("UPDATE_IN_PROGRESS")), (CANCEL, done(CANCEL))]);
    stacks(&conversation).cancel_update("leo-dev").await.unwrap();
    conversation.assert_over();
    let mut texts = Vec::new();
    for found in [stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), stack("CREATE_IN_PROGRESS"), no_stack()] {
        let conversation = Conversation::new([(DESCRIBE, found)]);
        let error = stacks(&conversation).cancel_update("leo-dev").await.unwrap_err();
        texts.push(error.to_string());
    }
    insta::assert_snapshot!(texts.join("\n"), @r"
    cancel the update of leo-dev: it is in UPDATE_COMPLETE_CLEANUP_IN_PROGRESS, and only UPDATE_IN_PROGRESS can be cancelled
    cancel the update of leo-dev: it is in CREATE_IN_PROGRESS, and only UPDATE_IN_PROGRESS can be cancelled
    cancel the update of leo-dev: there is no such stack
    ");
}

#[tokio::test(start_paused = true)]
async fn termination_protection_is_changed_only_where_it_differs() {
    const PROTECT: &str = "UpdateTerminationProtection";
    let conversation = Conversation::new([(DESCRIBE, stack("CREATE_COMPLETE")), (PROTECT, done(PROTECT))]);
    stacks(&conversation).protect("leo-dev", true).await.unwrap();
    assert_eq!(conversation.fields(PROTECT)["EnableTerminationProtection"], "true");
    let conversation = Conversation::new([(DESCRIBE, stack("CREATE_COMPLETE"))]);
    stacks(&conversation).protect("leo-dev", false).await.unwrap();
    conversation.assert_over();
    let conversation = Conversation::new([(DESCRIBE, no_stack()), (PROTECT, no_stack())]);
    let error = stacks(&conversation).protect("leo-dev", true).await.unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}
