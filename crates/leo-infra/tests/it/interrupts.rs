//! Ctrl-C while a deploy works: it says what goes on, gives its turn back, and the same command continues.

use crate::{
    running::{Ended, Running},
    truth::Truth,
    workspace::{Settings, WorkTree},
};
use std::process::Command;

const FIRST: Settings = Settings { delay: 41, retention: 7 };
const SECOND: Settings = Settings { delay: 42, retention: 14 };

/// Before it has its turn, while it computes, while it executes.
const STEPS: [&str; 3] =
    ["turn: started", "foundation: computing what would change", "foundation: executing"];

#[test]
fn python_an_interrupted_deploy_says_what_goes_on_and_gives_its_turn_back() {
    let tree = WorkTree::without_engine();
    tree.set(FIRST);
    let ended = Ended::of(&mut deploy(&tree));
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let mut settings = [SECOND, FIRST].into_iter().cycle();
    for step in STEPS {
        let wanted = settings.next().expect("there is another one");
        tree.set(wanted);
        let mut running = Running::start(&mut deploy(&tree));
        assert!(running.until(step), "it never said `{step}`");
        running.interrupt();
        let left = running.finish();
        says_what_goes_on(&left);

        let again = Ended::of(&mut deploy(&tree));
        assert_eq!(again.code, Some(0), "after `{step}`: {}", again.shown());
        for held in ["waiting: ", "did not end in order"] {
            assert!(
                !again.lines.iter().any(|line| line.contains(held)),
                "the turn was not given back at `{step}`: {}\n{}",
                left.shown(),
                again.shown()
            );
        }
        let account = Truth::of(&tree.local_target()).account();
        account.assert_whole();
        assert_eq!(
            (account.deregistration_delay, account.retention),
            (Some(wanted.delay), Some(wanted.retention))
        );
    }
}

#[test]
fn python_a_second_interrupt_leaves_at_once() {
    let tree = WorkTree::without_engine();
    tree.set(FIRST);
    let mut running = Running::start(&mut deploy(&tree));
    assert!(running.until("foundation: executing"), "it never began");
    running.interrupt();
    assert!(running.until("interrupted: looking what goes on (Ctrl-C again leaves at once)"), "it goes on");
    running.interrupt();
    let left = running.finish();
    // The first one may have come to its end in between.
    assert!(matches!(left.code, Some(5 | 1)), "{}", left.shown());
    let again = Ended::of(&mut deploy(&tree));
    assert_eq!(again.code, Some(0), "{}", again.shown());
}

/// Exit code, what is said to a person, and the one document agree.
fn says_what_goes_on(left: &Ended) {
    let document = left.document();
    let details = document["errors"][0]["details"].as_array().expect("is a list").len();
    let message = document["errors"][0]["message"].as_str().expect("is said");
    match left.code {
        Some(1) => assert!(message.contains("nothing of it goes on") && details == 0, "{}", left.shown()),
        Some(5) => assert!(message.contains("what it started goes on") && details > 0, "{}", left.shown()),
        _ => panic!("{}", left.shown()),
    }
    assert_eq!(document["exit_code"], left.code.expect("has one"));
    let hint = document["errors"][0]["hint"].as_str().expect("has a hint");
    assert!(hint.starts_with("run the same command again"), "{hint}");
}

fn deploy(tree: &WorkTree) -> Command {
    tree.leo_infra(&["deploy", "--local", "--yes", "--json"])
}
