//! The bridge forwarder: our containers' way to an emulator that listens on loopback alone.
//!
//! Containers call the emulator at the Docker bridge's gateway. This listens on that one address, takes connections from the
//! bridge's subnet only, and ends when the emulator does. It runs in a process of its own, which is the caller's executable
//! again: [`up`](crate::up) appends [`Forward::to_args`] to [`LocalOptions::forwarder_command`](crate::LocalOptions), and the
//! hidden subcommand there calls [`run_with_args`].

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ipnet::Ipv4Net;

use crate::process::ProcessId;

/// More connections at once than this are closed at once.
const MOST_CONNECTIONS: usize = 512;
/// How often to look whether the emulator still runs.
const LOOK: Duration = Duration::from_millis(500);

/// What to forward, for whom, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    listen: SocketAddrV4,
    to: SocketAddrV4,
    allowed: Ipv4Net,
    follow: ProcessId,
}

impl Forward {
    pub(crate) fn new(listen: SocketAddrV4, to: SocketAddrV4, allowed: Ipv4Net, follow: ProcessId) -> Self {
        Self { listen, to, allowed, follow }
    }

    /// The arguments that [`from_args`](Self::from_args) understands.
    pub fn to_args(&self) -> Vec<OsString> {
        let Self { listen, to, allowed, follow } = self;
        [
            listen.to_string(),
            to.to_string(),
            allowed.to_string(),
            follow.pid.to_string(),
            follow.started.to_string(),
            follow.boot.clone(),
        ]
        .map(OsString::from)
        .to_vec()
    }

    /// Reads [`to_args`](Self::to_args) back; an error of kind `InvalidInput` for anything else.
    pub fn from_args(args: impl IntoIterator<Item = impl AsRef<str>>) -> io::Result<Self> {
        let args: Vec<String> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let parsed = match args.as_slice() {
            [listen, to, allowed, pid, started, boot] => parse(listen, to, allowed, pid, started, boot),
            _ => None,
        };
        parsed.ok_or_else(|| {
            invalid("expected <listen> <to> <subnet> <pid> <start> <boot>: this command is run by `local up` alone")
        })
    }
}

fn parse(listen: &str, to: &str, allowed: &str, pid: &str, started: &str, boot: &str) -> Option<Forward> {
    Some(Forward {
        listen: listen.parse().ok()?,
        to: to.parse().ok()?,
        allowed: allowed.parse().ok()?,
        follow: ProcessId { pid: pid.parse().ok()?, started: started.parse().ok()?, boot: boot.to_owned() },
    })
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, message)
}

/// The hidden subcommand's whole work: forwards until the emulator ends.
pub fn run_with_args(args: impl IntoIterator<Item = impl AsRef<str>>) -> io::Result<()> {
    let forward = Forward::from_args(args)?;
    // Not ended together with the terminal of the command that started it. It fails where it is a leader already.
    let _ = rustix::process::setsid();
    run(&forward)
}

/// Forwards until the process that it follows ends. Refuses a target that isn't loopback and a listener outside the subnet.
pub fn run(forward: &Forward) -> io::Result<()> {
    if !forward.to.ip().is_loopback() {
        return Err(invalid("only loopback is forwarded to"));
    }
    if !forward.allowed.contains(forward.listen.ip()) {
        return Err(invalid("the listening address is not in the allowed subnet"));
    }
    let listener = TcpListener::bind(forward.listen)?;
    let ended = Arc::new(AtomicBool::new(false));
    watch(forward, listener.local_addr()?, Arc::clone(&ended));
    let connections = Arc::new(AtomicUsize::new(0));
    loop {
        let accepted = listener.accept();
        if ended.load(Ordering::SeqCst) {
            return Ok(());
        }
        match accepted {
            Ok((client, peer)) if is_allowed(peer, forward.allowed) => {
                relay(client, forward.to, &connections);
            }
            Ok(_) => {}
            // The peer gave up, or this process has no descriptor left for a moment.
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn is_allowed(peer: SocketAddr, allowed: Ipv4Net) -> bool {
    matches!(peer, SocketAddr::V4(peer) if allowed.contains(peer.ip()))
}

/// Wakes the listener with a connection of its own once the emulator is gone.
fn watch(forward: &Forward, own: SocketAddr, ended: Arc<AtomicBool>) {
    let follow = forward.follow.clone();
    thread::spawn(move || {
        while follow.is_alive() {
            thread::sleep(LOOK);
        }
        ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect_timeout(&own, LOOK);
    });
}

fn relay(client: TcpStream, to: SocketAddrV4, connections: &Arc<AtomicUsize>) {
    if connections.fetch_add(1, Ordering::SeqCst) >= MOST_CONNECTIONS {
        connections.fetch_sub(1, Ordering::SeqCst);
        return;
    }
    let connections = Arc::clone(connections);
    thread::spawn(move || {
        // Either side may break off at any time; the other one then sees the end.
        let _ = both_ways(&client, to);
        connections.fetch_sub(1, Ordering::SeqCst);
    });
}

fn both_ways(client: &TcpStream, to: SocketAddrV4) -> io::Result<()> {
    let server = TcpStream::connect(to)?;
    let (client_again, server_again) = (client.try_clone()?, server.try_clone()?);
    let back = thread::spawn(move || copy(&server_again, &client_again));
    copy(client, &server);
    back.join().map_err(|_| io::Error::other("the relay's other half panicked"))
}

/// Copies until the end, then passes the end on.
fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::process::{Child, Command};

    use super::*;
    use crate::process::wait_until;

    fn sleeper() -> (Child, ProcessId) {
        let child = Command::new("sleep").arg("60").spawn().unwrap();
        let id = ProcessId::of(child.id()).unwrap();
        (child, id)
    }

    fn free_port() -> SocketAddrV4 {
        let SocketAddr::V4(address) = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() else {
            panic!("an IPv4 address was bound")
        };
        address
    }

    #[test]
    fn arguments_come_back() {
        let follow = ProcessId { pid: 7, started: 9, boot: "b".into() };
        let forward = Forward::new(
            "172.17.0.1:80".parse().unwrap(),
            "127.0.0.1:80".parse().unwrap(),
            "172.17.0.0/16".parse().unwrap(),
            follow,
        );
        let args: Vec<String> = forward.to_args().into_iter().map(|arg| arg.into_string().unwrap()).collect();
        assert_eq!(Forward::from_args(&args).unwrap(), forward);
        assert_eq!(Forward::from_args(["x"]).unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn only_loopback_is_forwarded_to_and_only_the_subnet_listened_on() {
        let follow = ProcessId { pid: 1, started: 0, boot: String::new() };
        let forward = |listen: &str, to: &str| {
            let allowed = "127.0.0.0/8".parse().unwrap();
            run(&Forward::new(listen.parse().unwrap(), to.parse().unwrap(), allowed, follow.clone()))
        };
        assert_eq!(forward("127.0.0.1:0", "10.0.0.1:80").unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(forward("0.0.0.0:0", "127.0.0.1:80").unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_relays_and_ends_with_the_process_that_it_follows() {
        let (mut child, follow) = sleeper();
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let SocketAddr::V4(to) = server.local_addr().unwrap() else { panic!("an IPv4 address was bound") };
        let listen = free_port();
        let forward = Forward::new(listen, to, "127.0.0.0/8".parse().unwrap(), follow);
        let running = thread::spawn(move || run(&forward));
        thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            stream.write_all(text.to_uppercase().as_bytes()).unwrap();
        });

        let mut client = None;
        assert!(wait_until(Duration::from_secs(5), || {
            client = TcpStream::connect(listen).ok();
            client.is_some()
        }));
        let mut client = client.unwrap();
        client.write_all(b"hello").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "HELLO");

        child.kill().unwrap();
        child.wait().unwrap();
        running.join().unwrap().unwrap();
    }

    #[test]
    fn peers_outside_the_subnet_are_refused() {
        let allowed = "172.17.0.0/16".parse().unwrap();
        assert!(is_allowed("172.17.0.9:1".parse().unwrap(), allowed));
        assert!(!is_allowed("172.18.0.9:1".parse().unwrap(), allowed));
        assert!(!is_allowed("[::1]:1".parse().unwrap(), allowed));
    }
}
