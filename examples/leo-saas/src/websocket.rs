//! `GET /ws`: every message comes back. A ping goes out every 20 seconds, so that no load balancer in between takes the
//! connection for idle, and a peer that has fallen silent is let go.

use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};

use crate::answer::{self, Answer};
use crate::drain::Busy;

/// Between two pings.
const PING: Duration = Duration::from_secs(20);
/// A peer from which nothing came for so long, not even an answer to two pings, is gone.
const SILENCE: Duration = Duration::from_secs(50);
/// How long a peer may take to accept a message.
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// How long a peer may take to answer the closing of a connection.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// The largest message.
const LARGEST: usize = 64 << 10;

/// Answers the request to change the protocol, and serves the connection from there on.
pub(crate) fn upgrade(mut request: Request<Incoming>, busy: Busy) -> Answer {
    let Ok(switch) = create_response_with_body(&request, Full::default) else {
        let answer = answer::error(StatusCode::UPGRADE_REQUIRED, "this address speaks WebSocket, version 13");
        let answer = answer::with(answer, header::UPGRADE, "websocket");
        return answer::with(answer, header::SEC_WEBSOCKET_VERSION, "13");
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // An error means that the client went away before it had the answer.
        if let Ok(stream) = upgraded.await {
            echo(TokioIo::new(stream), busy).await;
        }
    });
    switch
}

/// Echoes until the peer closes, falls silent, or the program stops.
async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin, mut busy: Busy) {
    let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    let mut ping = interval_at(Instant::now() + PING, PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        let message = tokio::select! {
            incoming = socket.next() => {
                heard = Instant::now();
                match incoming {
                    Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => message,
                    // Pings and closings are answered by the library, while it is read from.
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => return,
                }
            }
            _ = ping.tick() => {
                if heard.elapsed() >= SILENCE {
                    return;
                }
                Message::Ping(Vec::new().into())
            }
            () = busy.stopping() => break,
        };
        if !matches!(timeout(SEND_LIMIT, socket.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
    let away = CloseFrame { code: CloseCode::Away, reason: "the server is stopping; connect again".into() };
    let farewell = async {
        socket.close(Some(away)).await?;
        while socket.next().await.transpose()?.is_some() {}
        Ok::<_, tokio_tungstenite::tungstenite::Error>(())
    };
    // The peer may be gone or slow; either way this is the end.
    let _ = timeout(CLOSE_LIMIT, farewell).await;
}

#[cfg(test)]
mod tests {
    use super::echo;
    use crate::drain::drain;
    use futures_util::{SinkExt as _, StreamExt as _};
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio::time::Instant;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role};

    async fn client(stream: DuplexStream) -> WebSocketStream<DuplexStream> {
        WebSocketStream::from_raw_socket(stream, Role::Client, None).await
    }

    fn served() -> (DuplexStream, JoinHandle<()>, crate::drain::Drain) {
        let (ours, theirs) = duplex(1 << 20);
        let (drain, busy) = drain();
        (theirs, tokio::spawn(echo(ours, busy)), drain)
    }

    #[tokio::test(start_paused = true)]
    async fn messages_come_back_and_the_peer_can_close() {
        let (stream, server, _drain) = served();
        let mut client = client(stream).await;
        for message in [Message::text("hello"), Message::binary(vec![0, 1, 2])] {
            client.send(message.clone()).await.unwrap();
            assert_eq!(client.next().await.unwrap().unwrap(), message);
        }
        client.close(None).await.unwrap();
        while client.next().await.is_some() {}
        server.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_answers_pings_stays_for_hours() {
        let (stream, server, _drain) = served();
        let mut client = client(stream).await;
        let mut pings = 0;
        let _ = tokio::time::timeout(Duration::from_hours(2), async {
            while let Some(Ok(message)) = client.next().await {
                pings += usize::from(message.is_ping());
            }
        })
        .await;
        assert_eq!(pings, 359, "every 20 s; the one at the end of the two hours is not waited for");
        assert!(!server.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_peer_is_let_go_within_a_minute() {
        let (mut stream, server, _drain) = served();
        let start = Instant::now();
        server.await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_mins(1));
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, [0x89, 0, 0x89, 0], "two pings");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_let_go() {
        let (ours, theirs) = duplex(64);
        let (_drain, busy) = drain();
        let server = tokio::spawn(echo(ours, busy));
        let mut client = client(theirs).await;
        // Fills the pipe back to the client, which never reads.
        let _ =
            tokio::time::timeout(Duration::from_mins(1), client.send(Message::binary(vec![0; 4096]))).await;
        tokio::time::timeout(Duration::from_mins(2), server).await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_says_so_with_1001_and_waits_for_the_answer() {
        let (stream, server, drain) = served();
        let mut client = client(stream).await;
        let finished = tokio::spawn(drain.finish());
        let Some(Ok(Message::Close(Some(CloseFrame { code, .. })))) = client.next().await else {
            panic!("a close frame")
        };
        assert_eq!(u16::from(code), 1001);
        while client.next().await.is_some() {}
        server.await.unwrap();
        finished.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_does_not_wait_for_a_silent_peer_for_ever() {
        let (_stream, server, drain) = served();
        let start = Instant::now();
        drain.finish().await;
        server.await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(5));
    }
}
