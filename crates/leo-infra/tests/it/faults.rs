//! Deploys through a network and a service that fail: no false outcome, none that hangs.

use crate::{
    proxy::Proxy,
    running::Ended,
    truth::{Account, Truth},
    workspace::{Settings, WorkTree, have_docker, is_long, seed},
};
use std::fmt::Write as _;

/// What is asked for in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Create,
    NoOp,
    Update,
    Destroy,
}

const ROTATION: [Turn; 4] = [Turn::Create, Turn::NoOp, Turn::Update, Turn::Destroy];
/// How many turns the long version takes, and the short one.
const TURNS: (usize, usize) = (50, 4);
/// The same with containers, which start and stop in seconds.
const TURNS_WITH_CONTAINERS: (usize, usize) = (8, 0);
/// How often a command may give up because one call failed six times in a row, which it then has to say: once in twenty
/// turns, and then it has to succeed when it is run again.
const TURNS_TO_GIVE_UP: usize = 20;

#[test]
fn python_no_false_outcome_of_a_deploy_whose_calls_fail() {
    let tree = WorkTree::without_engine();
    rotate(&tree, if is_long() { TURNS.0 } else { TURNS.1 }, &[]);
}

#[test]
fn docker_no_false_outcome_of_a_deploy_with_containers_whose_calls_fail() {
    if TURNS_WITH_CONTAINERS.1 == 0 && !is_long() {
        eprintln!("only in the long version (LEO_FULL=1)");
        return;
    }
    if !have_docker() {
        return;
    }
    let tree = WorkTree::new();
    let images = tree.publish_images();
    rotate(&tree, TURNS_WITH_CONTAINERS.0, &["--images", &images]);
}

/// Takes that many turns, each through the proxy, and compares what it said with what is really there.
fn rotate(tree: &WorkTree, turns: usize, arguments: &[&str]) {
    let target = tree.start_target();
    let truth = Truth::of(&target);
    let seed = seed();
    let proxy = Proxy::start(&target, seed);
    let mut settings = Settings { delay: 31, retention: 7 };
    let (mut given_up, mut log) = (0, format!("seed {seed}\n"));
    for (number, turn) in ROTATION.into_iter().cycle().take(turns).enumerate() {
        if turn == Turn::Update {
            settings.delay += 1;
        }
        tree.set(settings);
        let mut tries = 0;
        loop {
            tries += 1;
            let before = truth.account();
            let ended = Ended::of(command(tree, turn, arguments).env("LEO_LOCAL_PROXY", &proxy.url));
            let after = truth.account();
            let _ = writeln!(log, "{number} {turn:?}: exit {:?} in {:.1?}", ended.code, ended.took);
            match judge(turn, settings, &ended, &before, &after) {
                Ok(true) => break,
                Ok(false) => {
                    given_up += 1;
                    let _ = writeln!(log, "  gave up: {}", ended.shown());
                    assert!(tries < 3, "it gives up again and again:\n{log}");
                }
                Err(lie) => {
                    panic!("{lie}\n{}\n{before:#?}\n{after:#?}\n{:#?}\n{log}", ended.shown(), proxy.fired())
                }
            }
        }
    }
    let (calls, fired) = (proxy.calls(), proxy.fired().len());
    eprintln!("{log}{fired} of {calls} calls failed or were late, {given_up} commands gave up and said so");
    assert!(given_up <= 1 + turns / TURNS_TO_GIVE_UP, "{log}");
    // Otherwise nothing was proved.
    let share = 100 * u64::try_from(fired).expect("is small") / calls.max(1);
    assert!((10..=30).contains(&share), "{fired} of {calls} calls had a fault");
}

fn command(tree: &WorkTree, turn: Turn, arguments: &[&str]) -> std::process::Command {
    match turn {
        Turn::Create | Turn::NoOp | Turn::Update => {
            let mut command = tree.leo_infra(&["deploy", "--local", "--yes", "--json"]);
            command.args(arguments);
            command
        }
        Turn::Destroy => tree.leo_infra(&["destroy", "--local", "--yes", "--json"]),
    }
}

/// Whether the command did what it was asked for; `false` where it gave up and said so. An error where what it says and
/// what is there differ.
fn judge(
    turn: Turn,
    wanted: Settings,
    ended: &Ended,
    before: &Account,
    after: &Account,
) -> Result<bool, String> {
    match ended.code {
        Some(0) if turn == Turn::Destroy => is_destroyed(after).map(|()| true),
        Some(0) => is_deployed(wanted, ended, before, after).map(|()| true),
        Some(1) => {
            let document = ended.document();
            let errors = document["errors"].to_string();
            let injected = [
                "Rate exceeded",
                "injected",
                "connection",
                "InternalFailure",
                "dispatch",
                "IncompleteMessage",
            ];
            if document["status"] != "failed" || !injected.iter().any(|word| errors.contains(word)) {
                return Err(format!("it failed for another reason than a call that failed: {errors}"));
            }
            Ok(false)
        }
        other => Err(format!("nothing here allows for an exit with {other:?}")),
    }
}

fn is_destroyed(after: &Account) -> Result<(), String> {
    let left: Vec<_> = after.stacks.keys().filter(|name| name.starts_with("leo-dev-")).collect();
    if left.is_empty() && after.services == 0 && after.load_balancers == 0 {
        Ok(())
    } else {
        Err(format!("it says destroyed, and there is {left:?}"))
    }
}

fn is_deployed(wanted: Settings, ended: &Ended, before: &Account, after: &Account) -> Result<(), String> {
    after.assert_whole();
    let there = Settings {
        delay: after.deregistration_delay.unwrap_or_default(),
        retention: after.retention.unwrap_or_default(),
    };
    if there != wanted {
        return Err(format!("it says deployed, and there is {there:?}"));
    }
    let document = ended.document();
    let said = document["stacks"].as_array().cloned().unwrap_or_default();
    let mut changed_any = false;
    for stack in &said {
        let name = stack["name"].as_str().unwrap_or_default();
        let now = after.stacks.get(name).ok_or_else(|| format!("{name} is not there"))?;
        if stack["status"] != now.status.as_str() {
            return Err(format!("it says {}, and {name} is in {}", stack["status"], now.status));
        }
        let operations = |account: &Account| {
            account.stacks.get(name).filter(|then| then.id == now.id).map_or(0, |then| then.operations)
        };
        let (had, has) = (operations(before), operations(after));
        let changed = stack["changed"] == true;
        changed_any |= changed;
        // A create that adopts what was there is an import and an update.
        let expected = if changed { had + 1..=had + if had == 0 { 2 } else { 1 } } else { had..=had };
        if !expected.contains(&has) {
            return Err(format!(
                "it says changed: {changed}, and {name} went from {had} to {has} operations"
            ));
        }
    }
    match document["status"].as_str() {
        _ if said.len() != 3 => Err(format!("it speaks of {} stacks", said.len())),
        Some("deployed") if changed_any => Ok(()),
        Some("unchanged") if !changed_any => Ok(()),
        Some("control-plane-only") => Ok(()),
        other => Err(format!("it says {other:?}, and a stack changed: {changed_any}")),
    }
}
