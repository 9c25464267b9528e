//! Starting jobs and asking for them.

use fake_aws::FakeAws;
use http_body_util::Full;
use hyper::{Method, Request, StatusCode, header};
use serde_json::json;
use std::time::Duration;

use crate::orchestrator::{Orchestrator, variables};

const CAPACITY: &str =
    r#"{"tasks":[],"failures":[{"reason":"Capacity is unavailable at this time. Please try again later"}]}"#;
const THROTTLED: &str =
    r#"{"__type":"InvalidParameterException","message":"Unable to launch the task: Rate exceeded"}"#;

async fn started() -> (FakeAws, Orchestrator) {
    let aws = FakeAws::start();
    let orchestrator = Orchestrator::start(&variables(&aws)).await;
    (aws, orchestrator)
}

/// Starts a job and returns its id.
async fn job(orchestrator: &Orchestrator) -> String {
    let answer = orchestrator.post(r#"{"prompt":"a bakery"}"#).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    answer.text("id").to_owned()
}

async fn state(orchestrator: &Orchestrator, id: &str) -> serde_json::Value {
    let answer = orchestrator.get(&format!("/jobs/{id}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body
}

#[tokio::test]
async fn a_job_is_a_prompt_in_the_bucket_and_a_task_as_the_contract_has_it() {
    let (aws, orchestrator) = started().await;
    let answer = orchestrator.post(r#"{"prompt":"  a bäckerei <b>\n"}"#).await;
    let id = answer.text("id");
    assert_eq!(id.len(), 32);
    assert_eq!(aws.object(&format!("jobs/{id}/input")).unwrap().body, "a bäckerei <b>".as_bytes());
    let calls = aws.calls("RunTask");
    assert_eq!(calls.len(), 1);
    let request = &calls[0].body;
    let expires = request["tags"][2]["value"].as_str().unwrap();
    let expected = json!({
        "cluster": "leo-test",
        "taskDefinition": "leo-test-generator",
        "count": 1,
        "capacityProviderStrategy": [{ "capacityProvider": "FARGATE_SPOT", "weight": 1 }],
        "networkConfiguration": { "awsvpcConfiguration": {
            "subnets": ["subnet-a", "subnet-b"],
            "securityGroups": ["sg-generator"],
            "assignPublicIp": "ENABLED",
        }},
        "overrides": { "containerOverrides": [{ "name": "generator", "environment": [
            { "name": "LEO_RUN", "value": id },
            { "name": "LEO_DEADLINE", "value": expires },
        ]}]},
        "tags": [
            { "key": "leo:component", "value": "generator" },
            { "key": "leo:run", "value": id },
            { "key": "leo:expires-at", "value": expires },
        ],
        "clientToken": format!("{id}-0"),
        "startedBy": id,
    });
    assert_eq!(*request, expected);
    assert!(expires.len() == 20 && expires.ends_with('Z'), "{expires}");
}

#[tokio::test]
async fn a_job_goes_from_queued_to_done_and_every_orchestrator_sees_it() {
    let (aws, orchestrator) = started().await;
    let other = Orchestrator::start(&variables(&aws)).await;
    let id = job(&orchestrator).await;
    let output = |name: &str| format!("jobs/{id}/output/{name}");
    assert_eq!(state(&other, &id).await, json!({ "state": "queued", "objects": [] }));
    aws.move_tasks(&id, "RUNNING", None, None);
    aws.put(&output("index.html"), "page", Duration::ZERO);
    assert_eq!(state(&other, &id).await, json!({ "state": "running", "objects": [output("index.html")] }));
    aws.put(&output("style.css"), "style", Duration::ZERO);
    aws.put(&output("status.json"), r#"{"state":"done"}"#, Duration::ZERO);
    let done = json!({ "state": "done", "objects": [output("index.html"), output("style.css")] });
    assert_eq!(state(&orchestrator, &id).await, done);
    // An hour later ECS has forgotten the task; the bucket has not.
    aws.forget_tasks();
    assert_eq!(state(&other, &id).await, done);
}

#[tokio::test]
async fn a_generator_that_died_without_a_word_has_failed_with_what_ecs_knows() {
    let (aws, orchestrator) = started().await;
    let id = job(&orchestrator).await;
    aws.move_tasks(&id, "STOPPED", Some(137), Some("OutOfMemoryError: Container killed"));
    let expected = json!({
        "state": "failed", "objects": [], "reason": "OutOfMemoryError: Container killed (exit code 137, no status)",
    });
    assert_eq!(state(&orchestrator, &id).await, expected);
    aws.put(
        &format!("jobs/{id}/output/status.json"),
        r#"{"state":"failed","reason":"too big"}"#,
        Duration::ZERO,
    );
    let expected = json!({ "state": "failed", "objects": [], "reason": "too big" });
    assert_eq!(state(&orchestrator, &id).await, expected);
}

#[tokio::test]
async fn without_the_note_of_the_task_it_is_found_by_who_started_it() {
    let (aws, orchestrator) = started().await;
    let id = job(&orchestrator).await;
    aws.remove(&format!("jobs/{id}/task"));
    aws.move_tasks(&id, "RUNNING", None, None);
    assert_eq!(state(&orchestrator, &id).await["state"], "running");
    assert_eq!(aws.calls("ListTasks")[0].body, json!({ "cluster": "leo-test", "startedBy": id }));
}

#[tokio::test]
async fn a_job_without_a_task_is_queued_at_first_and_then_failed() {
    let (aws, orchestrator) = started().await;
    let id = "00112233445566778899aabbccddeeff";
    aws.put(&format!("jobs/{id}/input"), "a bakery", Duration::from_secs(5));
    assert_eq!(state(&orchestrator, id).await, json!({ "state": "queued", "objects": [] }));
    aws.put(&format!("jobs/{id}/input"), "a bakery", Duration::from_mins(3));
    let expected =
        json!({ "state": "failed", "objects": [], "reason": "its task is gone and left no status" });
    assert_eq!(state(&orchestrator, id).await, expected);
}

#[tokio::test]
async fn unknown_and_impossible_ids_are_404_and_400() {
    let (aws, orchestrator) = started().await;
    let unknown = orchestrator.get("/jobs/00112233445566778899aabbccddeeff").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    for id in ["", "x", "..", "%2e%2e", "00112233445566778899AABBCCDDEEFF", "a/b"] {
        let answer = orchestrator.get(&format!("/jobs/{id}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{id}");
    }
    assert_eq!(aws.calls("ListObjectsV2").len(), 1, "an impossible id is not asked for");
}

#[tokio::test]
async fn bad_bodies_are_refused_before_anything_is_sent() {
    let (aws, orchestrator) = started().await;
    let long = format!(r#"{{"prompt":"{}"}}"#, "x".repeat(16 * 1024 + 1));
    for body in ["", "{", "[]", "{}", r#"{"prompt":1}"#, r#"{"prompt":" "}"#, "\"prompt\"", &long] {
        let answer = orchestrator.post(body.to_owned()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        assert!(!answer.text("error").is_empty());
    }
    let huge = orchestrator.post(vec![b' '; 200 << 10]).await;
    assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);
    let form = Request::post("/jobs").header(header::CONTENT_TYPE, "text/plain");
    let form = orchestrator.send(form.body(Full::from(r#"{"prompt":"x"}"#)).unwrap()).await;
    assert_eq!(form.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(aws.keys().is_empty() && aws.calls("RunTask").is_empty());
    let most = format!(r#"{{"prompt":"{}"}}"#, "x".repeat(16 * 1024));
    assert_eq!(orchestrator.post(most).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_lack_of_capacity_and_throttling_are_waited_out() {
    let (aws, orchestrator) = started().await;
    aws.answer_next("RunTask", 200, CAPACITY);
    aws.answer_next("RunTask", 400, THROTTLED);
    let id = job(&orchestrator).await;
    let tokens: Vec<_> = aws.calls("RunTask").iter().map(|call| call.body["clientToken"].clone()).collect();
    let (first, second) = (format!("{id}-0"), format!("{id}-1"));
    assert_eq!(tokens, [first.as_str(), &second, &second], "a new token only after ECS has refused");
}

#[tokio::test]
async fn what_aws_refuses_for_good_is_said_without_its_details() {
    let (aws, orchestrator) = started().await;
    let denied = r#"{"__type":"AccessDeniedException","message":"arn:aws:sts::123456789012:role/x may not"}"#;
    aws.answer_next("RunTask", 400, denied);
    let answer = orchestrator.post(r#"{"prompt":"a bakery"}"#).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.text("error"), "no generator could be started; the log says why");
    aws.answer_next(
        "RunTask",
        200,
        r#"{"failures":[{"reason":"You've reached the limit on vCPUs","detail":"6"}]}"#,
    );
    assert_eq!(orchestrator.post(r#"{"prompt":"a bakery"}"#).await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(aws.calls("RunTask").len(), 2);
    orchestrator.terminate();
    let (_, log) = orchestrator.finished().await;
    let expected =
        "failed to RunTask: AccessDeniedException (HTTP 400): arn:aws:sts::123456789012:role/x may not";
    assert_eq!(log[0], expected);
    assert_eq!(log[1], "hint: the task role's policy does not allow this call on this resource");
    assert_eq!(log[2], "failed to start a generator: You've reached the limit on vCPUs (6)");
    assert!(log[3].contains("L-3032A538"), "{}", log[3]);
}

#[tokio::test]
async fn other_addresses_and_methods_are_answered_in_json_too() {
    let (_aws, orchestrator) = started().await;
    assert_eq!(orchestrator.get("/").await.status, StatusCode::NOT_FOUND);
    for (method, path, allowed) in [
        (Method::DELETE, "/jobs", "POST"),
        (Method::PUT, "/jobs/00112233445566778899aabbccddeeff", "GET"),
        (Method::POST, "/healthz", "GET"),
    ] {
        let answer = orchestrator.method(method, path).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.headers[header::ALLOW], allowed);
    }
    assert_eq!(orchestrator.get("/ws").await.status, StatusCode::UPGRADE_REQUIRED);
}
