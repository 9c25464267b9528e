//! The real engine, a real registry.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use leo_image::{
    BuildPlan, BuildReason, Catalog, Engine, ImageError, ImageEvent, ImageEventKind, ImageName, LazyEngine,
    Made, Password, PublishOptions, PublishedImage, Publisher, PushMode, RegistryCredentials, Sink,
};

use crate::context::Context;
use crate::ecr::{Ecr, Store};
use crate::registry::{PASSWORD, Registry};

/// An engine, a registry and what is needed to push from one to the other.
pub(crate) struct Bench {
    pub(crate) registry: Arc<Registry>,
    engine: LazyEngine,
    password: &'static str,
    publisher: Publisher,
    pub(crate) events: Arc<Mutex<Vec<ImageEvent>>>,
}

impl Bench {
    /// `None`, with the reason printed, on a machine without an engine or a registry.
    pub(crate) async fn start(password: &'static str) -> Option<Self> {
        match Engine::find().await {
            Ok(engine) if engine.push_mode() == PushMode::ThroughStore => {
                Self::start_with(engine.into(), password).await
            }
            Ok(_) => skip("the engine has no containerd image store, or another builder is in use"),
            Err(error) => skip(&format!("no engine: {error}")),
        }
    }

    pub(crate) async fn start_with(engine: LazyEngine, password: &'static str) -> Option<Self> {
        let Some(registry) = Registry::start().await else { return skip("docker-registry is not installed") };
        let (registry, events) = (Arc::new(registry), Arc::default());
        let publisher =
            publisher(&engine, &registry, &registry.host, password, PublishOptions::default(), &events);
        Some(Self { registry, engine, password, publisher, events })
    }

    /// Publishes in another way.
    pub(crate) fn with(&self, options: PublishOptions) -> Publisher {
        publisher(&self.engine, &self.registry, &self.registry.host, self.password, options, &self.events)
    }

    /// Publishes through something between us and the registry.
    pub(crate) fn through(&self, host: &str) -> Publisher {
        publisher(&self.engine, &self.registry, host, self.password, PublishOptions::default(), &self.events)
    }

    /// Publishes, and does something about what happens.
    pub(crate) fn reacting(&self, react: impl Fn(&ImageEventKind) + Send + Sync + 'static) -> Publisher {
        let events = self.events.clone();
        let sink: Sink = Arc::new(move |event: ImageEvent| {
            react(&event.kind);
            events.lock().unwrap().push(event);
        });
        let options = PublishOptions::default();
        publisher_to(&self.engine, &self.registry, &self.registry.host, self.password, options, sink)
    }

    /// Publishes what another engine builds.
    pub(crate) fn built_by(&self, engine: &LazyEngine) -> Publisher {
        self.built_by_with(engine, PublishOptions::default())
    }

    pub(crate) fn built_by_with(&self, engine: &LazyEngine, options: PublishOptions) -> Publisher {
        publisher(engine, &self.registry, &self.registry.host, self.password, options, &self.events)
    }

    /// Publishes where nothing can be built.
    pub(crate) fn without_engine(&self) -> Publisher {
        self.built_by(&LazyEngine::at("docker-that-is-not-there"))
    }

    pub(crate) async fn publish(&self, plan: BuildPlan) -> Result<PublishedImage, ImageError> {
        let result = self.publisher.publish(vec![plan]).await;
        result.map(|mut images| images.remove(0)).map_err(|mut errors| errors.remove(0))
    }

    pub(crate) fn said(&self, wanted: impl Fn(&ImageEventKind) -> bool) -> Vec<String> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| wanted(&event.kind)).map(ToString::to_string).collect()
    }

    /// The names of this registry's images that the engine still has. They go soon after a publisher is done with them:
    /// nobody waits for it.
    pub(crate) fn names_left(&self) -> String {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let listed = std::process::Command::new("docker")
                .args(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter"])
                .arg(format!("reference={}/*", self.registry.host))
                .output()
                .unwrap();
            let names = String::from_utf8(listed.stdout).unwrap();
            if names.is_empty() || Instant::now() > until {
                return names;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn publisher(
    engine: &LazyEngine,
    registry: &Arc<Registry>,
    host: &str,
    password: &str,
    options: PublishOptions,
    events: &Arc<Mutex<Vec<ImageEvent>>>,
) -> Publisher {
    let events = events.clone();
    let sink = Arc::new(move |event| events.lock().unwrap().push(event));
    publisher_to(engine, registry, host, password, options, sink)
}

fn publisher_to(
    engine: &LazyEngine,
    registry: &Arc<Registry>,
    host: &str,
    password: &str,
    options: PublishOptions,
    sink: Sink,
) -> Publisher {
    let credentials =
        RegistryCredentials::Password { user: "AWS".to_owned(), password: Password::new(password) };
    let target = leo_image::Registry { host: host.to_owned(), credentials };
    let catalog = Catalog::new(Ecr::new(Store::Registry(registry.clone())).client());
    Publisher::new(engine.clone(), target, catalog, options, sink)
}

/// Says why a test proves nothing here.
pub(crate) fn skip<T>(reason: &str) -> Option<T> {
    assert!(std::env::var_os("LEO_REQUIRE_ALL").is_none_or(|value| value != "1"), "{reason}");
    println!("skipped: {reason}");
    None
}

/// Something that no other test's image holds.
pub(crate) fn unique(what: &str) -> String {
    format!("{what} {}", tempfile::tempdir().unwrap().path().display())
}

#[tokio::test]
async fn docker_an_image_is_built_once_sent_once_and_tagged_where_a_tag_is_absent() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("first"));
    let plan = context.plan(&bench.registry.host).await;
    let git_tag = plan.git_tag.clone().unwrap();

    let first = bench.publish(plan.clone()).await.unwrap();
    assert!(
        matches!(first.made, Made::Built { reason: BuildReason::Absent, sent: true, .. }),
        "{:?}",
        first.made
    );
    assert_eq!(first.tag, git_tag);
    let tags = bench.registry.tags("leo").await;
    let digest_tag = format!("digest-{}", first.reference.digest.short());
    assert_eq!(tags[..3], [plan_cache(&plan), digest_tag, git_tag.to_string()]);
    assert!(tags.len() == 4 && tags[3].starts_with("src-") && tags[3].len() == 44, "{tags:?}");

    // Nothing changed, so nothing is built; not even an engine is needed.
    let engineless = bench.without_engine();
    let again = engineless.publish(vec![plan]).await.unwrap().remove(0);
    assert_eq!(again.tag.to_string(), tags[3]);
    assert_eq!(again, PublishedImage { made: Made::Unchanged, tag: again.tag.clone(), ..first.clone() });

    // A commit that changes nothing that the build sees: the same image gets one more name.
    context.write("README.md", "not in the image");
    context.commit();
    let plan = context.plan(&bench.registry.host).await;
    let second_tag = plan.git_tag.clone().unwrap();
    let renamed = engineless.publish(vec![plan.clone()]).await.unwrap().remove(0);
    assert_eq!((&renamed.reference, renamed.made), (&first.reference, Made::Unchanged));
    let mut tags = [tags, vec![second_tag.to_string()]].concat();
    tags.sort();
    assert_eq!(bench.registry.tags("leo").await, tags);

    // Asked for, it is built all the same.
    let options = PublishOptions { force: true, ..PublishOptions::default() };
    let forced = bench.with(options).publish(vec![plan]).await.unwrap().remove(0);
    assert!(
        matches!(forced.made, Made::Built { reason: BuildReason::Forced, sent: false, .. }),
        "{:?}",
        forced.made
    );
    assert_eq!(forced.reference, first.reference);
    assert_eq!(bench.registry.tags("leo").await, tags);
    assert_eq!(bench.said(|kind| matches!(kind, ImageEventKind::Warning(_))), [""; 0]);
    assert_eq!(bench.names_left(), "");
}

#[tokio::test]
async fn docker_an_image_of_an_uncommitted_tree_is_tagged_by_its_source() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("second"));
    context.write("content", &unique("changed"));
    let image = bench.publish(context.plan(&bench.registry.host).await).await.unwrap();
    assert!(image.tag.as_str().starts_with("src-"), "{}", image.tag);
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
    assert!(second.tag.as_str().starts_with("src-"), "{}", second.tag);
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
    assert_eq!(bench.registry.tags("leo-saas-app").await.len(), 4);
}

#[tokio::test]
async fn docker_a_token_of_ecr_s_is_fetched_just_before_the_push() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let mut ecr = Ecr::new(Store::Registry(bench.registry.clone()));
    let calls = Arc::<Mutex<Vec<String>>>::default();
    let seen = calls.clone();
    ecr.before = Arc::new(move |operation, _| {
        seen.lock().unwrap().push(operation.to_owned());
        None
    });
    let credentials = RegistryCredentials::Ecr(ecr.client());
    let registry = leo_image::Registry { host: bench.registry.host.clone(), credentials };
    let seen = calls.clone();
    let sink: Sink = Arc::new(move |event: ImageEvent| {
        if let ImageEventKind::Built { .. } = event.kind {
            seen.lock().unwrap().push("built".to_owned());
        }
    });
    let catalog = Catalog::new(ecr.client());
    let publisher = Publisher::new(bench.engine.clone(), registry, catalog, PublishOptions::default(), sink);
    let context = Context::new(ImageName::Generator, &unique("token"));
    let image = publisher.publish(vec![context.plan(&bench.registry.host).await]).await.unwrap().remove(0);
    assert!(image.sent());
    let calls = calls.lock().unwrap();
    let built = calls.iter().position(|call| call == "built").unwrap();
    assert!(calls[built..].iter().any(|call| call == "GetAuthorizationToken"), "{calls:?}");
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

pub(crate) fn plan_cache(plan: &BuildPlan) -> String {
    plan.cache.as_ref().unwrap().to.to_string()
}
