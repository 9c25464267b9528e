//! Who may use `/jobs`: everyone on a developer's machine, on AWS only who knows the token.

use hyper::header::{AUTHORIZATION, HeaderMap};
use leo_aws::{Endpoint, Variables};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// The rule in force.
pub enum Access {
    /// A token is asked for.
    Token(Token),
    /// Calls go to an emulator on this machine, where a generator costs nothing.
    Open,
    /// No token was set, and every job would cost somebody money.
    Closed,
}

/// The demo's bearer token. Has no `Debug` and no `Display`.
pub struct Token(String);

/// What a request lacks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refusal {
    /// No token, or another one.
    Unauthorized,
    /// Nobody is let in.
    Closed,
}

/// The shortest token that can't be guessed: 16 characters of hexadecimal are 64 bits.
const SHORTEST: usize = 16;

impl Access {
    /// The rule that `LEO_DEMO_TOKEN` and the endpoint make together.
    pub(crate) fn read(variables: &mut Variables<'_>, endpoint: &Endpoint) -> Option<Self> {
        match variables.optional("LEO_DEMO_TOKEN") {
            Some(token) if token.len() >= SHORTEST => Some(Self::Token(Token(token))),
            Some(_) => {
                variables.malformed("LEO_DEMO_TOKEN", "a token of 16 characters or more");
                None
            }
            None if endpoint.is_local() => Some(Self::Open),
            None => Some(Self::Closed),
        }
    }

    /// Lets a request with these headers pass, or says what it lacks. How long a wrong token takes says nothing but
    /// whether its length is right.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match self {
            Self::Open => Ok(()),
            Self::Closed => Err(Refusal::Closed),
            Self::Token(Token(expected)) => {
                let given = headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
                let equal = given.is_some_and(|given| given.ct_eq(expected.as_bytes()).into());
                if equal { Ok(()) } else { Err(Refusal::Unauthorized) }
            }
        }
    }
}

/// The token of a `Bearer` header; the scheme's case does not count.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "asks for a bearer token",
            Self::Open => "is open: the endpoint is local",
            Self::Closed => "is closed: LEO_DEMO_TOKEN is not set",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Refusal};
    use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
    use leo_aws::{Endpoint, Variables};

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn access(token: Option<&str>, url: Option<&str>) -> Option<Access> {
        let lookup = |name: &str| match name {
            "LEO_DEMO_TOKEN" => token.map(str::to_owned),
            "AWS_ENDPOINT_URL" => url.map(str::to_owned),
            _ => None,
        };
        let mut variables = Variables::new(&lookup);
        let endpoint = Endpoint::read(&mut variables, "eu-central-1").unwrap();
        Access::read(&mut variables, &endpoint)
    }

    fn admit(access: &Access, authorization: &str) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        if !authorization.is_empty() {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(authorization).unwrap());
        }
        access.admit(&headers)
    }

    #[test]
    fn only_the_token_opens() {
        let access = access(Some(TOKEN), None).unwrap();
        assert_eq!(admit(&access, &format!("Bearer {TOKEN}")), Ok(()));
        assert_eq!(admit(&access, &format!("bearer  {TOKEN}")), Ok(()));
        for wrong in [
            "",
            TOKEN,
            "Bearer",
            "Bearer ",
            "Basic 0123",
            &format!("Bearer {TOKEN}0"),
            &format!("Bearer {}", &TOKEN[1..]),
        ] {
            assert_eq!(admit(&access, wrong), Err(Refusal::Unauthorized), "{wrong:?}");
        }
    }

    #[test]
    fn without_a_token_only_a_local_endpoint_is_open() {
        let local = Some("http://host.docker.internal:4566");
        assert_eq!(admit(&access(None, local).unwrap(), ""), Ok(()));
        assert_eq!(admit(&access(None, None).unwrap(), ""), Err(Refusal::Closed));
        assert_eq!(admit(&access(None, Some("https://example.com")).unwrap(), ""), Err(Refusal::Closed));
        assert_eq!(admit(&access(Some(TOKEN), local).unwrap(), ""), Err(Refusal::Unauthorized));
        assert!(access(Some("short"), local).is_none());
    }
}
