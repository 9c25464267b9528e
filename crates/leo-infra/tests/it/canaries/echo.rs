//! A proxy in front of the local target that spoils one operation: its answer quotes what was sent and what was to come
//! back, as an error or as an answer that can't be read.

use leo_local::LocalTarget;
use serde_json::json;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// How an answer quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// In the message of an error that nobody knows.
    Error,
    /// In the message of a refusal.
    Denied,
    /// As text that is no answer of the service.
    Html,
    /// In an answer that breaks off.
    Broken,
}

impl Words {
    pub(crate) const ALL: [Self; 4] = [Self::Error, Self::Denied, Self::Html, Self::Broken];

    /// Status and body.
    fn answer(self, quoted: &str) -> (&'static str, String) {
        let message = format!("the value {quoted} is wrong");
        match self {
            Self::Error => {
                ("400 Bad Request", json!({"__type": "SomeException", "message": message}).to_string())
            }
            Self::Denied => (
                "400 Bad Request",
                json!({"__type": "AccessDeniedException", "Message": message}).to_string(),
            ),
            Self::Html => ("413 Payload Too Large", format!("<html>{message}</html>")),
            Self::Broken => {
                ("200 OK", format!("{{\"Name\": 1, \"SecretString\": {}, \"VersionId\": \"", json!(quoted)))
            }
        }
    }
}

/// A proxy that runs until it is dropped.
pub(crate) struct Echo {
    pub(crate) url: String,
    over: Arc<AtomicBool>,
    quoted: Arc<AtomicUsize>,
}

impl Echo {
    pub(crate) fn start(target: &LocalTarget, operation: &'static str, words: Words) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
        let url = format!("http://{}", listener.local_addr().expect("has an address"));
        let (over, quoted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let upstream = target.address().to_string();
        let (ended, count) = (over.clone(), quoted.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (upstream, count) = (upstream.clone(), count.clone());
                // A client that has gone is nobody to answer.
                thread::spawn(move || {
                    client.and_then(|client| serve(client, &upstream, operation, words, &count))
                });
            }
        });
        Self { url, over, quoted }
    }

    /// How many answers quoted something.
    pub(crate) fn quoted(&self) -> usize {
        self.quoted.load(Ordering::Relaxed)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the one that waits.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

/// One request on a connection that is closed after it.
fn serve(
    mut client: TcpStream,
    upstream: &str,
    operation: &str,
    words: Words,
    quoted: &AtomicUsize,
) -> std::io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            break;
        }
        if !lower.starts_with("connection:") && !lower.starts_with("proxy-connection:") {
            // A proxy is asked for a whole URL, a server for a path.
            head.push_str(&line.replacen(&format!("http://{upstream}"), "", 1));
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let spoiled =
        head.to_ascii_lowercase().contains(&format!("secretsmanager.{}\r\n", operation.to_ascii_lowercase()));
    if spoiled && operation.starts_with("Put") {
        quoted.fetch_add(1, Ordering::Relaxed);
        return answer(&mut client, words, &String::from_utf8_lossy(&body));
    }
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    server.write_all(&body)?;
    if !spoiled {
        std::io::copy(&mut server, &mut client)?;
        return Ok(());
    }
    let mut there = Vec::new();
    server.read_to_end(&mut there)?;
    quoted.fetch_add(1, Ordering::Relaxed);
    answer(&mut client, words, &String::from_utf8_lossy(&[body, there].concat()))
}

fn answer(client: &mut TcpStream, words: Words, quoted: &str) -> std::io::Result<()> {
    let (status, body) = words.answer(quoted);
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
