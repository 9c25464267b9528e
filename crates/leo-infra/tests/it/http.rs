//! Plain and signed requests to addresses of this machine.

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use leo_local::LocalTarget;
use serde_json::Value;
use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, SystemTime},
};

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// One request over a connection of its own.
pub(crate) fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let (authority, path) = split(url);
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").expect("a text takes it");
    }
    let mut stream = connect(authority);
    write!(stream, "{head}\r\n{body}").expect("sends");
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).expect("receives");
    parse(&String::from_utf8_lossy(&raw))
}

pub(crate) fn get(url: &str) -> Answer {
    request("GET", url, &[], "")
}

pub(crate) fn post(url: &str, body: &str) -> Answer {
    request("POST", url, &[("Content-Type", "application/json")], body)
}

/// The status that a WebSocket handshake is answered with.
pub(crate) fn websocket(url: &str) -> u16 {
    let (authority, path) = split(url);
    let mut stream = connect(authority);
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .expect("sends");
    let mut first = [0; 12];
    stream.read_exact(&mut first).expect("receives");
    String::from_utf8_lossy(&first)
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("has a status")
}

/// An object of a bucket of the local target.
pub(crate) fn object(target: &LocalTarget, bucket: &str, key: &str) -> Answer {
    s3(target, "GET", &format!("/{bucket}/{key}"), "")
}

/// Writes an object to a bucket of the local target.
pub(crate) fn put_object(target: &LocalTarget, bucket: &str, key: &str, body: &str) -> Answer {
    s3(target, "PUT", &format!("/{bucket}/{key}"), body)
}

/// Deletes an object of a bucket of the local target.
pub(crate) fn delete_object(target: &LocalTarget, bucket: &str, key: &str) -> Answer {
    s3(target, "DELETE", &format!("/{bucket}/{key}"), "")
}

fn s3(target: &LocalTarget, method: &str, path: &str, body: &str) -> Answer {
    signed(target, "s3", &[], (method, path, body))
}

/// What a service that speaks JSON answers to an operation of its API: `AmazonEC2ContainerServiceV20141113.RunTask`.
pub(crate) fn api(target: &LocalTarget, service: &str, operation: &str, body: &Value) -> Value {
    let headers = [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", operation)];
    let answer = signed(target, service, &headers, ("POST", "/", &body.to_string()));
    assert_eq!(answer.status, 200, "{operation}: {answer:?}");
    answer.json()
}

/// What a service of the query protocol answers: `Action` and its parameters.
pub(crate) fn query(target: &LocalTarget, service: &str, parameters: &[(&str, &str)]) -> Answer {
    let encoded = |text: &str| {
        text.bytes().fold(String::new(), |mut encoded, byte| {
            write!(encoded, "%{byte:02X}").expect("a text takes it");
            encoded
        })
    };
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    let body = pairs.chain(["Version=2010-05-08".to_owned()]).collect::<Vec<_>>().join("&");
    let headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")];
    signed(target, service, &headers, ("POST", "/", &body))
}

/// A signed request: method, path and body.
fn signed(
    target: &LocalTarget,
    service: &str,
    more: &[(&str, &str)],
    (method, path, body): (&str, &str, &str),
) -> Answer {
    let url = format!("{}{path}", target.endpoint);
    let credentials =
        Credentials::new(&target.access_key_id, target.secret_access_key.expose(), None, None, "test");
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&target.region)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("is complete")
        .into();
    let (authority, _) = split(&url);
    let body_bytes = SignableBody::Bytes(body.as_bytes());
    let signable = SignableRequest::new(method, &url, [("host", authority)].into_iter(), body_bytes)
        .expect("can be signed");
    let (instructions, _) = sign(signable, &parameters).expect("is signed").into_parts();
    let headers: Vec<(&str, &str)> = instructions.headers().chain(more.iter().copied()).collect();
    request(method, &url, &headers, body)
}

fn split(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").expect("is plain HTTP");
    rest.find('/').map_or((rest, "/"), |at| rest.split_at(at))
}

fn connect(authority: &str) -> TcpStream {
    let stream = TcpStream::connect(authority).expect("connects");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("is set");
    stream
}

fn parse(raw: &str) -> Answer {
    let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((raw, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("has a status");
    let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    Answer { status, body: if chunked { unchunked(body) } else { body.to_owned() } }
}

fn unchunked(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || size > after.len() {
            break;
        }
        body.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    body
}
