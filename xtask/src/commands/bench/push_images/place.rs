//! Where it runs: a work tree of its own beside the sources, with a local target whose registry both tools push to.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, anyhow, bail};
use leo_local::{LocalOptions, LocalTarget, adapt_template, down, up};
use serde_json::Value;

use super::sources::Source;
use crate::{
    commands::local,
    project, python,
    repository::{Repository, output, run as run_to_end},
};

/// The two images, as the command and the folders call them, with their repositories.
pub(super) const IMAGES: [(&str, &str); 2] = [("orchestrator", "leo-saas-app"), ("generator", "leo")];

/// Everything of a run. The local target ends with it.
pub(super) struct Place<'a> {
    pub(super) repository: &'a Repository,
    pub(super) python: PathBuf,
    leo_infra: PathBuf,
    folder: PathBuf,
    target: LocalTarget,
}

impl<'a> Place<'a> {
    pub(super) fn prepare(repository: &'a Repository, release: bool) -> Result<Self> {
        let Ok(project) = project::load(repository, None, leo_env::SecretsPolicy::Unopened) else {
            bail!("the configuration is not valid")
        };
        let profile = if release { "release" } else { "debug" };
        let mut build = repository.cargo();
        build.args([
            "build",
            "-p",
            "leo-infra",
            "--bin",
            "leo-infra",
            "-p",
            "leo-deploy",
            "--example",
            "deploy_template",
        ]);
        run_to_end(build.args(release.then_some("--release")))?;
        let folder = repository.path("target/bench/push-images");
        let tree = folder.join("leo-infra");
        work_tree(repository, &tree)?;
        let options = LocalOptions::of_work_tree(
            &tree,
            python::tools(repository)?.python(),
            None,
            project.config.environment.region.as_str(),
            vec![env::current_exe().context("failed to find this executable")?.into(), local::FORWARD.into()],
        );
        let target = up(&options).map_err(|error| anyhow!("failed to {error}"))?;
        let place = Self {
            repository,
            python: options.python.clone(),
            leo_infra: repository.path("target").join(profile).join("leo-infra"),
            folder,
            target,
        };
        let stacks = leo_stack::compose(&project.config).map_err(|errors| {
            anyhow!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        let mut template = stacks.registry.template.json().clone();
        adapt_template(&mut template);
        let deploy = repository.path("target").join(profile).join("examples/deploy_template");
        place.deploy(&deploy, &stacks.registry.name.to_string(), &template)?;
        place.sign_in()?;
        Ok(place)
    }

    /// The stack with the repositories.
    fn deploy(&self, deploy: &Path, name: &str, template: &Value) -> Result<()> {
        let path = self.folder.join("registry.json");
        write(&path, &template.to_string())?;
        let mut command = self.repository.command(deploy);
        command
            .arg(name)
            .arg(&path)
            .env("AWS_ENDPOINT_URL", &self.target.endpoint)
            .env("AWS_REGION", &self.target.region)
            .env("AWS_ACCESS_KEY_ID", &self.target.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", self.target.secret_access_key.expose());
        output(&mut command).map(drop)
    }

    /// Lets plain `docker` push to the registry, in a configuration of its own.
    fn sign_in(&self) -> Result<()> {
        let (user, password) = self.target.registry_login();
        fs::create_dir_all(self.docker_config())
            .context("failed to make a folder for Docker's configuration")?;
        let mut command = self.repository.command("docker");
        command
            .env("DOCKER_CONFIG", self.docker_config())
            .args(["login", "--username", user, "--password-stdin", &self.target.registry()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut login = command.spawn().context("failed to start `docker login`")?;
        let mut input = login.stdin.take().context("`docker login` takes no input")?;
        input.write_all(password.expose().as_bytes()).context("failed to sign in to the registry")?;
        drop(input);
        let login = login.wait_with_output().context("failed to wait for `docker login`")?;
        if !login.status.success() {
            bail!("`docker login` was refused: {}", String::from_utf8_lossy(&login.stderr).trim());
        }
        Ok(())
    }

    fn docker_config(&self) -> PathBuf {
        self.folder.join("docker")
    }

    /// What a tool builds an image from.
    pub(super) fn source(&self, tool: &str, image: &str) -> Source {
        Source::new(self.folder.join(format!("{tool}-{image}")))
    }

    /// Our command: one image, or without one both.
    pub(super) fn push_images(&self, image: Option<&str>) -> Command {
        let mut command = Command::new(&self.leo_infra);
        command.arg("push-images").args(image).args(["--local", "--cache", "registry", "--json"]);
        command.current_dir(self.folder.join("leo-infra"));
        self.same_builder(&mut command);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") || name.to_string_lossy().starts_with("LEO_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// What a person types for the same, with the flags that ours gives to buildx.
    pub(super) fn buildx(&self, image: &str, repository: &str) -> Command {
        let name = self.target.image_repository(repository);
        let cache = format!("type=registry,ref={name}:cache-plain");
        let mut command = Command::new("docker");
        command
            .args(["buildx", "build", "--push", "--provenance=false", "--sbom=false"])
            .arg(format!(
                "--platform=linux/{}",
                if env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" }
            ))
            .arg("--build-arg=SOURCE_DATE_EPOCH=0")
            .arg(format!("--cache-from={cache}"))
            .arg(format!(
                "--cache-to={cache},mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true"
            ))
            .arg(format!("--tag={name}:cache-plain-image"))
            .arg(self.source("buildx", image).folder);
        self.same_builder(&mut command);
        command
    }

    /// Both build with the engine's own builder, whatever this machine has chosen for one of them.
    fn same_builder(&self, command: &mut Command) {
        command.env("DOCKER_CONFIG", self.docker_config());
        for chosen in ["BUILDKIT_HOST", "BUILDX_BUILDER", "BUILDX_CONFIG"] {
            command.env_remove(chosen);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let tree = self.folder.join("leo-infra");
        if let Err(error) = down(&tree.join(leo_local::STATE_DIR)) {
            eprintln!("failed to stop the local target: {error}");
        }
        // It holds a password, if only that of a registry which is gone.
        let _ = fs::remove_dir_all(self.docker_config());
    }
}

/// This work tree's configuration, with images from the sources beside it.
fn work_tree(repository: &Repository, tree: &Path) -> Result<()> {
    for folder in ["infra", "env"] {
        fs::create_dir_all(tree.join(folder))
            .with_context(|| format!("failed to make {}", tree.display()))?;
    }
    let settings =
        IMAGES.map(|(image, _)| format!("[images.{image}]\ncontext = \"../ours-{image}\"\n")).concat();
    write(&tree.join("infra/leo.toml"), &format!("{settings}[environments.dev]\n"))?;
    for file in ["infra/env.toml", "env/.env.defaults"] {
        fs::copy(repository.path(file), tree.join(file)).with_context(|| format!("failed to copy {file}"))?;
    }
    for shared in ["ci", "target"] {
        link(&repository.path(shared), &tree.join(shared))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> Result<()> {
    if to.is_symlink() {
        return Ok(());
    }
    std::os::unix::fs::symlink(from, to).with_context(|| format!("failed to link {}", to.display()))
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> Result<()> {
    bail!("this benchmark runs on Unix")
}
