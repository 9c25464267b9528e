//! A `docker` of our own making: what its answers lead to, and which arguments a builder of its own gets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use leo_image::{
    Catalog, Engine, ImageError, ImageEvent, ImageEventKind, ImageName, Password, PublishOptions, Publisher,
    PushMode, Registry, RegistryCredentials,
};
use tempfile::TempDir;

use crate::context::Context;
use crate::ecr::{Ecr, Store};
use crate::stub::registry_with_an_image;

/// A folder with a program `docker`, which is a shell script.
pub(crate) struct FakeDocker(TempDir);

impl FakeDocker {
    pub(crate) fn new(version: &str, inspect: &str, info: &str, build: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "#!/bin/sh\ncd '{}'\ncase \"$1 $2\" in\n'buildx version') {version};;\n'buildx inspect') {inspect};;\n\
             'info --format') {info};;\n'buildx build') {build};;\n*) echo \"$@\" >> others; case \"$1 $2\" in\n*) exit 9;;\n\
             esac;;\nesac\n",
            folder.path().display()
        );
        let program = folder.path().join("docker");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    /// Answers everything else with these cases.
    fn others(&self, cases: &str) {
        let script = fs::read_to_string(self.program()).unwrap();
        fs::write(self.program(), script.replace("*) exit 9;;", cases)).unwrap();
    }

    fn program(&self) -> PathBuf {
        self.0.path().join("docker")
    }

    pub(crate) async fn find(&self) -> Result<Engine, ImageError> {
        Engine::find_at(self.program(), None).await
    }
}

pub(crate) const NEW_BUILDX: &str = "echo github.com/docker/buildx v0.20.0 abc";
const DOCKER_DRIVER: &str = "echo 'Driver: docker'";
pub(crate) const OWN_BUILDER: &str = "echo 'Driver:        docker-container'";
pub(crate) const NO_ENGINE: &str =
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

/// A build that ends in this image, and does something to the context `$last` before.
pub(crate) fn build_of(digest: &str, meanwhile: &str) -> String {
    format!(
        "for last; do :; done; {meanwhile}\nwhile [ \"$1\" != --metadata-file ]; do shift; done\n\
         printf '{{\"containerimage.digest\": \"{digest}\"}}' > \"$2\""
    )
}

#[tokio::test]
async fn a_file_that_was_another_one_meanwhile_is_seen_even_when_it_was_put_back() {
    let (host, stored) = registry_with_an_image(architecture()).await;
    let digest_tag = format!("digest-{}", &stored.digest["sha256:".len()..][..16]);
    for (meanwhile, tag) in [
        ("cat \"$last/content\"; touch \"$last/.git/new\"", None),
        ("echo y > \"$last/content\"; printf x > \"$last/content\"", Some(digest_tag)),
    ] {
        let docker =
            FakeDocker::new(NEW_BUILDX, OWN_BUILDER, NO_ENGINE, &build_of(&stored.digest, meanwhile));
        let images = Arc::new(Mutex::new(vec![stored.clone()]));
        let publisher = publisher(&docker, &host, Store::Memory(images.clone()), "x").await;
        let context = Context::new(ImageName::Generator, "x");
        let image = publisher.publish(vec![context.plan(&host).await]).await.unwrap().remove(0);
        let tags = images.lock().unwrap()[0].tags.clone();
        match tag {
            None => assert!(tags[0].starts_with("src-"), "{tags:?}"),
            Some(tag) => assert_eq!((image.tag.to_string(), tags), (tag.clone(), vec![tag])),
        }
    }
}

#[tokio::test]
async fn a_second_image_of_a_source_is_not_the_one_that_is_found_and_a_full_image_stays_as_it_is() {
    let (host, stored) = registry_with_an_image(architecture()).await;
    let docker = FakeDocker::new(NEW_BUILDX, OWN_BUILDER, NO_ENGINE, &build_of(&stored.digest, ""));
    let images = Arc::new(Mutex::new(vec![stored.clone()]));
    let context = Context::new(ImageName::Generator, "x");
    let plan = context.plan(&host).await;
    let first = publisher(&docker, &host, Store::Memory(images.clone()), "x").await;
    first.publish(vec![plan.clone()]).await.unwrap();
    // The image of this source becomes another one, which no tag can be added to.
    let older = format!("sha256:{}", "0".repeat(64));
    {
        let mut images = images.lock().unwrap();
        let tags = vec![images[0].tags.remove(0)];
        images[0].tags.clear();
        images.push(crate::ecr::Image { digest: older.clone(), tags, ..stored.clone() });
    }
    let mut ecr = Ecr::new(Store::Memory(images));
    let limited = older.clone();
    ecr.before = Arc::new(move |operation, request| {
        (operation == "PutImage" && request["imageDigest"] == limited.as_str())
            .then(|| crate::ecr::error("LimitExceededException", "1000 tags"))
    });
    let publish = async |force| {
        let said = Arc::new(Mutex::new(Vec::new()));
        let sink = said.clone();
        let publisher = Publisher::new(
            docker.find().await.unwrap().into(),
            registry_at(&host, "x"),
            Catalog::new(ecr.client()),
            PublishOptions { force, ..PublishOptions::default() },
            Arc::new(move |event: ImageEvent| {
                if let ImageEventKind::Warning(text) = event.kind {
                    sink.lock().unwrap().push(text);
                }
            }),
        );
        let image = publisher.publish(vec![plan.clone()]).await.unwrap().remove(0);
        let said = said.lock().unwrap().join("\n");
        (image.reference.digest.to_string(), said)
    };
    let (found, said) = publish(false).await;
    assert_eq!(found, older);
    assert!(said.contains("without git-") && said.contains("1000 tags"), "{said}");
    let (built, said) = publish(true).await;
    assert_eq!(built, stored.digest);
    assert!(said.contains(&format!("({older})")), "{said}");
    assert!(said.contains(&format!("--images generator={}", stored.digest)), "{said}");
}

#[tokio::test]
async fn a_classic_store_asks_for_bases_that_may_have_moved() {
    for (base, pulled) in [("debian:trixie", true), ("scratch", false)] {
        let build = "echo \"$@\" > arguments; exit 1";
        let docker = FakeDocker::new(NEW_BUILDX, DOCKER_DRIVER, "echo []", build);
        let publisher = publisher(&docker, "registry.example", Store::Memory(Arc::default()), "x").await;
        let context = Context::new(ImageName::Generator, "x");
        context.write("Dockerfile", &format!("FROM {base}\nCOPY content /\n"));
        publisher.publish(vec![context.plan("registry.example").await]).await.unwrap_err();
        let arguments = fs::read_to_string(docker.0.path().join("arguments")).unwrap();
        assert_eq!(arguments.contains(" --pull "), pulled, "{arguments}");
    }
}

/// The engine's own `docker image` commands, as they were called.
fn about_images(docker: &FakeDocker) -> String {
    fs::read_to_string(docker.0.path().join("others")).unwrap_or_default()
}

/// Waits for what a process does in its own time.
async fn until(done: &dyn Fn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_mins(1), async {
        while !done() {
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap();
}

#[tokio::test]
async fn a_name_that_another_run_took_away_is_given_again() {
    let (host, stored) = registry_with_an_image(architecture()).await;
    let containerd = "echo io.containerd.snapshotter.v1";
    let docker = FakeDocker::new(NEW_BUILDX, DOCKER_DRIVER, containerd, &build_of(&stored.digest, ""));
    // The first push finds nothing; the second one fails for another reason, which ends it.
    docker.others(
        "image\\ push) n=$(grep -c 'image push' others); [ $n = 1 ] && echo \"tag does not exist: $3\" >&2 || \
         echo 'connection reset' >&2; exit 1;;\n*) exit 0;;",
    );
    let publisher = publisher(&docker, &host, Store::Memory(Arc::default()), "x").await;
    let context = Context::new(ImageName::Generator, "x");
    let errors = publisher.publish(vec![context.plan(&host).await]).await.unwrap_err();
    assert!(errors[0].to_string().contains("connection reset"), "{errors:?}");
    // Nobody waits for the engine to drop names.
    until(&|| about_images(&docker).contains("image rm ")).await;
    let others = about_images(&docker);
    let calls: Vec<&str> = others.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(calls, ["tag", "push", "tag", "push", "rm"]);
    let removed = others.lines().last().unwrap();
    assert!(
        removed.contains("image rm ") && removed.contains(":build-") && removed.contains(":digest-"),
        "{removed}"
    );
}

#[tokio::test]
async fn names_go_even_when_nobody_waits_for_the_build() {
    let containerd = "echo io.containerd.snapshotter.v1";
    let docker = FakeDocker::new(NEW_BUILDX, DOCKER_DRIVER, containerd, "echo > built; exec sleep 600");
    let publisher = publisher(&docker, "registry.example", Store::Memory(Arc::default()), "x").await;
    let context = Context::new(ImageName::Generator, "x");
    let plan = context.plan("registry.example").await;
    {
        let publish = publisher.publish(vec![plan]);
        let built = docker.0.path().join("built");
        let begun = || built.exists();
        tokio::select! {
            _ = publish => panic!("it ended"),
            () = until(&begun) => {}
        }
    }
    until(&|| about_images(&docker).contains("image rm registry.example/leo:build-")).await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_hangs_is_not_waited_for() {
    let hangs = "exec sleep 600";
    let error = FakeDocker::new(hangs, hangs, hangs, "").find().await.unwrap_err();
    assert_eq!(error.to_string(), "reach the Docker engine: no answer to `buildx version` within 30 s");
    assert!(matches!(error, ImageError::EngineUnreachable { .. }));
    let docker = FakeDocker::new("", "", "", "");
    fs::write(docker.program(), "#!/bin/sh\nexec sleep 600\n").unwrap();
    let error = Engine::find_buildctl_at(docker.program(), "unix:///none".into(), None).await.unwrap_err();
    assert!(matches!(error, ImageError::BuildkitUnreachable { .. }));
    assert!(error.to_string().contains("no answer to `debug workers` within 30 s"), "{error}");
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
    let registry = registry_at(host, password);
    let catalog = Catalog::new(Ecr::new(store).client());
    let engine = docker.find().await.unwrap().into();
    Publisher::new(engine, registry, catalog, PublishOptions::default(), Arc::new(|_| {}))
}

pub(crate) fn registry_at(host: &str, password: &str) -> Registry {
    let credentials = RegistryCredentials::Password { user: "AWS".into(), password: Password::new(password) };
    Registry { host: host.to_owned(), credentials }
}

/// This machine's, as images call it.
pub(crate) fn architecture() -> &'static str {
    if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" }
}
