use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_smithy_types::base64;
use tokio::sync::Mutex;

/// User and password for a registry. The password can be neither printed nor serialized.
#[derive(Clone)]
pub struct Login {
    /// Both, joined by a colon, in base64: what basic authentication sends.
    basic: String,
}

impl Login {
    /// A login with a user's name and password.
    pub fn new(user: &str, password: &str) -> Self {
        Self { basic: base64::encode(format!("{user}:{password}")) }
    }

    /// A login that is in base64 already, as ECR's `GetAuthorizationToken` gives it.
    pub fn encoded(basic: impl Into<String>) -> Self {
        Self { basic: basic.into() }
    }

    fn header(&self) -> String {
        format!("Basic {}", self.basic)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

/// Why there is no login.
pub type SignInError = Box<dyn std::error::Error + Send + Sync>;

/// What [`SignIn::login`] gives.
pub type SignInFuture<'a> = Pin<Box<dyn Future<Output = Result<Login, SignInError>> + Send + 'a>>;

/// Where logins come from. It is asked before the first request, and again when the registry no longer takes the last
/// one: a token may expire in the middle of a long copy.
pub trait SignIn: Send + Sync {
    /// A login that is good now.
    fn login(&self) -> SignInFuture<'_>;
}

impl SignIn for Login {
    fn login(&self) -> SignInFuture<'_> {
        let login = self.clone();
        Box::pin(async move { Ok(login) })
    }
}

/// The login in use, shared by everything that goes on over one connection.
pub(crate) struct Session {
    sign_in: Arc<dyn SignIn>,
    current: Mutex<Option<Ticket>>,
}

/// A login, and how many there were before it.
#[derive(Clone)]
pub(crate) struct Ticket {
    number: u64,
    login: Login,
}

impl Ticket {
    /// What the header `Authorization` says.
    pub(crate) fn header(&self) -> String {
        self.login.header()
    }
}

impl Session {
    pub(crate) fn new(sign_in: Arc<dyn SignIn>) -> Self {
        Self { sign_in, current: Mutex::new(None) }
    }

    /// The login in use, the first one fetched now.
    pub(crate) async fn ticket(&self) -> Result<Ticket, SignInError> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(ticket) => Ok(ticket.clone()),
            None => self.replace(&mut current, 0).await,
        }
    }

    /// Another login than the one that was refused. Whoever comes first fetches it, the others get the same.
    pub(crate) async fn ticket_after(&self, refused: &Ticket) -> Result<Ticket, SignInError> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(ticket) if ticket.number > refused.number => Ok(ticket.clone()),
            _ => self.replace(&mut current, refused.number + 1).await,
        }
    }

    async fn replace(&self, current: &mut Option<Ticket>, number: u64) -> Result<Ticket, SignInError> {
        let ticket = Ticket { number, login: self.sign_in.login().await? };
        *current = Some(ticket.clone());
        Ok(ticket)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_login_shows_nothing() {
        let login = Login::new("AWS", "canary");
        assert_eq!(login.header(), "Basic QVdTOmNhbmFyeQ==");
        assert_eq!(format!("{login:?}"), "Login(…)");
        assert_eq!(Login::encoded("QVdTOmNhbmFyeQ==").header(), login.header());
    }

    struct Counting(AtomicUsize);

    impl SignIn for Counting {
        fn login(&self) -> SignInFuture<'_> {
            let number = self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move { Ok(Login::encoded(number.to_string())) })
        }
    }

    #[tokio::test]
    async fn a_refused_login_is_replaced_once_for_all_who_had_it() {
        let session = Session::new(Arc::new(Counting(AtomicUsize::new(0))));
        let first = session.ticket().await.unwrap();
        assert_eq!(session.ticket().await.unwrap().header(), first.header());
        let (second, third) = tokio::join!(session.ticket_after(&first), session.ticket_after(&first));
        let second = second.unwrap();
        assert_eq!((second.header().as_str(), third.unwrap().header()), ("Basic 1", second.header()));
        assert_eq!(session.ticket_after(&second).await.unwrap().header(), "Basic 2");
    }
}
