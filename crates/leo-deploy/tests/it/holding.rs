//! The end of the gate: a WebSocket that stays open, and the word to give up.

use std::sync::Mutex;
use std::time::Duration;

use leo_aws::FailureKind;
use leo_deploy::gate::{Gate, GateError, GateReport, Wait, check};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::gate::{
    OLD, PLANNED, deployment, gate, good, look, look_until, serve, service, targets, tasks, told,
};
use crate::wire::{Answer, Conversation};

#[tokio::test]
async fn where_clients_open_websockets_one_has_to_open() {
    let report = look(gate_at("/ws"), good(), 200).await.unwrap();
    assert_eq!(report.websocket_seconds, Some(0));
    assert!(report.to_string().ends_with("answers 200, a WebSocket opens"), "{report}");
    insta::assert_snapshot!(told(&look(gate_at("/other"), good(), 200).await.unwrap_err()), @r"
    get the planned service running within 0 s
      http://app.invalid:PORT/other answers the opening of a WebSocket with 404
    hint: the orchestrator has to open WebSockets at `orchestrator.websocket_path` of infra/leo.toml
    ");
}

fn gate_at(path: &str) -> Gate {
    Gate { websocket_path: Some(path.to_owned()), ..gate(0) }
}

#[tokio::test]
async fn after_a_websocket_was_held_everything_is_looked_at_again() {
    let hold = Duration::from_millis(1500);
    let gate = Gate { websocket_hold: hold, ..gate_at("/ws") };
    let report = look(gate.clone(), good().into_iter().chain(good()), 200).await.unwrap();
    assert!(report.to_string().ends_with("a WebSocket stays open for 1 s"), "{report}");
    let mut rolled_back = vec![service(&[deployment(OLD, "COMPLETED", 1)])];
    rolled_back.extend(tasks(OLD, "leo@sha256:0000", None));
    rolled_back.push(targets(&[("10.0.0.4", "healthy")]));
    let error = look(gate, good().into_iter().chain(rolled_back), 200).await.unwrap_err();
    assert!(error.to_string().contains("leo-dev-orchestrator:6 runs instead"), "{error}");
}

#[tokio::test]
async fn a_websocket_that_is_closed_twice_does_not_pass_however_long_the_deadline() {
    let gate = Gate { deadline: Duration::from_hours(1), ..gate_at("/closes") };
    let error = look(gate, good().into_iter().chain(good()), 200).await.unwrap_err();
    insta::assert_snapshot!(told(&error), @r"
    get the planned service running
      a WebSocket at http://app.invalid:PORT/closes was closed after 0 s with code 1001 (no room)
    hint: the orchestrator closed it: at `orchestrator.websocket_path` of infra/leo.toml a WebSocket has to stay open, also while its client says nothing and has not signed in
    ");
}

#[tokio::test]
async fn a_websocket_that_is_closed_is_no_matter_of_the_deadline() {
    let error = look(gate_at("/closes"), good(), 200).await.unwrap_err();
    assert!(matches!(error, GateError::Mismatch { waited: None, .. }), "{error}");
}

#[tokio::test]
async fn what_is_found_after_a_hold_that_outlasts_the_deadline_is_looked_at_again() {
    // Two holds outlast the deadline; the looks alone don't.
    let hold = Duration::from_millis(1500);
    let gate = Gate { websocket_hold: hold, deadline: Duration::from_millis(2500), ..gate_at("/ws") };
    let mut answers = good();
    answers.push(throttled());
    answers.extend(good());
    answers.extend(going_on());
    answers.extend(good().into_iter().chain(good()));
    let report = look(gate, answers, 200).await.unwrap();
    assert_eq!(report.websocket_seconds, Some(1));
}

fn throttled() -> (&'static str, Answer) {
    let body = json!({ "__type": "ThrottlingException", "message": "Rate exceeded" });
    ("DescribeServices", Answer::Body(400, body.to_string()))
}

/// A rollout that goes on.
fn going_on() -> [(&'static str, Answer); 3] {
    [
        service(&[deployment(PLANNED, "IN_PROGRESS", 0)]),
        ("ListTasks", Answer::Body(200, json!({ "taskArns": [] }).to_string())),
        targets(&[("10.0.0.4", "draining")]),
    ]
}

/// The word to give up, given when the gate first waits for anything.
async fn given_up(
    mut gate: Gate,
    answers: impl IntoIterator<Item = (&'static str, Answer)>,
) -> (Result<GateReport, GateError>, Vec<Wait>) {
    let (word, abort) = watch::channel(None);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    gate.probe.port = listener.local_addr().unwrap().port();
    let conversation = Conversation::new(answers);
    let (ecs, load_balancing) = (conversation.ecs(), conversation.load_balancing());
    let waits = Mutex::new(Vec::new());
    let on_wait = |wait| {
        waits.lock().unwrap().push(wait);
        word.send(Some("two tasks stopped for the same reason".to_owned())).unwrap();
    };
    let result = tokio::select! {
        result = check(&gate, &ecs, &load_balancing, Some(abort), &on_wait) => result,
        () = serve(&listener, 200) => unreachable!("the server goes on"),
    };
    conversation.assert_over();
    (result, waits.into_inner().unwrap())
}

#[tokio::test]
async fn the_word_to_give_up_ends_the_waiting_with_what_one_more_look_finds() {
    let gate = Gate { deadline: Duration::from_hours(1), interval: Duration::from_hours(1), ..gate(0) };
    let (result, _) = given_up(gate, going_on().into_iter().chain(going_on())).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Failed);
    insta::assert_snapshot!(told(&error), @r"
    get the planned service running: two tasks stopped for the same reason
      the deployment is IN_PROGRESS, 0 of 1 tasks run
      0 of 1 tasks of the planned task definition are listed as running
      the target group has no target
    hint:
    ");
}

#[tokio::test]
async fn the_word_to_give_up_ends_a_held_websocket_too() {
    let gate = Gate { websocket_hold: Duration::from_mins(1), ..gate_at("/ws") };
    let (result, waits) = given_up(gate, good().into_iter().chain(going_on())).await;
    assert_eq!(waits, [Wait::Holding { seconds: 60, left: 60 }]);
    let error = result.unwrap_err();
    assert!(matches!(&error, GateError::Aborted { mismatches, .. } if mismatches.len() == 3), "{error}");
}

#[tokio::test]
async fn what_has_recovered_when_the_word_comes_passes() {
    let waiting = Gate { deadline: Duration::from_hours(1), interval: Duration::from_hours(1), ..gate(0) };
    given_up(waiting, going_on().into_iter().chain(good())).await.0.unwrap();
    // The WebSocket is held from its beginning again.
    let holding = Gate { websocket_hold: Duration::from_millis(1500), ..gate_at("/ws") };
    let answers = good().into_iter().chain(good()).chain(good());
    let report = given_up(holding, answers).await.0.unwrap();
    assert_eq!(report.websocket_seconds, Some(1));
}

#[tokio::test]
async fn the_word_to_give_up_that_came_before_the_gate_fails_only_what_differs() {
    let (_word, abort) = watch::channel(Some("a task stopped".to_owned()));
    look_until(gate(0), [throttled()].into_iter().chain(good()), 200, Some(abort.clone())).await.unwrap();
    let error = look_until(gate(0), going_on(), 200, Some(abort.clone())).await.unwrap_err();
    assert!(matches!(&error, GateError::Aborted { reason, .. } if reason == "a task stopped"), "{error}");
    // What can't be looked at is not known to differ.
    let denied = json!({ "__type": "AccessDeniedException", "message": "not authorized" });
    let denied = [("DescribeServices", Answer::Body(400, denied.to_string()))];
    let error = look_until(gate(0), denied, 200, Some(abort)).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Credentials);
}

#[tokio::test]
async fn nobody_left_to_give_the_word_changes_nothing() {
    let (_, abort) = watch::channel(None);
    look_until(gate(0), good(), 200, Some(abort)).await.unwrap();
}
