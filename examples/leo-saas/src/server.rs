//! Accepting connections, and letting them end in order.

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::drain::drain;
use crate::log;
use crate::routes::{App, respond};
use crate::settings::Settings;

/// How long a kept-alive connection may be idle, or a request's head take to arrive. Longer than the longest idle
/// timeout of a load balancer (4,000 s): if this side closed first, a request already on its way would become a 502.
const IDLE: Duration = Duration::from_mins(70);
/// How long everything that is under way may take to end. Below ECS's default stop timeout of 30 s.
const DRAIN_LIMIT: Duration = Duration::from_secs(25);

/// Serves until `stop`, then accepts no more, closes WebSockets with 1001, and waits for the requests under way.
/// Whether all of it ended in time.
pub async fn serve(listener: TcpListener, settings: Settings, stop: impl Future<Output = ()>) -> bool {
    let (drain, busy) = drain();
    let app = Arc::new(App { access: settings.access, jobs: settings.jobs, busy });
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    tokio::spawn(connection(stream, Arc::clone(&app)));
                }
                // Out of file descriptors, or the client is gone again: neither is a reason to stop, nor to spin.
                Err(error) => {
                    log::line(format_args!("failed to accept a connection: {error}"));
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
    drop((listener, app));
    timeout(DRAIN_LIMIT, drain.finish()).await.is_ok()
}

/// Serves one connection. When the program stops, an idle one is closed, and one with a request gets its answer first.
async fn connection(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, app: Arc<App>) {
    let mut busy = app.busy.clone();
    let service = service_fn(move |request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(respond(app, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // Errors are the client's: it went away or does not speak HTTP.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = busy.stopping() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use super::connection;
    use crate::drain::{Drain, drain};
    use crate::routes::App;
    use crate::settings::Settings;
    use leo_aws::Variables;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio::time::sleep;

    fn served() -> (DuplexStream, JoinHandle<()>, Drain) {
        let (drain, busy) = drain();
        let lookup = |name: &str| {
            Some(match name {
                "PORT" => "0".to_owned(),
                "AWS_ENDPOINT_URL" => "http://127.0.0.1:9".to_owned(),
                "LEO_GENERATOR_ASSIGN_PUBLIC_IP" => "ENABLED".to_owned(),
                _ => "a value that is long enough for all".to_owned(),
            })
        };
        let settings = Settings::read(&mut Variables::new(&lookup)).unwrap();
        let app = Arc::new(App { access: settings.access, jobs: settings.jobs, busy });
        let (ours, theirs) = duplex(1 << 16);
        (theirs, tokio::spawn(connection(ours, app)), drain)
    }

    /// Asks on a connection that is kept; whether it is still there.
    async fn ask(stream: &mut DuplexStream) -> bool {
        let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.is_ok();
        let mut answer = vec![0; 4096];
        let read = stream.read(&mut answer).await.unwrap_or(0);
        asked && String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 200")
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_outlives_every_load_balancers_patience_and_not_for_ever() {
        let (mut stream, server, _drain) = served();
        assert!(ask(&mut stream).await);
        for idle in [Duration::from_secs(301), Duration::from_secs(4_001)] {
            sleep(idle).await;
            assert!(ask(&mut stream).await, "after {idle:?}");
        }
        sleep(Duration::from_hours(2)).await;
        assert!(server.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_closes_an_idle_connection() {
        let (mut stream, server, drain) = served();
        assert!(ask(&mut stream).await);
        drain.finish().await;
        server.await.unwrap();
        assert!(!ask(&mut stream).await);
    }
}
