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
use tokio::time::Instant;

/// One call as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The operation's name.
    pub(crate) operation: String,
    /// The form's fields; empty for a JSON protocol.
    pub(crate) fields: BTreeMap<String, String>,
    /// When, by the test's clock.
    pub(crate) at: Instant,
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// An HTTP status and a body.
    Body(u16, String),
    /// The connection breaks.
    Reset,
}

/// One side of a conversation: what is answered to what is asked.
#[derive(Clone)]
pub(crate) struct Conversation {
    other_side: Arc<Mutex<OtherSide>>,
    heard: Arc<Mutex<Vec<Call>>>,
}

enum OtherSide {
    /// The expected calls in order, each with its answer. Any other call is a failure of the test.
    Expected(VecDeque<(&'static str, Answer)>),
    /// Any call at any time, for what has to be asked as often as the clock allows.
    Played(Box<dyn FnMut(&Call) -> Answer + Send>),
}

impl Conversation {
    pub(crate) fn new(expected: impl IntoIterator<Item = (&'static str, Answer)>) -> Self {
        Self::with(OtherSide::Expected(expected.into_iter().collect()))
    }

    /// A stack that is played: it answers whatever it is asked, by what happened to it before.
    pub(crate) fn played(stack: impl FnMut(&Call) -> Answer + Send + 'static) -> Self {
        Self::with(OtherSide::Played(Box::new(stack)))
    }

    fn with(other_side: OtherSide) -> Self {
        Self { other_side: Arc::new(Mutex::new(other_side)), heard: Arc::default() }
    }

    /// Every expected call was made.
    pub(crate) fn assert_over(&self) {
        if let OtherSide::Expected(left) = &*self.other_side.lock().unwrap() {
            let names = left.iter().map(|(operation, _)| *operation).collect::<Vec<_>>();
            assert!(names.is_empty(), "never asked: {names:?}");
        }
    }

    /// The calls of this operation, in order.
    pub(crate) fn calls(&self, operation: &str) -> Vec<Call> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|call| call.operation == operation).cloned().collect()
    }

    /// How many calls were made.
    pub(crate) fn len(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// The fields of the only call of this operation.
    pub(crate) fn fields(&self, operation: &str) -> BTreeMap<String, String> {
        let mut calls = self.calls(operation);
        assert_eq!(calls.len(), 1, "calls of {operation}");
        calls.remove(0).fields
    }

    /// The fields of every call of this operation, in order.
    pub(crate) fn all_fields(&self, operation: &str) -> Vec<BTreeMap<String, String>> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|call| call.operation == operation).map(|call| call.fields.clone()).collect()
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let call = Call::of(request);
        self.heard.lock().unwrap().push(call.clone());
        let answer = match &mut *self.other_side.lock().unwrap() {
            OtherSide::Expected(expected) => {
                let (operation, answer) = expected
                    .pop_front()
                    .unwrap_or_else(|| panic!("{} after the end of the conversation", call.operation));
                assert_eq!(call.operation, operation, "another call was expected");
                answer
            }
            OtherSide::Played(stack) => stack(&call),
        };
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
            return Self { operation, fields: BTreeMap::new(), at: Instant::now() };
        }
        let fields = body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (decode(key), decode(value)))
            .collect::<BTreeMap<_, _>>();
        let operation = fields.get("Action").cloned().unwrap_or_default();
        Self { operation, fields, at: Instant::now() }
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
