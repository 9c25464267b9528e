//! The health gate against recorded answers of ECS and the load balancer, and a real HTTP server.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::StreamExt as _;
use leo_aws::FailureKind;
use leo_deploy::gate::{Gate, GateError, GateReport, Probe, Scheme, Wait, check};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::wire::{Answer, Conversation};

pub(crate) const PLANNED: &str = "arn:aws:ecs:us-east-1:111122223333:task-definition/leo-dev-orchestrator:7";
pub(crate) const OLD: &str = "arn:aws:ecs:us-east-1:111122223333:task-definition/leo-dev-orchestrator:6";
const TASK: &str = "arn:aws:ecs:us-east-1:111122223333:task/leo-dev/abc";
const INDEX: &str = "sha256:1111";
const MANIFEST: &str = "sha256:2222";

pub(crate) fn deployment(task_definition: &str, state: &str, running: i32) -> Value {
    json!({
        "id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": task_definition, "rolloutState": state,
        "runningCount": running, "desiredCount": 1,
    })
}

pub(crate) fn service(deployments: &[Value]) -> (&'static str, Answer) {
    let body =
        json!({ "services": [{ "serviceName": "o", "status": "ACTIVE", "deployments": deployments }] });
    ("DescribeServices", Answer::Body(200, body.to_string()))
}

/// One running task whose container reports this image and this digest.
pub(crate) fn tasks(task_definition: &str, image: &str, digest: Option<&str>) -> [(&'static str, Answer); 2] {
    let listed = json!({ "taskArns": [TASK] });
    let mut container = json!({ "name": "orchestrator", "image": image });
    if let Some(digest) = digest {
        container["imageDigest"] = digest.into();
    }
    let described = json!({ "tasks": [{
        "taskArn": TASK, "taskDefinitionArn": task_definition, "lastStatus": "RUNNING", "containers": [container],
    }] });
    [
        ("ListTasks", Answer::Body(200, listed.to_string())),
        ("DescribeTasks", Answer::Body(200, described.to_string())),
    ]
}

pub(crate) fn targets(states: &[(&str, &str)]) -> (&'static str, Answer) {
    let members = states
        .iter()
        .map(|(id, state)| {
            format!(
                "<member><Target><Id>{id}</Id><Port>8080</Port></Target><TargetHealth><State>{state}</State>\
                 <Description>said by the load balancer</Description></TargetHealth></member>"
            )
        })
        .collect::<String>();
    let xml = format!(
        "<DescribeTargetHealthResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
         <DescribeTargetHealthResult><TargetHealthDescriptions>{members}</TargetHealthDescriptions>\
         </DescribeTargetHealthResult></DescribeTargetHealthResponse>"
    );
    ("DescribeTargetHealth", Answer::Body(200, xml))
}

/// Everything as planned, as far as AWS tells.
pub(crate) fn good() -> Vec<(&'static str, Answer)> {
    let mut calls = vec![service(&[deployment(PLANNED, "COMPLETED", 1)])];
    calls.extend(tasks(PLANNED, "leo@sha256:1111", Some(MANIFEST)));
    calls.push(targets(&[("10.0.0.5", "healthy"), ("10.0.0.4", "draining")]));
    calls
}

pub(crate) fn gate(port: u16) -> Gate {
    Gate {
        cluster: "leo-dev".to_owned(),
        service: "o".to_owned(),
        task_definition: PLANNED.to_owned(),
        since: None,
        images: [("orchestrator".to_owned(), BTreeSet::from([INDEX.to_owned(), MANIFEST.to_owned()]))].into(),
        target_group: "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/o/1".to_owned(),
        probe: Probe {
            scheme: Scheme::Http,
            connect: "127.0.0.1".to_owned(),
            port,
            host: Some("app.invalid".to_owned()),
            path: "/healthz".to_owned(),
        },
        websocket_path: None,
        websocket_hold: Duration::ZERO,
        idle_timeout: None,
        public_name: None,
        deadline: Duration::ZERO,
        interval: Duration::ZERO,
    }
}

/// Looks at `answers` while a server answers its health path with `status`, and opens WebSockets at `/ws`.
pub(crate) async fn look(
    gate: Gate,
    answers: impl IntoIterator<Item = (&'static str, Answer)>,
    status: u16,
) -> Result<GateReport, GateError> {
    look_until(gate, answers, status, None).await
}

pub(crate) async fn look_until(
    mut gate: Gate,
    answers: impl IntoIterator<Item = (&'static str, Answer)>,
    status: u16,
    abort: Option<watch::Receiver<Option<String>>>,
) -> Result<GateReport, GateError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    gate.probe.port = listener.local_addr().unwrap().port();
    let conversation = Conversation::new(answers);
    let (ecs, load_balancing) = (conversation.ecs(), conversation.load_balancing());
    let result = tokio::select! {
        result = check(&gate, &ecs, &load_balancing, abort, &|_| {}) => result,
        () = serve(&listener, status) => unreachable!("the server goes on"),
    };
    conversation.assert_over();
    result
}

pub(crate) async fn serve(listener: &TcpListener, status: u16) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let length = stream.peek(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        let status = match request.split(' ').nth(1) {
            Some("/healthz") => status,
            Some("/ws") => {
                let mut socket = accept_async(stream).await.unwrap();
                // Pings are answered by reading.
                while let Some(Ok(_)) = socket.next().await {}
                continue;
            }
            Some("/closes") => {
                let away = CloseFrame { code: CloseCode::Away, reason: "no room".into() };
                accept_async(stream).await.unwrap().close(Some(away)).await.unwrap();
                continue;
            }
            _ => 404,
        };
        let response = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(response.as_bytes()).await.unwrap();
        // A socket that is closed over unread bytes resets the connection.
        let _ = stream.read(&mut [0; 1024]).await;
    }
}

/// The message and its hint, without the port, which is another one in each run.
pub(crate) fn told(error: &GateError) -> String {
    let text = format!("{error}\nhint: {}", error.hint().unwrap_or_default());
    let port = text.split("app.invalid:").nth(1).and_then(|rest| rest.split('/').next()).map(str::to_owned);
    port.map_or(text.clone(), |port| text.replace(&port, "PORT"))
}

#[tokio::test]
async fn what_runs_as_planned_passes() {
    let report = look(gate(0), good(), 200).await.unwrap();
    assert_eq!(report.http_status, 200);
    assert_eq!((report.running, report.healthy_targets), (1, 1));
    assert_eq!(report.deployment, "ecs-svc/1");
    assert!(report.warnings.is_empty());
}

#[tokio::test]
async fn a_digest_that_is_not_reported_is_read_from_the_reference() {
    let mut answers = good();
    answers.splice(1..3, tasks(PLANNED, "127.0.0.1:5000/leo@sha256:1111", None));
    look(gate(0), answers, 204).await.unwrap();
}

#[tokio::test]
async fn a_silent_rollback_does_not_pass_and_is_not_waited_for() {
    let failed = json!({
        "id": "ecs-svc/2", "status": "INACTIVE", "taskDefinition": PLANNED, "rolloutState": "FAILED",
        "rolloutStateReason": "tasks failed to start", "runningCount": 0, "desiredCount": 0,
    });
    let round = || {
        let mut calls = vec![service(&[deployment(OLD, "COMPLETED", 1), failed.clone()])];
        calls.extend(tasks(OLD, "leo@sha256:0000", Some("sha256:0000")));
        calls.push(targets(&[("10.0.0.4", "healthy")]));
        calls
    };
    let mut gate = gate(0);
    gate.deadline = Duration::from_hours(1);
    // Two looks that agree are enough.
    let error = look(gate, round().into_iter().chain(round()), 200).await.unwrap_err();
    assert!(matches!(error, GateError::Mismatch { waited: None, .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Failed);
    insta::assert_snapshot!(told(&error), @r"
    get the planned service running
      leo-dev-orchestrator:6 runs instead of leo-dev-orchestrator:7 (tasks failed to start)
    hint: the new tasks did not become healthy: their last log lines and stop reasons say why
    ");
}

#[tokio::test]
async fn another_image_under_the_planned_revision_does_not_pass() {
    let mut answers = good();
    answers.splice(1..3, tasks(PLANNED, "leo:latest", Some("sha256:3333")));
    insta::assert_snapshot!(told(&look(gate(0), answers, 200).await.unwrap_err()), @r"
    get the planned service running within 0 s
      container orchestrator of task abc runs sha256:3333 instead of sha256:1111 or sha256:2222
    hint: someone else may deploy at the same time: run the same command again
    ");
}

#[tokio::test]
async fn an_image_without_any_digest_does_not_pass() {
    let mut answers = good();
    answers.splice(1..3, tasks(PLANNED, "leo:latest", None));
    insta::assert_snapshot!(told(&look(gate(0), answers, 200).await.unwrap_err()), @r"
    get the planned service running within 0 s
      container orchestrator of task abc runs leo:latest instead of sha256:1111 or sha256:2222
    hint: someone else may deploy at the same time: run the same command again
    ");
}

#[tokio::test]
async fn a_rollout_that_goes_on_is_told_with_everything_that_is_missing() {
    let older = json!({
        "id": "ecs-svc/0", "status": "ACTIVE", "taskDefinition": OLD, "rolloutState": "COMPLETED",
        "runningCount": 1, "desiredCount": 1,
    });
    let answers = [
        service(&[deployment(PLANNED, "IN_PROGRESS", 0), older]),
        ("ListTasks", Answer::Body(200, json!({ "taskArns": [] }).to_string())),
        targets(&[]),
    ];
    insta::assert_snapshot!(told(&look(gate(0), answers, 200).await.unwrap_err()), @r"
    get the planned service running within 0 s
      the deployment is IN_PROGRESS, 0 of 1 tasks run
      an older deployment of leo-dev-orchestrator:6 still has a desired count of 1
      0 of 1 tasks of the planned task definition are listed as running
      the target group has no target
    hint:
    ");
}

#[tokio::test]
async fn an_unhealthy_target_does_not_pass() {
    let mut answers = good();
    answers[3] = targets(&[("10.0.0.5", "unhealthy")]);
    insta::assert_snapshot!(told(&look(gate(0), answers, 200).await.unwrap_err()), @r"
    get the planned service running within 0 s
      target 10.0.0.5:8080 is unhealthy (said by the load balancer)
    hint: the orchestrator has to answer its health path with a status of 2xx on its port
    ");
}

#[tokio::test]
async fn a_load_balancer_that_answers_503_does_not_pass() {
    insta::assert_snapshot!(told(&look(gate(0), good(), 503).await.unwrap_err()), @r"
    get the planned service running within 0 s
      http://app.invalid:PORT/healthz answers with 503
    hint: the orchestrator has to answer its health path with a status of 2xx on its port
    ");
}

#[tokio::test]
async fn a_rollout_that_failed_says_what_still_runs() {
    let mut failed = deployment(PLANNED, "FAILED", 0);
    failed["rolloutStateReason"] = "tasks failed container health checks".into();
    let older = json!({
        "id": "ecs-svc/0", "status": "ACTIVE", "taskDefinition": OLD, "rolloutState": "COMPLETED",
        "runningCount": 1, "desiredCount": 1,
    });
    let answers = [
        service(&[failed, older]),
        ("ListTasks", Answer::Body(200, json!({ "taskArns": [] }).to_string())),
        targets(&[("10.0.0.4", "healthy")]),
    ];
    insta::assert_snapshot!(told(&look(gate(0), answers, 200).await.unwrap_err()), @r"
    get the planned service running within 0 s
      the deployment of leo-dev-orchestrator:7 failed (tasks failed container health checks); leo-dev-orchestrator:6 still runs
    hint: the new tasks did not become healthy: their last log lines and stop reasons say why
    ");
}

#[tokio::test]
async fn a_redirect_is_not_an_answer() {
    assert!(look(gate(0), good(), 301).await.is_err());
}

#[tokio::test]
async fn a_service_that_is_not_there_does_not_pass() {
    let answers = [("DescribeServices", Answer::Body(200, json!({ "services": [] }).to_string()))];
    insta::assert_snapshot!(told(&look(gate(0), answers, 200).await.unwrap_err()), @r"
    get the planned service running within 0 s
      there is no service o
    hint:
    ");
}

#[tokio::test]
async fn a_domain_that_leads_elsewhere_is_a_warning() {
    let mut gate = gate(0);
    gate.public_name = Some("127.0.0.2".to_owned());
    let report = look(gate, good(), 200).await.unwrap();
    insta::assert_snapshot!(report.warnings.join("\n"), @"127.0.0.2 leads to 127.0.0.2; create a record: 127.0.0.2 CNAME 127.0.0.1 (in Route 53: an alias A record)");
}

#[tokio::test]
async fn denied_calls_are_told_apart_from_mismatches() {
    let denied = json!({ "__type": "AccessDeniedException", "message": "not authorized" });
    let answers = [("DescribeServices", Answer::Body(400, denied.to_string()))];
    let error = look(gate(0), answers, 200).await.unwrap_err();
    assert!(matches!(error, GateError::Service(_)), "{error}");
    assert_eq!(error.kind(), FailureKind::Credentials);
    insta::assert_snapshot!(told(&error), @r"
    look at what runs: DescribeServices: AccessDeniedException: not authorized
    hint: allow these credentials to call DescribeServices, or use others
    ");
}

#[tokio::test]
async fn what_is_missing_is_told_while_it_is_waited_for_and_throttling_is_borne() {
    let mut answers = vec![
        service(&[deployment(PLANNED, "IN_PROGRESS", 0)]),
        ("ListTasks", Answer::Body(200, json!({ "taskArns": [] }).to_string())),
        targets(&[("10.0.0.5", "initial")]),
        (
            "DescribeServices",
            Answer::Body(
                400,
                json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }).to_string(),
            ),
        ),
    ];
    answers.extend(good());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut gate = gate(listener.local_addr().unwrap().port());
    gate.deadline = Duration::from_hours(1);
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    };
    let conversation = Conversation::new(answers);
    let waits = Mutex::new(Vec::new());
    let (ecs, load_balancing) = (conversation.ecs(), conversation.load_balancing());
    let on_wait = |wait: Wait| waits.lock().unwrap().push(wait.to_string());
    let (result, ()) = tokio::join!(check(&gate, &ecs, &load_balancing, None, &on_wait), server);
    assert_eq!(result.unwrap().http_status, 200);
    conversation.assert_over();
    insta::assert_snapshot!(waits.lock().unwrap().join("\n"), @r"
    the deployment is IN_PROGRESS, 0 of 1 tasks run; 0 of 1 tasks of the planned task definition are listed as running; target 10.0.0.5:8080 is initial (said by the load balancer)
    DescribeServices: ThrottlingException: Rate exceeded
    ");
}
