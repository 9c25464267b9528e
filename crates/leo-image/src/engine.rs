use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use tokio::process::Command;

use crate::{ImageError, process};

/// What builds images here, and how it can push: the `docker` program with its buildx and the builder that it would use,
/// or `buildctl` with the BuildKit daemon that `BUILDKIT_HOST` names.
#[derive(Clone, Debug)]
pub struct Engine {
    program: OsString,
    client: Client,
    host: Option<String>,
    config_directory: Option<PathBuf>,
    push_mode: PushMode,
}

/// The program that speaks to BuildKit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Buildx,
    Buildctl,
}

/// How a built image gets into a registry without being given a tag before its digest is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushMode {
    /// A builder of its own (`docker-container`, `remote`, `kubernetes`) pushes by digest.
    ByDigest,
    /// The engine keeps the image in containerd's store under its final digest; it is pushed from there. (The
    /// `docker` driver refuses push-by-digest.)
    ThroughStore,
    /// The engine's classic store knows no digest before a push, and exports no registry cache.
    ByTag,
}

/// How long an engine may take to answer a question; one that hangs takes for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first buildx with `--progress=rawjson`.
const OLDEST_BUILDX: (u32, u32) = (0, 13);

impl Engine {
    /// Finds what builds here, and asks what it can do: `buildctl` where `BUILDKIT_HOST` is set, else `docker`.
    ///
    /// # Errors
    /// [`ImageError::DockerMissing`], [`ImageError::BuildxMissing`], [`ImageError::BuildxTooOld`],
    /// [`ImageError::EngineUnreachable`], [`ImageError::BuildctlMissing`], [`ImageError::BuildkitUnreachable`].
    pub async fn find() -> Result<Self, ImageError> {
        match std::env::var("BUILDKIT_HOST") {
            Ok(host) if !host.is_empty() => {
                Self::find_buildctl_at("buildctl", host, default_config_directory()).await
            }
            _ => Self::find_at("docker", default_config_directory()).await,
        }
    }

    /// The BuildKit daemon at `host`, through this program, which takes buildctl's arguments.
    ///
    /// # Errors
    /// [`ImageError::BuildctlMissing`], [`ImageError::BuildkitUnreachable`].
    pub async fn find_buildctl_at(
        program: impl Into<OsString>,
        host: String,
        config_directory: Option<PathBuf>,
    ) -> Result<Self, ImageError> {
        let engine = Self {
            program: program.into(),
            client: Client::Buildctl,
            host: Some(host.clone()),
            config_directory,
            push_mode: PushMode::ByDigest,
        };
        let asked = answer(engine.command().args(["debug", "workers"])).await;
        let asked = asked.map_err(|error| engine.unstartable(&error))?;
        if asked.status.success() {
            Ok(engine)
        } else {
            Err(ImageError::BuildkitUnreachable { host, message: reason(&asked) })
        }
    }

    /// The Docker engine, through another program that takes Docker's arguments, and another folder with the user's Docker
    /// configuration.
    ///
    /// # Errors
    /// [`ImageError::DockerMissing`], [`ImageError::BuildxMissing`], [`ImageError::BuildxTooOld`],
    /// [`ImageError::EngineUnreachable`].
    pub async fn find_at(
        program: impl Into<OsString>,
        config_directory: Option<PathBuf>,
    ) -> Result<Self, ImageError> {
        let program = program.into();
        let ask = async |arguments: &[&str]| {
            let mut command = process::command(&program);
            if let Some(directory) = &config_directory {
                command.env("DOCKER_CONFIG", directory);
            }
            answer(command.args(arguments)).await.map_err(|error| unstartable(&error))
        };
        let (version, builder, store) = tokio::join!(
            ask(&["buildx", "version"]),
            ask(&["buildx", "inspect"]),
            ask(&["info", "--format", "{{json .DriverStatus}}"]),
        );
        let (version, builder) = (version?, builder?);
        if !version.status.success() {
            return Err(ImageError::BuildxMissing { message: reason(&version) });
        }
        let version = stdout(&version);
        if let Some(found) = too_old(&version) {
            return Err(ImageError::BuildxTooOld { found });
        }
        let push_mode = match driver(&stdout(&builder)) {
            Some(driver) if driver != "docker" => PushMode::ByDigest,
            _ => {
                let store = store?;
                if !store.status.success() {
                    return Err(ImageError::EngineUnreachable { message: reason(&store) });
                }
                let containerd = stdout(&store).contains("io.containerd.snapshotter");
                if containerd { PushMode::ThroughStore } else { PushMode::ByTag }
            }
        };
        Ok(Self { program, client: Client::Buildx, host: None, config_directory, push_mode })
    }

    #[cfg(test)]
    pub(crate) fn for_tests(program: &str, config_directory: Option<PathBuf>) -> Self {
        let push_mode = PushMode::ThroughStore;
        Self { program: program.into(), client: Client::Buildx, host: None, config_directory, push_mode }
    }

    /// How the current builder pushes.
    pub fn push_mode(&self) -> PushMode {
        self.push_mode
    }

    /// The user's own Docker configuration: plugins, contexts, builders, logins.
    pub(crate) fn config_directory(&self) -> Option<&PathBuf> {
        self.config_directory.as_ref()
    }

    /// Whether it takes buildctl's arguments, and not those of Docker.
    pub(crate) fn is_buildctl(&self) -> bool {
        self.client == Client::Buildctl
    }

    /// A command of its program.
    pub(crate) fn command(&self) -> Command {
        let mut command = process::command(&self.program);
        if let Some(host) = &self.host {
            command.env("BUILDKIT_HOST", host);
        }
        command
    }

    /// Why its program could not be started.
    pub(crate) fn unstartable(&self, error: &std::io::Error) -> ImageError {
        match (self.client, error.kind()) {
            (Client::Buildctl, ErrorKind::NotFound) => ImageError::BuildctlMissing,
            (Client::Buildctl, _) => ImageError::BuildkitUnreachable {
                host: self.host.clone().unwrap_or_default(),
                message: error.to_string(),
            },
            (Client::Buildx, _) => unstartable(error),
        }
    }
}

/// What a short command answers.
async fn answer(command: &mut Command) -> std::io::Result<Output> {
    let waited = tokio::time::timeout(PATIENCE, command.output()).await;
    waited.unwrap_or_else(|_| {
        let arguments: Vec<_> = command.as_std().get_args().map(|text| text.to_string_lossy()).collect();
        let seconds = PATIENCE.as_secs();
        let problem = format!("no answer to `{}` within {seconds} s", arguments.join(" "));
        Err(std::io::Error::new(ErrorKind::TimedOut, problem))
    })
}

/// Why `docker` could not be started.
fn unstartable(error: &std::io::Error) -> ImageError {
    match error.kind() {
        ErrorKind::NotFound => ImageError::DockerMissing,
        _ => ImageError::EngineUnreachable { message: error.to_string() },
    }
}

/// `DOCKER_CONFIG`, else `~/.docker`, as the Docker CLI reads it.
fn default_config_directory() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("DOCKER_CONFIG").or_else(|| set("HOME").map(|home| home.join(".docker")))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn reason(output: &Output) -> String {
    let lines = process::last_lines(&output.stderr, 1);
    lines.into_iter().next().unwrap_or_else(|| format!("it ended with {} and said nothing", output.status))
}

/// The driver of the builder that `docker buildx inspect` describes.
fn driver(inspection: &str) -> Option<&str> {
    let driver = inspection.lines().find_map(|line| line.strip_prefix("Driver:")).map(str::trim);
    // It has none where the engine behind it can't be reached.
    driver.filter(|driver| !driver.is_empty())
}

/// The version of a buildx that is too old, from a line like `github.com/docker/buildx v0.12.1 30feaa1`. A version
/// that can't be read is taken for a new one.
fn too_old(line: &str) -> Option<String> {
    let version = line.split_whitespace().nth(1)?;
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return None };
    ((major, minor) < OLDEST_BUILDX).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_of_buildx_are_seen() {
        assert_eq!(too_old("github.com/docker/buildx v0.12.1 30feaa1").as_deref(), Some("v0.12.1"));
        for new in [
            "github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3",
            "github.com/docker/buildx v1.0.0 x",
            "x",
            "x y",
        ] {
            assert_eq!(too_old(new), None, "{new}");
        }
    }

    #[test]
    fn the_driver_is_read_from_an_inspection() {
        assert_eq!(driver("Name:   default\nDriver: docker-container\n\nNodes:\n"), Some("docker-container"));
        for none in ["", "Name:   default\nDriver:        \nError:  Cannot connect to the Docker daemon\n"] {
            assert_eq!(driver(none), None, "{none}");
        }
    }
}
