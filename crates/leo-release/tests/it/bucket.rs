//! An S3 at the other end of the wire: the SDK's real serialisation on one side, a bucket in memory on the other. It keeps
//! S3's conditions and tells its own time, and it can be made to fail in the ways in which S3 and networks do.

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig},
    primitives::{DateTime, DateTimeFormat},
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use leo_release::{Address, Artifacts};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};
use tokio::time::Instant;

pub(crate) const BUCKET: &str = "leo-artifacts-111122223333-eu-central-1";

/// What becomes of a call instead of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is carried out, and the connection breaks before the answer.
    AnswerLost,
    /// It is not carried out: HTTP status and code.
    Refused(u16, &'static str),
    /// It is never answered.
    Silence,
    /// The answer's body breaks off.
    Truncated,
}

#[derive(Clone, Debug)]
struct Stored {
    body: Vec<u8>,
    etag: String,
    at: i64,
}

#[derive(Debug, Default)]
struct Contents {
    objects: BTreeMap<String, Stored>,
    calls: Vec<String>,
    /// How a call begins, as [`Bucket::calls`] gives it → what becomes of the next such call, first things first.
    faults: Vec<(String, Fault)>,
    writes: u64,
    page: usize,
    absent: bool,
    dateless: bool,
    /// How many more calls are answered.
    answers: Option<usize>,
    /// How many were not.
    unanswered: usize,
}

#[derive(Clone)]
pub(crate) struct Bucket {
    contents: Arc<Mutex<Contents>>,
    began: Instant,
}

impl Bucket {
    pub(crate) fn new() -> Self {
        let contents = Contents { page: 1000, ..Contents::default() };
        Self { contents: Arc::new(Mutex::new(contents)), began: Instant::now() }
    }

    pub(crate) fn artifacts(&self) -> Artifacts {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("AKIAEXAMPLE", "not-a-secret", None, None, "test"))
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .http_client(self.clone());
        let address = Address::Aws { region: "eu-central-1".to_owned() };
        Artifacts::new(Client::from_conf(config.build()), BUCKET, address)
    }

    /// What becomes of the next calls that begin like this: `PUT leases/`.
    pub(crate) fn fault(&self, call: &str, faults: impl IntoIterator<Item = Fault>) {
        let faults = faults.into_iter().map(|fault| (call.to_owned(), fault));
        self.contents.lock().unwrap().faults.extend(faults);
    }

    /// So many keys a page.
    pub(crate) fn page(&self, keys: usize) {
        self.contents.lock().unwrap().page = keys;
    }

    /// There is no bucket.
    pub(crate) fn remove(&self) {
        self.contents.lock().unwrap().absent = true;
    }

    /// Answers carry no `Date`.
    pub(crate) fn without_date(&self) {
        self.contents.lock().unwrap().dateless = true;
    }

    /// So many calls are answered, and then none: as a killed process sees it.
    pub(crate) fn silent_after(&self, answers: usize) {
        self.contents.lock().unwrap().answers = Some(answers);
    }

    /// Whether a call was left without an answer.
    pub(crate) fn was_silent(&self) -> bool {
        self.contents.lock().unwrap().unanswered > 0
    }

    pub(crate) fn speak_again(&self) {
        let mut contents = self.contents.lock().unwrap();
        (contents.answers, contents.unanswered) = (None, 0);
    }

    pub(crate) fn write(&self, key: &str, body: &str) {
        let at = self.seconds();
        let mut contents = self.contents.lock().unwrap();
        contents.store(key, body.as_bytes().to_vec(), at);
    }

    pub(crate) fn delete(&self, key: &str) {
        self.contents.lock().unwrap().objects.remove(key);
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let contents = self.contents.lock().unwrap();
        contents.objects.get(key).map(|object| String::from_utf8(object.body.clone()).unwrap())
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.contents.lock().unwrap().objects.keys().cloned().collect()
    }

    /// The calls since this was asked last: method, key, condition.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.contents.lock().unwrap().calls)
    }

    fn seconds(&self) -> i64 {
        1_800_000_000 + i64::try_from(self.began.elapsed().as_secs()).unwrap()
    }

    fn answer(&self, request: &HttpRequest) -> Result<Option<HttpResponse>, ConnectorError> {
        let now = self.seconds();
        let mut contents = self.contents.lock().unwrap();
        let call = Call::of(request);
        let named = call.to_string();
        contents.calls.push(named.clone());
        match &mut contents.answers {
            // Carried out all the same: nobody can say whether a call arrived.
            Some(0) => {
                contents.unanswered += 1;
                contents.carry_out(&call, now);
                return Ok(None);
            }
            Some(answers) => *answers -= 1,
            None => {}
        }
        let fault = contents.faults.iter().position(|(prefix, _)| named.starts_with(prefix.as_str()));
        let fault = fault.map(|fault| contents.faults.remove(fault).1);
        let mut response = match fault {
            Some(Fault::Refused(status, code)) => error(status, code),
            Some(Fault::Silence) => return Ok(None),
            _ => contents.carry_out(&call, now),
        };
        match fault {
            Some(Fault::AnswerLost) => return Err(ConnectorError::io("connection reset by peer".into())),
            Some(Fault::Truncated) => {
                // More was promised than comes.
                response.headers_mut().insert("content-length", "9999");
            }
            _ => {}
        }
        if !contents.dateless {
            let date = DateTime::from_secs(now).fmt(DateTimeFormat::HttpDate).unwrap();
            response.headers_mut().insert("date", date);
        }
        Ok(Some(response))
    }
}

struct Call {
    method: String,
    key: String,
    query: BTreeMap<String, String>,
    if_match: Option<String>,
    if_none_match: Option<String>,
    body: Vec<u8>,
}

impl Call {
    fn of(request: &HttpRequest) -> Self {
        let uri = request.uri().strip_prefix("https://").unwrap();
        let (host, path) = uri.split_once('/').unwrap();
        assert_eq!(host, format!("{BUCKET}.s3.eu-central-1.amazonaws.com"));
        let (key, query) = path.split_once('?').unwrap_or((path, ""));
        let query = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.replace("%2F", "/")))
            .collect();
        let header = |name| request.headers().get(name).map(str::to_owned);
        Self {
            method: request.method().to_owned(),
            key: key.to_owned(),
            query,
            if_match: header("if-match"),
            if_none_match: header("if-none-match"),
            body: request.body().bytes().unwrap().to_vec(),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = self.query.get("prefix").unwrap_or(&self.key);
        write!(f, "{} {target}", self.method)?;
        if self.if_match.is_some() {
            f.write_str(" If-Match")?;
        }
        if let Some(condition) = &self.if_none_match {
            write!(f, " If-None-Match: {condition}")?;
        }
        Ok(())
    }
}

impl Contents {
    fn store(&mut self, key: &str, body: Vec<u8>, at: i64) -> String {
        self.writes += 1;
        let etag = format!("\"{:032x}\"", self.writes);
        self.objects.insert(key.to_owned(), Stored { body, etag: etag.clone(), at });
        etag
    }

    /// S3 User Guide, "How to prevent object overwrites with conditional writes", "How to perform conditional deletes".
    fn carry_out(&mut self, call: &Call, now: i64) -> HttpResponse {
        if self.absent {
            return error(404, "NoSuchBucket");
        }
        let there = self.objects.get(&call.key).cloned();
        if let Some(etag) = &call.if_match {
            match &there {
                None => return error(404, "NoSuchKey"),
                Some(object) if object.etag != *etag => return error(412, "PreconditionFailed"),
                Some(_) => {}
            }
        }
        match (call.method.as_str(), there) {
            ("PUT", Some(_)) if call.if_none_match.is_some() => error(412, "PreconditionFailed"),
            ("PUT", _) => {
                let etag = self.store(&call.key, call.body.clone(), now);
                let mut response = answered(200, String::new());
                response.headers_mut().insert("etag", etag);
                response
            }
            ("DELETE", _) => {
                self.objects.remove(&call.key);
                answered(204, String::new())
            }
            ("GET", _) if call.key.is_empty() => self.list(call),
            ("GET", None) => error(404, "NoSuchKey"),
            ("GET", Some(object)) => {
                let mut response = answered(200, String::from_utf8(object.body).unwrap());
                response.headers_mut().insert("etag", object.etag);
                let at = DateTime::from_secs(object.at).fmt(DateTimeFormat::HttpDate).unwrap();
                response.headers_mut().insert("last-modified", at);
                response
            }
            (method, _) => panic!("{method} was not expected"),
        }
    }

    fn list(&self, call: &Call) -> HttpResponse {
        let keys: Vec<_> =
            self.objects.keys().filter(|key| key.starts_with(call.query["prefix"].as_str())).collect();
        let from: usize = call.query.get("continuation-token").map_or(0, |token| token.parse().unwrap());
        let to = keys.len().min(from + self.page);
        let listed: Vec<_> =
            keys[from..to].iter().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
        let more = if to < keys.len() {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{to}</NextContinuationToken>")
        } else {
            "<IsTruncated>false</IsTruncated>".to_owned()
        };
        answered(200, format!("<ListBucketResult>{}{more}</ListBucketResult>", listed.concat()))
    }
}

fn answered(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}

fn error(status: u16, code: &str) -> HttpResponse {
    answered(status, format!("<Error><Code>{code}</Code><Message>as it was asked for</Message></Error>"))
}

impl HttpClient for Bucket {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Bucket {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        match self.answer(&request) {
            Ok(None) => HttpConnectorFuture::new(std::future::pending()),
            Ok(Some(response)) => HttpConnectorFuture::ready(Ok(response)),
            Err(error) => HttpConnectorFuture::ready(Err(error)),
        }
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bucket")
    }
}
