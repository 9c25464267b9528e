//! The task role's credentials: from ECS's endpoint inside the container, fetched again before they end, or fixed ones
//! from the environment.

use aws_credential_types::Credentials;
use http_body_util::Full;
use hyper::{Request, Uri};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::Mutex;

use crate::http::Http;
use crate::{Endpoint, Error, Retry, Variables};

/// How long before their end credentials are fetched anew.
const MARGIN: Duration = Duration::from_mins(5);
/// ECS's own credentials address, in front of a relative address ("Task IAM role" in the ECS developer guide).
const ECS_ORIGIN: &str = "http://169.254.170.2";
/// The other addresses that an SDK trusts with the token over plain HTTP: EKS's, in both families.
const TRUSTED_HOSTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

/// Where credentials come from, and the ones in use. Has no `Debug`: it holds secrets.
pub(crate) struct CredentialsCache {
    source: Source,
    current: Mutex<Option<Credentials>>,
}

enum Source {
    Fixed(Credentials),
    Container { uri: Uri, token: Token },
}

/// What proves to the endpoint that this container may have them.
enum Token {
    None,
    Value(String),
    /// Read anew for each request: it is rotated.
    File(PathBuf),
}

impl CredentialsCache {
    /// The source that the variables name, in the order of the SDKs: fixed keys, then the container's endpoint.
    pub(crate) fn read(variables: &mut Variables<'_>, endpoint: Option<&Endpoint>) -> Option<Self> {
        let source = fixed(variables).or_else(|| container(variables, endpoint))?;
        Some(Self { source, current: Mutex::new(None) })
    }

    /// Credentials that are good for the next minutes. When new ones can't be had, the old ones are used until they end.
    pub(crate) async fn get(&self, http: &Http, retry: Retry) -> Result<Credentials, Error> {
        let (uri, token) = match &self.source {
            Source::Fixed(credentials) => return Ok(credentials.clone()),
            Source::Container { uri, token } => (uri, token),
        };
        // Held while fetching, so that many calls at once make one request.
        let mut current = self.current.lock().await;
        let now = SystemTime::now();
        if let Some(credentials) = current.as_ref().filter(|old| lasts_until(old, now + MARGIN)) {
            return Ok(credentials.clone());
        }
        let fetched = retry.run(|| fetch(http, uri, token), |_| true).await;
        match (fetched, current.as_ref()) {
            (Ok(fresh), _) => Ok(current.insert(fresh).clone()),
            (Err(_), Some(old)) if lasts_until(old, now) => Ok(old.clone()),
            (Err(error), _) => Err(error),
        }
    }
}

fn lasts_until(credentials: &Credentials, moment: SystemTime) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > moment)
}

fn fixed(variables: &Variables<'_>) -> Option<Source> {
    let access_key_id = variables.optional("AWS_ACCESS_KEY_ID")?;
    let secret_access_key = variables.optional("AWS_SECRET_ACCESS_KEY")?;
    let token = variables.optional("AWS_SESSION_TOKEN");
    Some(Source::Fixed(Credentials::new(access_key_id, secret_access_key, token, None, "environment")))
}

fn container(variables: &mut Variables<'_>, endpoint: Option<&Endpoint>) -> Option<Source> {
    let uri = if let Some(relative) = variables.optional("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        let uri = format!("{ECS_ORIGIN}{relative}").parse::<Uri>().ok();
        let uri = uri.filter(|uri| relative.starts_with('/') && uri.host() == Some("169.254.170.2"));
        if uri.is_none() {
            variables.malformed("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "a path");
        }
        uri?
    } else {
        let name = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
        if variables.optional(name).is_none() {
            variables.missing("the task role's AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI, or a pair of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,");
            return None;
        }
        let uri = variables.parsed(name, "an address", |value| value.parse::<Uri>().ok())?;
        if !may_have_the_token(&uri, endpoint) {
            variables.malformed(name, "an https address, or a plain one of ECS or of this machine");
            return None;
        }
        uri
    };
    let token = match variables.optional("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => Token::File(PathBuf::from(file)),
        None => variables.optional("AWS_CONTAINER_AUTHORIZATION_TOKEN").map_or(Token::None, Token::Value),
    };
    Some(Source::Container { uri, token })
}

/// The rule of the SDKs: over plain HTTP the token goes only to a known address. An emulator serves the credentials
/// from the address that it serves everything from.
fn may_have_the_token(uri: &Uri, endpoint: Option<&Endpoint>) -> bool {
    let Some(host) = uri.host() else { return false };
    let emulator = endpoint.filter(|endpoint| endpoint.is_local()).and_then(Endpoint::custom_host);
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => {
            TRUSTED_HOSTS.contains(&host)
                || matches!(host, "localhost" | "127.0.0.1" | "[::1]")
                || emulator.as_deref() == Some(host)
        }
        _ => false,
    }
}

async fn fetch(http: &Http, uri: &Uri, token: &Token) -> Result<Credentials, Error> {
    let failed = |reason: String| Error::Credentials { reason };
    let mut request = Request::get(uri.clone());
    let token = match token {
        Token::None => None,
        Token::Value(value) => Some(value.clone()),
        Token::File(file) => {
            let read = std::fs::read_to_string(file);
            Some(read.map_err(|error| failed(format!("read the token's file {}: {error}", file.display())))?)
        }
    };
    if let Some(token) = token {
        request = request.header("authorization", token.trim_end());
    }
    let request =
        request.body(Full::default()).map_err(|_| failed("the token is not a header's value".to_owned()))?;
    let answer = http.send(request).await.map_err(failed)?;
    if !answer.status().is_success() {
        return Err(failed(format!("the endpoint answered HTTP {}", answer.status().as_u16())));
    }
    parse(answer.body()).ok_or_else(|| failed("the endpoint's answer has no credentials in it".to_owned()))
}

fn parse(body: &[u8]) -> Option<Credentials> {
    let document: serde_json::Value = serde_json::from_slice(body).ok()?;
    let field = |name: &str| document.get(name)?.as_str().map(str::to_owned);
    let expiry = match field("Expiration") {
        Some(text) => Some(SystemTime::from(OffsetDateTime::parse(&text, &Rfc3339).ok()?)),
        None => None,
    };
    Some(Credentials::new(
        field("AccessKeyId")?,
        field("SecretAccessKey")?,
        field("Token"),
        expiry,
        "container",
    ))
}

#[cfg(test)]
mod tests {
    use super::{CredentialsCache, Source, Token, parse};
    use crate::{Endpoint, Variables};
    use std::collections::BTreeMap;
    use std::time::{Duration, SystemTime};

    fn read(pairs: &[(&str, &str)]) -> Result<Source, String> {
        let map: BTreeMap<_, _> = pairs.iter().copied().collect();
        let lookup = |name: &str| map.get(name).map(|value| (*value).to_owned());
        let mut variables = Variables::new(&lookup);
        let endpoint = Endpoint::read(&mut variables, "eu-central-1");
        let cache = CredentialsCache::read(&mut variables, endpoint.as_ref());
        cache.map(|cache| cache.source).ok_or_else(|| variables.failed().to_string())
    }

    fn address(pairs: &[(&str, &str)]) -> Result<String, String> {
        match read(pairs)? {
            Source::Container { uri, .. } => Ok(uri.to_string()),
            Source::Fixed(_) => Ok("fixed".to_owned()),
        }
    }

    #[test]
    fn fixed_keys_come_before_the_endpoint_and_half_a_pair_counts_for_nothing() {
        let relative = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1");
        let id = ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
        assert_eq!(address(&[id, ("AWS_SECRET_ACCESS_KEY", "secret"), relative]).unwrap(), "fixed");
        assert_eq!(address(&[id, relative]).unwrap(), "http://169.254.170.2/v2/credentials/1");
    }

    #[test]
    fn the_token_goes_only_where_it_belongs() {
        let full = |uri: &str| address(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)]);
        assert!(full("https://vault.example.com/x").is_ok());
        assert!(full("http://127.0.0.1:80/x").is_ok());
        assert!(full("http://169.254.170.23/x").is_ok());
        assert!(full("http://host.docker.internal:4566/x").is_err());
        assert!(full("http://example.com/x").is_err());
        let beside = |endpoint: &str, uri: &str| {
            address(&[("AWS_ENDPOINT_URL", endpoint), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)])
        };
        assert!(beside("http://host.docker.internal:4566", "http://host.docker.internal:4566/x").is_ok());
        assert!(beside("http://host.docker.internal:4566", "http://example.com/x").is_err());
        assert!(beside("http://example.com", "http://example.com/x").is_err());
        let relative = |uri: &str| address(&[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", uri)]);
        assert!(relative("@example.com/x").is_err());
        assert!(relative(".example.com/x").is_err());
    }

    #[test]
    fn a_token_in_a_file_comes_before_one_in_the_environment() {
        let source = read(&[
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "inline"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/run/token"),
        ]);
        assert!(
            matches!(source, Ok(Source::Container { token: Token::File(file), .. }) if file.ends_with("token"))
        );
    }

    #[test]
    fn an_answer_has_its_end_and_one_without_keys_is_none() {
        let credentials = parse(
            br#"{"AccessKeyId":"A","SecretAccessKey":"S","Token":"T","Expiration":"2026-11-22T12:00:00Z","RoleArn":"r"}"#,
        )
        .unwrap();
        assert_eq!(credentials.session_token(), Some("T"));
        let expected = SystemTime::UNIX_EPOCH + Duration::from_hours(498_708);
        assert_eq!(credentials.expiry(), Some(expected));
        assert!(!format!("{credentials:?}").contains("\"S\""), "the secret key is not shown");
        assert!(parse(b"{}").is_none());
        assert!(parse(br#"{"AccessKeyId":"A","SecretAccessKey":"S","Expiration":"soon"}"#).is_none());
        assert!(parse(b"<html>").is_none());
    }
}
