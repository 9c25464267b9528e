//! Operations after which another one begins before anyone looked.

use std::time::Duration;

use leo_deploy::Control;

use crate::answers::*;
use crate::wire::{Answer, Conversation};

const OLD: Event<'_> = ("e0", "leo-dev", "", "CREATE_COMPLETE", "");
const OURS: Event<'_> = ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");
const OTHER: Event<'_> = ("f1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");

/// An update whose first event carries the token of its execution. `told` are the events of each look after it; until the
/// last of them the stack is in `status`.
fn update(told: Vec<Vec<Event<'static>>>, status: &'static str) -> Conversation {
    let mut token = String::new();
    let mut looks: usize = 0;
    Conversation::played(move |call| match call.operation.as_str() {
        DESCRIBE if token.is_empty() => stack("CREATE_COMPLETE"),
        DESCRIBE if told.len() > 1 && looks >= told.len() => stack("UPDATE_COMPLETE"),
        DESCRIBE => stack(status),
        CREATE => created(),
        REVIEW => change_set(&[("Modify", "Service", "False")], None),
        FINDINGS => no_findings(),
        EXECUTE => {
            token.clone_from(&call.fields["ClientRequestToken"]);
            done(EXECUTE)
        }
        EVENTS if token.is_empty() => events(&[OLD], None),
        EVENTS => {
            let page = told.get(looks).unwrap_or(&told[told.len() - 1]);
            looks += 1;
            let Answer::Body(status, body) = events(page, None) else { panic!() };
            Answer::Body(status, body.replace("token-of-e1", &token))
        }
        other => panic!("{other} was not expected"),
    })
}

#[tokio::test(start_paused = true)]
async fn the_own_end_counts_and_not_that_of_the_next_one() {
    let end = |status| vec![OLD, OURS, ("e2", "leo-dev", "", status, ""), OTHER];
    let ended = update(vec![end("UPDATE_COMPLETE")], "UPDATE_ROLLBACK_IN_PROGRESS");
    let outcome = stacks(&ended).deploy(&request(), &Control::default(), &|_| {}).await.unwrap();
    assert_eq!(outcome.status.as_str(), "UPDATE_COMPLETE");

    let failed = ("x1", "Service", "", "UPDATE_FAILED", "no capacity");
    let undone = ("x2", "leo-dev", "", "UPDATE_ROLLBACK_COMPLETE", "");
    let theirs = ("f2", "Queue", "", "UPDATE_FAILED", "not ours");
    let ended = update(vec![vec![OLD, OURS, failed, undone, OTHER, theirs]], "UPDATE_COMPLETE");
    let error = stacks(&ended).deploy(&request(), &Control::default(), &|_| {}).await.unwrap_err();
    insta::assert_snapshot!(error, @r"
    deploy leo-dev: it was rolled back (UPDATE_ROLLBACK_COMPLETE)
      Service (AWS::ECS::Service) UPDATE_FAILED: no capacity
    ");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_never_ends_the_next_one() {
    // The own end is never told, and the deadline is over long before the next one's end.
    let mut told = vec![vec![OLD, OURS]];
    told.extend((0..20).map(|_| vec![OLD, OURS, OTHER]));
    told.push(vec![OLD, OURS, OTHER, ("f2", "leo-dev", "", "UPDATE_COMPLETE", "")]);
    let conversation = update(told, "UPDATE_IN_PROGRESS");
    let control = Control { deadline: Some(Duration::from_secs(10)), ..Control::default() };
    // A cancel would be a call that is not expected.
    let outcome = stacks(&conversation).deploy(&request(), &control, &|_| {}).await.unwrap();
    assert_eq!(outcome.status.as_str(), "UPDATE_COMPLETE");
}
