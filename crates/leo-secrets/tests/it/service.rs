//! Secrets Manager in memory, at the level of its wire format and with the rules of its API reference.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// A secret of the service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stored {
    pub(crate) versions: BTreeMap<String, Version>,
    /// Which version has which label.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) deleted: bool,
    /// Which of the creations under its name it is.
    pub(crate) created: u32,
    pub(crate) changed: u64,
    /// Each time that another version became the current one: which, and in whose place.
    pub(crate) moves: Vec<(String, Option<String>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) text: Option<String>,
    pub(crate) created: u64,
}

/// What goes wrong with a call.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It is not carried out.
    Refused(u16, Value),
    /// It is carried out, and the answer does not arrive.
    AnswerLost,
}

impl Fault {
    /// A refusal.
    pub(crate) fn of((status, answer): (u16, Value)) -> Self {
        Self::Refused(status, answer)
    }
}

type Hook = Box<dyn FnOnce(&mut Stored) + Send>;

/// The service: its secrets, what it was asked, and what goes wrong.
#[derive(Clone, Default)]
pub(crate) struct Service {
    pub(crate) secrets: Arc<Mutex<BTreeMap<String, Stored>>>,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    /// By operation: the faults of its next calls.
    faults: Arc<Mutex<BTreeMap<&'static str, Vec<Fault>>>>,
    /// By operation: what someone else does to the secret just before its next call.
    hooks: Arc<Mutex<BTreeMap<&'static str, Vec<Hook>>>>,
    /// Whether a secret's first version gets only the labels that it is sent with.
    pub(crate) pedantic: Arc<AtomicBool>,
    /// How many other calls each of the next answers lets pass; 1 where nothing is said.
    pub(crate) delays: Arc<Mutex<Vec<u8>>>,
}

impl Stored {
    /// Another one's change: a version that becomes the current one.
    pub(crate) fn put(&mut self, id: &str, text: &str) {
        self.changed += 10;
        let version = Version { text: Some(text.to_owned()), created: self.changed };
        self.versions.insert(id.to_owned(), version);
        self.label("AWSCURRENT", id);
    }

    pub(crate) fn label(&mut self, label: &str, id: &str) {
        let previous = self.labels.insert(label.to_owned(), id.to_owned());
        if label == "AWSCURRENT" && previous.as_deref() != Some(id) {
            self.moves.push((id.to_owned(), previous.clone()));
            if let Some(previous) = previous {
                self.labels.insert("AWSPREVIOUS".to_owned(), previous);
            }
        }
    }

    fn stages(&self, id: &str) -> Vec<&String> {
        self.labels.iter().filter(|(_, labelled)| *labelled == id).map(|(label, _)| label).collect()
    }
}

impl Service {
    pub(crate) fn with(secrets: &[(&str, Option<&str>)]) -> Self {
        let service = Self::default();
        for (name, value) in secrets {
            let mut stored = Stored { changed: 1_790_000_000, ..Stored::default() };
            if let Some(value) = value {
                stored.put(OLD, value);
            }
            service.secrets.lock().unwrap().insert((*name).to_owned(), stored);
        }
        service
    }

    /// A client that tries everything once.
    pub(crate) fn client(&self) -> Client {
        self.trying(RetryConfig::disabled())
    }

    /// A client that tries as often as the commands' own.
    pub(crate) fn patient_client(&self) -> Client {
        self.trying(RetryConfig::standard().with_max_attempts(6))
    }

    fn trying(&self, retries: RetryConfig) -> Client {
        let connector = SharedHttpConnector::new(self.clone());
        let configuration = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("AKIATEST", "test", None, None, "test"))
            .retry_config(retries)
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        Client::from_conf(configuration)
    }

    /// The next calls of an operation go wrong.
    pub(crate) fn fail(&self, operation: &'static str, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().entry(operation).or_default().extend(faults);
    }

    /// All calls of an operation are refused.
    pub(crate) fn refuse(&self, operation: &'static str, refusal: (u16, Value)) {
        self.fail(operation, vec![Fault::of(refusal); 100]);
    }

    /// Nothing goes wrong any more.
    pub(crate) fn recover(&self) {
        self.faults.lock().unwrap().clear();
    }

    /// What someone else does just before the next call of an operation.
    pub(crate) fn just_before(
        &self,
        operation: &'static str,
        hook: impl FnOnce(&mut Stored) + Send + 'static,
    ) {
        self.hooks.lock().unwrap().entry(operation).or_default().push(Box::new(hook));
    }

    /// Someone else's change.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Stored)) {
        change(self.secrets.lock().unwrap().get_mut(name).unwrap());
    }

    /// The text of the current version.
    pub(crate) fn text(&self, name: &str) -> String {
        let secrets = self.secrets.lock().unwrap();
        let stored = &secrets[name];
        stored.versions[&stored.labels["AWSCURRENT"]].text.clone().unwrap()
    }

    pub(crate) fn current(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    pub(crate) fn arn(&self, name: &str) -> String {
        arn(name, &self.secrets.lock().unwrap()[name])
    }

    pub(crate) fn version(&self, name: &str) -> String {
        self.secrets.lock().unwrap()[name].labels["AWSCURRENT"].clone()
    }

    pub(crate) fn versions(&self, name: &str) -> usize {
        self.secrets.lock().unwrap()[name].versions.len()
    }

    pub(crate) fn times_asked(&self, operation: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == operation).count()
    }

    fn answer(&self, operation: &str, request: &Value) -> (u16, Value) {
        self.asked.lock().unwrap().push(operation.to_owned());
        let name = request["SecretId"].as_str().unwrap();
        let hook = self.hooks.lock().unwrap().get_mut(operation).and_then(Vec::pop);
        if let Some(hook) = hook {
            self.change(name, hook);
        }
        let mut faults = self.faults.lock().unwrap();
        let fault =
            faults.get_mut(operation).filter(|faults| !faults.is_empty()).map(|faults| faults.remove(0));
        drop(faults);
        match fault {
            Some(Fault::Refused(status, answer)) => (status, answer),
            Some(Fault::AnswerLost) => {
                self.carry_out(operation, name, request);
                (503, json!({}))
            }
            Some(Fault::None) | None => self.carry_out(operation, name, request),
        }
    }

    fn carry_out(&self, operation: &str, name: &str, request: &Value) -> (u16, Value) {
        let mut secrets = self.secrets.lock().unwrap();
        let Some(stored) = secrets.get_mut(name) else {
            return error("ResourceNotFoundException", "not found");
        };
        if stored.deleted && !matches!(operation, "DescribeSecret" | "RestoreSecret") {
            return error("InvalidRequestException", "was marked for deletion");
        }
        match operation {
            "DescribeSecret" => (200, describe(name, stored)),
            "GetSecretValue" => get(name, stored, request),
            "PutSecretValue" => put(name, stored, request, self.pedantic.load(Ordering::Relaxed)),
            "UpdateSecretVersionStage" => update_stage(name, stored, request),
            "RestoreSecret" => {
                stored.deleted = false;
                stored.changed += 1;
                (200, json!({"Name": name}))
            }
            other => panic!("unexpected call of {other}"),
        }
    }
}

/// The id of the version that a secret is given to start with.
pub(crate) const OLD: &str = "v-old-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// An ARN has a suffix that each creation gets anew.
fn arn(name: &str, stored: &Stored) -> String {
    format!("arn:aws:secretsmanager:us-east-1:111122223333:secret:{name}-{:06}", stored.created)
}

fn describe(name: &str, stored: &Stored) -> Value {
    let mut answer = json!({"ARN": arn(name, stored), "Name": name, "LastChangedDate": stored.changed});
    let stages = |id: &String| (id.clone(), json!(stored.stages(id)));
    if !stored.versions.is_empty() {
        let labelled = stored.versions.keys().filter(|id| !stored.stages(id).is_empty());
        answer["VersionIdsToStages"] = Value::Object(labelled.map(stages).collect());
    }
    if stored.deleted {
        answer["DeletedDate"] = json!(1_790_000_000);
    }
    answer
}

fn get(name: &str, stored: &Stored, request: &Value) -> (u16, Value) {
    let id = request["VersionId"].as_str().unwrap_or_else(|| &stored.labels["AWSCURRENT"]);
    let Some(version) = stored.versions.get(id) else {
        return error("ResourceNotFoundException", "can't find the specified secret version");
    };
    let mut answer = json!({"Name": name, "VersionId": id, "CreatedDate": version.created});
    match &version.text {
        Some(text) => answer["SecretString"] = json!(text),
        None => answer["SecretBinary"] = json!("Y2FuYXJ5LThmM2E="),
    }
    (200, answer)
}

fn put(name: &str, stored: &mut Stored, request: &Value, pedantic: bool) -> (u16, Value) {
    let token = request["ClientRequestToken"].as_str().unwrap().to_owned();
    assert!((32..=64).contains(&token.len()), "{token}");
    let text = request["SecretString"].as_str().unwrap();
    assert!((1..=65_536).contains(&text.len()));
    match stored.versions.get(&token) {
        Some(version) if version.text.as_deref() != Some(text) => {
            return error("ResourceExistsException", "a version with this id exists");
        }
        Some(_) => {}
        None => {
            stored.changed += 1;
            let first = stored.versions.is_empty() && !pedantic;
            let version = Version { text: Some(text.to_owned()), created: stored.changed };
            stored.versions.insert(token.clone(), version);
            let wanted = request["VersionStages"].as_array();
            let stages = wanted.map_or(vec!["AWSCURRENT"], |stages| {
                stages.iter().map(|stage| stage.as_str().unwrap()).collect()
            });
            for stage in stages.into_iter().chain(first.then_some("AWSCURRENT")) {
                stored.label(stage, &token);
            }
        }
    }
    (200, json!({"Name": name, "VersionId": token, "VersionStages": stored.stages(&token)}))
}

fn update_stage(name: &str, stored: &mut Stored, request: &Value) -> (u16, Value) {
    let text = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
    let (stage, to, from) = (text("VersionStage"), text("MoveToVersionId"), text("RemoveFromVersionId"));
    if !stored.versions.contains_key(&to) {
        return error("ResourceNotFoundException", "can't find the specified secret version");
    }
    if stored.labels.get(&stage).is_some_and(|has| *has != from) {
        return error("InvalidParameterException", "the label is attached to another version");
    }
    stored.label(&stage, &to);
    stored.changed += 1;
    (200, json!({"Name": name}))
}

pub(crate) fn error(code: &str, message: &str) -> (u16, Value) {
    (400, json!({"__type": code, "Message": message}))
}

/// A call that came too fast.
pub(crate) fn throttled() -> Fault {
    Fault::of(error("ThrottlingException", "Rate exceeded"))
}

impl Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

impl HttpConnector for Service {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap().to_owned();
        let operation = target.rsplit('.').next().unwrap();
        let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let (status, answer) = self.answer(operation, &body);
        let body = SdkBody::from(answer.to_string());
        // Other calls may come first, as on a network.
        let response = HttpResponse::new(status.try_into().unwrap(), body);
        let delay = self.delays.lock().unwrap().pop().unwrap_or(1);
        HttpConnectorFuture::new(async move {
            for _ in 0..delay {
                tokio::task::yield_now().await;
            }
            Ok(response)
        })
    }
}
