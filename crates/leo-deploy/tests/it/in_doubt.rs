//! Executions of which it is not known whether they began.

use std::time::Duration;

use leo_aws::FailureKind;
use leo_deploy::{DeployError, StackOutcome};
use tokio::time::Instant;

use crate::answers::*;
use crate::deploying::{deploy, reviewed};
use crate::wire::{Answer, Conversation};

const OLD: Event<'_> = ("e0", "leo-dev", "", "CREATE_COMPLETE", "");
const BUSY: &str = "Stack:leo-dev is in UPDATE_IN_PROGRESS state and can not be updated.";

/// A change set of an update, and what is answered from its execution on.
fn executed(rest: impl IntoIterator<Item = (&'static str, Answer)>) -> Conversation {
    let mut calls = reviewed(stack("CREATE_COMPLETE"), &[("Modify", "Service", "False")]);
    calls.push((EVENTS, events(&[OLD], None)));
    calls.extend(rest);
    Conversation::new(calls)
}

/// What an operation says that runs and succeeds.
fn succeeds() -> [(&'static str, Answer); 4] {
    [
        (EVENTS, events(&[OLD], None)),
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        (EVENTS, events(&[OLD, ("e1", "leo-dev", "", "UPDATE_COMPLETE", "")], None)),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
    ]
}

fn is(execution: &str) -> (&'static str, Answer) {
    (REVIEW, change_set_in("CREATE_COMPLETE", execution, ""))
}

fn busy() -> (&'static str, Answer) {
    (EXECUTE, refused(400, "ValidationError", BUSY))
}

fn works_on_it() -> (&'static str, Answer) {
    let message = "An operation on this ChangeSet is currently in progress.";
    (EXECUTE, refused(400, "InvalidChangeSetStatus", message))
}

async fn run(conversation: &Conversation) -> Result<StackOutcome, DeployError> {
    deploy(conversation, &Lines::default()).await
}

#[tokio::test(start_paused = true)]
async fn one_that_began_is_followed_whatever_the_call_was_answered() {
    for answered in [(EXECUTE, Answer::Reset), busy(), works_on_it()] {
        for status in ["EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE"] {
            let calls = [answered.clone(), is(status)].into_iter().chain(succeeds());
            assert!(run(&executed(calls)).await.unwrap().changed, "{answered:?} {status}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_may_have_begun_is_looked_at_again() {
    let calls = [
        (EXECUTE, Answer::Reset),
        is("AVAILABLE"),
        works_on_it(),
        is("UNAVAILABLE"),
        works_on_it(),
        (REVIEW, throttled()),
        // What the stack is busy with is this very change set.
        busy(),
        is("AVAILABLE"),
        busy(),
        is("EXECUTE_IN_PROGRESS"),
    ];
    let began = Instant::now();
    let conversation = executed(calls.into_iter().chain(succeeds()));
    assert!(run(&conversation).await.unwrap().changed);
    assert!(began.elapsed() > Duration::from_secs(3), "{:?}", began.elapsed());
    let sent = conversation.all_fields(EXECUTE);
    assert!(sent.iter().all(|call| call["ClientRequestToken"] == sent[0]["ClientRequestToken"]), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_did_not_arrive_is_sent_again() {
    let calls = [(EXECUTE, Answer::Reset), is("AVAILABLE"), (EXECUTE, done(EXECUTE))];
    assert!(run(&executed(calls.into_iter().chain(succeeds()))).await.unwrap().changed);
}

#[tokio::test(start_paused = true)]
async fn one_that_never_arrives_is_an_error() {
    let calls = (0..6).flat_map(|_| [(EXECUTE, Answer::Reset), is("AVAILABLE")]);
    let error = run(&executed(calls)).await.unwrap_err();
    assert!(matches!(error, DeployError::Service { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Failed);
    insta::assert_snapshot!(error, @"deploy leo-dev: ExecuteChangeSet: io error: connection reset by peer");
}

#[tokio::test(start_paused = true)]
async fn one_of_which_nothing_is_said_any_more_may_run() {
    let calls = (0..6).flat_map(|_| [(EXECUTE, Answer::Reset), (REVIEW, Answer::Reset)]);
    let error = run(&executed(calls)).await.unwrap_err();
    assert!(matches!(error, DeployError::LostContact { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Detached);

    let expired = (REVIEW, refused(403, "ExpiredToken", "expired"));
    let error = run(&executed([(EXECUTE, Answer::Reset), expired])).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Credentials);
}

#[tokio::test(start_paused = true)]
async fn a_change_set_that_another_deploy_made_obsolete_is_told() {
    let gone = || refused(404, "ChangeSetNotFound", "ChangeSet [x] does not exist");
    let error = run(&executed([(EXECUTE, gone()), (REVIEW, gone())])).await.unwrap_err();
    insta::assert_snapshot!(error, @"deploy leo-dev: the change set that was reviewed can't be executed any more (deleted)");
    insta::assert_snapshot!(error.hint().unwrap(), @"something else deployed to this stack meanwhile: run the same command again");
    let error = run(&executed([works_on_it(), is("OBSOLETE")])).await.unwrap_err();
    insta::assert_snapshot!(error, @"deploy leo-dev: the change set that was reviewed can't be executed any more (obsolete)");
}

#[tokio::test(start_paused = true)]
async fn a_change_set_that_another_deploy_was_quicker_than_is_told() {
    let mut texts = Vec::new();
    for message in [BUSY, "Stack [leo-dev] does not exist"] {
        let calls = [(EXECUTE, refused(400, "ValidationError", message)), is("AVAILABLE")];
        let error = run(&executed(calls)).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Failed);
        texts.push(error.to_string());
    }
    insta::assert_snapshot!(texts.join("\n"), @r"
    deploy leo-dev: the change set that was reviewed can't be executed any more (the stack is busy)
    deploy leo-dev: the change set that was reviewed can't be executed any more (the stack is gone)
    ");
}
