//! As much of S3, of ECS and of the container's credentials endpoint as the demo programs call, on a loopback port of
//! its own, with what each test wants it to answer.
//!
//! It starts no container and checks no signature's value (an emulator with real authentication does that), but refuses
//! what is not signed at all, for another region, or with credentials that it did not give out.

// A double that cannot start, or a test that scripts nonsense, should end the test where it stands.
#![allow(clippy::expect_used, clippy::missing_panics_doc)]

mod ecs;
mod s3;
mod server;

use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

/// The region that requests must be signed for.
pub const REGION: &str = "eu-central-1";
/// The key id of the fixed credentials.
pub const ACCESS_KEY_ID: &str = "AKIAFIXEDEXAMPLE";
/// The key id of the credentials that the container endpoint gives out; a number is appended.
pub const CONTAINER_KEY_ID: &str = "ASIACONTAINER";
/// What the container endpoint wants in `Authorization`.
pub const CONTAINER_TOKEN: &str = "a container's token";
/// The one bucket.
pub const BUCKET: &str = "leo-test-apps";

/// A running fake. It lives until the test's process ends.
#[derive(Clone)]
pub struct FakeAws {
    url: String,
    state: Arc<Mutex<State>>,
    held: watch::Sender<usize>,
    waiting: watch::Sender<usize>,
}

/// Keeps every answer back.
pub struct Hold(watch::Sender<usize>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.send_modify(|holders| *holders -= 1);
    }
}

/// A call that was made and was let through.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// AWS's name of the operation.
    pub operation: String,
    /// The request's JSON, or for S3 the key (or prefix).
    pub body: Value,
    /// The key id that signed it.
    pub signed_by: String,
}

/// An answer to give instead of the real one.
#[derive(Clone, Debug)]
pub struct Scripted {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// A stored object.
#[derive(Clone, Debug)]
pub struct Object {
    /// What it holds.
    pub body: Vec<u8>,
    /// As it was sent.
    pub content_type: String,
    last_modified: SystemTime,
}

#[derive(Clone, Debug)]
struct Task {
    started_by: String,
    last_status: String,
    exit_code: Option<i64>,
    stopped_reason: Option<String>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Object>,
    tasks: BTreeMap<String, Task>,
    scripted: BTreeMap<String, VecDeque<Scripted>>,
    calls: Vec<Recorded>,
    credentials_given: usize,
    credentials_last: Option<Duration>,
}

impl FakeAws {
    /// Starts one on a free port, on a thread and runtime of its own, so that a test's paused clock does not stop it.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let held = watch::Sender::new(0);
        let waiting = watch::Sender::new(0);
        let address = server::start(&state, &held, &waiting);
        Self { url: format!("http://{address}"), state, held, waiting }
    }

    /// The value for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The variables that lead a program to this fake with fixed credentials.
    pub fn variables(&self) -> BTreeMap<String, String> {
        [
            ("AWS_REGION", REGION),
            ("AWS_ENDPOINT_URL", &self.url),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", "a secret that nobody checks"),
            ("LEO_BUCKET", BUCKET),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// The same with the container's endpoint in the place of fixed credentials.
    pub fn container_variables(&self) -> BTreeMap<String, String> {
        let mut variables = self.variables();
        variables.retain(|name, _| !name.contains("KEY"));
        let uri = format!("{}/container-credentials", self.url);
        variables.insert("AWS_CONTAINER_CREDENTIALS_FULL_URI".to_owned(), uri);
        variables.insert("AWS_CONTAINER_AUTHORIZATION_TOKEN".to_owned(), CONTAINER_TOKEN.to_owned());
        variables
    }

    /// How long the container endpoint's credentials last from now on; `None` makes it refuse. At first, it refuses.
    pub fn set_container_credentials(&self, last: Option<Duration>) {
        self.state().credentials_last = last;
    }

    /// Until what is returned is dropped, no call is answered, or even looked at.
    pub fn hold(&self) -> Hold {
        self.held.send_modify(|holders| *holders += 1);
        Hold(self.held.clone())
    }

    /// Resolves when a call has come in that is held back.
    pub async fn waiting(&self) {
        let mut waiting = self.waiting.subscribe();
        // An error means that the server is gone, with the test.
        let _ = waiting.wait_for(|calls| *calls > 0).await;
    }

    /// The next call of that operation gets this answer; several of them are given in their order.
    pub fn answer_next(&self, operation: &str, status: u16, body: impl Into<String>) {
        let answer = Scripted { status, body: body.into() };
        self.state().scripted.entry(operation.to_owned()).or_default().push_back(answer);
    }

    /// Stores an object that was written `age` ago.
    pub fn put(&self, key: &str, body: impl Into<Vec<u8>>, age: Duration) {
        let object = Object {
            body: body.into(),
            content_type: "text/plain".to_owned(),
            last_modified: SystemTime::now().checked_sub(age).expect("an age within the clock's range"),
        };
        self.state().objects.insert(key.to_owned(), object);
    }

    /// The object of that key.
    pub fn object(&self, key: &str) -> Option<Object> {
        self.state().objects.get(key).cloned()
    }

    /// All keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    /// Removes an object.
    pub fn remove(&self, key: &str) {
        self.state().objects.remove(key);
    }

    /// Moves every task that was started under that name to a status, with an exit code where it has ended.
    pub fn move_tasks(
        &self,
        started_by: &str,
        last_status: &str,
        exit_code: Option<i64>,
        reason: Option<&str>,
    ) {
        for task in self.state().tasks.values_mut().filter(|task| task.started_by == started_by) {
            last_status.clone_into(&mut task.last_status);
            task.exit_code = exit_code;
            task.stopped_reason = reason.map(str::to_owned);
        }
    }

    /// Forgets every task, as ECS does about an hour after their end.
    pub fn forget_tasks(&self) {
        self.state().tasks.clear();
    }

    /// All calls of that operation, in their order.
    pub fn calls(&self, operation: &str) -> Vec<Recorded> {
        self.state().calls.iter().filter(|call| call.operation == operation).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A test that panicked in another thread has not made the state worse.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
