//! Two deploys of one environment at once, from two work trees with different settings: one waits for the other or is
//! refused, and names it; what is there in the end is one of the two, whole.

use crate::{
    running::{Ended, Running},
    truth::{Account, Truth},
    workspace::{Settings, WorkTree},
};
use std::process::Command;

const ONE: Settings = Settings { delay: 71, retention: 14 };
const OTHER: Settings = Settings { delay: 72, retention: 30 };
/// Who deploys what.
const PEOPLE: [&str; 2] = ["ada", "grace"];

#[test]
fn python_two_updates_at_once_end_as_one_of_the_two() {
    let tree = WorkTree::without_engine();
    tree.set(Settings { delay: 70, retention: 7 });
    let first = Ended::of(&mut deploy(&tree));
    assert_eq!(first.code, Some(0), "{}", first.shown());
    both(&tree, true);
}

#[test]
fn python_two_first_deploys_at_once_end_as_one_of_the_two() {
    let tree = WorkTree::without_engine();
    tree.start_target();
    both(&tree, false);
}

/// Starts both at the same moment and looks at what they say and what is there.
fn both(one: &WorkTree, exists: bool) {
    let other = one.beside();
    one.set(ONE);
    other.set(OTHER);
    let truth = Truth::of(&one.local_target());
    let before = truth.account();
    let running = [(one, PEOPLE[0]), (&other, PEOPLE[1])]
        .map(|(tree, person)| Running::start(deploy(tree).env("USER", person)));
    let ended = running.map(Running::finish);
    let after = truth.account();
    let shown = || format!("{}\n\n{}\n{after:#?}", ended[0].shown(), ended[1].shown());

    after.assert_whole();
    let there = settings(&after);
    assert!(there == ONE || there == OTHER, "a mixture of both: {}", shown());
    let succeeded = |ended: &Ended| match ended.code {
        Some(0) => true,
        Some(1) => false,
        other => panic!("exit {other:?}: {}", shown()),
    };
    let named = [names(&ended[0], PEOPLE[1]), names(&ended[1], PEOPLE[0])];
    match ended.each_ref().map(succeeded) {
        // The one that waited came last, and what is there is what it wanted.
        [true, true] => assert_eq!(named, [there == ONE, there == OTHER], "{}", shown()),
        [true, false] => assert!(there == ONE && named == [false, true], "{}", shown()),
        [false, true] => assert!(there == OTHER && named == [true, false], "{}", shown()),
        [false, false] => panic!("neither did it: {}", shown()),
    }
    if exists {
        for (name, stack) in &after.stacks {
            assert_eq!(stack.id, before.stacks[name].id, "{name} was made anew: {}", shown());
        }
    }
}

/// Whether a run says that it waited for this person's or was refused because of it.
fn names(ended: &Ended, person: &str) -> bool {
    let person = format!("{person}@");
    let waits = |line: &str| line.contains("works on dev") || line.contains("following the operation of");
    ended.lines.iter().any(|line| waits(line) && line.contains(&person))
}

fn settings(account: &Account) -> Settings {
    Settings {
        delay: account.deregistration_delay.unwrap_or_default(),
        retention: account.retention.unwrap_or_default(),
    }
}

fn deploy(tree: &WorkTree) -> Command {
    tree.leo_infra(&["deploy", "--local", "--yes"])
}
