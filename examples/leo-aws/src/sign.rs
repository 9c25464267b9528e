//! Signature Version 4 ("Create a signed AWS API request" in the IAM user guide) for requests whose address is already
//! encoded as it has to be.
//!
//! AWS's own crate for this brings 20 others along, a third of the time that everything here takes to compile; the tests
//! compare every signature with it.

use hyper::Uri;
use ring::{digest, hmac};
use std::fmt::Write as _;
use std::time::SystemTime;

/// A key pair, with a token where it is temporary. Has no `Debug` and no `Display`.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: Option<String>,
    /// `None` for those that do not end.
    pub(crate) expiry: Option<SystemTime>,
}

/// What a signature is good for, beside the request.
pub(crate) struct Scope<'a> {
    pub(crate) region: &'a str,
    /// As it is named in signatures: `s3`, `ecs`.
    pub(crate) service: &'a str,
    pub(crate) now: SystemTime,
}

/// The headers to send: the given ones, whose names are in lower case, and what makes the request a signed one.
pub(crate) fn sign<'a>(
    method: &str,
    url: &Uri,
    headers: &[(&'a str, &str)],
    body: &[u8],
    credentials: &Credentials,
    scope: &Scope<'_>,
) -> Vec<(&'a str, String)> {
    let body = hex(digest::digest(&digest::SHA256, body).as_ref());
    // 2026-11-22T12:00:00Z → 20261122T120000Z
    let time = humantime::format_rfc3339_seconds(scope.now).to_string().replace(['-', ':'], "");
    let date = time.get(..8).unwrap_or_default();
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.trim().to_owned())).collect();
    headers.push(("host", url.authority().map(ToString::to_string).unwrap_or_default()));
    headers.push(("x-amz-date", time.clone()));
    headers.push(("x-amz-content-sha256", body.clone()));
    headers.extend(credentials.session_token.iter().map(|token| ("x-amz-security-token", token.clone())));
    headers.sort();

    let mut query: Vec<_> = url.query().unwrap_or_default().split('&').collect();
    // By name and then by value, which is another order than that of the pairs as text.
    query.sort_by_key(|pair| pair.split_once('='));
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines = headers.iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>().join("\n");
    let request = format!("{method}\n{}\n{}\n{lines}\n\n{names}\n{body}", url.path(), query.join("&"));
    let request = hex(digest::digest(&digest::SHA256, request.as_bytes()).as_ref());

    let scope_text = format!("{date}/{}/{}/aws4_request", scope.region, scope.service);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope_text}\n{request}");
    let secret = format!("AWS4{}", credentials.secret_access_key);
    let key = [date, scope.region, scope.service, "aws4_request"]
        .iter()
        .fold(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), |key, part| {
            hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref())
        });
    let signature = hex(hmac::sign(&key, text.as_bytes()).as_ref());
    let id = &credentials.access_key_id;
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{scope_text}, SignedHeaders={names}, Signature={signature}"
    );
    headers.push(("authorization", authorization));
    headers
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // A string takes everything.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{Credentials, Scope, sign};
    use aws_sigv4::http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode,
    };
    use aws_sigv4::sign::v4;
    use hyper::Uri;
    use std::time::{Duration, SystemTime};

    fn credentials(session_token: Option<&str>) -> Credentials {
        Credentials {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: session_token.map(str::to_owned),
            expiry: None,
        }
    }

    fn authorization(headers: &[(&str, String)]) -> String {
        headers.iter().find(|(name, _)| *name == "authorization").unwrap().1.clone()
    }

    /// The examples of "Signature Calculations for the Authorization Header" in the S3 API reference: AWS's own numbers.
    #[test]
    fn signatures_are_those_of_the_s3_reference() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(380_376);
        let scope = Scope { region: "us-east-1", service: "s3", now };
        let signature = |method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
            let url: Uri = format!("https://examplebucket.s3.amazonaws.com{path}").parse().unwrap();
            let headers = sign(method, &url, headers, body, &credentials(None), &scope);
            authorization(&headers).rsplit('=').next().unwrap().to_owned()
        };
        assert_eq!(
            signature("GET", "/test.txt", &[("range", "bytes=0-9")], b""),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        let put = [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
        assert_eq!(
            signature("PUT", "/test%24file.text", &put, b"Welcome to Amazon S3."),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );
        assert_eq!(
            signature("GET", "/?max-keys=2&prefix=J", &[], b""),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    /// What AWS's own crate makes of the same request.
    fn theirs(
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        ours: &Credentials,
        scope: &Scope<'_>,
    ) -> String {
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        if scope.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let identity = aws_credential_types::Credentials::new(
            &*ours.access_key_id,
            &*ours.secret_access_key,
            ours.session_token.clone(),
            None,
            "test",
        )
        .into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(scope.region)
            .name(scope.service)
            .time(scope.now)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let request =
            SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body)).unwrap();
        let signed = aws_sigv4::http_request::sign(request, &params).unwrap();
        let (instructions, _) = signed.into_parts();
        instructions.headers().find(|(name, _)| *name == "authorization").unwrap().1.to_owned()
    }

    #[test]
    fn signatures_are_those_of_the_sdk() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_348_801);
        let json = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Service.RunTask")];
        let text = [("content-type", "text/plain; charset=utf-8")];
        let (json, text, none) = (json.as_slice(), text.as_slice(), [].as_slice());
        let requests = [
            ("ecs", "POST", "https://ecs.eu-central-1.amazonaws.com/", json, b"{}".as_slice()),
            ("ecs", "POST", "http://127.0.0.1:4566/", json, "{\"ä\":1}".as_bytes()),
            ("s3", "PUT", "https://apps.s3.eu-central-1.amazonaws.com/jobs/0/input", text, b"a bakery"),
            ("s3", "GET", "http://host.docker.internal:4566/apps/jobs/%C3%A4%20b%2Bc", none, b""),
            ("s3", "GET", "http://127.0.0.1:1/apps/?list-type=2&prefix=jobs%2F0%2F", none, b""),
            (
                "s3",
                "GET",
                "http://127.0.0.1:1/apps/?prefix=a%26b%3D&list-type=2&continuation-token=a%2Fb%3D%3D",
                &[],
                b"",
            ),
            ("s3", "GET", "https://apps.s3.eu-central-1.amazonaws.com/a//b/../c", none, b""),
        ];
        for (service, method, url, headers, body) in requests {
            for token in [None, Some("a session's token+/=")] {
                let scope = Scope { region: "eu-central-1", service, now };
                let credentials = credentials(token);
                let ours = sign(method, &url.parse().unwrap(), headers, body, &credentials, &scope);
                let theirs = theirs(method, url, headers, body, &credentials, &scope);
                assert_eq!(authorization(&ours), theirs, "{method} {url}");
            }
        }
    }
}
