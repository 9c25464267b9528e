use std::error::Error;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

use crate::OciError;
use crate::place::Place;

/// How long a registry may think about an answer whose question is small.
const ANSWER: Duration = Duration::from_mins(1);
/// Leaps from one `Location` to the next.
const REDIRECTS: usize = 5;
/// What we call ourselves.
const AGENT: &str = concat!("leo-infra/", env!("CARGO_PKG_VERSION"));

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// As long as a small question may take.
    Short,
    /// The caller sees by itself whether something still moves.
    Long,
}

/// A request that has no body, or one that is sent once.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) place: Place,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: SdkBody,
}

impl Request {
    pub(crate) fn new(method: &'static str, place: Place) -> Self {
        Self { method, place, headers: Vec::new(), body: SdkBody::empty() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn body(mut self, body: SdkBody) -> Self {
        self.body = body;
        self
    }
}

/// The SDKs' HTTP client: their TLS, the system's root certificates, the environment's proxies. Loopback is asked
/// directly.
pub(crate) fn connector(registry: &Place) -> SharedHttpConnector {
    if registry.is_loopback() {
        return SharedHttpConnector::new(
            Connector::builder().proxy_config(ProxyConfig::disabled()).build_http(),
        );
    }
    let builder = Connector::builder().proxy_config(ProxyConfig::from_env());
    SharedHttpConnector::new(builder.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build())
}

/// The head of an answer, with a body that is still to come.
pub(crate) struct Answered {
    pub(crate) answer: HttpResponse,
    /// The host that gave it, where the registry led to it: it was shown no login, so none could help.
    pub(crate) elsewhere: Option<String>,
}

/// Sends a request. The login is shown to the registry alone: whoever a redirect leads to gets none.
pub(crate) async fn send(
    connector: &SharedHttpConnector,
    registry: &Place,
    authorization: &str,
    request: Request,
    patience: Patience,
) -> Result<Answered, OciError> {
    let Request { method, mut place, headers, mut body } = request;
    let mut known = place.is_of(registry);
    for _ in 0..=REDIRECTS {
        let mut next = HttpRequest::new(std::mem::replace(&mut body, SdkBody::empty()));
        let built = next.set_method(method).is_ok() && next.set_uri(place.address()).is_ok();
        if !built {
            return Err(unreadable(&place, "it can't be asked for"));
        }
        for (name, value) in &headers {
            next.headers_mut().insert(*name, value.clone());
        }
        next.headers_mut().insert("user-agent", AGENT);
        if known {
            next.headers_mut().insert("authorization", authorization.to_owned());
        }
        let call = connector.call(next);
        let answer = match patience {
            Patience::Short => tokio::time::timeout(ANSWER, call).await.map_err(|_| silent(&place))?,
            Patience::Long => call.await,
        };
        let answer = answer.map_err(|error| unreachable(&place, &error))?;
        let status = answer.status().as_u16();
        // To be led somewhere is an answer to `HEAD`: a signed address is good for reading alone.
        if method != "GET" || !is_redirect(status) {
            return Ok(Answered { answer, elsewhere: (!known).then(|| place.host()) });
        }
        let location = answer.headers().get("location");
        let location = location.ok_or_else(|| unreadable(&place, "a redirect has no `Location`"))?;
        place = place.follow(location)?;
        // Once left, never again: a stranger could lead us back with a question of its own.
        known = known && place.is_of(registry);
    }
    Err(unreadable(&place, "it leads from one redirect to the next"))
}

pub(crate) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// The next piece of a body, and an error where none comes in time.
pub(crate) async fn next_piece(
    body: &mut SdkBody,
    host: &str,
) -> Result<Option<hyper::body::Bytes>, OciError> {
    loop {
        let frame = tokio::time::timeout(ANSWER, body.frame()).await.map_err(|_| OciError::Unreachable {
            host: host.to_owned(),
            message: format!("nothing came for {} s", ANSWER.as_secs()),
        })?;
        match frame {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(piece) = frame.into_data() {
                    return Ok(Some(piece));
                }
            }
            Some(Err(error)) => {
                return Err(OciError::Unreachable {
                    host: host.to_owned(),
                    message: root_cause(error.as_ref()),
                });
            }
        }
    }
}

/// The whole of a small body.
pub(crate) async fn whole(mut body: SdkBody, host: &str, at_most: usize) -> Result<Vec<u8>, OciError> {
    let mut whole = Vec::new();
    while let Some(piece) = next_piece(&mut body, host).await? {
        whole.extend_from_slice(&piece);
        if whole.len() > at_most {
            return Err(OciError::Answer {
                host: host.to_owned(),
                what: "an answer".to_owned(),
                problem: format!("it is longer than {at_most} bytes"),
            });
        }
    }
    Ok(whole)
}

fn silent(place: &Place) -> OciError {
    OciError::Unreachable { host: place.host(), message: format!("no answer within {} s", ANSWER.as_secs()) }
}

fn unreachable(place: &Place, error: &(dyn Error + 'static)) -> OciError {
    OciError::Unreachable { host: place.host(), message: root_cause(error) }
}

fn unreadable(place: &Place, problem: &str) -> OciError {
    OciError::Answer { host: place.host(), what: "the address".to_owned(), problem: problem.to_owned() }
}

/// The innermost reason, which is the system's or the TLS library's own.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
