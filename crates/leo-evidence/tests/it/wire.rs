//! AWS on the wire: the SDK's real serialisation on one side, written answers on the other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use leo_evidence::Clients;

/// One call as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The operation's name.
    pub(crate) operation: String,
    /// Its JSON document, or its form.
    pub(crate) body: String,
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// An HTTP status and a body.
    Body(u16, String),
    /// The connection breaks.
    Reset,
}

/// Answers a call; the number counts earlier calls of its operation.
type Script = dyn Fn(&Call, usize) -> Answer + Send + Sync;

/// What AWS says, by operation, and all that it was asked.
#[derive(Clone)]
pub(crate) struct Aws {
    script: Arc<Script>,
    heard: Arc<Mutex<Vec<Call>>>,
}

impl Aws {
    pub(crate) fn new(script: impl Fn(&Call, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), heard: Arc::default() }
    }

    /// How often each operation was called.
    pub(crate) fn calls(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.heard.lock().unwrap().iter() {
            *counts.entry(call.operation.clone()).or_default() += 1;
        }
        counts
    }

    /// The bodies of all calls of an operation.
    pub(crate) fn bodies(&self, operation: &str) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|call| call.operation == operation).map(|call| call.body.clone()).collect()
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let call = Call::of(request);
        let before = self.calls().get(&call.operation).copied().unwrap_or_default();
        self.heard.lock().unwrap().push(call.clone());
        match (self.script)(&call, before) {
            Answer::Body(status, body) => {
                Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body)))
            }
            Answer::Reset => Err(ConnectorError::io("connection reset by peer".into())),
        }
    }

    pub(crate) fn clients(&self) -> Clients {
        let ecs = {
            use aws_sdk_ecs::config::{BehaviorVersion, Config, Region};
            let config = Config::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new("us-east-1"))
                .credentials_provider(credentials())
                .retry_config(RetryConfig::disabled())
                .http_client(self.clone());
            aws_sdk_ecs::Client::from_conf(config.build())
        };
        let load_balancing = {
            use aws_sdk_elasticloadbalancingv2::config::{BehaviorVersion, Config, Region};
            let config = Config::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new("us-east-1"))
                .credentials_provider(credentials())
                .retry_config(RetryConfig::disabled())
                .http_client(self.clone());
            aws_sdk_elasticloadbalancingv2::Client::from_conf(config.build())
        };
        let logs = {
            use aws_sdk_cloudwatchlogs::config::{BehaviorVersion, Config, Region};
            let config = Config::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new("us-east-1"))
                .credentials_provider(credentials())
                .retry_config(RetryConfig::disabled())
                .http_client(self.clone());
            aws_sdk_cloudwatchlogs::Client::from_conf(config.build())
        };
        Clients { ecs, load_balancing, logs }
    }

    pub(crate) fn cloudformation(&self) -> aws_sdk_cloudformation::Client {
        use aws_sdk_cloudformation::config::{BehaviorVersion, Config, Region};
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .retry_config(RetryConfig::disabled())
            .http_client(self.clone());
        aws_sdk_cloudformation::Client::from_conf(config.build())
    }
}

fn credentials() -> Credentials {
    Credentials::new("AKIAEXAMPLE", "not-a-secret", None, None, "test")
}

impl Call {
    fn of(request: &HttpRequest) -> Self {
        let body = std::str::from_utf8(request.body().bytes().unwrap_or_default()).unwrap().to_owned();
        let operation = match request.headers().get("x-amz-target") {
            Some(target) => target.rsplit('.').next().unwrap().to_owned(),
            None => {
                body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default().to_owned()
            }
        };
        Self { operation, body }
    }
}

impl HttpClient for Aws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.answer(&request))
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aws")
    }
}
