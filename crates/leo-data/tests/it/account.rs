//! The account: every client's connector leads here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use leo_data::{Bucket, Clients};
use serde_json::Value;

use crate::json::Task;
use crate::s3;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "us-east-1";

/// What there is, and what was asked.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) buckets: BTreeMap<String, s3::Stored>,
    /// Whether each is scheduled for deletion.
    pub(crate) secrets: BTreeMap<String, bool>,
    /// The sizes of each one's images.
    pub(crate) repositories: BTreeMap<String, Vec<u64>>,
    pub(crate) tasks: Vec<Task>,
    /// Whether there is a cluster.
    pub(crate) cluster: bool,
    /// What an operation is answered with instead of the truth.
    pub(crate) refused: BTreeMap<&'static str, (u16, String)>,
    /// The operations, in order.
    pub(crate) asked: Vec<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Account(Arc<Mutex<State>>);

impl Account {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn times_asked(&self, operation: &str) -> usize {
        self.state().asked.iter().filter(|asked| *asked == operation).count()
    }

    pub(crate) fn clients(&self) -> Clients {
        macro_rules! client {
            ($service:ident) => {{
                let connector = SharedHttpConnector::new(self.clone());
                $service::Config::builder()
                    .behavior_version(BehaviorVersion::v2026_01_12())
                    .region(Region::new(REGION))
                    .credentials_provider(Credentials::new("AKIAEXAMPLE", "not-a-secret", None, None, "test"))
                    .retry_config(RetryConfig::disabled())
                    .http_client(http_client_fn(move |_, _| connector.clone()))
            }};
        }
        let s3 = client!(aws_sdk_s3).force_path_style(true).build();
        Clients {
            ecr: aws_sdk_ecr::Client::from_conf(client!(aws_sdk_ecr).build()),
            ecs: aws_sdk_ecs::Client::from_conf(client!(aws_sdk_ecs).build()),
            s3: aws_sdk_s3::Client::from_conf(s3),
            secrets: aws_sdk_secretsmanager::Client::from_conf(client!(aws_sdk_secretsmanager).build()),
        }
    }
}

/// A bucket of this account.
pub(crate) fn bucket(name: &str) -> Bucket {
    Bucket { name: name.to_owned(), account: ACCOUNT.to_owned() }
}

impl State {
    fn answer(&mut self, request: &HttpRequest) -> HttpResponse {
        let target = request.headers().get("x-amz-target").map(str::to_owned);
        let Some(target) = target else { return s3::answer(self, request) };
        let operation = target.rsplit('.').next().unwrap();
        self.asked.push(operation.to_owned());
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let (status, answer) = match self.refused.get(operation) {
            Some(refusal) => refusal.clone(),
            None => self.json(operation, &body),
        };
        response(status, answer)
    }
}

pub(crate) fn response(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}

impl HttpConnector for Account {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Ok(self.state().answer(&request)))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account")
    }
}
