//! What stands between a client and a registry: it writes down every request, and lets a test lose, refuse or falsify
//! some.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    /// Of its body, in bytes.
    pub(crate) length: u64,
}

impl Seen {
    /// Whether it is this method and its path contains this.
    pub(crate) fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// It reaches the registry.
    Pass,
    /// It reaches the registry with another login.
    PassAs(String),
    /// It reaches the registry as if it had been asked by this name.
    PassAsHost(String),
    /// It reaches the registry without its query.
    PassBare,
    /// It reaches the registry when as many as this wait for it.
    Hold(Arc<Barrier>),
    /// It is answered here: status line, headers, body.
    Answer(String),
    /// The connection is lost after this many bytes of its body.
    CutRequest(usize),
    /// The connection is lost after this many bytes of the answer.
    CutAnswer(usize),
    /// One bit of the answer's last byte is another one.
    Falsify,
}

type Rule = Arc<dyn Fn(&Seen) -> Act + Send + Sync>;

/// The gate. It ends with this value.
pub(crate) struct Gate {
    pub(crate) host: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Gate {
    /// Stands in front of the registry at `upstream`.
    pub(crate) async fn start(upstream: &str, rule: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (notes, rule, upstream): (_, Rule, _) = (seen.clone(), Arc::new(rule), upstream.to_owned());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (notes, rule, upstream) = (notes.clone(), rule.clone(), upstream.clone());
                // A connection that is lost is lost.
                tokio::spawn(async move { serve(stream, &upstream, &notes, &rule).await.ok() });
            }
        });
        Self { host, seen, task }
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests there were of this method, whose path contains this.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        self.seen().iter().filter(|seen| seen.is(method, part)).count()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves one request; the connection ends with it.
async fn serve(
    stream: TcpStream,
    upstream: &str,
    notes: &Mutex<Vec<Seen>>,
    rule: &Rule,
) -> std::io::Result<()> {
    let mut client = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        if line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let mut words = head[0].split(' ');
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    let seen = Seen { method, path, authorization: header(&head, "authorization"), length };
    notes.lock().unwrap().push(seen.clone());
    let act = rule(&seen);
    if let Act::Answer(answer) = &act {
        tokio::io::copy(&mut (&mut client).take(length), &mut tokio::io::sink()).await?;
        client.write_all(answer.as_bytes()).await?;
        return client.shutdown().await;
    }
    if let Act::Hold(barrier) = &act {
        barrier.wait().await;
    }
    if let Act::PassAs(login) = &act {
        head.retain(|line| !line.to_lowercase().starts_with("authorization:"));
        head.push(format!("authorization: {login}"));
    }
    if let Act::PassAsHost(host) = &act {
        head.retain(|line| !line.to_lowercase().starts_with("host:"));
        head.push(format!("host: {host}"));
    }
    if let Act::PassBare = act {
        head[0] = format!("{} {} HTTP/1.1", seen.method, seen.path.split('?').next().unwrap());
    }
    head.retain(|line| !line.to_lowercase().starts_with("connection:"));
    head.push("connection: close".to_owned());

    let mut registry = TcpStream::connect(upstream).await?;
    registry.write_all(format!("{}\r\n\r\n", head.join("\r\n")).as_bytes()).await?;
    let passed = if let Act::CutRequest(at) = act { length.min(at as u64) } else { length };
    tokio::io::copy(&mut (&mut client).take(passed), &mut registry).await?;
    if matches!(act, Act::CutRequest(_)) {
        return Ok(());
    }
    match act {
        Act::CutAnswer(at) => {
            tokio::io::copy(&mut registry.take(at as u64), &mut client).await?;
        }
        Act::Falsify => {
            let mut answer = Vec::new();
            registry.read_to_end(&mut answer).await?;
            *answer.last_mut().unwrap() ^= 1;
            client.write_all(&answer).await?;
        }
        _ => {
            tokio::io::copy(&mut registry, &mut client).await?;
        }
    }
    client.shutdown().await
}

fn header(head: &[String], name: &str) -> Option<String> {
    let of = |line: &String| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    head.iter().find_map(of)
}
