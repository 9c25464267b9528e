use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::emulator::{self, Settings};
use crate::engine::{DockerEngine, Engine};
use crate::error::LocalError;
use crate::forward::Forward;
use crate::process::{self, ProcessId, output_within, tail, wait_until};
use crate::secret::random_hex;
use crate::state::{self, Container, Folder, Saved, Status};
use crate::target::LocalTarget;

/// How long the emulator may take to stop its containers and itself.
const STOPPING: Duration = Duration::from_secs(20);
/// How long the engine may take to answer.
const ENGINE_PATIENCE: Duration = Duration::from_mins(1);
/// How long the forwarder may take to listen.
const FORWARDING: Duration = Duration::from_secs(5);

/// How long the emulator of a work tree may take to get ready: it starts in seconds, and on a busy machine in many.
const READY: Duration = Duration::from_mins(1);
/// The account of a work tree's target where its configuration names none.
const NO_ACCOUNT: &str = "000000000000";
/// Where a work tree keeps its target, relative to its root.
pub const STATE_DIR: &str = ".leo/local";

/// What [`up`] needs to know.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// The target's own folder, made when missing; two targets side by side have two.
    pub state_dir: PathBuf,
    /// The Python of the pinned tools: [`PythonTools::python`](crate::PythonTools::python).
    pub python: PathBuf,
    /// Twelve digits: the account that everything is in.
    pub account_id: String,
    /// The region that everything is in.
    pub region: String,
    /// A command that ends in [`forward::run_with_args`](crate::forward::run_with_args) with the arguments that are appended to
    /// it: the caller's own executable and its hidden subcommand.
    pub forwarder_command: Vec<OsString>,
    /// How long the emulator may take to get ready.
    pub ready_within: Duration,
}

impl LocalOptions {
    /// The target of the work tree at `root`: one, for all its commands. `account_id` is the configuration's, where it names
    /// one.
    pub fn of_work_tree(
        root: &Path,
        python: PathBuf,
        account_id: Option<&str>,
        region: &str,
        forwarder_command: Vec<OsString>,
    ) -> Self {
        Self {
            state_dir: root.join(STATE_DIR),
            python,
            account_id: account_id.unwrap_or(NO_ACCOUNT).to_owned(),
            region: region.to_owned(),
            forwarder_command,
            ready_within: READY,
        }
    }
}

/// Starts the local target, or returns the one that already runs in this state folder. It outlives the calling process.
///
/// A failed start leaves nothing running; its log stays in the state folder.
pub fn up(options: &LocalOptions) -> Result<LocalTarget, LocalError> {
    if !cfg!(target_os = "linux") {
        return Err(LocalError::NotLinux);
    }
    let folder = Folder::open(&options.state_dir)?;
    if let Some(mut saved) = folder.read()? {
        if saved.emulator.is_alive() {
            reuse(options, &folder, &mut saved)?;
            return Ok(saved.target());
        }
        remove(&folder, &saved, false)?;
    }
    let saved = start(options, &folder)?;
    Ok(saved.target())
}

/// The running local target of a state folder; `None` where none runs. Fails where one runs and does not answer.
pub fn attach(state_dir: &Path) -> Result<Option<LocalTarget>, LocalError> {
    let Some(saved) = state::read(state_dir)?.filter(|saved| saved.emulator.is_alive()) else {
        return Ok(None);
    };
    expect_answer(&saved)?;
    Ok(Some(saved.target()))
}

/// Stops the target of a state folder: the emulator, its forwarder, the containers it started, found by their label, and
/// the engine's names for images of its registry. Returns whether there was one. The folder stays, without the target's files.
pub fn down(state_dir: &Path) -> Result<bool, LocalError> {
    if !state_dir.is_dir() {
        return Ok(false);
    }
    let folder = Folder::open(state_dir)?;
    let saved = folder.read()?;
    match &saved {
        Some(saved) => remove(&folder, saved, true)?,
        None => folder.clear(true)?,
    }
    Ok(saved.is_some())
}

/// What runs in a state folder.
pub fn status(state_dir: &Path) -> Result<Status, LocalError> {
    let Some(saved) = state::read(state_dir)? else {
        return Ok(Status {
            running: false,
            endpoint: None,
            account_id: None,
            region: None,
            engine: None,
            forwarding: None,
            containers: Vec::new(),
            log_file: None,
        });
    };
    let containers = match saved.engine.docker() {
        Some(engine) => containers(engine, &saved.instance)?,
        None => Vec::new(),
    };
    let forwarding = saved.engine.docker().map(|_| saved.forwarder.as_ref().is_some_and(ProcessId::is_alive));
    Ok(Status {
        running: saved.emulator.is_alive() && emulator::answers(saved.port),
        endpoint: Some(saved.target().endpoint),
        account_id: Some(saved.account_id),
        region: Some(saved.region),
        engine: Some(saved.engine),
        forwarding,
        containers,
        log_file: Some(state::log_file(state_dir)),
    })
}

fn reuse(options: &LocalOptions, folder: &Folder, saved: &mut Saved) -> Result<(), LocalError> {
    expect_answer(saved)?;
    if (&saved.account_id, &saved.region) != (&options.account_id, &options.region) {
        return Err(LocalError::OtherSettings {
            running: format!("account {} in {}", saved.account_id, saved.region),
            wanted: format!("account {} in {}", options.account_id, options.region),
        });
    }
    if let Some(engine) = saved.engine.docker()
        && !saved.forwarder.as_ref().is_some_and(ProcessId::is_alive)
    {
        saved.forwarder = Some(forward(options, folder, saved, engine)?);
        folder.save(saved)?;
    }
    Ok(())
}

fn start(options: &LocalOptions, folder: &Folder) -> Result<Saved, LocalError> {
    let engine = Engine::detect();
    let port = emulator::free_port(&engine)?;
    let random = |bytes| random_hex(bytes).map_err(LocalError::Random);
    let host_label = format!("leo-{}", random(6)?);
    let access_key_id = format!("LEO{}", random(9)?.to_uppercase());
    let secret_access_key = random(20)?;
    let registry_password = random(20)?;
    let emulator = emulator::start(
        folder,
        &Settings {
            python: &options.python,
            port,
            host_label: &host_label,
            access_key_id: &access_key_id,
            secret_access_key: &secret_access_key,
            registry_password: &registry_password,
            account_id: &options.account_id,
            region: &options.region,
            engine: &engine,
        },
    )?;
    let mut saved = Saved {
        port,
        access_key_id,
        secret_access_key,
        registry_password,
        account_id: options.account_id.clone(),
        region: options.region.clone(),
        engine,
        // The emulator's own rule for the label of what it starts.
        instance: format!("{host_label}:{port}"),
        emulator,
        forwarder: None,
    };
    // From here on `down` knows it, whatever happens to this process.
    let started = folder.save(&saved).and_then(|()| finish_start(options, folder, &mut saved));
    if let Err(error) = started {
        // The first error is the cause.
        let _ = remove(folder, &saved, false);
        return Err(error);
    }
    Ok(saved)
}

fn finish_start(options: &LocalOptions, folder: &Folder, saved: &mut Saved) -> Result<(), LocalError> {
    emulator::wait_until_ready(&saved.emulator, saved.port, options.ready_within, &folder.log_file())?;
    if let Some(engine) = saved.engine.docker() {
        saved.forwarder = Some(forward(options, folder, saved, engine)?);
        folder.save(saved)?;
    }
    Ok(())
}

/// Starts the forwarder and waits until it listens.
fn forward(
    options: &LocalOptions,
    folder: &Folder,
    saved: &Saved,
    engine: &DockerEngine,
) -> Result<ProcessId, LocalError> {
    let listen = SocketAddrV4::new(engine.bridge.gateway, saved.port);
    let failed = |log: Vec<String>| LocalError::NotForwarding { listen: listen.to_string(), log };
    let (Some((program, arguments)), Some(subnet)) =
        (options.forwarder_command.split_first(), engine.bridge.subnet())
    else {
        return Err(failed(vec!["there is no command for it".into()]));
    };
    let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, saved.port);
    let what = Forward::new(listen, to, subnet, saved.emulator.clone());
    let mut command = process::command(program);
    command.args(arguments).args(what.to_args());
    let forwarder = emulator::spawn_detached(&mut command, folder.create_log("forwarder.log")?)?;
    let listens = || TcpStream::connect_timeout(&SocketAddr::V4(listen), Duration::from_millis(500)).is_ok();
    if wait_until(FORWARDING, || !forwarder.is_alive() || listens()) && forwarder.is_alive() {
        return Ok(forwarder);
    }
    forwarder.stop(Duration::ZERO);
    Err(failed(tail(&folder.join("forwarder.log"), 5)))
}

fn expect_answer(saved: &Saved) -> Result<(), LocalError> {
    if wait_until(Duration::from_secs(3), || emulator::answers(saved.port)) {
        return Ok(());
    }
    Err(LocalError::NotAnswering { pid: saved.emulator.pid, endpoint: saved.target().endpoint })
}

/// Ends what a state names, the emulator first: it stops its own containers.
fn remove(folder: &Folder, saved: &Saved, with_logs: bool) -> Result<(), LocalError> {
    if !saved.emulator.stop(STOPPING) {
        return Err(LocalError::NotStopping { pid: saved.emulator.pid });
    }
    if let Some(forwarder) = &saved.forwarder {
        forwarder.stop(Duration::from_secs(1));
    }
    if let Some(engine) = saved.engine.docker() {
        let left: Vec<String> = containers(engine, &saved.instance)?.into_iter().map(|one| one.id).collect();
        if !left.is_empty() {
            // With the anonymous volumes; they use no other kind, and no network of their own.
            let arguments = ["rm", "--force", "--volumes"].into_iter().chain(left.iter().map(String::as_str));
            docker(engine, arguments)?;
        }
        forget_images(engine, &saved.target().registry());
    }
    folder.clear(with_logs)
}

/// Removes the names of images that came from the target's registry, which is gone. Another name of the same image keeps it.
fn forget_images(engine: &DockerEngine, registry: &str) {
    let filter = format!("reference={registry}/*");
    // Without `--digests` the digest's field is empty, and an image that was pulled by digest has no other name.
    let format = "{{.Repository}}\t{{.Tag}}\t{{.Digest}}";
    let Ok(listed) = docker(engine, ["image", "ls", "--digests", "--filter", &filter, "--format", format])
    else {
        return;
    };
    let names = parse_images(&listed);
    if !names.is_empty() {
        // One that somebody uses stays; it costs disk space and nothing else.
        let _ = docker(engine, ["image", "rm"].into_iter().chain(names.iter().map(String::as_str)));
    }
}

fn parse_images(listed: &str) -> Vec<String> {
    let name = |line: &str| {
        let mut fields = line.split('\t');
        match (fields.next()?, fields.next()?, fields.next()?) {
            (_, "<none>", "<none>") => None,
            (repository, "<none>", digest) => Some(format!("{repository}@{digest}")),
            (repository, tag, _) => Some(format!("{repository}:{tag}")),
        }
    };
    listed.lines().filter_map(name).collect()
}

fn containers(engine: &DockerEngine, instance: &str) -> Result<Vec<Container>, LocalError> {
    let filter = format!("label=ministack.instance={instance}");
    let format = "{{.ID}}\t{{.Names}}\t{{.Status}}";
    let listed = docker(engine, ["ps", "--all", "--no-trunc", "--filter", &filter, "--format", format])?;
    Ok(parse_containers(&listed))
}

fn parse_containers(listed: &str) -> Vec<Container> {
    listed
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            Some(Container { id: fields.next()?, name: fields.next()?, status: fields.next()? })
        })
        .collect()
}

fn docker<'a>(
    engine: &DockerEngine,
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<String, LocalError> {
    let mut command = process::command("docker");
    command.env("DOCKER_HOST", &engine.host).args(arguments);
    let output = output_within(&mut command, ENGINE_PATIENCE)
        .map_err(|error| LocalError::Containers { message: error.to_string() })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(LocalError::Containers { message: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_lists_are_read() {
        let listed = parse_containers("abc\tministack-ecs-1\tUp 2 minutes\n\nodd line\n");
        let expected =
            Container { id: "abc".into(), name: "ministack-ecs-1".into(), status: "Up 2 minutes".into() };
        assert_eq!(listed, [expected]);
    }

    #[test]
    fn image_lists_are_read() {
        let listed = "127.0.0.1:1/leo\tcache-x\t<none>\n127.0.0.1:1/leo\t<none>\tsha256:ab\n127.0.0.1:1/leo\t<none>\t<none>\n";
        assert_eq!(parse_images(listed), ["127.0.0.1:1/leo:cache-x", "127.0.0.1:1/leo@sha256:ab"]);
    }

    #[test]
    fn an_empty_folder_has_no_target() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local");
        assert_eq!(attach(&path).unwrap(), None);
        assert!(!down(&path).unwrap());
        assert!(!status(&path).unwrap().running);
        assert!(!path.exists());
    }
}
