//! One HTTP client for everything: pooled connections, time limits, and answers of a bounded size.

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::error::Error;
use std::time::Duration;

/// How long a connection may take to come up.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How long a call may take from its first byte to the answer's last one.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// The largest answer that is read: prompts, listings and ECS's answers are all far below it.
const ANSWER_LIMIT: usize = 8 << 20;

#[derive(Clone)]
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Http {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_LIMIT));
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Self { client: Client::builder(TokioExecutor::new()).build(connector) }
    }

    /// Sends the request and reads the whole answer. The error is the reason in words, every cause of it.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, String> {
        let exchange = async {
            let (parts, body) =
                self.client.request(request).await.map_err(|error| causes(&error))?.into_parts();
            let body = Limited::new(body, ANSWER_LIMIT).collect().await.map_err(|error| causes(&*error))?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        let too_slow = |_| Err(format!("no answer within {} s", CALL_LIMIT.as_secs()));
        tokio::time::timeout(CALL_LIMIT, exchange).await.unwrap_or_else(too_slow)
    }
}

/// An error and everything behind it, outermost first: this client's own words ("client error") never say the cause.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
