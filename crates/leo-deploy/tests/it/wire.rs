//! A conversation on the wire: the SDK's real serialisation on one side, written answers on the other.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as ProvideFuture;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;

/// One call as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The operation's name.
    pub(crate) operation: String,
    /// The form's fields; empty for a JSON protocol.
    pub(crate) fields: BTreeMap<String, String>,
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// An HTTP status and a body.
    Body(u16, String),
    /// The connection breaks.
    Reset,
}

/// The expected calls in order, each with its answer. Any other call is a failure of the test.
#[derive(Clone)]
pub(crate) struct Conversation {
    expected: Arc<Mutex<VecDeque<(&'static str, Answer)>>>,
    heard: Arc<Mutex<Vec<Call>>>,
}

impl Conversation {
    pub(crate) fn new(expected: impl IntoIterator<Item = (&'static str, Answer)>) -> Self {
        Self { expected: Arc::new(Mutex::new(expected.into_iter().collect())), heard: Arc::default() }
    }

    /// Every expected call was made.
    pub(crate) fn assert_over(&self) {
        let left = self.expected.lock().unwrap();
        let names = left.iter().map(|(operation, _)| *operation).collect::<Vec<_>>();
        assert!(names.is_empty(), "never asked: {names:?}");
    }

    /// The fields of the only call of this operation.
    pub(crate) fn fields(&self, operation: &str) -> BTreeMap<String, String> {
        let heard = self.heard.lock().unwrap();
        let mut calls = heard.iter().filter(|call| call.operation == operation);
        let call = calls.next().unwrap_or_else(|| panic!("no call of {operation}"));
        assert!(calls.next().is_none(), "more than one call of {operation}");
        call.fields.clone()
    }

    /// The fields of every call of this operation, in order.
    pub(crate) fn all_fields(&self, operation: &str) -> Vec<BTreeMap<String, String>> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|call| call.operation == operation).map(|call| call.fields.clone()).collect()
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let call = Call::of(request);
        self.heard.lock().unwrap().push(call.clone());
        let (operation, answer) = self
            .expected
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or_else(|| panic!("{} after the end of the conversation", call.operation));
        assert_eq!(call.operation, operation, "another call was expected");
        match answer {
            Answer::Body(status, body) => {
                Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body)))
            }
            Answer::Reset => Err(ConnectorError::io("connection reset by peer".into())),
        }
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

    /// A client whose credentials can't be loaded.
    pub(crate) fn cloudformation_without_credentials(&self) -> aws_sdk_cloudformation::Client {
        let config = self.cloudformation().config().to_builder().credentials_provider(NoCredentials);
        aws_sdk_cloudformation::Client::from_conf(config.build())
    }

    pub(crate) fn ecs(&self) -> aws_sdk_ecs::Client {
        use aws_sdk_ecs::config::{BehaviorVersion, Config, Region};
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .retry_config(RetryConfig::disabled())
            .http_client(self.clone());
        aws_sdk_ecs::Client::from_conf(config.build())
    }

    pub(crate) fn load_balancing(&self) -> aws_sdk_elasticloadbalancingv2::Client {
        use aws_sdk_elasticloadbalancingv2::config::{BehaviorVersion, Config, Region};
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .retry_config(RetryConfig::disabled())
            .http_client(self.clone());
        aws_sdk_elasticloadbalancingv2::Client::from_conf(config.build())
    }
}

#[derive(Debug)]
struct NoCredentials;

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> ProvideFuture<'a>
    where
        Self: 'a,
    {
        ProvideFuture::ready(Err(CredentialsError::not_loaded("no providers in chain provided credentials")))
    }
}

fn credentials() -> Credentials {
    Credentials::new("AKIAEXAMPLE", "not-a-secret", None, None, "test")
}

impl Call {
    fn of(request: &HttpRequest) -> Self {
        let body = std::str::from_utf8(request.body().bytes().unwrap_or_default()).unwrap();
        if let Some(target) = request.headers().get("x-amz-target") {
            let operation = target.rsplit('.').next().unwrap().to_owned();
            return Self { operation, fields: BTreeMap::new() };
        }
        let fields = body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (decode(key), decode(value)))
            .collect::<BTreeMap<_, _>>();
        Self { operation: fields.get("Action").cloned().unwrap_or_default(), fields }
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}

impl HttpClient for Conversation {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Conversation {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.answer(&request))
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Conversation")
    }
}
