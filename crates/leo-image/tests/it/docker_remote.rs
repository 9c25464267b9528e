//! A BuildKit daemon that is not the Docker engine's own store: images go from it into the registry by their digests.

use std::fs::File;
use std::time::{Duration, SystemTime};

use leo_image::{Engine, ImageEventKind, ImageName, LazyEngine, PublishOptions, PushMode};

use crate::bridge::Bridge;
use crate::context::Context;
use crate::docker::{Bench, skip, unique};
use crate::registry::PASSWORD;

#[tokio::test]
async fn docker_two_clean_builds_of_the_same_source_have_the_same_digest() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let bridge = Bridge::start();
    let engine = Engine::find_at(bridge.docker().await, None).await.unwrap();
    assert_eq!(engine.push_mode(), PushMode::ByDigest);
    built_twice(&bench, &engine.into()).await;
}

#[tokio::test]
async fn docker_buildctl_builds_and_pushes_with_no_docker_in_between() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let bridge = Bridge::start();
    match Engine::find_buildctl_at("buildctl", bridge.host(), None).await {
        Ok(engine) => built_twice(&bench, &engine.into()).await,
        // No distribution that we test on has it, so its absence fails nothing anywhere.
        Err(error) => println!("skipped: {error}"),
    }
}

/// Builds in ways that leave other dates in the files, and in another builder state.
async fn built_twice(bench: &Bench, engine: &LazyEngine) {
    let context = Context::new(ImageName::Generator, &unique("remote"));
    if std::fs::copy("/bin/busybox", context.path().join("busybox")).is_err() {
        return skip("no static busybox").unwrap_or_default();
    }
    let binary = tempfile::tempdir().unwrap();
    std::fs::write(binary.path().join("program"), "program").unwrap();
    context.write(
        "Dockerfile",
        "FROM scratch AS wanted\nCOPY busybox /bin/busybox\n\
         RUN --network=none [\"/bin/busybox\", \"sh\", \"-c\", \"echo text > /text\"]\n\
         COPY --from=binary program /program\nCOPY content /some/folder/content\nFROM scratch\n",
    );
    context.commit();
    let mut plan = context.plan(&bench.registry.host).await;
    plan.source.target = Some("wanted".to_owned());
    plan.source.named_contexts.insert("binary".to_owned(), binary.path().to_owned());

    let publisher = bench.built_by(engine);
    let first = publisher.publish(vec![plan.clone()]).await.unwrap().remove(0);
    assert!(first.sent());
    assert_eq!(Some(&first.tag), plan.git_tag.as_ref());
    let tags = bench.registry.tags("leo").await;
    assert!(tags.len() == 3 && tags[0].starts_with("cache-") && tags[2].starts_with("src-"), "{tags:?}");

    for (file, age) in [("content", 1000), ("busybox", 2000)] {
        let file = File::options().append(true).open(context.path().join(file)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    plan.cache = None;
    let options = PublishOptions { force: true, ..PublishOptions::default() };
    let again = bench.built_by_with(engine, options).publish(vec![plan]).await.unwrap().remove(0);
    assert_eq!(again.reference, first.reference);
    assert_eq!(bench.registry.tags("leo").await, tags);
    assert_eq!(bench.said(|kind| matches!(kind, ImageEventKind::Warning(_))), [""; 0]);
}
