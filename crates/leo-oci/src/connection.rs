use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde::Deserialize;

use crate::http::{self, Answered, Patience, Request};
use crate::login::{Session, Ticket};
use crate::manifest::{self, Manifest};
use crate::place::Place;
use crate::retry::persist;
use crate::{ImageDigest, Login, OciError, SignIn};

/// What a registry may say about a refusal, in bytes.
const LONGEST_REFUSAL: usize = 64 * 1024;
/// A manifest of more bytes is refused by ECR and by most other registries.
const LONGEST_MANIFEST: usize = 4 * 1024 * 1024;

/// A registry, and who we are to it. Clones share one login and one pool of connections.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

struct Inner {
    root: Place,
    connector: SharedHttpConnector,
    session: Session,
}

impl Connection {
    /// A connection to the registry at this host, with a port where it has one. Nothing is sent yet.
    ///
    /// # Errors
    /// [`OciError::Answer`] where that is no host.
    pub fn new(host: &str, login: &Login) -> Result<Self, OciError> {
        Self::signing_in(host, Arc::new(login.clone()))
    }

    /// The same, with logins that can be fetched again when one expires.
    ///
    /// # Errors
    /// [`OciError::Answer`] where that is no host.
    pub fn signing_in(host: &str, sign_in: Arc<dyn SignIn>) -> Result<Self, OciError> {
        let root = Place::of_registry(host)?;
        let connector = http::connector(&root);
        Ok(Self { inner: Arc::new(Inner { root, connector, session: Session::new(sign_in) }) })
    }

    /// The registry's host, with a port where it has one.
    pub fn host(&self) -> String {
        self.inner.root.host()
    }

    /// Whether both lead to the same registry.
    pub(crate) fn is_same_registry(&self, other: &Self) -> bool {
        self.inner.root.is_of(&other.inner.root)
    }

    /// The address of something in a repository.
    pub(crate) fn place(&self, repository: &str, rest: &str) -> Result<Place, OciError> {
        self.inner.root.with_path(&format!("/v2/{repository}/{rest}"))
    }

    /// Whether the repository has this image.
    ///
    /// # Errors
    /// What keeps the registry from saying so.
    pub async fn has_image(&self, repository: &str, digest: &ImageDigest) -> Result<bool, OciError> {
        self.has(repository, &format!("manifests/{digest}")).await
    }

    pub(crate) async fn has_blob(&self, repository: &str, digest: &ImageDigest) -> Result<bool, OciError> {
        self.has(repository, &format!("blobs/{digest}")).await
    }

    async fn has(&self, repository: &str, what: &str) -> Result<bool, OciError> {
        let place = self.place(repository, what)?;
        let about = About { repository, doing: &format!("look for {place}") };
        let request = || Request::new("HEAD", place.clone()).header("accept", manifest::accepted());
        match persist(|| self.ask(&about, request), |_| {}).await {
            Ok(_) => Ok(true),
            // It is there, and kept elsewhere.
            Err(OciError::Refused { status, .. }) if http::is_redirect(status) => Ok(true),
            Err(OciError::Refused { status: 404, .. } | OciError::RepositoryMissing { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The manifest with this digest, which its bytes have.
    pub(crate) async fn manifest(
        &self,
        repository: &str,
        digest: &ImageDigest,
    ) -> Result<Manifest, OciError> {
        persist(|| self.read_manifest(repository, digest), |_| {}).await
    }

    async fn read_manifest(&self, repository: &str, digest: &ImageDigest) -> Result<Manifest, OciError> {
        let place = self.place(repository, &format!("manifests/{digest}"))?;
        let doing = format!("read {place}");
        let about = About { repository, doing: &doing };
        let request = || Request::new("GET", place.clone()).header("accept", manifest::accepted());
        let answer = self.ask(&about, request).await.map_err(|error| match error {
            OciError::Refused { status: 404, .. } => OciError::ImageMissing {
                host: self.host(),
                repository: repository.to_owned(),
                digest: digest.clone(),
            },
            error => error,
        })?;
        let media_type = answer.headers().get("content-type").unwrap_or_default().to_owned();
        let body = http::whole(answer.into_body(), &self.host(), LONGEST_MANIFEST).await?;
        let found = manifest::digest_of(&body);
        if found != *digest {
            return Err(OciError::Corrupt { doing, wanted: digest.clone(), found });
        }
        Manifest::parse(found, &media_type, body.into()).map_err(|problem| OciError::Answer {
            host: self.host(),
            what: format!("the manifest {digest}"),
            problem,
        })
    }

    /// Asks, and asks once more with a fresh login where the registry refuses this one. Anything but success is an
    /// error.
    pub(crate) async fn ask(
        &self,
        about: &About<'_>,
        request: impl Fn() -> Request,
    ) -> Result<HttpResponse, OciError> {
        let ticket = self.ticket().await?;
        match self.ask_as(&ticket, about, request(), Patience::Short).await {
            Err(OciError::Denied { .. }) => {
                let ticket = self.ticket_after(&ticket).await?;
                self.ask_as(&ticket, about, request(), Patience::Short).await
            }
            result => result,
        }
    }

    /// Asks once. Anything but success is an error.
    pub(crate) async fn ask_as(
        &self,
        ticket: &Ticket,
        about: &About<'_>,
        request: Request,
        patience: Patience,
    ) -> Result<HttpResponse, OciError> {
        let Inner { root, connector, .. } = &*self.inner;
        let sent = http::send(connector, root, &ticket.header(), request, patience).await?;
        let Answered { answer, elsewhere } = sent;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        // What a refusal says is of use, and no reason to fail in another way.
        let words = http::whole(answer.into_body(), &self.host(), LONGEST_REFUSAL).await.unwrap_or_default();
        Err(match elsewhere {
            Some(host) => OciError::RefusedElsewhere {
                doing: about.doing.to_owned(),
                host,
                status,
                message: code_of_bucket(&words).unwrap_or_else(|| "it gave no reason".to_owned()),
            },
            None => self.refusal(about, status, &words),
        })
    }

    pub(crate) async fn ticket(&self) -> Result<Ticket, OciError> {
        let ticket = self.inner.session.ticket().await;
        ticket.map_err(|source| OciError::SignIn { host: self.host(), source })
    }

    pub(crate) async fn ticket_after(&self, refused: &Ticket) -> Result<Ticket, OciError> {
        let ticket = self.inner.session.ticket_after(refused).await;
        ticket.map_err(|source| OciError::SignIn { host: self.host(), source })
    }

    fn refusal(&self, about: &About<'_>, status: u16, words: &[u8]) -> OciError {
        let said = Said::parse(words);
        let doing = about.doing.to_owned();
        match status {
            401 | 403 => OciError::Denied { doing, message: said.message(status) },
            404 if said.code("NAME_UNKNOWN") => {
                OciError::RepositoryMissing { host: self.host(), repository: about.repository.to_owned() }
            }
            _ => OciError::Refused { doing, status, message: said.message(status) },
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.host())
    }
}

/// What a request is about, for messages.
pub(crate) struct About<'a> {
    pub(crate) repository: &'a str,
    /// A fragment like `read registry.example/leo/…`.
    pub(crate) doing: &'a str,
}

/// The reason of a bucket, in its XML. The rest of it is not shown: it may repeat the signature of the address.
fn code_of_bucket(words: &[u8]) -> Option<String> {
    let (_, rest) = std::str::from_utf8(words).ok()?.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_code = (1..=60).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then(|| code.to_owned())
}

/// A registry's reasons.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Said {
    fn parse(words: &[u8]) -> Self {
        serde_json::from_slice(words).unwrap_or_default()
    }

    fn code(&self, code: &str) -> bool {
        self.errors.iter().any(|reason| reason.code == code)
    }

    fn message(&self, status: u16) -> String {
        let reasons: Vec<_> = self
            .errors
            .iter()
            .map(|reason| match (reason.code.as_str(), reason.message.as_str()) {
                ("", message) => message.to_owned(),
                (code, "") => code.to_owned(),
                (code, message) => format!("{code}: {message}"),
            })
            .collect();
        if reasons.is_empty() {
            return match status {
                401 => "it does not know this login".to_owned(),
                403 => "this login may not do that, or has expired".to_owned(),
                _ => "it gave no reason".to_owned(),
            };
        }
        reasons.join("; ").chars().filter(|letter| !letter.is_control()).take(500).collect()
    }
}
