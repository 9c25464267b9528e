//! What a push leaves in Secrets Manager, whatever happens to it.

use super::{PUSH, STATUS, Values, call, done, labels, outcomes, push, states, there};
use crate::{
    proxy::Proxy,
    running::{Ended, Running},
    terminal::Terminal,
    workspace::{WorkTree, is_long, seed, shown},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A work tree whose stacks are there, and its secrets as the first deploy made them.
fn deployed(values: &Values) -> WorkTree {
    let tree = WorkTree::without_engine();
    values.write(&tree);
    done(&tree, &["deploy", "--local", "--with-secrets", "--yes", "--json"], 0);
    tree
}

#[test]
fn python_a_push_changes_what_differs_and_nothing_else() {
    let first = Values::numbered(1);
    let tree = deployed(&first);
    let target = tree.local_target();
    assert_eq!(there(&target), first.secrets());
    let nothing = push(&tree, &first, &[], 0);
    assert_eq!(
        (&nothing["environment"], &nothing["status"]),
        (&json!("dev"), &json!("unchanged")),
        "{nothing}"
    );
    assert_eq!(nothing["secrets"].as_array().map(Vec::len), Some(4), "the plan is in it: {nothing}");

    // A plan that nobody agreed to changes nothing.
    let second = first.with("SUPABASE_ANON_KEY", 2).with("GITHUB_TOKEN", 2);
    second.write(&tree);
    let planned = done(&tree, &["secrets", "push", "--local", "--with-secrets", "--dry-run", "--json"], 0);
    assert_eq!(
        (&planned["environment"], &planned["status"]),
        (&json!("dev"), &json!("planned")),
        "{planned}"
    );
    let refused = tree.leo_infra(&["secrets", "push", "--local", "--with-secrets"]).output().expect("runs");
    assert_eq!(refused.status.code(), Some(1), "{}", shown(&refused));
    assert!(shown(&refused).contains("there is no terminal to ask on"), "{}", shown(&refused));
    second.assert_unseen(&refused);
    assert_eq!(there(&target), first.secrets());

    // Somebody adds a key by hand: a push leaves it there, with --prune it goes.
    let mut by_hand = first.secrets()["leo/dev/supabase"].clone();
    by_hand["OTHER"] = json!("by hand");
    call(
        &target,
        "PutSecretValue",
        &json!({"SecretId": "leo/dev/supabase", "SecretString": by_hand.to_string()}),
    );
    let pushed = push(&tree, &second, &[], 0);
    assert_eq!(outcomes(&pushed)["leo/dev/github"], "updated", "{pushed}");
    let mut expected = second.secrets();
    expected.get_mut("leo/dev/supabase").expect("is one")["OTHER"] = json!("by hand");
    assert_eq!(there(&target), expected);
    push(&tree, &second, &["--prune"], 0);
    assert_eq!(there(&target), second.secrets());

    // Changed elsewhere: shown, kept, and overwritten only when that is said.
    let mut elsewhere = second.secrets()["leo/dev/github"].clone();
    elsewhere["GITHUB_TOKEN"] = json!("from the console");
    call(
        &target,
        "PutSecretValue",
        &json!({"SecretId": "leo/dev/github", "SecretString": elsewhere.to_string()}),
    );
    let status = done(&tree, &[&STATUS[..], &["--exit-code"]].concat(), 3);
    assert_eq!(states(&status)["GITHUB_TOKEN"], "changed-elsewhere", "{status}");
    let kept = push(&tree, &second, &[], 1);
    assert_eq!((&kept["status"], &kept["exit_code"]), (&json!("failed"), &json!(1)), "{kept}");
    assert_eq!(actions(&kept)["GITHUB_TOKEN"], "changed-elsewhere", "{kept}");
    assert_eq!(there(&target)["leo/dev/github"], elsewhere);
    push(&tree, &second, &["--overwrite"], 0);
    assert_eq!(there(&target), second.secrets());

    // A value of the wrong form goes nowhere.
    let mut wrong = second.clone();
    wrong.0.insert("GITHUB_TOKEN", "changeme-not-a-token".to_owned());
    wrong.write(&tree);
    let refused = tree.leo_infra(&PUSH).output().expect("runs");
    assert_eq!(refused.status.code(), Some(2), "{}", shown(&refused));
    wrong.assert_unseen(&refused);
    assert!(shown(&refused).contains("env/.env:3"), "{}", shown(&refused));
    assert_eq!(there(&target), second.secrets());
}

/// The action of each key of a plan, by name.
fn actions(planned: &Value) -> BTreeMap<&str, &str> {
    let secrets = planned["secrets"].as_array().into_iter().flatten();
    let keys = secrets.filter_map(|secret| secret["keys"].as_array()).flatten();
    keys.filter_map(|key| Some((key["json_key"].as_str()?, key["action"].as_str()?))).collect()
}

/// One deploys, another one has the same stacks and some of the values.
#[test]
fn python_a_colleague_s_values_are_not_overwritten_by_who_never_saw_them() {
    let theirs = Values::numbered(1);
    let one = deployed(&theirs);
    let target = one.local_target();
    let other = one.beside();
    let mut ours = theirs.clone();
    ours.0.remove("SUPABASE_ANON_KEY");
    ours.write(&other);
    let nothing = push(&other, &ours, &[], 0);
    assert_eq!(actions(&nothing)["SUPABASE_ANON_KEY"], "not-here", "{nothing}");
    done(&other, &STATUS, 0);
    let ours = theirs.with("SUPABASE_ANON_KEY", 2).with("SUPABASE_URL", 3);
    ours.write(&other);
    let status = done(&other, &STATUS, 0);
    assert_eq!(states(&status)["SUPABASE_ANON_KEY"], "unseen", "{status}");
    let kept = push(&other, &ours, &[], 1);
    assert!(kept["errors"].to_string().contains("may have been changed elsewhere"), "{kept}");
    assert_eq!(
        there(&target),
        theirs.with("SUPABASE_URL", 3).secrets(),
        "what was seen is one's own to change"
    );
    push(&other, &ours, &["--overwrite"], 0);
    assert_eq!(there(&target), ours.secrets());
    let operations = std::fs::read_dir(other.root().join(".leo/operations")).expect("is there");
    let mut ended: Vec<Value> = operations
        .map(|entry| {
            let text = std::fs::read_to_string(entry.expect("is one").path()).expect("reads");
            serde_json::from_str::<Value>(&text).expect("is one")["ended"].clone()
        })
        .collect();
    ended.sort_by_key(ToString::to_string);
    assert_eq!(ended, ["done", "failed"]);
}

/// A key of a provider whose stack was not deployed yet.
#[test]
fn python_a_secret_that_is_not_there_yet_holds_no_other_one_up() {
    let first = Values::numbered(1);
    let tree = deployed(&first);
    let schema = tree.root().join("infra/env.toml");
    let text = std::fs::read_to_string(&schema).expect("reads");
    let more = "\n[OPENAI_API_KEY]\nprovider = \"openai\"\nconsumers = [\"orchestrator\"]\nhelp = \"A key.\"\n\
                get = \"nowhere\"\n";
    std::fs::write(&schema, text + more).expect("writes");
    let mut second = first.with("GITHUB_TOKEN", 2);
    second.0.insert("OPENAI_API_KEY", "a-key-of-theirs".to_owned());
    second.write(&tree);
    let pushed = push(&tree, &second, &[], 1);
    assert_eq!(outcomes(&pushed)["leo/dev/github"], "updated", "{pushed}");
    let error = &pushed["errors"][0];
    assert_eq!(error["message"], "push every secret: leo/dev/openai does not exist", "{pushed}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("deploy")), "{pushed}");
    assert_eq!(there(&tree.local_target())["leo/dev/github"], second.secrets()["leo/dev/github"]);
    // Now there is nothing else to do, and nothing is sent.
    let left = push(&tree, &second, &[], 2);
    assert_eq!(actions(&left)["GITHUB_TOKEN"], "same", "{left}");
}

/// Whoever wants a deploy after it is asked as before any other deploy, or says --yes.
#[test]
fn python_a_deploy_that_could_not_ask_is_refused_before_anything_is_changed() {
    let first = Values::numbered(1);
    let tree = deployed(&first);
    let target = tree.local_target();
    let second = first.with("GITHUB_TOKEN", 2);
    second.write(&tree);
    let mut refused = vec![
        tree.leo_infra(&["secrets", "push", "--local", "--with-secrets", "--deploy"]).output().expect("runs"),
    ];
    refused.push(super::rotate(&tree, "GITHUB_TOKEN", &second.0["GITHUB_TOKEN"], &["--deploy"]));
    for output in &refused {
        assert_eq!(output.status.code(), Some(1), "{}", shown(output));
        assert!(
            shown(output).contains("there is no terminal to ask on; nothing was changed"),
            "{}",
            shown(output)
        );
    }
    assert_eq!(there(&target), first.secrets());

    // Asked twice: a no to the deploy takes nothing back, and is said with what was done.
    let arguments = ["secrets", "push", "--local", "--with-secrets", "--deploy"];
    let mut terminal = Terminal::start(&tree.leo_infra(&arguments));
    terminal.until("change the secrets of `dev` in the local target? [y/N]");
    terminal.type_in("y\n");
    terminal.until("update environment `dev` in the local target? [y/N]");
    terminal.type_in("n\n");
    let (code, said) = terminal.finish();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("dev: 1 secret changed") && said.contains("it was not confirmed"), "{said}");
    assert_eq!(there(&target), second.secrets());
}

#[test]
fn python_a_secret_that_is_scheduled_for_deletion_is_restored() {
    let first = Values::numbered(1);
    let tree = deployed(&first);
    let target = tree.local_target();
    for secret in ["leo/dev/github", "leo/dev/flyio"] {
        call(&target, "DeleteSecret", &json!({"SecretId": secret, "RecoveryWindowInDays": 7}));
    }
    let status = done(&tree, &STATUS, 0);
    let state = |name: &str| {
        let mut secrets = status["secrets"].as_array().into_iter().flatten();
        secrets.find(|secret| secret["name"] == name).map(|secret| secret["state"].clone())
    };
    assert_eq!(state("leo/dev/github"), Some(json!("scheduled-for-deletion")), "{status}");
    let second = first.with("GITHUB_TOKEN", 2);
    second.write(&tree);
    let pushed = push(&tree, &second, &[], 0);
    let restored: BTreeSet<&str> = pushed["secrets"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|secret| secret["restored"] == true)
        .filter_map(|secret| secret["name"].as_str())
        .collect();
    assert_eq!(restored, BTreeSet::from(["leo/dev/github", "leo/dev/flyio"]), "{pushed}");
    assert_eq!(outcomes(&pushed)["leo/dev/flyio"], "unchanged", "{pushed}");
    assert_eq!(there(&target), second.secrets());
}

/// Each starts from the same values and changes one secret that the other changes too, and one of its own.
#[test]
fn python_of_two_pushes_at_once_neither_loses_what_the_other_wrote() {
    let first = Values::numbered(1);
    let one = deployed(&first);
    let target = one.local_target();
    let other = one.beside();
    for round in 0..if is_long() { 10 } else { 3 } {
        let base = Values::numbered(10 * round + 1);
        for tree in [&one, &other] {
            base.write(tree);
            push(tree, &base, &["--overwrite"], 0);
        }
        let ones = base.with("GITHUB_TOKEN", 10 * round + 2).with("SUPABASE_URL", 10 * round + 3);
        let others = base.with("GITHUB_TOKEN", 10 * round + 4).with("SUPABASE_ANON_KEY", 10 * round + 5);
        let trees = [(&one, &ones), (&other, &others)];
        let running = trees.map(|(tree, values)| {
            values.write(tree);
            Running::start(&mut tree.leo_infra(&PUSH))
        });
        let ended = running.map(Running::finish);
        let shown = || ended.iter().map(Ended::shown).collect::<Vec<_>>().join("\n\n");
        let now = there(&target);
        let token = |values: &Values| json!(values.0["GITHUB_TOKEN"]);
        let github = &now["leo/dev/github"];
        let wins = [token(&ones), token(&others)].map(|token| github["GITHUB_TOKEN"] == token);
        assert!(wins[0] != wins[1], "one of the two, whole: {github}\n{}", shown());
        for (ended, won) in ended.iter().zip(wins) {
            assert!(matches!(ended.code, Some(0 | 1)), "{}", shown());
            assert!(won || ended.code == Some(1), "it says pushed, and was not: {}", shown());
        }
        // What was refused because the other one changed another key of it goes through when it is run again. The token
        // that lost was changed elsewhere by now, and stays.
        for (tree, values) in trees {
            let _ = tree.leo_infra(&PUSH).output().expect("runs");
            let _ = values;
        }
        let now = there(&target);
        let supabase = &now["leo/dev/supabase"];
        assert_eq!(supabase["SUPABASE_URL"], json!(ones.0["SUPABASE_URL"]), "{}", shown());
        assert_eq!(supabase["SUPABASE_ANON_KEY"], json!(others.0["SUPABASE_ANON_KEY"]), "{}", shown());
        assert_eq!(now["leo/dev/github"], *github, "the one that lost took nothing back");
    }
}

/// Every fifth call is throttled, fails, is late, or is carried out without an answer.
#[test]
fn python_nothing_is_lost_or_doubled_where_calls_fail() {
    let mut values = Values::numbered(1);
    let tree = deployed(&values);
    let target = tree.local_target();
    push(&tree, &values, &[], 0);
    let proxy = Proxy::start(&target, seed());
    let turns = if is_long() { 40 } else { 8 };
    let keys =
        ["GITHUB_TOKEN", "SUPABASE_URL", "FLY_API_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "SUPABASE_ANON_KEY"];
    let mut given_up = 0;
    for turn in 0..turns {
        let changed = [keys[turn % keys.len()], keys[(turn * 3 + 1) % keys.len()]];
        let number = u32::try_from(turn).expect("is small") + 2;
        for key in changed {
            values = values.with(key, number);
        }
        values.write(&tree);
        let names: BTreeSet<String> = changed.iter().map(|key| secret_of(key)).collect();
        let before: BTreeMap<String, _> =
            values.secrets().into_keys().map(|name| (name.clone(), labels(&target, &name))).collect();
        let mut tries = 0;
        loop {
            tries += 1;
            let ended = Ended::of(tree.leo_infra(&PUSH).env("LEO_LOCAL_PROXY", &proxy.url));
            match ended.code {
                Some(0) => break,
                Some(1) if tries < 4 => given_up += 1,
                _ => panic!("{}\n{:#?}", ended.shown(), proxy.fired()),
            }
            let errors = ended.document()["errors"].to_string();
            assert!(!errors.contains("--overwrite") && !errors.contains("someone else"), "{}", ended.shown());
        }
        assert_eq!(there(&target), values.secrets(), "nothing is lost");
        for (name, before) in before {
            let after = labels(&target, &name);
            if names.contains(&name) {
                assert_eq!(after["AWSPREVIOUS"], before["AWSCURRENT"], "{name} was changed once");
            } else {
                assert_eq!(after, before, "{name} was not touched");
            }
        }
    }
    let (calls, fired) = (proxy.calls(), proxy.fired().len());
    eprintln!("{fired} of {calls} calls failed or were late, {given_up} pushes gave up and said so");
    assert!(given_up <= 1 + turns / 8, "{given_up} of {turns} gave up");
    let share = 100 * u64::try_from(fired).expect("is small") / calls.max(1);
    assert!((10..=30).contains(&share), "{fired} of {calls} calls had a fault");
}

fn secret_of(key: &str) -> String {
    let found = super::PROVIDERS.into_iter().find(|(found, _)| *found == key).expect("is one");
    format!("leo/dev/{}", found.1)
}

#[test]
fn python_a_rotated_key_leaves_the_others_alone() {
    let first = Values::numbered(1);
    let tree = deployed(&first);
    let target = tree.local_target();
    let wrong = super::rotate(&tree, "SUPABASE_URL", "http://localhost:3000", &[]);
    assert_eq!(wrong.status.code(), Some(2), "{}", shown(&wrong));
    assert!(!shown(&wrong).contains("localhost"), "{}", shown(&wrong));
    let misspelt = super::rotate(&tree, "SUPABASE_URI", "x", &[]);
    assert!(shown(&misspelt).contains("did you mean `SUPABASE_URL`?"), "{}", shown(&misspelt));
    let second = first.with("SUPABASE_URL", 2);
    let rotated = super::rotate(&tree, "SUPABASE_URL", &second.0["SUPABASE_URL"], &["--with-secrets"]);
    assert_eq!(rotated.status.code(), Some(0), "{}", shown(&rotated));
    second.assert_unseen(&rotated);
    let document: Value = crate::workspace::document(&rotated);
    assert_eq!((&document["changed"], &document["stale_file"]), (&json!(true), &json!("env/.env:6")));
    assert_eq!(there(&target), second.secrets());
    let again = super::rotate(&tree, "SUPABASE_URL", &second.0["SUPABASE_URL"], &[]);
    assert_eq!(crate::workspace::document(&again)["changed"], json!(false), "{}", shown(&again));
}

#[test]
fn python_a_rotated_key_is_written_into_the_file_where_that_is_asked_for() {
    let first = Values::numbered(1);
    let tree = deployed(&first);
    let target = tree.local_target();
    let path = tree.root().join("env/.env");
    let before = std::fs::read_to_string(&path).expect("reads");
    let second = first.with("SUPABASE_URL", 2);
    let new = second.0["SUPABASE_URL"].as_str();
    let unopened = super::rotate(&tree, "SUPABASE_URL", new, &["--write-env"]);
    assert_eq!(unopened.status.code(), Some(2), "{}", shown(&unopened));
    assert!(shown(&unopened).contains("add --with-secrets"), "{}", shown(&unopened));
    assert_eq!(there(&target), first.secrets());

    let rotated = super::rotate(&tree, "SUPABASE_URL", new, &["--with-secrets", "--write-env"]);
    assert_eq!(rotated.status.code(), Some(0), "{}", shown(&rotated));
    second.assert_unseen(&rotated);
    let document: Value = crate::workspace::document(&rotated);
    assert_eq!((&document["written_file"], &document["stale_file"]), (&json!("env/.env"), &json!(null)));
    assert_eq!(there(&target), second.secrets());
    let after = std::fs::read_to_string(&path).expect("reads");
    assert_eq!(after, before.replace(&first.0["SUPABASE_URL"], new), "nothing else changed");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("is there").permissions());
    assert_eq!(mode & 0o777, 0o600);
    // It is known to be equal: the next change of the file is one that was made here.
    let third = second.with("SUPABASE_URL", 3);
    third.write(&tree);
    push(&tree, &third, &[], 0);
    assert_eq!(there(&target), third.secrets());
}
