//! A `docker` of our own making: what its answers lead to, and which arguments a builder of its own gets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use leo_image::{
    Catalog, Engine, ImageError, ImageName, Password, PublishOptions, Publisher, PushMode, Registry,
    RegistryCredentials,
};
use tempfile::TempDir;

use crate::context::Context;
use crate::ecr::{Ecr, Store};
use crate::stub::registry_with_an_image;

/// A folder with a program `docker`, which is a shell script.
struct FakeDocker(TempDir);

impl FakeDocker {
    fn new(version: &str, inspect: &str, info: &str, build: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "#!/bin/sh\ncd '{}'\ncase \"$1 $2\" in\n'buildx version') {version};;\n'buildx inspect') {inspect};;\n\
             'info --format') {info};;\n'buildx build') {build};;\n*) exit 9;;\nesac\n",
            folder.path().display()
        );
        let program = folder.path().join("docker");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn program(&self) -> PathBuf {
        self.0.path().join("docker")
    }

    async fn find(&self) -> Result<Engine, ImageError> {
        Engine::find_at(self.program(), None).await
    }
}

const NEW_BUILDX: &str = "echo github.com/docker/buildx v0.20.0 abc";
const DOCKER_DRIVER: &str = "echo 'Driver: docker'";
const OWN_BUILDER: &str = "echo 'Driver:        docker-container'";
const NO_ENGINE: &str =
    "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1";

#[tokio::test]
async fn what_is_missing_on_a_machine_is_said_with_its_fix() {
    let mut text = Vec::new();
    let mut say = |result: Result<Engine, ImageError>| {
        let error = result.unwrap_err();
        text.push(format!("{:?}: failed to {error}\nhint: {}", error.kind(), error.hint().unwrap()));
    };
    say(Engine::find_at("docker-that-is-not-there", None).await);
    let no_plugin = "echo \"docker: 'buildx' is not a docker command.\" >&2; exit 1";
    say(FakeDocker::new(no_plugin, "exit 1", "echo []", "exit 1").find().await);
    say(FakeDocker::new("echo github.com/docker/buildx v0.11.2 abc", DOCKER_DRIVER, "echo []", "")
        .find()
        .await);
    say(FakeDocker::new(NEW_BUILDX, DOCKER_DRIVER, NO_ENGINE, "").find().await);
    say(Engine::find_buildctl_at("buildctl-that-is-not-there", "unix:///none".into(), None).await);
    let refused = FakeDocker::new("", "", "", "");
    fs::write(
        refused.program(),
        "#!/bin/sh\necho 'error: dial unix /none: connect: no such file' >&2; exit 1\n",
    )
    .unwrap();
    say(Engine::find_buildctl_at(refused.program(), "unix:///none".into(), None).await);
    insta::assert_snapshot!(text.join("\n"));
}

#[tokio::test]
async fn another_registry_that_refuses_a_base_image_is_no_matter_of_our_login() {
    let build = "echo 'ERROR: failed to solve: secret/base: pull access denied, repository does not exist' >&2; exit 1";
    let docker = FakeDocker::new(NEW_BUILDX, OWN_BUILDER, NO_ENGINE, build);
    let publisher = publisher(&docker, "registry.example", Store::Memory(Arc::default()), "x").await;
    let context = Context::new(ImageName::Generator, "x");
    let errors = publisher.publish(vec![context.plan("registry.example").await]).await.unwrap_err();
    assert!(matches!(errors[0], ImageError::Build { .. }), "{errors:?}");
    let ours =
        "echo 'ERROR: failed to solve: failed to push registry.example/leo: 403 Forbidden' >&2; exit 1";
    let docker = FakeDocker::new(NEW_BUILDX, OWN_BUILDER, NO_ENGINE, ours);
    let publisher = self::publisher(&docker, "registry.example", Store::Memory(Arc::default()), "x").await;
    let errors = publisher.publish(vec![context.plan("registry.example").await]).await.unwrap_err();
    assert!(matches!(errors[0], ImageError::Denied { .. }), "{errors:?}");
}

#[tokio::test]
async fn credentials_that_have_expired_end_it_before_anything_is_built() {
    let docker = FakeDocker::new(NEW_BUILDX, OWN_BUILDER, NO_ENGINE, "echo built > built; exit 1");
    let mut ecr = Ecr::new(Store::Memory(Arc::default()));
    ecr.before =
        Arc::new(|_, _| Some(crate::ecr::error("ExpiredTokenException", "The security token is expired")));
    let registry =
        Registry { host: "registry.example".into(), credentials: RegistryCredentials::Ecr(ecr.client()) };
    let engine = docker.find().await.unwrap().into();
    let catalog = Catalog::new(ecr.client());
    let publisher = Publisher::new(engine, registry, catalog, PublishOptions::default(), Arc::new(|_| {}));
    let context = Context::new(ImageName::Generator, "x");
    let error = publisher.publish(vec![context.plan("registry.example").await]).await.unwrap_err().remove(0);
    assert_eq!(error.kind(), leo_aws::FailureKind::Credentials, "{error}");
    assert!(error.hint().unwrap().contains("sign in again"), "{error}");
    assert!(!docker.0.path().join("built").exists());
}

#[tokio::test]
async fn the_builder_and_the_store_decide_how_an_image_is_pushed() {
    let mode = async |inspect, info| {
        FakeDocker::new(NEW_BUILDX, inspect, info, "").find().await.unwrap().push_mode()
    };
    let containerd = "echo '[[\"driver-type\",\"io.containerd.snapshotter.v1\"]]'";
    assert_eq!(mode(DOCKER_DRIVER, containerd).await, PushMode::ThroughStore);
    assert_eq!(mode(DOCKER_DRIVER, "echo '[[\"Backing Filesystem\",\"extfs\"]]'").await, PushMode::ByTag);
    // A builder elsewhere needs no engine here.
    assert_eq!(mode(OWN_BUILDER, NO_ENGINE).await, PushMode::ByDigest);
}

#[tokio::test]
async fn a_builder_of_its_own_pushes_by_digest_and_the_tag_is_set_in_ecr() {
    let (host, stored) = registry_with_an_image(architecture()).await;
    let digest = stored.digest.clone();
    let build = format!(
        "printf '%s\\n' \"$@\" > arguments; cat \"$DOCKER_CONFIG/config.json\" > login\n\
         while [ \"$1\" != --metadata-file ]; do shift; done\n\
         printf '{{\"containerimage.digest\": \"{digest}\"}}' > \"$2\""
    );
    let docker = FakeDocker::new(NEW_BUILDX, OWN_BUILDER, NO_ENGINE, &build);
    let images = Arc::new(Mutex::new(vec![stored]));
    let publisher = publisher(&docker, &host, Store::Memory(images.clone()), "canary-8f3a").await;

    let context = Context::new(ImageName::Generator, "x");
    let plan = context.plan(&host).await;
    let git_tag = plan.git_tag.clone().unwrap();
    let image = publisher.publish(vec![plan]).await.unwrap().remove(0);
    assert_eq!(image.reference.to_string(), format!("{host}/leo@{digest}"));
    assert_eq!(image.tag, git_tag);
    let tags = images.lock().unwrap()[0].tags.clone();
    assert!(tags.len() == 2 && tags[0].starts_with("src-") && tags[1] == git_tag.to_string(), "{tags:?}");

    let arguments = fs::read_to_string(docker.0.path().join("arguments")).unwrap();
    assert!(
        arguments.contains(
            &format!("--output=type=image,oci-mediatypes=true,name={host}/leo,push-by-digest=true,push=true,rewrite-timestamp=true\n")
        ),
        "{arguments}"
    );
    assert!(!arguments.contains("canary-8f3a"));
    assert!(fs::read_to_string(docker.0.path().join("login")).unwrap().contains(&host));
}

#[tokio::test]
async fn an_answer_without_a_digest_is_no_success() {
    let build = "while [ \"$1\" != --metadata-file ]; do shift; done; echo '{}' > \"$2\"";
    let docker = FakeDocker::new(NEW_BUILDX, OWN_BUILDER, NO_ENGINE, build);
    let publisher = publisher(&docker, "registry.example", Store::Memory(Arc::default()), "x").await;
    let context = Context::new(ImageName::Generator, "x");
    let errors = publisher.publish(vec![context.plan("registry.example").await]).await.unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "understand the builder's metadata file: it has no `containerimage.digest`"
    );
}

async fn publisher(docker: &FakeDocker, host: &str, store: Store, password: &str) -> Publisher {
    let credentials = RegistryCredentials::Password { user: "AWS".into(), password: Password::new(password) };
    let registry = Registry { host: host.to_owned(), credentials };
    let catalog = Catalog::new(Ecr::new(store).client());
    let engine = docker.find().await.unwrap().into();
    Publisher::new(engine, registry, catalog, PublishOptions::default(), Arc::new(|_| {}))
}

/// This machine's, as images call it.
fn architecture() -> &'static str {
    if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" }
}
