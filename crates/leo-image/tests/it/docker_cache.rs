//! The build cache in the registry, and engines of the tests' own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

use leo_aws::FailureKind;
use leo_image::{ImageError, ImageEventKind, ImageName, LazyEngine, Made, PublishOptions, Stage};

use crate::context::Context;
use crate::docker::{Bench, skip, unique};
use crate::gate::{Gate, Way};
use crate::own_engine::OwnEngine;
use crate::registry::PASSWORD;

#[tokio::test]
async fn docker_a_registry_that_refuses_the_cache_still_gets_the_image() {
    let invalid = r#"{"errors":[{"code":"MANIFEST_INVALID","message":"unsupported media type"}]}"#;
    without_its_cache("refused", Way::Refused("400 Bad Request", invalid), "400").await;
}

#[tokio::test]
async fn docker_a_connection_that_breaks_under_the_cache_still_gets_the_image() {
    without_its_cache("broken", Way::Broken(10), "").await;
}

/// Builds where no cache can be written, which is a warning that says `why`.
async fn without_its_cache(name: &str, cache: Way, why: &str) {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let gate = Gate::before(&bench.registry.host, move |method, path| {
        if method == "PUT" && path.contains("/manifests/cache-") { cache } else { Way::Through }
    })
    .await;
    let context = Context::new(ImageName::Generator, &unique(name));
    let plan = context.plan(&gate.host).await;
    let image = bench.through(&gate.host).publish(vec![plan]).await.unwrap().remove(0);
    assert!(image.sent());
    let warnings = bench.said(|kind| matches!(kind, ImageEventKind::Warning(_)));
    assert!(warnings.len() == 1 && warnings[0].contains(why), "{warnings:?}");
    assert!(bench.registry.tags("leo").await.iter().all(|tag| !tag.starts_with("cache-")));
}

/// Room for the images of these tests and not for much more.
const DISK: u64 = 200_000_000;

#[tokio::test]
async fn docker_after_the_builder_forgot_all_only_what_changed_is_built_and_a_full_disk_is_said() {
    let Some(engine) = OwnEngine::start(DISK).await else {
        return skip("no engine of our own: that needs root and dockerd").unwrap_or_default();
    };
    let Some(bench) = Bench::start_with(LazyEngine::at(engine.program()), PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("wiped"));
    let Some(()) = with_a_shell(&context) else {
        return skip("no static busybox").unwrap_or_default();
    };
    context.git(&["checkout", "--quiet", "-b", "main-line"]);
    context.git(&["branch", "--quiet", "--move", "--force", "main"]);
    let first = bench.publish(context.plan(&bench.registry.host).await).await.unwrap();
    assert!(matches!(first.made, Made::Built { sent: true, .. }));
    assert_eq!(steps(&bench), Some((4, 0)));

    // On a new branch, which reads the cache of `main` and has none of its own.
    engine.wipe();
    context.git(&["checkout", "--quiet", "-b", "feature/x"]);
    context.write("content", &unique("changed"));
    context.commit();
    let plan = context.plan(&bench.registry.host).await;
    assert!(plan.cache.as_ref().unwrap().to.as_str() == "cache-feature-x-amd64", "{:?}", plan.cache);
    let second = bench.publish(plan).await.unwrap();
    assert_ne!(first.reference, second.reference);
    assert_eq!(steps(&bench), Some((4, 2)));

    // The same in the engine alone: what was built is known there, and no cache is written.
    context.write("content", &unique("again"));
    let mut plan = context.plan(&bench.registry.host).await;
    plan.cache = None;
    bench.publish(plan).await.unwrap();
    assert_eq!(steps(&bench), Some((4, 2)));

    context.write(
        "Dockerfile",
        "FROM scratch\nCOPY busybox /bin/busybox\n\
         RUN --network=none [\"/bin/busybox\", \"dd\", \"if=/dev/zero\", \"of=/full\", \"bs=1M\", \"count=400\"]\n",
    );
    let error = bench.publish(context.plan(&bench.registry.host).await).await.unwrap_err();
    assert!(matches!(error, ImageError::Build { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Failed);
    assert!(
        error.details().iter().any(|line| line.contains("No space left on device")),
        "{:?}",
        error.details()
    );
    assert!(error.hint().unwrap().contains("free disk space"), "{:?}", error.hint());
}

#[tokio::test]
async fn docker_ten_thousand_files_are_looked_at_once() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("many"));
    for folder in 0..100 {
        let path = context.path().join(format!("files/{folder}"));
        fs::create_dir_all(&path).unwrap();
        for file in 0..100 {
            fs::write(path.join(file.to_string()), format!("{folder} {file}")).unwrap();
        }
    }
    context.write("Dockerfile", "FROM scratch\nCOPY files /files\n");
    let plan = context.plan(&bench.registry.host).await;
    let hashes = tempfile::tempdir().unwrap();
    let options =
        PublishOptions { hash_cache: Some(hashes.path().join("hashes")), ..PublishOptions::default() };
    let publisher = bench.with(options);
    assert!(publisher.publish(vec![plan.clone()]).await.unwrap().remove(0).sent());

    let began = Instant::now();
    let again = publisher.publish(vec![plan]).await.unwrap().remove(0);
    let took = began.elapsed();
    assert_eq!(again.made, Made::Unchanged);
    let events = bench.events.lock().unwrap();
    let looks = events.iter().filter_map(|event| match event.kind {
        ImageEventKind::Looked { files, read, .. } => Some((files, read)),
        _ => None,
    });
    let looks: Vec<_> = looks.collect();
    assert!(looks.len() == 2 && looks[0].0 > 10_000 && looks[0].1 == looks[0].0, "{looks:?}");
    // A file that was written in the very moment of the first look is read again.
    assert!(looks[1].1 < 1000, "{looks:?}");
    assert!(took.as_secs() < 2, "{took:?}");
}

/// Four steps: a program, a command that depends on it alone, the content, and what comes after it.
fn with_a_shell(context: &Context) -> Option<()> {
    fs::copy(Path::new("/bin/busybox"), context.path().join("busybox")).ok()?;
    fs::set_permissions(context.path().join("busybox"), fs::Permissions::from_mode(0o755)).ok()?;
    context.write(
        "Dockerfile",
        "FROM scratch\nCOPY busybox /bin/busybox\n\
         RUN --network=none [\"/bin/busybox\", \"sh\", \"-c\", \"echo slow > /slow\"]\n\
         COPY content /content\nCOPY last /last\n",
    );
    context.write("last", "last");
    context.commit();
    Some(())
}

/// How many steps the Dockerfile has, and how many of them came from a cache, in the build since this was asked last.
fn steps(bench: &Bench) -> Option<(u64, u64)> {
    let events = std::mem::take(&mut *bench.events.lock().unwrap());
    events.into_iter().rev().find_map(|event| match event.kind {
        ImageEventKind::Stage(progress) if matches!(progress.stage, Stage::Build(_)) => {
            Some((progress.done, progress.cached))
        }
        _ => None,
    })
}
