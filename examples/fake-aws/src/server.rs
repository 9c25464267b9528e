//! The listener, what is checked before a call, and the credentials endpoint.

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;

use crate::{ACCESS_KEY_ID, CONTAINER_KEY_ID, CONTAINER_TOKEN, REGION, Recorded, State, ecs, lock, s3};

pub(crate) type Answer = Response<Full<Bytes>>;

/// Serves until the process ends; the address that it listens on.
pub(crate) fn start(
    state: &Arc<Mutex<State>>,
    held: &watch::Sender<usize>,
    waiting: &watch::Sender<usize>,
) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
    listener.set_nonblocking(true).expect("a listener for tokio");
    let address = listener.local_addr().expect("the port that was bound");
    let (state, held, waiting) = (Arc::clone(state), held.subscribe(), waiting.clone());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener in the runtime");
            while let Ok((stream, _)) = listener.accept().await {
                let (state, held, waiting) = (Arc::clone(&state), held.clone(), waiting.clone());
                let service = service_fn(move |request| {
                    respond(Arc::clone(&state), held.clone(), waiting.clone(), request)
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
    });
    address
}

async fn respond(
    state: Arc<Mutex<State>>,
    mut held: watch::Receiver<usize>,
    waiting: watch::Sender<usize>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    waiting.send_modify(|calls| *calls += 1);
    // An error means that the test is over.
    let _ = held.wait_for(|holders| *holders == 0).await;
    waiting.send_modify(|calls| *calls -= 1);
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Ok(answer(400, "an unfinished body")) };
    let body = body.to_bytes();
    if parts.uri.path() == "/container-credentials" {
        return Ok(credentials(&state, &parts.headers));
    }
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let service = if target.is_some() { "ecs" } else { "s3" };
    let signed_by = match signer(&parts.headers, service) {
        Ok(signed_by) => signed_by,
        Err(reason) => {
            return Ok(answer(
                403,
                format!("<Error><Code>AccessDenied</Code><Message>{reason}</Message></Error>"),
            ));
        }
    };
    let (operation, input) = match target {
        Some(target) => ecs::operation(target, &body),
        None => s3::operation(&parts.method, &parts.uri),
    };
    let scripted = {
        let mut state = lock(&state);
        state.calls.push(Recorded { operation: operation.clone(), body: input.clone(), signed_by });
        state.scripted.get_mut(&operation).and_then(std::collections::VecDeque::pop_front)
    };
    Ok(match (scripted, target) {
        (Some(scripted), _) => answer(scripted.status, scripted.body),
        (None, Some(_)) => ecs::answer(&state, &operation, &input),
        (None, None) => s3::answer(&state, &operation, &parts, &input, body),
    })
}

/// The key id in a Signature Version 4 header for this service and region.
fn signer(headers: &HeaderMap, service: &str) -> Result<String, &'static str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = text("authorization").ok_or("the request is not signed")?;
    let credential = authorization
        .strip_prefix("AWS4-HMAC-SHA256 Credential=")
        .and_then(|rest| rest.split_once(','))
        .ok_or("another kind of signature")?
        .0;
    let (key_id, scope) = credential.split_once('/').ok_or("no scope")?;
    if !scope.ends_with(&format!("/{REGION}/{service}/aws4_request")) {
        return Err("another region or service");
    }
    if service == "s3" && text("x-amz-content-sha256").is_none() {
        return Err("the body's hash is missing");
    }
    let temporary = key_id.starts_with(CONTAINER_KEY_ID) && text("x-amz-security-token").is_some();
    if key_id == ACCESS_KEY_ID || temporary { Ok(key_id.to_owned()) } else { Err("unknown credentials") }
}

fn credentials(state: &Mutex<State>, headers: &HeaderMap) -> Answer {
    let mut state = lock(state);
    if headers.get("authorization").is_none_or(|token| token != CONTAINER_TOKEN) {
        return answer(401, "the token is wrong");
    }
    let Some(last) = state.credentials_last else { return answer(500, "no credentials now") };
    state.credentials_given += 1;
    let expiration = (OffsetDateTime::now_utc() + last).format(&Rfc3339).expect("a time that can be written");
    let document = json!({
        "AccessKeyId": format!("{CONTAINER_KEY_ID}{}", state.credentials_given),
        "SecretAccessKey": "secret",
        "Token": "session",
        "Expiration": expiration,
    });
    answer(200, document.to_string())
}

pub(crate) fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = StatusCode::from_u16(status).expect("a valid HTTP status in the test");
    answer
}
