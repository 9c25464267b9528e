//! A running orchestrator and a client for it.

use fake_aws::FakeAws;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};

/// The variables of the task definition, leading to the fake.
pub(crate) fn variables(aws: &FakeAws) -> BTreeMap<String, String> {
    let mut variables = aws.variables();
    let own = [
        ("PORT", "0"),
        ("LEO_CLUSTER", "leo-test"),
        ("LEO_GENERATOR_TASK_DEFINITION", "leo-test-generator"),
        ("LEO_GENERATOR_CONTAINER", "generator"),
        ("LEO_GENERATOR_SUBNETS", "subnet-a,subnet-b"),
        ("LEO_GENERATOR_SECURITY_GROUP", "sg-generator"),
        ("LEO_GENERATOR_ASSIGN_PUBLIC_IP", "ENABLED"),
        ("LEO_GENERATOR_CAPACITY_PROVIDER", "FARGATE_SPOT"),
    ];
    variables.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables
}

/// The program, with no variables but the given ones.
pub(crate) fn program(variables: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leo-saas"));
    command.env_clear().envs(variables).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

pub(crate) struct Orchestrator {
    pub(crate) port: u16,
    pub(crate) child: Child,
    pub(crate) log: Lines<BufReader<ChildStderr>>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    pub(crate) body: Value,
}

impl Answered {
    /// The text under a name in the document.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {}", self.body))
    }
}

impl Orchestrator {
    /// Starts one and waits until it listens.
    pub(crate) async fn start(variables: &BTreeMap<String, String>) -> Self {
        let mut child = program(variables).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = log.next_line().await.unwrap().unwrap();
        let address = first.strip_prefix("listening on ").and_then(|rest| rest.split(';').next());
        let port = address.and_then(|address| address.rsplit(':').next()?.parse().ok());
        Self { port: port.unwrap_or_else(|| panic!("no address in: {first}")), child, log }
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.send(Request::get(path).body(Full::default()).unwrap()).await
    }

    pub(crate) async fn post(&self, body: impl Into<Bytes>) -> Answered {
        let request = Request::post("/jobs").header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Full::new(body.into())).unwrap()).await
    }

    pub(crate) async fn method(&self, method: Method, path: &str) -> Answered {
        self.send(Request::builder().method(method).uri(path).body(Full::default()).unwrap()).await
    }

    pub(crate) async fn send(&self, mut request: Request<Full<Bytes>>) -> Answered {
        request.headers_mut().insert(header::HOST, header::HeaderValue::from_static("leo.test"));
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).expect("every answer is JSON");
        Answered { status: parts.status, headers: parts.headers, body }
    }

    /// Sends the signal that ECS sends.
    pub(crate) fn terminate(&self) {
        let pid = rustix::process::Pid::from_raw(self.child.id().unwrap().cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// The exit code, and what it said since it listened.
    pub(crate) async fn finished(mut self) -> (Option<i32>, Vec<String>) {
        let mut log = Vec::new();
        while let Some(line) = self.log.next_line().await.unwrap() {
            log.push(line);
        }
        (self.child.wait().await.unwrap().code(), log)
    }
}
