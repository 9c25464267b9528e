//! The emulator's process: what it is started with, and when it is ready.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::engine::Engine;
use crate::error::LocalError;
use crate::process::{self, ProcessId, tail};
use crate::state::Folder;
use crate::target::REGISTRY_USER;

/// The launcher and its modules, written into the state folder and run by the pinned Python.
const GUARD: [(&str, &str); 8] = [
    ("guard/start.py", include_str!("guard/start.py")),
    ("guard/settings.py", include_str!("guard/settings.py")),
    ("guard/policies.py", include_str!("guard/policies.py")),
    ("guard/tasks.py", include_str!("guard/tasks.py")),
    ("guard/balance.py", include_str!("guard/balance.py")),
    ("guard/gate.py", include_str!("guard/gate.py")),
    ("guard/imports.py", include_str!("guard/imports.py")),
    ("guard/images.py", include_str!("guard/images.py")),
];
/// How long one question whether it is ready may take.
const QUESTION: Duration = Duration::from_millis(500);
/// How many lines of a log an error shows.
const LOG_LINES: usize = 12;

/// What the emulator is told, apart from where its files are.
pub(crate) struct Settings<'a> {
    pub(crate) python: &'a Path,
    pub(crate) port: u16,
    pub(crate) host_label: &'a str,
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a str,
    pub(crate) registry_password: &'a str,
    pub(crate) account_id: &'a str,
    pub(crate) region: &'a str,
    pub(crate) engine: &'a Engine,
}

/// Starts the emulator, detached, with an environment of its own: credentials of the caller's shell never reach it.
pub(crate) fn start(folder: &Folder, settings: &Settings<'_>) -> Result<ProcessId, LocalError> {
    for (name, text) in GUARD {
        folder.write(name, text.as_bytes())?;
    }
    folder.write("docker/config.json", docker_config(settings).as_bytes())?;
    let temporary = folder.make_dir("tmp")?;
    let log = folder.create_log("emulator.log")?;
    let mut command = process::command(settings.python);
    command
        .arg(folder.join("guard/start.py"))
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", &temporary)
        .env("TMPDIR", &temporary)
        .env("STATE_DIR", &temporary)
        .env("DOCKER_CONFIG", folder.join("docker"))
        .env("LANG", "C.UTF-8")
        .env("PYTHONUNBUFFERED", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
        .env("GATEWAY_PORT", settings.port.to_string())
        .env("AUTH", "true")
        .env("IOT_MTLS_PORT", "0")
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        .env("AWS_ACCESS_KEY_ID", settings.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", settings.secret_access_key)
        .env("MINISTACK_ACCOUNT_ID", settings.account_id)
        .env("MINISTACK_REGION", settings.region)
        .env("MINISTACK_HOSTNAME", settings.host_label)
        .env("LEO_REGISTRY_PASSWORD", settings.registry_password)
        .current_dir(&temporary);
    // Without an engine the emulator must not find one either: it would start containers that nobody can reach.
    let docker_host = settings.engine.docker().map_or_else(
        || format!("unix://{}", temporary.join("no-engine.sock").display()),
        |engine| engine.host.clone(),
    );
    command.env("DOCKER_HOST", docker_host);
    spawn_detached(&mut command, log)
}

/// Waits until the emulator answers, or says what its log said.
pub(crate) fn wait_until_ready(
    emulator: &ProcessId,
    port: u16,
    within: Duration,
    log_file: &Path,
) -> Result<(), LocalError> {
    let deadline = Instant::now() + within;
    loop {
        if answers(port) {
            return Ok(());
        }
        if !emulator.is_alive() {
            return Err(LocalError::EndedEarly {
                log: tail(log_file, LOG_LINES),
                log_file: log_file.to_owned(),
            });
        }
        if Instant::now() >= deadline {
            let log = tail(log_file, LOG_LINES);
            return Err(LocalError::NotReady { within, log, log_file: log_file.to_owned() });
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Whether an emulator on this port says that it is ready.
pub(crate) fn answers(port: u16) -> bool {
    ask(port).unwrap_or(false)
}

fn ask(port: u16) -> io::Result<bool> {
    let address = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, QUESTION)?;
    stream.set_read_timeout(Some(QUESTION))?;
    stream.set_write_timeout(Some(QUESTION))?;
    let request = format!("GET /_ministack/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut start = [0_u8; 12];
    stream.read_exact(&mut start)?;
    Ok(&start == b"HTTP/1.1 200")
}

/// A port that is free on loopback and, for an engine's containers, on the bridge.
pub(crate) fn free_port(engine: &Engine) -> Result<u16, LocalError> {
    let bind = |address: SocketAddrV4| {
        TcpListener::bind(address)
            .and_then(|listener| Ok((listener.local_addr()?.port(), listener)))
            .map_err(|source| LocalError::Port { address: address.to_string(), source })
    };
    let mut attempts = 0;
    loop {
        let (port, _held) = bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let Some(engine) = engine.docker() else { return Ok(port) };
        attempts += 1;
        match bind(SocketAddrV4::new(engine.bridge.gateway, port)) {
            Ok(_) => return Ok(port),
            Err(LocalError::Port { source, .. })
                if source.kind() == io::ErrorKind::AddrInUse && attempts < 20 => {}
            Err(error) => return Err(error),
        }
    }
}

/// Starts a process that goes on without us; both kinds of it begin a session of their own.
pub(crate) fn spawn_detached(command: &mut Command, log: File) -> Result<ProcessId, LocalError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |source| LocalError::Start { program: program.clone(), source };
    let errors = log.try_clone().map_err(failed)?;
    let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().map_err(failed)?;
    let id = ProcessId::of(child.id());
    reap(child);
    id.ok_or_else(|| failed(io::Error::other("it ended at once")))
}

/// Takes the exit status, so that an ended process is gone while this one lives on.
fn reap(mut child: Child) {
    thread::spawn(move || child.wait());
}

/// The emulator's engine client pulls from the emulator's own registry: it needs the login, in the one form that it reads.
fn docker_config(settings: &Settings<'_>) -> String {
    let registry = format!("{}:{}", Ipv4Addr::LOCALHOST, settings.port);
    let login = BASE64_STANDARD.encode(format!("{REGISTRY_USER}:{}", settings.registry_password));
    serde_json::json!({ "auths": { registry: { "auth": login } } }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_answers_on_a_free_port() {
        let port = free_port(&Engine::None { reason: "a test".into() }).unwrap();
        assert!(!answers(port));
    }

    #[test]
    fn the_guard_is_for_the_pinned_version() {
        let requirements = include_str!("../../../ci/requirements.txt");
        let pinned = requirements.lines().find_map(|line| line.strip_prefix("ministack[full]==")).unwrap();
        let (_, start) = GUARD[0];
        assert!(start.contains(&format!("VERSION = \"{pinned}\"")), "guard/start.py is not for {pinned}");
    }
}
