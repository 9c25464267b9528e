//! The one question to IAM: whether a role may read secrets. An SDK of its own would take minutes to compile for it.

mod answer;

use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_http_client::{
    Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use http_body_util::BodyExt;
use leo_aws::{ErrorClass, ServiceError};
use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

pub(crate) use answer::{Decision, Refusal, Verdict};

const OPERATION: &str = "SimulatePrincipalPolicy";
/// How long an answer may take: nothing that a deploy needs depends on it.
const ANSWER: Duration = Duration::from_secs(5);
/// How often it is asked where asking fails for a moment.
const ATTEMPTS: u32 = 3;
/// The pause before it is asked again.
const PAUSE: Duration = Duration::from_millis(400);

/// Who asks, and where.
#[derive(Clone)]
pub(crate) struct Iam {
    credentials: Option<SharedCredentialsProvider>,
    connector: SharedHttpConnector,
    endpoint: String,
    /// The region that requests are signed for.
    signed_for: &'static str,
    /// The region that the secrets are in.
    region: String,
}

impl Iam {
    /// With a client's configuration; `proxy` leads there.
    pub(crate) fn new(sdk: &SdkConfig, proxy: ProxyConfig) -> Self {
        let region = sdk.region().map(Region::to_string).unwrap_or_default();
        let (host, signed_for) = place(&region);
        let endpoint = sdk
            .endpoint_url()
            .map_or_else(|| format!("https://{host}/"), |url| format!("{}/", url.trim_end_matches('/')));
        let builder = Connector::builder().proxy_config(proxy);
        let connector = if endpoint.starts_with("http:") {
            SharedHttpConnector::new(builder.build_http())
        } else {
            SharedHttpConnector::new(builder.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build())
        };
        Self { credentials: sdk.credentials_provider(), connector, endpoint, signed_for, region }
    }

    /// What IAM says of `action` on each of these resources for a role, with its permissions boundary and the
    /// organization's policies.
    pub(crate) async fn simulate(
        &self,
        role: &str,
        action: &str,
        resources: &[&str],
    ) -> Result<Vec<Verdict>, ServiceError> {
        let body = question(role, action, resources, &self.region);
        let mut attempt = 1;
        loop {
            match self.ask(&body).await {
                Err(error) if error.is_retryable() && attempt < ATTEMPTS => {
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                answered => return answered,
            }
        }
    }

    async fn ask(&self, body: &str) -> Result<Vec<Verdict>, ServiceError> {
        let request = self.request(body).await?;
        let answer = tokio::time::timeout(ANSWER, async {
            let answer = self.connector.call(request).await.map_err(transient)?;
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.map_err(transient)?.to_bytes();
            Ok((status, String::from_utf8_lossy(&body).into_owned()))
        });
        let (status, text) = answer.await.map_err(transient)??;
        if status == 200 {
            return answer::verdicts(&text)
                .ok_or_else(|| failed(ErrorClass::Final, None, "answered what can't be read".to_owned()));
        }
        let (code, message) = answer::error(&text);
        let class = match &code {
            Some(code) => ErrorClass::of_code(code, &message, Some(status)),
            None if status >= 500 => ErrorClass::Transient,
            None => ErrorClass::Final,
        };
        let message =
            if message.is_empty() { format!("answered with HTTP status {status}") } else { message };
        Err(failed(class, code, message))
    }

    async fn request(&self, body: &str) -> Result<HttpRequest, ServiceError> {
        let refused = |message: String| failed(ErrorClass::Final, None, message);
        let provider = self
            .credentials
            .as_ref()
            .ok_or_else(|| failed(ErrorClass::Credentials, None, "no credentials".to_owned()))?;
        let identity = provider
            .provide_credentials()
            .await
            .map_err(|error| failed(ErrorClass::Credentials, None, error.to_string()))?
            .into();
        let signing = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.signed_for)
            .name("iam")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| refused(error.to_string()))?
            .into();
        let host = self.endpoint.split('/').nth(2).unwrap_or_default();
        let headers = [("host", host), ("content-type", FORM)];
        let signable = SignableRequest::new(
            "POST",
            &self.endpoint,
            headers.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        )
        .map_err(|error| refused(error.to_string()))?;
        let (instructions, _) =
            sign(signable, &signing).map_err(|error| refused(error.to_string()))?.into_parts();
        let mut request = HttpRequest::new(body.into());
        let made = request.set_method("POST").is_ok() && request.set_uri(self.endpoint.as_str()).is_ok();
        if !made {
            return Err(refused(format!("`{}` can't be asked", self.endpoint)));
        }
        for (name, value) in headers.into_iter().chain(instructions.headers()) {
            request.headers_mut().insert(name.to_owned(), value.to_owned());
        }
        Ok(request)
    }
}

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The host of IAM's one endpoint in a region's partition, and the region that it is signed for ("AWS Identity and Access
/// Management endpoints and quotas").
fn place(region: &str) -> (&'static str, &'static str) {
    if region.starts_with("cn-") {
        ("iam.cn-north-1.amazonaws.com.cn", "cn-north-1")
    } else if region.starts_with("us-gov-") {
        ("iam.us-gov.amazonaws.com", "us-gov-west-1")
    } else {
        ("iam.amazonaws.com", "us-east-1")
    }
}

fn question(role: &str, action: &str, resources: &[&str], region: &str) -> String {
    let mut body = String::new();
    let mut add = |name: &str, value: &str| {
        let gap = if body.is_empty() { "" } else { "&" };
        // Writing to a string can't fail.
        let _ = write!(body, "{gap}{name}={}", encoded(value));
    };
    add("Action", OPERATION);
    add("Version", "2010-05-08");
    add("PolicySourceArn", role);
    add("ActionNames.member.1", action);
    for (number, resource) in (1..).zip(resources) {
        add(&format!("ResourceArns.member.{number}"), resource);
    }
    // What boundaries and organizations ask for most often; without it their condition would count as not met.
    for (number, (key, kind, value)) in
        (1..).zip([("aws:RequestedRegion", "string", region), ("aws:SecureTransport", "boolean", "true")])
    {
        add(&format!("ContextEntries.member.{number}.ContextKeyName"), key);
        add(&format!("ContextEntries.member.{number}.ContextKeyType"), kind);
        add(&format!("ContextEntries.member.{number}.ContextKeyValues.member.1"), value);
    }
    body
}

fn encoded(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

fn transient(error: impl std::fmt::Display) -> ServiceError {
    failed(ErrorClass::Transient, None, error.to_string())
}

fn failed(class: ErrorClass, code: Option<String>, message: String) -> ServiceError {
    ServiceError { operation: OPERATION, class, code, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_the_role_and_every_resource() {
        let asked = question(
            "arn:aws:iam::1:role/a b",
            "secretsmanager:GetSecretValue",
            &["one", "two"],
            "eu-west-1",
        );
        assert_eq!(
            asked,
            "Action=SimulatePrincipalPolicy&Version=2010-05-08&PolicySourceArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b\
             &ActionNames.member.1=secretsmanager%3AGetSecretValue&ResourceArns.member.1=one&ResourceArns.member.2=two\
             &ContextEntries.member.1.ContextKeyName=aws%3ARequestedRegion&ContextEntries.member.1.ContextKeyType=string\
             &ContextEntries.member.1.ContextKeyValues.member.1=eu-west-1\
             &ContextEntries.member.2.ContextKeyName=aws%3ASecureTransport\
             &ContextEntries.member.2.ContextKeyType=boolean&ContextEntries.member.2.ContextKeyValues.member.1=true"
        );
    }

    #[test]
    fn every_partition_has_its_own_endpoint() {
        assert_eq!(place("eu-central-1"), ("iam.amazonaws.com", "us-east-1"));
        assert_eq!(place("cn-northwest-1"), ("iam.cn-north-1.amazonaws.com.cn", "cn-north-1"));
        assert_eq!(place("us-gov-east-1"), ("iam.us-gov.amazonaws.com", "us-gov-west-1"));
    }
}
