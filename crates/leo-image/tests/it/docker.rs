//! The real engine, a real registry.

use std::sync::{Arc, Mutex};

use leo_aws::FailureKind;
use leo_image::{
    BuildPlan, BuildReason, Catalog, Engine, ImageError, ImageEvent, ImageEventKind, ImageName, Made, Password,
    PublishOptions, PublishedImage, Publisher, PushMode, RegistryCredentials,
};

use crate::context::Context;
use crate::ecr::{Ecr, Store};
use crate::registry::{PASSWORD, Registry};

/// An engine, a registry and what is needed to push from one to the other.
struct Bench {
    registry: Arc<Registry>,
    publisher: Publisher,
    events: Arc<Mutex<Vec<ImageEvent>>>,
}

impl Bench {
    /// `None`, with the reason printed, on a machine without an engine or a registry.
    async fn start(password: &str) -> Option<Self> {
        let engine = match Engine::find().await {
            Ok(engine) => engine,
            Err(error) => return skip(&format!("no engine: {error}")),
        };
        if engine.push_mode() != PushMode::ThroughStore {
            return skip("the engine has no containerd image store, or another builder is in use");
        }
        let Some(registry) = Registry::start().await else { return skip("docker-registry is not installed") };
        let registry = Arc::new(registry);
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = {
            let events = events.clone();
            Arc::new(move |event| events.lock().unwrap().push(event))
        };
        let credentials =
            RegistryCredentials::Password { user: "AWS".to_owned(), password: Password::new(password) };
        let target = leo_image::Registry { host: registry.host.clone(), credentials };
        let catalog = Catalog::new(Ecr::new(Store::Registry(registry.clone())).client());
        Some(Self { registry, publisher: Publisher::new(engine.into(), target, catalog, PublishOptions::default(), sink), events })
    }

    async fn publish(&self, plan: BuildPlan) -> Result<PublishedImage, ImageError> {
        let result = self.publisher.publish(vec![plan]).await;
        result.map(|mut images| images.remove(0)).map_err(|mut errors| errors.remove(0))
    }

    fn said(&self, wanted: impl Fn(&ImageEventKind) -> bool) -> Vec<String> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| wanted(&event.kind)).map(ToString::to_string).collect()
    }

    /// The names of this registry's images that the engine still has.
    fn names_left(&self) -> String {
        let listed = std::process::Command::new("docker")
            .args(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter"])
            .arg(format!("reference={}/*", self.registry.host))
            .output()
            .unwrap();
        String::from_utf8(listed.stdout).unwrap()
    }
}

/// Says why a test proves nothing here.
fn skip<T>(reason: &str) -> Option<T> {
    assert!(std::env::var_os("LEO_REQUIRE_ALL").is_none_or(|value| value != "1"), "{reason}");
    println!("skipped: {reason}");
    None
}

/// Something that no other test's image holds.
fn unique(what: &str) -> String {
    format!("{what} {}", tempfile::tempdir().unwrap().path().display())
}

#[tokio::test]
async fn docker_an_image_is_built_once_sent_once_and_tagged_where_a_tag_is_absent() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("first"));
    let plan = context.plan(&bench.registry.host).await;
    let git_tag = plan.git_tag.clone().unwrap();

    let first = bench.publish(plan.clone()).await.unwrap();
    assert!(first.sent);
    assert_eq!(first.tag, git_tag);
    assert_eq!(bench.registry.tags("leo").await, [plan_cache(&plan), git_tag.to_string()]);

    let again = bench.publish(plan).await.unwrap();
    assert_eq!(again, PublishedImage { sent: false, ..first.clone() });

    // A commit that changes nothing in the image: the same digest gets one more name.
    context.write(".dockerignore", ".git\nREADME.md\n");
    context.write("README.md", "not in the image");
    context.commit();
    let plan = context.plan(&bench.registry.host).await;
    let second_tag = plan.git_tag.clone().unwrap();
    let renamed = bench.publish(plan.clone()).await.unwrap();
    assert_eq!((renamed.reference, renamed.sent, renamed.tag), (first.reference, false, second_tag.clone()));
    let mut tags = vec![plan_cache(&plan), git_tag.to_string(), second_tag.to_string()];
    tags.sort();
    assert_eq!(bench.registry.tags("leo").await, tags);
    assert_eq!(bench.said(|kind| matches!(kind, ImageEventKind::Warning(_))), [""; 0]);
    assert_eq!(bench.names_left(), "");
}

#[tokio::test]
async fn docker_an_image_of_an_uncommitted_tree_is_tagged_by_its_digest() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("second"));
    context.write("content", &unique("changed"));
    let image = bench.publish(context.plan(&bench.registry.host).await).await.unwrap();
    assert_eq!(image.tag.to_string(), format!("digest-{}", image.reference.digest.short()));
    let tags = bench.registry.tags("leo").await;
    assert!(
        tags.contains(&image.tag.to_string()) && tags.iter().all(|tag| !tag.starts_with("git-")),
        "{tags:?}"
    );
}

#[tokio::test]
async fn docker_a_tag_that_names_another_image_stays_with_it() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("third"));
    let plan = context.plan(&bench.registry.host).await;
    let first = bench.publish(plan.clone()).await.unwrap();

    let mut other = plan.clone();
    other.source.build_args.insert("COLOUR".to_owned(), "red".to_owned());
    let second = bench.publish(other).await.unwrap();
    assert_ne!(first.reference, second.reference);
    assert_eq!(second.tag.to_string(), format!("digest-{}", second.reference.digest.short()));
    let note = bench.said(|kind| matches!(kind, ImageEventKind::Note(text) if text.contains("stays with")));
    assert_eq!(note.len(), 1);

    let holder = bench.registry.image("leo", plan.git_tag.unwrap().as_str()).await.unwrap();
    assert_eq!(holder.digest, first.reference.digest.to_string());
}

#[tokio::test]
async fn docker_both_images_are_built_in_one_go() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let content = unique("both");
    let orchestrator = Context::new(ImageName::Orchestrator, &content);
    let generator = Context::new(ImageName::Generator, &content);
    let host = &bench.registry.host;
    let plans = vec![orchestrator.plan(host).await, generator.plan(host).await];
    let images = bench.publisher.publish(plans).await.unwrap();
    let names: Vec<_> = images.iter().map(|image| image.image).collect();
    assert_eq!(names, [ImageName::Orchestrator, ImageName::Generator]);
    // The same content is the same image, wherever and whenever it is built.
    assert_eq!(images[0].reference.digest, images[1].reference.digest);
    assert_eq!(images[0].reference.repository_uri, format!("{host}/leo-saas-app"));
    assert_eq!(bench.registry.tags("leo-saas-app").await.len(), 2);
}

#[tokio::test]
async fn docker_attestations_make_an_index_that_has_the_platform_s_manifest() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("attested"));
    let mut plan = context.plan(&bench.registry.host).await;
    let unattested = bench.publish(plan.clone()).await.unwrap();
    assert_eq!(unattested.acceptable, [unattested.reference.digest.clone()].into());
    plan.attestations = true;
    match bench.publish(plan).await {
        Ok(image) => assert!(image.acceptable.contains(&unattested.reference.digest), "{image:?}"),
        // The scanner that writes an SBOM is an image on a public registry.
        Err(error) => assert!(error.to_string().contains("buildkit-syft-scanner"), "{error}"),
    }
}

#[tokio::test]
async fn docker_a_cache_that_can_t_be_written_is_a_warning() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("fourth"));
    let mut plan = context.plan(&bench.registry.host).await;
    // Port 9 is "discard", where nothing listens.
    plan.cache.as_mut().unwrap().to = "127.0.0.1:9/leo:cache-main".to_owned();
    bench.publish(plan).await.unwrap();
    let warnings = bench.said(|kind| matches!(kind, ImageEventKind::Warning(_)));
    assert!(warnings.len() == 1 && warnings[0].contains("connection refused"), "{warnings:?}");
}

#[tokio::test]
async fn docker_a_failing_dockerfile_shows_step_and_place() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("fifth"));
    context.write("Dockerfile", "FROM scratch\nCOPY content /content\nCOPY nothing-there /x\n");
    let error = bench.publish(context.plan(&bench.registry.host).await).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Failed);
    assert!(error.to_string().contains("[2/2] COPY nothing-there /x"), "{error}");
    assert!(error.to_string().contains("not found"), "{error}");
    let details = error.details().join("\n");
    assert!(details.contains("Dockerfile:3") && details.contains(">>> COPY nothing-there /x"), "{details}");
    assert_eq!(bench.registry.tags("leo").await, [""; 0]);

    context.write("Dockerfile", "FROM scratch\n");
    let mut plan = context.plan(&bench.registry.host).await;
    plan.source.dockerfile = "docker/Dockerfile".into();
    let error = bench.publish(plan).await.unwrap_err();
    assert!(matches!(error, ImageError::MissingDockerfile { .. }));
    assert_eq!(error.kind(), FailureKind::Usage);
}

#[tokio::test]
async fn docker_a_refused_login_is_tried_again_and_then_a_matter_of_credentials() {
    let Some(bench) = Bench::start("wrong").await else { return };
    let context = Context::new(ImageName::Generator, &unique("sixth"));
    let mut plan = context.plan(&bench.registry.host).await;
    plan.cache = None;
    let error = bench.publish(plan).await.unwrap_err();
    assert!(matches!(error, ImageError::Denied { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Credentials);
    assert_eq!(
        bench.said(|kind| matches!(kind, ImageEventKind::Note(text) if text.starts_with("signing in"))).len(),
        1
    );
    assert_eq!(bench.registry.tags("leo").await, [""; 0]);
    assert_eq!(bench.names_left(), "");
}

fn plan_cache(plan: &BuildPlan) -> String {
    plan.cache.as_ref().unwrap().to.rsplit(':').next().unwrap().to_owned()
}
