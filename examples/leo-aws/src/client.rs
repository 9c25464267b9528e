//! A signed call: credentials, signature, sending, trying again, and what AWS says went wrong.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use backon::{ExponentialBuilder, Retryable as _};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request, Response};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::credentials::CredentialsCache;
use crate::http::Http;
use crate::{Endpoint, Error, Variables};

/// Calls AWS as the task role. A clone shares connections and credentials. Has no `Debug`: it holds secrets.
#[derive(Clone)]
pub struct Client {
    http: Http,
    credentials: Arc<CredentialsCache>,
    endpoint: Endpoint,
    region: String,
    retry: Retry,
}

/// How often a call is tried, and how long it waits in between: each wait about twice the one before, with jitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// How many more times after the first.
    pub times: usize,
    /// The shortest wait.
    pub shortest: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for Retry {
    /// Five tries within about six seconds, as the SDKs' adaptive mode does at least.
    fn default() -> Self {
        Self { times: 4, shortest: Duration::from_millis(250), longest: Duration::from_secs(4) }
    }
}

impl Retry {
    /// Runs `attempt` until it succeeds, fails in a way that is not `transient`, or was tried often enough.
    pub async fn run<T, E, F: Future<Output = Result<T, E>>>(
        self,
        attempt: impl FnMut() -> F,
        transient: impl FnMut(&E) -> bool,
    ) -> Result<T, E> {
        let waits = ExponentialBuilder::new()
            .with_min_delay(self.shortest)
            .with_max_delay(self.longest)
            .with_max_times(self.times)
            .with_jitter();
        attempt.retry(waits).when(transient).await
    }
}

/// A request before it is signed.
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    pub(crate) service: Service,
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: &'a [(&'static str, &'a str)],
    pub(crate) body: Bytes,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Service {
    Ecs,
    S3,
}

impl Client {
    /// The client that the variables describe: `AWS_REGION`, `AWS_ENDPOINT_URL` and the ones of the credentials.
    pub fn read(variables: &mut Variables<'_>, retry: Retry) -> Option<Self> {
        let region = variables.required("AWS_REGION");
        let endpoint = Endpoint::read(variables, region.as_deref().unwrap_or_default());
        let credentials = CredentialsCache::read(variables, endpoint.as_ref());
        let credentials = Arc::new(credentials?);
        Some(Self { http: Http::new(), credentials, endpoint: endpoint?, region: region?, retry })
    }

    /// Where the calls go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How calls are tried again.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// Makes the call, again after a transient failure. Every call of this crate may be made twice: `RunTask` carries a
    /// client token, a conditional write is refused the second time, and the others replace or read.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Bytes, Error> {
        self.retry.run(|| self.attempt(&call), Error::is_transient).await
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Bytes, Error> {
        let operation = call.operation;
        let credentials = self.credentials.get(&self.http, self.retry).await?;
        let request = signed(call, &self.region, credentials, SystemTime::now())
            .map_err(|reason| Error::Request { operation, reason })?;
        let answer =
            self.http.send(request).await.map_err(|reason| Error::Transport { operation, reason })?;
        if answer.status().is_success() { Ok(answer.into_body()) } else { Err(refusal(call, &answer)) }
    }
}

/// The call as a signed request. S3 wants its path encoded once and untouched, and the body's hash in a header.
fn signed(
    call: &Call<'_>,
    region: &str,
    credentials: Credentials,
    now: SystemTime,
) -> Result<Request<Full<Bytes>>, String> {
    let mut settings = SigningSettings::default();
    if call.service == Service::S3 {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(match call.service {
            Service::Ecs => "ecs",
            Service::S3 => "s3",
        })
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let body = SignableBody::Bytes(&call.body);
    let signable = SignableRequest::new(call.method.as_str(), &call.url, call.headers.iter().copied(), body)
        .map_err(|error| error.to_string())?;
    let (instructions, _) = sign(signable, &params).map_err(|error| error.to_string())?.into_parts();
    let mut request = Request::builder().method(call.method.clone()).uri(&call.url);
    for (name, value) in call.headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Full::new(call.body.clone())).map_err(|error| error.to_string())?;
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

/// What AWS says went wrong: JSON from ECS, XML from S3; the status alone where the body says nothing.
fn refusal(call: &Call<'_>, answer: &Response<Bytes>) -> Error {
    let body = answer.body();
    let (code, message) = match call.service {
        Service::Ecs => json_error(body),
        Service::S3 => xml_error(body),
    }
    .unwrap_or_else(|| (answer.status().to_string(), "without a reason".to_owned()));
    Error::Service { operation: call.operation, status: answer.status().as_u16(), code, message }
}

fn json_error(body: &[u8]) -> Option<(String, String)> {
    let document: serde_json::Value = serde_json::from_slice(body).ok()?;
    let code = document.get("__type")?.as_str()?;
    // Some answers carry the namespace in front: `com.amazonaws.ecs#ClusterNotFoundException`.
    let code = code.rsplit('#').next().unwrap_or(code);
    let message = document.get("message").or_else(|| document.get("Message")).and_then(|text| text.as_str());
    Some((code.to_owned(), message.unwrap_or("without a reason").to_owned()))
}

fn xml_error(body: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(body).ok()?;
    let document = roxmltree::Document::parse(text).ok()?;
    let field = |name: &str| {
        document
            .descendants()
            .find(|node| node.tag_name().name() == name)
            .and_then(|node| node.text())
            .map(str::to_owned)
    };
    Some((field("Code")?, field("Message").unwrap_or_else(|| "without a reason".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::{Call, Service, json_error, signed, xml_error};
    use aws_credential_types::Credentials;
    use hyper::Method;
    use hyper::body::Bytes;
    use std::time::{Duration, SystemTime};

    /// The second example of "Signature calculations for the Authorization header" in the S3 API reference (a `PUT`
    /// and a `GET` of a listing): AWS's own numbers.
    #[test]
    fn signatures_are_those_of_the_s3_reference() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(380_376);
        let credentials = || {
            Credentials::new(
                "AKIAIOSFODNN7EXAMPLE",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                None,
                None,
                "test",
            )
        };
        let list = Call {
            operation: "ListObjects",
            service: Service::S3,
            method: Method::GET,
            url: "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J".to_owned(),
            headers: &[],
            body: Bytes::new(),
        };
        let request = signed(&list, "us-east-1", credentials(), now).unwrap();
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-amz-date"), "20130524T000000Z");
        assert!(
            header("authorization")
                .ends_with("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
            "{}",
            header("authorization")
        );
    }

    #[test]
    fn both_services_errors_are_read() {
        let json =
            br#"{"__type":"com.amazonaws.ecs#ClusterNotFoundException","message":"Cluster not found."}"#;
        assert_eq!(
            json_error(json),
            Some(("ClusterNotFoundException".to_owned(), "Cluster not found.".to_owned()))
        );
        let xml = br#"<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>gone</Message><Key>k</Key></Error>"#;
        assert_eq!(xml_error(xml), Some(("NoSuchKey".to_owned(), "gone".to_owned())));
        assert_eq!(json_error(b"<html>"), None);
        assert_eq!(xml_error(b"{}"), None);
    }
}
