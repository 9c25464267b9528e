//! One HTTP request to an address of our choice under a name of our choice.
//!
//! A new load balancer is to be asked before public DNS leads to it, under the name that its certificate and its
//! rules are for. So the connection goes to the load balancer's own address, while `Host` and SNI carry the domain.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long one request may take, from the name's lookup to the answer's head.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// How we call ourselves.
pub(super) const AGENT: &str = "leo-infra";

/// A connection to the load balancer.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// With or without TLS.
    pub scheme: Scheme,
    /// The host name or address to connect to.
    pub connect: String,
    /// The TCP port.
    pub port: u16,
    /// The name to ask for, in `Host` and SNI; that of `connect` when there is none.
    pub host: Option<String>,
    /// The path, beginning with a slash.
    pub path: String,
}

/// With or without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Plain HTTP/1.1.
    Http,
    /// HTTP/1.1 over TLS, with the machine's trusted roots.
    Https,
}

impl Scheme {
    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

impl Probe {
    /// What is asked for, as people would type it.
    pub fn url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority(), self.path)
    }

    fn name(&self) -> &str {
        self.host.as_deref().unwrap_or(&self.connect)
    }

    /// Host and port, as `Host` carries them.
    pub(super) fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.name().to_owned()
        } else {
            format!("{}:{}", self.name(), self.port)
        }
    }

    /// The HTTP status of the answer, or why there is none. Redirects are not followed.
    pub(super) async fn status(&self) -> Result<u16, String> {
        match timeout(TIMEOUT, self.ask()).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err(no_answer()),
        }
    }

    /// A connection, and TLS on it where the scheme wants that.
    pub(super) async fn open(&self) -> io::Result<Box<dyn Stream>> {
        let stream = self.connect().await?;
        Ok(match self.scheme {
            Scheme::Http => Box::new(stream),
            Scheme::Https => {
                let name = ServerName::try_from(self.name().to_owned()).map_err(io::Error::other)?;
                let connector = TlsConnector::from(Arc::new(tls()?));
                Box::new(connector.connect(name, stream).await?)
            }
        })
    }

    /// A connection to the first of the addresses that takes one.
    async fn connect(&self) -> io::Result<TcpStream> {
        let mut refused = io::Error::new(io::ErrorKind::NotFound, format!("{} has no address", self.connect));
        for address in lookup_host((self.connect.as_str(), self.port)).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    async fn ask(&self) -> io::Result<u16> {
        let stream = TokioIo::new(self.open().await?);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(stream).await.map_err(io::Error::other)?;
        // It ends with the sender; its error reaches the request.
        tokio::spawn(connection);
        let request = hyper::Request::get(&self.path)
            .header(HOST, self.authority())
            .header(USER_AGENT, AGENT)
            .header(CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(io::Error::other)?;
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        Ok(response.status().as_u16())
    }
}

/// What is said when [`TIMEOUT`] is over.
pub(super) fn no_answer() -> String {
    format!("no answer within {} s", TIMEOUT.as_secs())
}

fn tls() -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::LazyConfigAcceptor;
    use tokio_rustls::rustls::server::Acceptor;

    use super::*;

    fn probe(scheme: Scheme, port: u16) -> Probe {
        Probe {
            scheme,
            connect: "127.0.0.1".to_owned(),
            port,
            host: Some("app.example.com".to_owned()),
            path: "/healthz".to_owned(),
        }
    }

    #[tokio::test]
    async fn the_domain_is_asked_for_at_the_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            String::from_utf8(request).unwrap()
        };
        let probe = probe(Scheme::Http, port);
        let (status, request) = tokio::join!(probe.status(), server);
        assert_eq!(status, Ok(204));
        assert!(request.starts_with("GET /healthz HTTP/1.1\r\n"), "{request}");
        assert!(request.contains(&format!("host: app.example.com:{port}\r\n")), "{request}");
    }

    #[tokio::test]
    async fn tls_names_the_domain() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await.unwrap();
            hello.client_hello().server_name().map(str::to_owned)
        };
        let probe = probe(Scheme::Https, port);
        let (status, name) = tokio::join!(probe.status(), server);
        assert_eq!(name.as_deref(), Some("app.example.com"));
        assert!(status.is_err(), "the server hung up");
    }

    #[tokio::test]
    async fn a_closed_port_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let reason = probe(Scheme::Http, port).status().await.unwrap_err();
        assert!(reason.to_lowercase().contains("refused"), "{reason}");
    }

    #[test]
    fn a_url_shows_only_an_unusual_port() {
        assert_eq!(probe(Scheme::Https, 443).url(), "https://app.example.com/healthz");
        assert_eq!(probe(Scheme::Http, 8080).url(), "http://app.example.com:8080/healthz");
    }
}
