//! Secrets Manager in memory, at the level of its wire format.

use std::collections::BTreeMap;
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
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) current: Option<String>,
    pub(crate) deleted: bool,
}

/// The service: its secrets, what it was asked, and what it refuses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Service {
    pub(crate) secrets: Arc<Mutex<BTreeMap<String, Stored>>>,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    pub(crate) refused: Arc<Mutex<BTreeMap<&'static str, (u16, Value)>>>,
    /// Another deploy's value, which arrives just before the next one is put.
    pub(crate) rival: Arc<Mutex<Option<String>>>,
}

impl Service {
    pub(crate) fn with(secrets: &[(&str, Option<&str>)]) -> Self {
        let service = Self::default();
        for (name, value) in secrets {
            let mut stored = Stored::default();
            if let Some(value) = value {
                stored.versions.insert("v-old".to_owned(), (*value).to_owned());
                stored.current = Some("v-old".to_owned());
            }
            service.secrets.lock().unwrap().insert((*name).to_owned(), stored);
        }
        service
    }

    pub(crate) fn client(&self) -> Client {
        let connector = SharedHttpConnector::new(self.clone());
        let configuration = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("AKIATEST", "test", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        Client::from_conf(configuration)
    }

    pub(crate) fn current(&self, name: &str) -> Option<Value> {
        let secrets = self.secrets.lock().unwrap();
        let stored = &secrets[name];
        stored.current.as_ref().map(|id| serde_json::from_str(&stored.versions[id]).unwrap())
    }

    pub(crate) fn times_asked(&self, operation: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == operation).count()
    }

    fn answer(&self, operation: &str, request: &Value) -> (u16, Value) {
        self.asked.lock().unwrap().push(operation.to_owned());
        if let Some(refusal) = self.refused.lock().unwrap().get(operation) {
            return refusal.clone();
        }
        let name = request["SecretId"].as_str().unwrap();
        let mut secrets = self.secrets.lock().unwrap();
        let Some(stored) = secrets.get_mut(name) else {
            return error("ResourceNotFoundException", "not found");
        };
        match operation {
            "DescribeSecret" => {
                let mut answer = json!({"Name": name});
                let stages = |id: &String| {
                    let current = stored.current.as_ref() == Some(id);
                    (id.clone(), json!([if current { "AWSCURRENT" } else { "AWSPREVIOUS" }]))
                };
                if !stored.versions.is_empty() {
                    answer["VersionIdsToStages"] =
                        Value::Object(stored.versions.keys().map(stages).collect());
                }
                if stored.deleted {
                    answer["DeletedDate"] = json!(1_790_000_000);
                }
                (200, answer)
            }
            "GetSecretValue" => {
                let id = stored.current.as_ref().unwrap();
                (200, json!({"Name": name, "VersionId": id, "SecretString": stored.versions[id]}))
            }
            "PutSecretValue" => {
                let token = request["ClientRequestToken"].as_str().unwrap().to_owned();
                assert!((32..=64).contains(&token.len()), "{token}");
                let value = request["SecretString"].as_str().unwrap().to_owned();
                if let Some(rival) = self.rival.lock().unwrap().take() {
                    stored.versions.insert(token.clone(), rival);
                    stored.current = Some(token.clone());
                }
                if stored.versions.get(&token).is_some_and(|there| *there != value) {
                    return error("ResourceExistsException", "a version with this id exists");
                }
                stored.versions.insert(token.clone(), value);
                stored.current = Some(token.clone());
                (200, json!({"Name": name, "VersionId": token}))
            }
            other => panic!("unexpected call of {other}"),
        }
    }
}

pub(crate) fn error(code: &str, message: &str) -> (u16, Value) {
    (400, json!({"__type": code, "Message": message}))
}

impl HttpConnector for Service {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap().to_owned();
        let operation = target.rsplit('.').next().unwrap();
        let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let (status, answer) = self.answer(operation, &body);
        let body = SdkBody::from(answer.to_string());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), body)))
    }
}
