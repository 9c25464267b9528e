//! The container health check: one request to the server on this machine, with nothing but the standard library.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long each step may take; ECS's own limit for the check is 5 s by default.
const LIMIT: Duration = Duration::from_secs(2);

/// Why the server does not count as healthy.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// `PORT` is missing or no port number.
    #[error("read PORT: it is not a port number")]
    Port,
    /// Nobody answered.
    #[error("ask 127.0.0.1:{port} for its health: {source}")]
    Unreachable {
        /// Where it was asked.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something answered, and not with 200.
    #[error("find 127.0.0.1:{port} healthy: it answered `{answer}`")]
    Unhealthy {
        /// Where it was asked.
        port: u16,
        /// The beginning of its answer.
        answer: String,
    },
}

/// Asks `http://127.0.0.1:<port>/healthz`, and is content with 200.
pub fn check(port: &str) -> Result<(), HealthError> {
    let port = port.parse().map_err(|_| HealthError::Port)?;
    let answer = ask(port).map_err(|source| HealthError::Unreachable { port, source })?;
    if answer == "HTTP/1.1 200" { Ok(()) } else { Err(HealthError::Unhealthy { port, answer }) }
}

/// The protocol and the status of the answer.
fn ask(port: u16) -> std::io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    Ok(String::from_utf8_lossy(&head).into_owned())
}
