//! A gate before a registry: it lets requests through, answers them itself, or breaks the connection in the middle.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of a request.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Through,
    /// With this status line and these JSON errors.
    Refused(&'static str, &'static str),
    /// After so many bytes of the request's body.
    Broken(u64),
}

/// Takes a method and a path.
type Keeper = Arc<dyn Fn(&str, &str) -> Way + Send + Sync>;

/// The gate. It ends with the test's runtime.
pub(crate) struct Gate {
    pub(crate) host: String,
}

impl Gate {
    pub(crate) async fn before(
        registry: &str,
        keeper: impl Fn(&str, &str) -> Way + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (registry, keeper) = (registry.to_owned(), Arc::new(keeper) as Keeper);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (registry, keeper) = (registry.clone(), keeper.clone());
                // A connection that someone breaks off is no failure of the gate's.
                tokio::spawn(async move { drop(pass(stream, &registry, &keeper).await) });
            }
        });
        Self { host }
    }
}

/// One request a connection: both sides are asked to close after it.
async fn pass(mut client: TcpStream, registry: &str, keeper: &Keeper) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
        // Docker tries TLS first, and plain HTTP where it is answered in that.
        if !head[0].is_ascii_uppercase() {
            client.write_all(b"HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\n").await?;
            client.shutdown().await?;
            return copy(&mut client, &mut tokio::io::sink()).await.map(drop);
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let limit = match keeper(method, path) {
        Way::Through => u64::MAX,
        Way::Broken(bytes) => bytes,
        Way::Refused(status, body) => {
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            client.write_all(answer.as_bytes()).await?;
            // What is still on its way would turn the answer into a reset.
            client.shutdown().await?;
            copy(&mut client, &mut tokio::io::sink()).await?;
            return Ok(());
        }
    };
    let kept = |line: &&str| !line.to_lowercase().starts_with("connection:");
    let lines: Vec<&str> = head.trim_end().split("\r\n").filter(kept).collect();
    let mut server = TcpStream::connect(registry).await?;
    server.write_all(format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n")).as_bytes()).await?;
    let (client_in, mut client_out) = client.split();
    let (mut server_in, mut server_out) = server.split();
    let mut body = client_in.take(limit);
    tokio::select! {
        sent = copy(&mut body, &mut server_out) => {
            sent?;
            // The client waits for its answer, or the limit is reached.
            if body.limit() > 0 { copy(&mut server_in, &mut client_out).await.map(drop) } else { Ok(()) }
        }
        answered = copy(&mut server_in, &mut client_out) => answered.map(drop),
    }
}
