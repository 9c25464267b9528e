//! The real engine where something is wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use leo_aws::FailureKind;
use leo_config::Architecture;
use leo_image::{ImageError, ImageEventKind, ImageName, LazyEngine, Made, Stage, StageProgress, StageState};

use crate::context::Context;
use crate::docker::{Bench, unique};
use crate::gate::{Gate, Way};
use crate::registry::PASSWORD;

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
    assert!(matches!(error, ImageError::Context { .. }), "{error}");
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

#[tokio::test]
async fn docker_a_login_that_is_refused_once_is_renewed() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let refused = AtomicBool::new(false);
    let gate = Gate::before(&bench.registry.host, move |method, _| {
        let first = method == "POST" && !refused.swap(true, Ordering::SeqCst);
        let denied = r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired."}]}"#;
        if first { Way::Refused("403 Forbidden", denied) } else { Way::Through }
    })
    .await;
    let context = Context::new(ImageName::Generator, &unique("renewed"));
    let mut plan = context.plan(&gate.host).await;
    plan.cache = None;
    let image = bench.through(&gate.host).publish(vec![plan]).await.unwrap().remove(0);
    assert!(image.sent());
    let said =
        bench.said(|kind| matches!(kind, ImageEventKind::Note(text) if text.starts_with("signing in")));
    assert_eq!(said.len(), 1);
}

#[tokio::test]
async fn docker_a_registry_that_goes_away_in_mid_push_gets_the_rest_in_the_next_run() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let (gone, uploads) = (AtomicBool::new(true), AtomicUsize::new(0));
    let gone = std::sync::Arc::new(gone);
    let still_gone = gone.clone();
    let gate = Gate::before(&bench.registry.host, move |method, _| {
        let is_content = matches!(method, "PATCH" | "PUT");
        // The first layer arrives; in the middle of the second one the registry goes away.
        let sent = uploads.load(Ordering::SeqCst);
        match is_content {
            _ if !still_gone.load(Ordering::SeqCst) => Way::Through,
            true if uploads.fetch_add(1, Ordering::SeqCst) > 0 => Way::Broken(1000),
            false if sent > 1 => Way::Broken(0),
            _ => Way::Through,
        }
    })
    .await;
    let context = Context::new(ImageName::Generator, &unique("gone"));
    context.write("large", &random_text(2_000_000));
    context.write("Dockerfile", "FROM scratch\nCOPY content /content\nCOPY large /large\n");
    context.commit();
    let mut plan = context.plan(&gate.host).await;
    plan.cache = None;

    let publisher = bench.through(&gate.host);
    let error = publisher.publish(vec![plan.clone()]).await.unwrap_err().remove(0);
    assert!(matches!(error, ImageError::Push { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Failed);
    assert!(error.hint().unwrap().contains("run the command again"), "{error}");
    assert_eq!(bench.registry.tags("leo").await, [""; 0]);
    assert_eq!(bench.names_left(), "");

    gone.store(false, Ordering::SeqCst);
    let image = publisher.publish(vec![plan]).await.unwrap().remove(0);
    assert!(matches!(image.made, Made::Built { sent: true, .. }));
    assert_eq!(bench.registry.tags("leo").await.len(), 3);
}

#[tokio::test]
async fn docker_an_image_for_another_platform_is_refused_before_it_has_a_source_tag() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("platform"));
    let plan = context.plan(&bench.registry.host).await;
    let (other, name) = match plan.architecture {
        Architecture::X86_64 => ("linux/arm64", "linux/amd64"),
        Architecture::Arm64 => ("linux/amd64", "linux/arm64"),
    };
    // BuildKit says of every image that it is for the platform that was asked for, so something has to come between.
    let folder = tempfile::tempdir().unwrap();
    let docker = folder.path().join("docker");
    let script = format!(
        "#!/bin/sh\nfor a; do shift; case $a in --platform=*) a=--platform={other};; esac; set -- \"$@\" \"$a\"; done\n\
         exec docker \"$@\"\n"
    );
    fs::write(&docker, script).unwrap();
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
    let error = bench.built_by(&LazyEngine::at(docker)).publish(vec![plan]).await.unwrap_err().remove(0);
    assert!(matches!(error, ImageError::WrongPlatform { .. }), "{error}");
    assert!(error.to_string().contains(other) && error.to_string().contains(name), "{error}");
    assert_eq!(error.kind(), FailureKind::Failed);
    let tags = bench.registry.tags("leo").await;
    assert!(tags.iter().all(|tag| !tag.starts_with("git-") && !tag.starts_with("src-")), "{tags:?}");
}

#[tokio::test]
async fn docker_an_image_above_its_budget_is_a_warning() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("budget"));
    context.write("content", &random_text(3_000_000));
    let mut plan = context.plan(&bench.registry.host).await;
    plan.budget_mb = 1;
    let image = bench.publish(plan).await.unwrap();
    assert!(image.bytes > Some(1_000_000));
    let warnings = bench.said(|kind| matches!(kind, ImageEventKind::Warning(_)));
    assert!(warnings.len() == 1 && warnings[0].contains("budget_mb"), "{warnings:?}");
}

#[tokio::test]
async fn docker_a_context_with_a_secret_is_not_built() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("secret"));
    context.write(".env", "TOKEN=canary-5d1e\n");
    let error = bench.publish(context.plan(&bench.registry.host).await).await.unwrap_err();
    assert!(matches!(error, ImageError::Leaks { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Usage);
    let text = format!("failed to {error}\n{}\nhint: {}", error.details().join("\n"), error.hint().unwrap());
    assert!(!text.contains("canary"));
    insta::assert_snapshot!(text.replace(&context.path().display().to_string(), "<context>"));
    assert_eq!(bench.registry.tags("leo").await, [""; 0]);

    let mut plan = context.plan(&bench.registry.host).await;
    plan.allowed = vec![".env".into()];
    assert!(bench.publish(plan).await.unwrap().sent());
}

#[tokio::test]
async fn docker_without_an_engine_nothing_is_sent_when_something_has_to_be_built() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let unchanged = Context::new(ImageName::Orchestrator, &unique("with"));
    let plan = unchanged.plan(&bench.registry.host).await;
    bench.publish(plan.clone()).await.unwrap();
    let before = bench.registry.tags("leo-saas-app").await;

    unchanged.write("README.md", "a commit whose tag the image does not have");
    unchanged.commit();
    let changed = Context::new(ImageName::Generator, &unique("without"));
    let host = &bench.registry.host;
    let plans = vec![unchanged.plan(host).await, changed.plan(host).await];
    let errors = bench.without_engine().publish(plans).await.unwrap_err();
    assert!(matches!(errors[..], [ImageError::DockerMissing]), "{errors:?}");
    assert_eq!(errors[0].kind(), FailureKind::Usage);
    assert_eq!(bench.registry.tags("leo-saas-app").await, before);
    assert_eq!(bench.registry.tags("leo").await, [""; 0]);
}

#[tokio::test]
async fn docker_a_context_that_changes_while_it_is_built_proves_nothing() {
    let Some(bench) = Bench::start(PASSWORD).await else { return };
    let context = Context::new(ImageName::Generator, &unique("moving"));
    let path = context.path().join("content");
    let plan = context.plan(&bench.registry.host).await;
    let edited = bench.reacting(move |kind| {
        // The builder has it; what it makes of it is not done.
        let sent =
            |progress: &StageProgress| progress.stage == Stage::Context && progress.state == StageState::Done;
        if matches!(kind, ImageEventKind::Stage(progress) if sent(progress)) {
            std::fs::write(&path, "edited meanwhile").unwrap();
        }
    });
    let image = edited.publish(vec![plan]).await.unwrap().remove(0);
    assert!(image.tag.as_str().starts_with("digest-"), "{}", image.tag);
    let tags = bench.registry.tags("leo").await;
    assert!(tags.iter().all(|tag| !tag.starts_with("git-") && !tag.starts_with("src-")), "{tags:?}");
    let warnings = bench.said(|kind| matches!(kind, ImageEventKind::Warning(_)));
    assert!(warnings.len() == 1 && warnings[0].contains("changed while"), "{warnings:?}");
}

/// Text that no compression makes small.
fn random_text(length: usize) -> String {
    let mut state = 88_172_645_463_325_252_u64;
    let digit = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b' ' + u8::try_from(state % 90).unwrap())
    };
    (0..length).map(digit).collect()
}
