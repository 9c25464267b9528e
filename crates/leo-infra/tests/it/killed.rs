//! A deploy that is killed, at each of its steps: the same command again ends what it began, loses nothing and makes
//! nothing twice.

use crate::{
    running::{Ended, Running},
    truth::{Account, Truth},
    workspace::{Settings, WorkTree, have_docker, is_long, seed},
};
use leo_local::LocalTarget;
use std::process::Command;

/// At how many steps of a create and of an update the short version kills.
const SHORT: (usize, usize) = (2, 2);
/// The same with containers in the long version; the others differ by nothing that a container would see.
const WITH_CONTAINERS: usize = 6;
const FIRST: Settings = Settings { delay: 61, retention: 7 };
/// What somebody put there while nobody deployed.
const OBJECT: (&str, &str) = ("jobs/1/output/index.html", "made before it was killed");
const SECRET: (&str, &str) = ("leo/dev/github", r#"{"GITHUB_TOKEN":"set by hand"}"#);

#[test]
fn python_a_first_deploy_that_is_killed_is_continued() {
    let steps = steps_of(&WorkTree::without_engine(), FIRST);
    let chosen = chosen(&steps, if is_long() { steps.len() } else { SHORT.0 });
    for step in chosen {
        create(&WorkTree::without_engine(), &step);
    }
}

#[test]
fn python_an_update_that_is_killed_is_continued() {
    let tree = WorkTree::without_engine();
    steps_of(&tree, FIRST);
    let steps = steps_of(&tree, next(FIRST));
    let chosen = chosen(&steps, if is_long() { steps.len() } else { SHORT.1 });
    update(&tree, next(FIRST), chosen);
}

#[test]
fn docker_a_deploy_with_containers_that_is_killed_is_continued() {
    if !is_long() {
        eprintln!("only in the long version (LEO_FULL=1)");
        return;
    }
    if !have_docker() {
        return;
    }
    WorkTree::new().publish_images();
    let tree = WorkTree::new();
    let steps = steps_of(&tree, FIRST);
    for step in chosen(&steps, WITH_CONTAINERS) {
        create(&WorkTree::new(), &step);
    }
    let steps = steps_of(&tree, next(FIRST));
    update(&tree, next(FIRST), chosen(&steps, WITH_CONTAINERS));
}

/// Kills a first deploy when it says this, and runs it again.
fn create(tree: &WorkTree, step: &str) {
    tree.set(FIRST);
    kill_at(tree, step);
    let Some(target) = tree.running_target() else {
        // Nothing was there yet that could be lost.
        return finish(tree, FIRST, step, None);
    };
    let truth = Truth::of(&target);
    let before = truth.account();
    let bucket = apps(&target);
    let has_bucket = before.buckets.contains(&bucket);
    if has_bucket {
        truth.put(&bucket, OBJECT.0, OBJECT.1);
    }
    let has_secret = before.secrets.contains_key(SECRET.0);
    if has_secret {
        truth.set_secret(SECRET.0, SECRET.1);
    }
    finish(tree, FIRST, step, Some(&before));
    assert!(
        !has_bucket || truth.get(&bucket, OBJECT.0).as_deref() == Some(OBJECT.1),
        "{step}: the object is lost"
    );
    let secret = truth.account().secrets.get(SECRET.0).cloned().flatten();
    assert!(secret.is_some(), "{step}: a secret has no value");
    assert!(!has_secret || secret.as_deref() == Some(SECRET.1), "{step}: a value was overwritten");
}

/// Kills one update after the other, each when it says the next of these, and runs it again.
fn update(tree: &WorkTree, mut settings: Settings, steps: Vec<String>) {
    let target = tree.running_target().expect("runs");
    let truth = Truth::of(&target);
    truth.put(&apps(&target), OBJECT.0, OBJECT.1);
    truth.set_secret(SECRET.0, SECRET.1);
    // The value that was set by hand belongs to what is deployed from here on.
    finish(tree, settings, "before the first update", None);
    for step in steps {
        settings = next(settings);
        tree.set(settings);
        let before = truth.account();
        kill_at(tree, &step);
        finish(tree, settings, &step, Some(&before));
        assert_eq!(
            truth.get(&apps(&target), OBJECT.0).as_deref(),
            Some(OBJECT.1),
            "{step}: the object is lost"
        );
        let after = truth.account();
        assert_eq!(after.secrets, before.secrets, "{step}: secrets");
        for (name, stack) in &after.stacks {
            let then = before.stacks.get(name).expect("was there");
            assert_eq!(stack.id, then.id, "{step}: {name} was made anew");
            assert!(stack.operations <= then.operations + 1, "{step}: {name} was updated twice");
        }
    }
}

/// Starts a deploy and kills it when it says this. After its last words it may have ended by itself.
fn kill_at(tree: &WorkTree, step: &str) {
    let mut running = Running::start(&mut deploy(tree));
    assert!(running.until(step), "it never said `{step}`");
    let killed = running.kill();
    assert!(matches!(killed.code, None | Some(0)), "it failed before it was killed: {}", killed.shown());
}

/// Runs the same command again, which has to end well and to leave one of everything.
fn finish(tree: &WorkTree, wanted: Settings, step: &str, before: Option<&Account>) {
    tree.set(wanted);
    let ended = Ended::of(&mut deploy(tree));
    assert_eq!(
        ended.code,
        Some(0),
        "after it was killed at `{step}`: {}\nbefore: {before:#?}",
        ended.shown()
    );
    let after = Truth::of(&tree.local_target()).account();
    after.assert_whole();
    assert_eq!((after.deregistration_delay, after.retention), (Some(wanted.delay), Some(wanted.retention)));
}

/// What an undisturbed deploy of these settings says, where each line is said once: every one is a place to be killed at.
fn steps_of(tree: &WorkTree, settings: Settings) -> Vec<String> {
    tree.set(settings);
    let ended = Ended::of(&mut deploy(tree));
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let mut steps: Vec<String> = Vec::new();
    for line in ended.lines {
        if is_step(&line) && !steps.contains(&line) {
            steps.push(line);
        }
    }
    assert!(steps.len() >= 10, "hardly anything was said: {steps:?}");
    steps
}

/// Not the resources, which the emulator makes all at once, and not what a tool of the images says.
fn is_step(line: &str) -> bool {
    const SAID: [&str; 9] = [
        "started",
        "computing what",
        "to change",
        "executing",
        "done",
        "_IN_PROGRESS leo-",
        "_COMPLETE leo-",
        "values",
        "difference",
    ];
    let known = SAID.iter().any(|word| line.contains(word));
    known && line.contains(": ") && !line.contains("(AWS::") && !line.contains(": #")
}

/// As many of them as are asked for, drawn from the seed, in their order.
fn chosen(steps: &[String], count: usize) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed());
    let mut numbers = random.choose_multiple(0..steps.len(), count.min(steps.len()));
    numbers.sort_unstable();
    let chosen: Vec<String> = numbers.into_iter().map(|number| steps[number].clone()).collect();
    eprintln!("seed {}: killed at {} of {} steps: {chosen:#?}", seed(), chosen.len(), steps.len());
    chosen
}

fn next(settings: Settings) -> Settings {
    let retention = if settings.retention == 7 { 14 } else { 7 };
    Settings { delay: settings.delay + 1, retention }
}

fn deploy(tree: &WorkTree) -> Command {
    tree.leo_infra(&["deploy", "--local", "--yes"])
}

fn apps(target: &LocalTarget) -> String {
    format!("leo-dev-apps-{}-{}", target.account_id, target.region)
}
