//! The demo's token, and the object in the orchestrator's bucket that is its one home.

use leo_aws::{Client, Error};
use subtle::ConstantTimeEq as _;

use crate::{log, random};

/// Below `jobs/`, where the orchestrator's role may read and write, and where a generator's may read only
/// `jobs/*/input`. No run id is spelled like this, so no job's keys begin with it.
const KEY: &str = "jobs/demo-token";
/// The shortest token that is believed: 128 bits in hexadecimal. An object that somebody emptied must not open `/jobs`.
const SHORTEST: usize = 32;
/// How often reading and writing take turns before it is given up: the third time only after a write that met another
/// one which then came to nothing.
const ATTEMPTS: usize = 3;

/// A bearer token. Has no `Debug` and no `Display`.
pub(crate) struct Token(String);

impl Token {
    fn random() -> Result<Self, getrandom::Error> {
        random::digits().map(Self)
    }

    /// What an object holds, without white space around it: it may have been replaced by hand.
    fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body.trim_ascii()).ok()?;
        let is_token = text.len() >= SHORTEST && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_token.then(|| Self(text.to_owned()))
    }

    /// Whether it is this one. How long the answer takes says nothing but whether the length is right.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(given).into()
    }
}

/// Where the token is kept.
pub(crate) struct TokenObject {
    client: Client,
    bucket: String,
}

/// Why there is no token now. No variant can carry one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("read or make the demo's token: {0}")]
    Aws(#[from] Error),
    #[error("make the demo's token: {0}")]
    Random(#[from] getrandom::Error),
    #[error("read the demo's token: what {place} holds is not {SHORTEST} or more visible characters")]
    Malformed { place: String },
}

impl TokenError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Aws(error) => error.hint(),
            Self::Random(_) => None,
            Self::Malformed { .. } => Some("remove the object: the next request makes a new one".to_owned()),
        }
    }
}

impl TokenObject {
    pub(crate) fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// The address for people and for `aws s3`.
    pub(crate) fn place(&self) -> String {
        format!("s3://{}/{KEY}", self.bucket)
    }

    /// The token in the bucket. Where there is none (at first, and after the bucket's rule has expired it) it is made
    /// here, unless another orchestrator makes one at the same time: then it is theirs.
    pub(crate) async fn settle(&self) -> Result<Token, TokenError> {
        let mut missing = match self.read().await? {
            Read::Token(token) => return Ok(token),
            Read::Missing(error) => error,
        };
        for _ in 1..ATTEMPTS {
            let token = Token::random()?;
            if self.client.create_object(&self.bucket, KEY, "text/plain", token.0.clone()).await? {
                log::line(format_args!("made a new token for /jobs: aws s3 cp {} -", self.place()));
                return Ok(token);
            }
            missing = match self.read().await? {
                Read::Token(token) => return Ok(token),
                Read::Missing(error) => error,
            };
        }
        Err(missing.into())
    }

    async fn read(&self) -> Result<Read, TokenError> {
        match self.client.get_object(&self.bucket, KEY).await {
            Ok(body) => {
                let token = Token::parse(&body);
                token.map(Read::Token).ok_or_else(|| TokenError::Malformed { place: self.place() })
            }
            // Denied is also what AWS says of a missing object where the right to list has a condition. Whether it is
            // there, the conditional write will tell.
            Err(error) if error.is_not_found() || error.is_denied() => Ok(Read::Missing(error)),
            Err(error) => Err(error.into()),
        }
    }
}

enum Read {
    Token(Token),
    Missing(Error),
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn only_the_same_bytes_are_the_token() {
        let token = Token::random().ok().unwrap();
        assert_eq!(token.0.len(), 32);
        assert!(token.is(token.0.as_bytes()) && !token.is(b"") && !token.is(&token.0.as_bytes()[1..]));
        assert!(!token.is(Token::random().ok().unwrap().0.as_bytes()));
    }

    #[test]
    fn an_object_without_enough_in_it_is_no_token() {
        let digits = "0123456789abcdef0123456789abcdef";
        assert!(Token::parse(format!("{digits}\n").as_bytes()).unwrap().is(digits.as_bytes()));
        for body in ["", "\n", &digits[1..], &digits.replace('0', " "), &digits.replace('0', "ä")] {
            assert!(Token::parse(body.as_bytes()).is_none(), "{body:?}");
        }
    }
}
