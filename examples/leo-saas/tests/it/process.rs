//! The program as ECS sees it: starting, health, SIGTERM, exit codes.

use fake_aws::FakeAws;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::StatusCode;
use std::collections::BTreeMap;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::orchestrator::{Orchestrator, program, variables};

async fn websocket(orchestrator: &Orchestrator) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", orchestrator.port)).await.unwrap();
    let (socket, _) = client_async("ws://leo.test/ws", stream).await.unwrap();
    socket
}

#[tokio::test]
async fn sigterm_closes_websockets_with_1001_and_exits_0() {
    let orchestrator = Orchestrator::start(&variables(&FakeAws::start())).await;
    let mut socket = websocket(&orchestrator).await;
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    orchestrator.terminate();
    let Some(Ok(Message::Close(Some(CloseFrame { code, .. })))) = socket.next().await else {
        panic!("a close frame")
    };
    assert_eq!(u16::from(code), 1001);
    while socket.next().await.is_some() {}
    let (code, log) = orchestrator.finished().await;
    assert_eq!((code, log), (Some(0), vec!["stopping: SIGTERM".to_owned(), "stopped".to_owned()]));
}

#[tokio::test]
async fn sigterm_lets_a_request_finish_and_takes_no_new_one() {
    let aws = FakeAws::start();
    let mut orchestrator = Orchestrator::start(&variables(&aws)).await;
    let port = orchestrator.port;
    // AWS does not answer while the signal comes.
    let hold = aws.hold();
    {
        let mut answer = std::pin::pin!(orchestrator.post(r#"{"prompt":"a bakery"}"#));
        // Polled until the request has reached AWS, which is when the program waits for it.
        tokio::select! {
            biased;
            _ = answer.as_mut() => panic!("AWS has not answered"),
            () = aws.waiting() => {}
        }
        orchestrator.terminate();
        drop(hold);
        assert_eq!(answer.await.status, StatusCode::ACCEPTED);
    }
    assert!(orchestrator.child.wait().await.unwrap().success());
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[tokio::test]
async fn health_is_0_while_it_serves_and_1_when_nobody_does() {
    let orchestrator = Orchestrator::start(&variables(&FakeAws::start())).await;
    let port = orchestrator.port.to_string();
    let health = || async {
        let variables: BTreeMap<_, _> = [("PORT".to_owned(), port.clone())].into();
        program(&variables).arg("health").output().await.unwrap()
    };
    let healthy = health().await;
    assert_eq!((healthy.status.code(), healthy.stderr), (Some(0), Vec::new()));
    orchestrator.terminate();
    assert_eq!(orchestrator.finished().await.0, Some(0));
    let unhealthy = health().await;
    assert_eq!(unhealthy.status.code(), Some(1));
    let reason = String::from_utf8(unhealthy.stderr).unwrap();
    assert!(
        reason.starts_with(&format!("error: failed to ask 127.0.0.1:{port} for its health: ")),
        "{reason}"
    );
}

#[tokio::test]
async fn health_does_not_need_aws() {
    let mut variables = variables(&FakeAws::start());
    variables.insert("AWS_ENDPOINT_URL".to_owned(), "http://127.0.0.1:9".to_owned());
    let orchestrator = Orchestrator::start(&variables).await;
    assert_eq!(orchestrator.get("/healthz").await.body, serde_json::json!({ "status": "ok" }));
}

#[tokio::test]
async fn a_wrong_environment_is_exit_2_with_every_name_and_no_value() {
    let mut variables = variables(&FakeAws::start());
    variables.remove("LEO_BUCKET");
    variables.remove("LEO_CLUSTER");
    variables.insert("LEO_GENERATOR_ASSIGN_PUBLIC_IP".to_owned(), "swordfish".to_owned());
    let output = program(&variables).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @r"
    error: failed to read the environment: LEO_BUCKET is not set; LEO_CLUSTER is not set; LEO_GENERATOR_ASSIGN_PUBLIC_IP is not ENABLED or DISABLED
    hint: the task definition sets these; outside ECS, see examples/README.md
    ");
}

#[tokio::test]
async fn an_unknown_command_is_exit_2() {
    let output = program(&BTreeMap::new()).arg("serve").output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"usage: leo-saas [health]");
}
