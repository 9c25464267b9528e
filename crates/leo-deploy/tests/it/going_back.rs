//! A deployment that ECS undid by an earlier one of the same task definition.

use std::time::{Duration, SystemTime};

use leo_deploy::gate::{Gate, GateError, GateReport};
use serde_json::{Value, json};

use crate::gate::{PLANNED, deployment, gate, good, look, service, told};
use crate::wire::Answer;

/// A failed deployment of the planned task definition, created at this second.
fn failed(created: u64) -> Value {
    json!({
        "id": "ecs-svc/2", "status": "ACTIVE", "taskDefinition": PLANNED, "rolloutState": "FAILED",
        "rolloutStateReason": "tasks failed to start", "createdAt": created, "runningCount": 0, "desiredCount": 0,
    })
}

/// The primary deployment, created at second 1000.
fn primary(state: &str, reason: &str) -> Value {
    let mut primary = deployment(PLANNED, state, 1);
    primary["createdAt"] = 1000.into();
    primary["rolloutStateReason"] = reason.into();
    primary
}

/// As planned in everything but its deployments.
fn answers(deployments: &[Value]) -> Vec<(&'static str, Answer)> {
    let mut answers = good();
    answers[0] = service(deployments);
    answers
}

async fn looked(since: Option<u64>, deployments: &[Value], looks: usize) -> Result<GateReport, GateError> {
    let since = since.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let gate = Gate { since, deadline: Duration::from_hours(1), ..gate(0) };
    let answers = std::iter::repeat_n(answers(deployments), looks).flatten();
    look(gate, answers, 200).await
}

#[tokio::test]
async fn a_failed_deployment_counts_when_it_is_newer_than_the_primary_or_of_this_deploy() {
    let completed = || primary("COMPLETED", "ECS deployment ecs-svc/1 completed.");
    let newer = looked(None, &[completed(), failed(1001)], 2).await.unwrap_err();
    assert!(matches!(newer, GateError::Mismatch { waited: None, .. }), "{newer}");
    insta::assert_snapshot!(told(&newer), @r"
    get the planned service running
      the deployment of leo-dev-orchestrator:7 failed (tasks failed to start); an earlier deployment of it runs
    hint: the new tasks did not become healthy: their last log lines and stop reasons say why
    ");
    let own = looked(Some(900), &[completed(), failed(950)], 2).await.unwrap_err();
    assert_eq!(own, newer);
    looked(Some(980), &[completed(), failed(950)], 1).await.unwrap();
    looked(None, &[completed(), failed(950)], 1).await.unwrap();
}

#[tokio::test]
async fn a_primary_that_is_a_rollback_is_not_what_was_planned() {
    let reason = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/0.";
    let error = looked(None, &[primary("IN_PROGRESS", reason)], 2).await.unwrap_err();
    assert!(matches!(error, GateError::Mismatch { waited: None, .. }), "{error}");
    assert!(error.to_string().contains("failed (ECS deployment circuit breaker: rolling back"), "{error}");
}
