//! Who may use `/jobs`: everyone on a developer's machine, on AWS only who knows the token in the bucket.

use hyper::header::{AUTHORIZATION, HeaderMap};
use leo_aws::Client;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::log;
use crate::token::{Token, TokenError, TokenObject};

/// How long a token is believed without asking S3 again.
const KEPT: Duration = Duration::from_mins(1);
/// The time between two questions to S3 that a wrong token, or an S3 that does not answer, can cause. A replaced token
/// is good after at most this time.
const PAUSE: Duration = Duration::from_secs(5);

/// The rule in force.
pub enum Access {
    /// Every job costs somebody money: a token is asked for.
    Token(Box<Guard>),
    /// Calls go to an emulator on this machine, where a generator costs nothing.
    Open,
}

/// Compares with the token in the bucket. Has no `Debug`: it holds a secret.
pub struct Guard {
    object: TokenObject,
    known: Mutex<Known>,
    /// Held while S3 is asked, so that many requests at once ask once. Who knows the token does not wait for it.
    asking: tokio::sync::Mutex<()>,
}

/// Why a request is not let in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    /// No token, or another one.
    Unauthorized {
        /// Where the token is.
        hint: String,
    },
    /// Nobody can say whether the token is right.
    Unavailable,
}

impl Access {
    /// The rule that the client's endpoint makes.
    pub(crate) fn new(client: &Client, bucket: &str) -> Self {
        if client.endpoint().is_local() {
            return Self::Open;
        }
        Self::Token(Box::new(Guard::new(TokenObject::new(client.clone(), bucket.to_owned()))))
    }

    /// Lets a request with these headers pass, or says why not. A refusal has made sure that there is a token.
    pub(crate) async fn admit(&self, headers: &HeaderMap, now: Instant) -> Result<(), Refusal> {
        let Self::Token(guard) = self else { return Ok(()) };
        let given = headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
        guard.admit(given, now).await
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(guard) => write!(f, "asks for the token in {}", guard.object.place()),
            Self::Open => f.write_str("is open: the endpoint is local"),
        }
    }
}

impl Guard {
    fn new(object: TokenObject) -> Self {
        Self { object, known: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    async fn admit(&self, given: Option<&[u8]>, now: Instant) -> Result<(), Refusal> {
        let mut verdict = self.known().verdict(given, now);
        if verdict == Verdict::Ask {
            let _asking = self.asking.lock().await;
            // Somebody else may have asked while this request waited.
            verdict = self.known().verdict(given, now);
            if verdict == Verdict::Ask {
                let settled = self.object.settle().await;
                verdict = self.learn(settled, now).verdict(given, now);
            }
        }
        match verdict {
            Verdict::Right => Ok(()),
            Verdict::Wrong => Err(Refusal::Unauthorized {
                hint: format!("fetch the token with `aws s3 cp {} -`", self.object.place()),
            }),
            Verdict::Unavailable | Verdict::Ask => Err(Refusal::Unavailable),
        }
    }

    fn learn(&self, settled: Result<Token, TokenError>, now: Instant) -> MutexGuard<'_, Known> {
        let mut known = self.known();
        known.asked = Some(Asked { at: now, answered: settled.is_ok() });
        match settled {
            Ok(token) => known.token = Some((token, now)),
            Err(error) => log::failure(format_args!("failed to {error}"), error.hint()),
        }
        known
    }

    /// A request that panicked has left nothing half done.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What S3 said last.
#[derive(Default)]
struct Known {
    token: Option<(Token, Instant)>,
    asked: Option<Asked>,
}

struct Asked {
    at: Instant,
    answered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Right,
    Wrong,
    Unavailable,
    /// What is known is too old to say.
    Ask,
}

impl Known {
    fn verdict(&self, given: Option<&[u8]>, now: Instant) -> Verdict {
        let kept = self.token.as_ref().filter(|(_, read)| now.duration_since(*read) < KEPT);
        if kept.zip(given).is_some_and(|((token, _), given)| token.is(given)) {
            return Verdict::Right;
        }
        match &self.asked {
            Some(asked) if now.duration_since(asked.at) < PAUSE => {
                if asked.answered {
                    Verdict::Wrong
                } else {
                    Verdict::Unavailable
                }
            }
            _ => Verdict::Ask,
        }
    }
}

/// The token of a `Bearer` header; the scheme's case does not count.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::{Access, Guard, KEPT, PAUSE, Refusal, bearer};
    use crate::token::TokenObject;
    use fake_aws::{BUCKET, FakeAws};
    use leo_aws::{Client, Retry, Variables};
    use std::time::{Duration, Instant};

    const KEY: &str = "jobs/demo-token";
    const OTHER: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn client(url: &str) -> Client {
        let lookup = |name: &str| {
            let value = match name {
                "AWS_REGION" => fake_aws::REGION,
                "AWS_ENDPOINT_URL" => url,
                "AWS_ACCESS_KEY_ID" => fake_aws::ACCESS_KEY_ID,
                "AWS_SECRET_ACCESS_KEY" => "a secret that nobody checks",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let pace = Duration::from_millis(1);
        Client::read(&mut Variables::new(&lookup), Retry { times: 2, shortest: pace, longest: pace }).unwrap()
    }

    fn guard(aws: &FakeAws) -> Guard {
        Guard::new(TokenObject::new(client(aws.url()), BUCKET.to_owned()))
    }

    fn token(aws: &FakeAws) -> Vec<u8> {
        aws.object(KEY).unwrap().body
    }

    fn unauthorized() -> Result<(), Refusal> {
        let hint = "fetch the token with `aws s3 cp s3://leo-test-apps/jobs/demo-token -`".to_owned();
        Err(Refusal::Unauthorized { hint })
    }

    #[tokio::test]
    async fn the_first_refusal_makes_the_token_and_the_next_minute_costs_no_call() {
        let (aws, now) = (FakeAws::start(), Instant::now());
        let guard = guard(&aws);
        assert_eq!(guard.admit(None, now).await, unauthorized());
        let token = token(&aws);
        assert!(token.len() == 32 && token.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        for later in [Duration::ZERO, PAUSE, KEPT.checked_sub(Duration::from_secs(1)).unwrap()] {
            assert_eq!(guard.admit(Some(&token), now + later).await, Ok(()));
        }
        assert_eq!((aws.calls("GetObject").len(), aws.calls("PutObject").len()), (1, 1));
        assert_eq!(guard.admit(Some(&token), now + KEPT).await, Ok(()));
        assert_eq!((aws.calls("GetObject").len(), aws.calls("PutObject").len()), (2, 1));
    }

    #[tokio::test]
    async fn a_replaced_token_is_good_after_the_pause_and_the_old_one_is_not() {
        let (aws, now) = (FakeAws::start(), Instant::now());
        let guard = guard(&aws);
        guard.admit(None, now).await.unwrap_err();
        let old = token(&aws);
        aws.put(KEY, [OTHER, b"\n"].concat(), Duration::ZERO);
        for _ in 0..9 {
            assert_eq!(guard.admit(Some(OTHER), now).await, unauthorized());
        }
        assert_eq!(aws.calls("GetObject").len(), 1, "wrong tokens do not make calls faster");
        assert_eq!(guard.admit(Some(OTHER), now + PAUSE).await, Ok(()));
        assert_eq!(guard.admit(Some(&old), now + PAUSE).await, unauthorized());
    }

    #[tokio::test]
    async fn an_expired_token_is_followed_by_a_new_one() {
        let (aws, now) = (FakeAws::start(), Instant::now());
        let guard = guard(&aws);
        guard.admit(None, now).await.unwrap_err();
        let old = token(&aws);
        aws.remove(KEY);
        assert_eq!(guard.admit(Some(&old), now + KEPT).await, unauthorized());
        let new = token(&aws);
        assert_ne!(new, old);
        assert_eq!(guard.admit(Some(&new), now + KEPT).await, Ok(()));
    }

    #[tokio::test]
    async fn requests_at_once_ask_once() {
        let (aws, now) = (FakeAws::start(), Instant::now());
        let guard = guard(&aws);
        let (one, two, three) = tokio::join!(guard.admit(None, now), guard.admit(None, now), async {
            guard.admit(Some(OTHER), now).await
        });
        assert_eq!([one, two, three], [unauthorized(), unauthorized(), unauthorized()]);
        assert_eq!((aws.calls("GetObject").len(), aws.calls("PutObject").len()), (1, 1));
    }

    #[tokio::test]
    async fn two_orchestrators_at_once_agree() {
        let (aws, now) = (FakeAws::start(), Instant::now());
        let (one, other) = (guard(&aws), guard(&aws));
        let refused = tokio::join!(one.admit(None, now), other.admit(None, now));
        assert_eq!(refused, (unauthorized(), unauthorized()));
        let token = token(&aws);
        for guard in [one, other] {
            assert_eq!(guard.admit(Some(&token), now).await, Ok(()));
        }
    }

    #[tokio::test]
    async fn without_s3_nobody_is_let_in_and_s3_is_left_alone_for_a_while() {
        let (aws, now) = (FakeAws::start(), Instant::now());
        let guard = guard(&aws);
        aws.put(KEY, OTHER, Duration::ZERO);
        for _ in 0..3 {
            aws.answer_next("GetObject", 500, "");
        }
        assert_eq!(guard.admit(Some(OTHER), now).await, Err(Refusal::Unavailable));
        assert_eq!(guard.admit(Some(OTHER), now).await, Err(Refusal::Unavailable));
        assert_eq!(aws.calls("GetObject").len(), 3, "one question, tried three times");
        assert_eq!(guard.admit(Some(OTHER), now + PAUSE).await, Ok(()));
    }

    #[tokio::test]
    async fn an_s3_that_can_not_be_reached_is_no_s3() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let object = TokenObject::new(client(&format!("http://{free}")), BUCKET.to_owned());
        let refused = Guard::new(object).admit(Some(OTHER), Instant::now()).await;
        assert_eq!(refused, Err(Refusal::Unavailable));
    }

    #[tokio::test]
    async fn an_emptied_object_opens_nothing() {
        let aws = FakeAws::start();
        aws.put(KEY, "", Duration::ZERO);
        assert_eq!(guard(&aws).admit(Some(b""), Instant::now()).await, Err(Refusal::Unavailable));
        assert!(aws.calls("PutObject").is_empty(), "what somebody wrote is not written over");
    }

    #[test]
    fn only_a_bearer_header_has_a_token() {
        assert_eq!(bearer(b"Bearer x"), Some(&b"x"[..]));
        assert_eq!(bearer(b"bearer  x "), Some(&b"x"[..]));
        for other in ["", "x", "Bearer", "Basic 0123", "Bearers x"] {
            assert_eq!(bearer(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn only_a_local_endpoint_is_open() {
        let says = |url| Access::new(&client(url), BUCKET).to_string();
        assert_eq!(says("http://host.docker.internal:4566"), "is open: the endpoint is local");
        let asks = "asks for the token in s3://leo-test-apps/jobs/demo-token";
        assert_eq!([says(""), says("https://example.com"), says("http://8.8.8.8")], [asks; 3]);
    }
}
