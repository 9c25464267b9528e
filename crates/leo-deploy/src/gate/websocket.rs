//! A WebSocket through the load balancer that opens, stays open while nobody says anything, and still answers then.
//!
//! A load balancer cuts a connection on which nothing passes for its idle timeout, 60 s by default ("Application Load
//! Balancer attributes", Elastic Load Balancing), and so do many proxies. Pings of ours would hide that. So there is one
//! stretch without a word of ours, longer than that, and a ping after it, which has to be answered. Where the orchestrator
//! pings its clients, its pings keep the connection open: a user's browser would see the same.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::header::{CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE, USER_AGENT};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::{Request, generate_key};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::http::{AGENT, TIMEOUT, no_answer};
use super::{Mismatch, Probe, Wait};

/// How long the answer to a ping may take.
const PONG: Duration = Duration::from_secs(10);
/// How long the other side may take to confirm the closing.
const FAREWELL: Duration = Duration::from_secs(5);
/// Between two words about the time that is left.
const COUNTDOWN: Duration = Duration::from_secs(10);

/// Opens a WebSocket, pings, says nothing for `quiet`, pings again, and closes it.
pub(super) async fn hold(
    probe: &Probe,
    quiet: Duration,
    idle_timeout: Option<Duration>,
    on_wait: &(dyn Fn(Wait) + Send + Sync),
) -> Result<(), Mismatch> {
    let url = probe.url();
    let opening = async {
        let stream = probe.open().await.map_err(|error| unreached(&url, error.to_string()))?;
        open(probe, stream).await
    };
    let socket = timeout(TIMEOUT, opening).await.unwrap_or_else(|_| Err(unreached(&url, no_answer())))?;
    Open { socket, url, since: Instant::now(), idle_timeout }.hold(quiet, on_wait).await
}

/// The opening handshake (RFC 6455, section 4.1), its answer verified.
async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    probe: &Probe,
    stream: S,
) -> Result<WebSocketStream<S>, Mismatch> {
    let url = probe.url();
    let authority = probe.authority();
    let request = Request::get(format!("ws://{authority}{}", probe.path))
        .header(HOST, authority)
        .header(USER_AGENT, AGENT)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, generate_key())
        .body(());
    let request = request.map_err(|error| unreached(&url, error.to_string()))?;
    match client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(Mismatch::NoWebSocket { url, status: answer.status().as_u16() }),
        Err(Error::Io(error)) => Err(unreached(&url, error.to_string())),
        Err(Error::Protocol(ProtocolError::HandshakeIncomplete)) => {
            Err(unreached(&url, "the connection ended".to_owned()))
        }
        Err(error) => Err(Mismatch::BadWebSocket { url, reason: error.to_string() }),
    }
}

fn unreached(url: &str, reason: String) -> Mismatch {
    Mismatch::NoAnswer { url: url.to_owned(), reason }
}

/// A WebSocket that is open.
struct Open<S> {
    socket: WebSocketStream<S>,
    url: String,
    since: Instant,
    idle_timeout: Option<Duration>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Open<S> {
    async fn hold(mut self, quiet: Duration, on_wait: &(dyn Fn(Wait) + Send + Sync)) -> Result<(), Mismatch> {
        self.ping(b"open").await?;
        if !quiet.is_zero() {
            self.listen(quiet, on_wait).await?;
            self.ping(b"still open").await?;
        }
        self.close().await;
        Ok(())
    }

    /// Sends a ping and waits for the answer to this one.
    async fn ping(&mut self, payload: &'static [u8]) -> Result<(), Mismatch> {
        let seconds = self.since.elapsed().as_secs();
        let answered = async {
            if let Err(error) = self.socket.send(Message::Ping(payload.into())).await {
                return Err(self.broken(&error));
            }
            loop {
                if let Message::Pong(answer) = self.next().await?
                    && answer == payload
                {
                    return Ok(());
                }
            }
        };
        match timeout(PONG, answered).await {
            Ok(result) => result,
            Err(_) => {
                Err(Mismatch::NoPong { url: self.url.clone(), seconds, waited_seconds: PONG.as_secs() })
            }
        }
    }

    /// Reads without a word for this long. Pings of the other side are answered by the library, as a browser does.
    async fn listen(
        &mut self,
        quiet: Duration,
        on_wait: &(dyn Fn(Wait) + Send + Sync),
    ) -> Result<(), Mismatch> {
        let end = Instant::now() + quiet;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let rounded = (left + Duration::from_millis(500)).as_secs();
            on_wait(Wait::Holding { seconds: quiet.as_secs(), left: rounded });
            let read = async {
                loop {
                    self.next().await?;
                }
            };
            if let Ok(ended) = timeout_at(Instant::now() + left.min(COUNTDOWN), read).await {
                return ended;
            }
        }
    }

    /// The next message, unless that is the end.
    async fn next(&mut self) -> Result<Message, Mismatch> {
        match self.socket.next().await {
            Some(Ok(Message::Close(frame))) => Err(self.closed(frame)),
            Some(Ok(message)) => Ok(message),
            Some(Err(error)) => Err(self.broken(&error)),
            None => Err(self.ended(None, None)),
        }
    }

    fn closed(&self, frame: Option<CloseFrame>) -> Mismatch {
        match frame {
            Some(frame) => {
                let reason = frame.reason.to_string();
                self.ended(Some(frame.code.into()), Some(reason).filter(|reason| !reason.is_empty()))
            }
            // What a closing frame without a code stands for (RFC 6455, section 7.1.5).
            None => self.ended(Some(CloseCode::Status.into()), None),
        }
    }

    fn broken(&self, error: &Error) -> Mismatch {
        let reason = match error {
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
            Error::Io(error) => Some(error.to_string()),
            error => Some(error.to_string()),
        };
        self.ended(None, reason)
    }

    fn ended(&self, code: Option<u16>, reason: Option<String>) -> Mismatch {
        Mismatch::WebSocketClosed {
            url: self.url.clone(),
            seconds: self.since.elapsed().as_secs(),
            code,
            reason,
            idle_timeout_seconds: self.idle_timeout.map(|timeout| timeout.as_secs()),
        }
    }

    /// Says goodbye, so that the orchestrator's log shows no broken connection.
    async fn close(mut self) {
        let farewell = async {
            let frame = CloseFrame { code: CloseCode::Normal, reason: "checked".into() };
            if self.socket.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // It has shown what it had to.
        let _ = timeout(FAREWELL, farewell).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::{interval, sleep};
    use tokio_tungstenite::accept_async;

    use super::*;
    use crate::gate::Scheme;

    const QUIET: Duration = Duration::from_secs(65);

    fn probe() -> Probe {
        Probe {
            scheme: Scheme::Https,
            connect: "lb.example".to_owned(),
            port: 443,
            host: Some("app.example".to_owned()),
            path: "/ws?version=2".to_owned(),
        }
    }

    /// Holds a WebSocket to `server`; on the paused clock, so that a minute is over at once.
    async fn held<F: Future<Output = ()>>(
        idle_timeout: u64,
        server: impl FnOnce(DuplexStream) -> F,
    ) -> (Result<(), Mismatch>, Vec<String>) {
        let (ours, theirs) = duplex(1 << 16);
        let waits = Mutex::new(Vec::new());
        let client = async {
            let socket = open(&probe(), ours).await?;
            let idle_timeout = Some(Duration::from_secs(idle_timeout));
            let open = Open { socket, url: probe().url(), since: Instant::now(), idle_timeout };
            open.hold(QUIET, &|wait| waits.lock().unwrap().push(wait.to_string())).await
        };
        let (result, ()) = tokio::join!(client, server(theirs));
        (result, waits.into_inner().unwrap())
    }

    /// The message and its hint.
    fn told(result: Result<(), Mismatch>) -> String {
        let mismatch = result.unwrap_err();
        format!("{mismatch}\nhint: {}", mismatch.hint().unwrap_or_default())
    }

    /// Answers everything until the end, and says when pings came and how it ended.
    async fn serve(stream: DuplexStream) -> (Vec<u64>, Option<CloseFrame>) {
        let mut socket = accept_async(stream).await.unwrap();
        let (began, mut pings, mut end) = (Instant::now(), vec![], None);
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Message::Ping(_) => pings.push(began.elapsed().as_secs()),
                Message::Close(frame) => end = frame,
                other => panic!("unexpected: {other}"),
            }
        }
        (pings, end)
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_for_longer_than_a_minute_and_then_a_ping_is_answered() {
        let (result, waits) = held(300, async |stream| {
            let (pings, end) = serve(stream).await;
            assert_eq!(pings, [0, 65]);
            assert_eq!(end.unwrap().code, CloseCode::Normal);
        })
        .await;
        assert_eq!(result, Ok(()));
        insta::assert_snapshot!(waits.join("\n"), @r"
        holding a WebSocket open for 65 s (65 s left)
        holding a WebSocket open for 65 s (55 s left)
        holding a WebSocket open for 65 s (45 s left)
        holding a WebSocket open for 65 s (35 s left)
        holding a WebSocket open for 65 s (25 s left)
        holding a WebSocket open for 65 s (15 s left)
        holding a WebSocket open for 65 s (5 s left)
        ");
    }

    #[tokio::test(start_paused = true)]
    async fn an_orchestrator_that_pings_and_talks_is_listened_to() {
        let (result, _) = held(30, async |stream| {
            let mut socket = accept_async(stream).await.unwrap();
            let (mut tick, mut pongs) = (interval(Duration::from_secs(20)), 0);
            loop {
                tokio::select! {
                    _ = tick.tick() => {
                        socket.send(Message::Ping(b"there?".as_slice().into())).await.unwrap();
                        socket.send(Message::text("welcome")).await.unwrap();
                    }
                    message = socket.next() => match message {
                        Some(Ok(Message::Pong(payload))) if payload == b"there?".as_slice() => pongs += 1,
                        Some(Ok(_)) => {}
                        _ => break,
                    }
                }
            }
            assert_eq!(pongs, 4, "at 0, 20, 40 and 60 s");
        })
        .await;
        assert_eq!(result, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_cut_says_after_how_long() {
        async fn cut_after_a_minute(stream: DuplexStream) {
            let _ = timeout(Duration::from_mins(1), serve(stream)).await;
        }
        let by_the_load_balancer = told(held(60, cut_after_a_minute).await.0);
        let by_something_else = told(held(300, cut_after_a_minute).await.0);
        insta::assert_snapshot!([by_the_load_balancer, by_something_else].join("\n"), @r"
        a WebSocket at https://app.example/ws?version=2 was cut after 60 s
        hint: nothing was sent for 60 s, which is `load_balancer.idle_timeout_seconds` of infra/leo.toml: raise it, or have the orchestrator ping its clients more often than that
        a WebSocket at https://app.example/ws?version=2 was cut after 60 s
        hint: a quiet WebSocket has to stay open: have the orchestrator ping its clients, more often than `load_balancer.idle_timeout_seconds` of infra/leo.toml and than any limit of its own server or proxy
        ");
    }

    #[tokio::test(start_paused = true)]
    async fn a_closing_frame_is_told_with_its_code() {
        let result = held(300, async |stream| {
            let mut socket = accept_async(stream).await.unwrap();
            let _ = timeout(Duration::from_secs(30), async { while socket.next().await.is_some() {} }).await;
            let frame = CloseFrame { code: CloseCode::Policy, reason: "sign in first".into() };
            socket.close(Some(frame)).await.unwrap();
        })
        .await
        .0;
        insta::assert_snapshot!(told(result), @r"
        a WebSocket at https://app.example/ws?version=2 was closed after 30 s with code 1008 (sign in first)
        hint: the orchestrator closed it: at `orchestrator.websocket_path` of infra/leo.toml a WebSocket has to stay open, also while its client says nothing and has not signed in
        ");
    }

    #[tokio::test(start_paused = true)]
    async fn a_ping_without_an_answer_is_told() {
        let never = held(300, async |stream| {
            let _socket = accept_async(stream).await.unwrap();
            sleep(Duration::from_hours(1)).await;
        });
        let later = held(300, async |stream| {
            let mut socket = accept_async(stream).await.unwrap();
            let _ = timeout(Duration::from_mins(1), async { while socket.next().await.is_some() {} }).await;
            sleep(Duration::from_hours(1)).await;
        });
        let (never, later) = tokio::join!(never, later);
        insta::assert_snapshot!([told(never.0), told(later.0)].join("\n"), @r"
        a WebSocket at https://app.example/ws?version=2 did not answer a ping within 10 s, 0 s after it opened
        hint: the orchestrator has to read from its WebSockets all the time and answer pings (RFC 6455, section 5.5.2)
        a WebSocket at https://app.example/ws?version=2 did not answer a ping within 10 s, 65 s after it opened
        hint: the orchestrator has to read from its WebSockets all the time and answer pings (RFC 6455, section 5.5.2)
        ");
    }

    /// Answers the opening with this.
    async fn answered(answer: &str) -> Mismatch {
        let (result, _) = held(300, async |mut stream| {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let request = String::from_utf8(request).unwrap();
            assert!(request.starts_with("GET /ws?version=2 HTTP/1.1\r\n"), "{request}");
            assert!(request.contains("\r\nHost: app.example\r\n"), "{request}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        result.unwrap_err()
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_right_answer_opens() {
        let refused = answered("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
        assert!(matches!(refused, Mismatch::NoWebSocket { status: 403, .. }), "{refused}");
        // The digest belongs to another request: a cache, or a server that makes the answer up.
        let other = answered(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        )
        .await;
        let gone = answered("").await;
        insta::assert_snapshot!([told(Err(refused)), told(Err(other)), told(Err(gone))].join("\n"), @r#"
        https://app.example/ws?version=2 answers the opening of a WebSocket with 403
        hint: the orchestrator has to open WebSockets at `orchestrator.websocket_path` of infra/leo.toml
        https://app.example/ws?version=2 opens no WebSocket (WebSocket protocol error: Key mismatch in "Sec-WebSocket-Accept" header)
        hint: the orchestrator has to open WebSockets at `orchestrator.websocket_path` of infra/leo.toml
        https://app.example/ws?version=2 does not answer (the connection ended)
        hint: this machine has to be among `load_balancer.ingress_cidrs` of infra/leo.toml; where the load balancer is new, its name may take some minutes to resolve: then run the same command again
        "#);
    }
}
