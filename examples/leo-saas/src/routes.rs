//! What each address answers.

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

use crate::access::{Access, Refusal};
use crate::answer::{self, Answer};
use crate::drain::Busy;
use crate::jobs::Jobs;
use crate::run::RunId;
use crate::{log, websocket};

/// The longest prompt, in bytes of UTF-8.
const LONGEST_PROMPT: usize = 16 << 10;
/// The longest body: a prompt of which every character is escaped, and room to spare.
const LONGEST_BODY: usize = 128 << 10;
/// How long a body may take to arrive.
const BODY_LIMIT: Duration = Duration::from_secs(10);

/// What every request needs.
pub(crate) struct App {
    pub(crate) access: Access,
    pub(crate) jobs: Jobs,
    pub(crate) busy: Busy,
}

/// Answers one request.
pub(crate) async fn respond(app: Arc<App>, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let is_jobs = path == "/jobs" || path.starts_with("/jobs/");
    if is_jobs && let Err(refusal) = app.access.admit(request.headers(), Instant::now()).await {
        return refused(refusal);
    }
    match path.as_str() {
        "/healthz" if method == Method::GET => answer::document(StatusCode::OK, &json!({ "status": "ok" })),
        "/ws" if method == Method::GET => websocket::upgrade(request, app.busy.clone()),
        "/healthz" | "/ws" => wrong_method("GET"),
        "/jobs" if method == Method::POST => create(&app, request).await,
        "/jobs" => wrong_method("POST"),
        _ => match path.strip_prefix("/jobs/") {
            Some(id) if method == Method::GET => show(&app, id).await,
            Some(_) => wrong_method("GET"),
            None => answer::error(StatusCode::NOT_FOUND, "there is nothing here"),
        },
    }
}

fn wrong_method(allowed: &'static str) -> Answer {
    let answer = answer::error(StatusCode::METHOD_NOT_ALLOWED, "this address knows other methods");
    answer::with(answer, header::ALLOW, allowed)
}

fn refused(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::Unauthorized { hint } => {
            let document =
                json!({ "error": "send `Authorization: Bearer <the demo's token>`", "hint": hint });
            let answer = answer::document(StatusCode::UNAUTHORIZED, &document);
            answer::with(answer, header::WWW_AUTHENTICATE, "Bearer")
        }
        Refusal::Unavailable => later("the token can't be checked; the log says why"),
    }
}

async fn create(app: &Arc<App>, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    // A page in a browser can send JSON elsewhere only after asking, and is not answered.
    if !is_json(&parts.headers) {
        return answer::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send `Content-Type: application/json`");
    }
    let body = match timeout(BODY_LIMIT, Limited::new(body, LONGEST_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return answer::error(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 128 KiB");
        }
        Ok(Err(_)) => return answer::error(StatusCode::BAD_REQUEST, "the body broke off"),
        Err(_) => return answer::error(StatusCode::REQUEST_TIMEOUT, "the body did not arrive within 10 s"),
    };
    let prompt = match prompt(&body) {
        Ok(prompt) => prompt,
        Err(reason) => return answer::error(StatusCode::BAD_REQUEST, &reason),
    };
    // A task of its own: a client that hangs up, or a server that stops, must not leave a generator half started.
    let (jobs, busy) = (app.jobs.clone(), app.busy.clone());
    let starting = tokio::spawn(async move {
        let _busy = busy;
        jobs.start(prompt).await
    });
    match starting.await {
        Ok(Ok(run)) => answer::document(StatusCode::ACCEPTED, &json!({ "id": run.to_string() })),
        Ok(Err(error)) => {
            log::failure(format_args!("failed to {error}"), error.hint());
            let message = "no generator could be started; the log says why";
            if error.is_passing() { later(message) } else { answer::error(StatusCode::BAD_GATEWAY, message) }
        }
        Err(_) => answer::error(StatusCode::INTERNAL_SERVER_ERROR, "a defect in the orchestrator"),
    }
}

async fn show(app: &App, id: &str) -> Answer {
    let Some(run) = RunId::parse(id) else {
        return answer::error(StatusCode::BAD_REQUEST, "a job's id is 32 hexadecimal digits");
    };
    match app.jobs.look(&run).await {
        Ok(Some(job)) => {
            let mut document = json!({ "state": job.state.word(), "objects": job.objects });
            if let (Some(reason), Some(fields)) = (job.reason, document.as_object_mut()) {
                fields.insert("reason".to_owned(), Value::from(reason));
            }
            answer::document(StatusCode::OK, &document)
        }
        Ok(None) => answer::error(StatusCode::NOT_FOUND, "there is no such job"),
        Err(error) => {
            log::failure(format_args!("run {run}: failed to {error}"), error.hint());
            let message = "the job's state can't be read; the log says why";
            if error.is_transient() {
                later(message)
            } else {
                answer::error(StatusCode::BAD_GATEWAY, message)
            }
        }
    }
}

/// Worth asking again.
fn later(message: &str) -> Answer {
    answer::with(answer::error(StatusCode::SERVICE_UNAVAILABLE, message), header::RETRY_AFTER, "10")
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// The prompt in `{"prompt": …}`, or what is wrong with it.
fn prompt(body: &[u8]) -> Result<String, String> {
    let document: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let prompt =
        document.get("prompt").and_then(Value::as_str).ok_or("the body has no text under `prompt`")?;
    match prompt.trim() {
        "" => Err("the prompt is empty".to_owned()),
        trimmed if trimmed.len() > LONGEST_PROMPT => Err("the prompt is longer than 16 KiB".to_owned()),
        trimmed => Ok(trimmed.to_owned()),
    }
}
