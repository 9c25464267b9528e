#![allow(clippy::indexing_slicing, reason = "a test panics where its own setup is wrong")]

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use proptest::{prelude::*, test_runner::RngSeed};

use super::*;

fn file(text: &str) -> EnvFile {
    EnvFile::new("env/.env.defaults", Some(text.to_owned()))
}

fn set(text: &str, key: &str, value: &str) -> String {
    let mut file = file(text);
    file.set(key, value, Place::End, &[]).unwrap();
    file.text().to_owned()
}

#[test]
fn a_value_is_replaced_and_nothing_else() {
    for (before, value, after) in [
        ("A=1\n", "2", "A=2\n"),
        ("A=1", "2", "A=2"),
        ("# c\n\n  export  A = '1'   # why\r\nB=3", "2", "# c\n\n  export  A = '2'   # why\r\nB=3"),
        ("A=\"1\" # why\n", "2", "A=\"2\" # why\n"),
        ("A=1\n", "a b", "A='a b'\n"),
        ("A='1'\n", "it's", "A=\"it's\"\n"),
        ("A=\"1\"\n", "$x \"y\"", "A=\"\\$x \\\"y\\\"\"\n"),
        ("A=\n", "2", "A=2\n"),
        ("A=   # none yet\n", "2", "A=2   # none yet\n"),
        ("A=#c\n", "2", "A=2 #c\n"),
        ("A=#c", "a b", "A='a b' #c"),
        ("export A=# none yet\r\nB=1\r\n", "#2", "export A='#2' # none yet\r\nB=1\r\n"),
        ("A= #c\n", "2", "A=2 #c\n"),
        ("A=1\n", "", "A=\n"),
        ("A='one\ntwo'\nB=1\n", "2", "A='2'\nB=1\n"),
        ("\u{feff}A=1\r\nB=2\r\n", "3", "\u{feff}A=3\r\nB=2\r\n"),
        ("no line of ours\nA=1\n=also none\n", "2", "no line of ours\nA=2\n=also none\n"),
    ] {
        assert_eq!(set(before, "A", value), after, "{before:?}");
    }
}

#[test]
fn the_same_value_is_left_as_it_is_written() {
    for text in ["A=\"x\"\n", "A='x' # c\n", "export A=x", "A=\\x41\n"] {
        let mut same = file(text);
        let Some(value) = same.value("A") else { continue };
        assert_eq!(same.set("A", &value, Place::End, &[]).unwrap(), Edit::Unchanged);
        assert_eq!(same.text(), text);
        assert!(!same.is_changed());
    }
}

#[test]
fn a_new_key_goes_where_it_is_wanted() {
    let add = |text: &str, place, comment: &[&str]| {
        let mut file = file(text);
        assert_eq!(file.set("NEW", "n", place, comment).unwrap(), Edit::Added);
        file.text().to_owned()
    };
    assert_eq!(add("", Place::End, &[]), "NEW=n\n");
    assert_eq!(add("A=1", Place::End, &[]), "A=1\nNEW=n\n");
    assert_eq!(add("A=1\r\n", Place::End, &["why"]), "A=1\r\n\r\n# why\r\nNEW=n\r\n");
    assert_eq!(add("A=1\n\n", Place::End, &["why"]), "A=1\n\n# why\nNEW=n\n");
    assert_eq!(add("A='1\n1'\nB=2\n", Place::AfterKey("A"), &[]), "A='1\n1'\nNEW=n\nB=2\n");
    assert_eq!(add("A=1", Place::AfterKey("A"), &[]), "A=1\nNEW=n\n");
    assert_eq!(add("A=1\n", Place::AfterKey("NONE"), &[]), "A=1\nNEW=n\n");
    assert_eq!(add("# head\nA=1\n", Place::AfterLine("# head"), &[]), "# head\nNEW=n\nA=1\n");
    assert_eq!(add("\u{feff}", Place::End, &[]), "\u{feff}NEW=n\n");
}

#[test]
fn a_key_is_removed_with_all_of_its_lines() {
    let mut some = file("# c\nA=1\nB='x\ny'\nA=2\n");
    assert!(some.remove("A") && some.remove("B"));
    assert!(!some.remove("A"));
    assert_eq!(some.text(), "# c\n");
    let mut marked = file("\u{feff}A=1\nB=2");
    marked.remove("A");
    assert_eq!(marked.text(), "\u{feff}B=2");
}

#[test]
fn what_is_not_clear_is_refused_and_nothing_changes() {
    let mut said = Vec::new();
    for (text, key, value) in [
        ("A=1\nB=2\nA=3\n", "A", "4"),
        ("A=hush hush\n", "A", "4"),
        ("X='open\nA=1\n", "X", "4"),
        ("A=1\n", "A", "two\nlines"),
        ("A=1\n", "A", "' and `"),
        ("A=1\n", "not a key", "2"),
        ("A=1\n", "A", "ghp_k8Jq2Lx0VbN7sTz4WmRc9YpD3fHg6Ea1Uo5Q"),
    ] {
        let mut file = file(text);
        let error = file.set_public(key, value, Place::End, &[]).unwrap_err();
        assert_eq!(file.text(), text);
        said.push(format!("failed to {error}\nhint: {}", error.hint().unwrap_or_default()));
    }
    let said = said.join("\n");
    assert!(!said.contains("hush") && !said.contains("ghp_"), "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn what_stacks_put_out_does_not_look_secret() {
    let mut file = file("");
    for value in [
        "http://leo-dev-LoadBa-1A2B3C4D5E6F7-1234567890.eu-central-1.elb.amazonaws.com",
        "https://leo.example.com",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:leo/dev/github-a1B2c3",
        "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/leo-de-Targe-Q1W2E3R4T5Y6/0123456789abcdef",
        "arn:aws:iam::123456789012:role/leo-dev-foundation-OrchestratorExecutionRole-Ab1Cd2Ef3Gh4",
        "arn:aws:ecs:eu-central-1:123456789012:task-definition/leo-dev-orchestrator:17",
        "leo-dev-apps-123456789012-eu-central-1",
        "subnet-0a1b2c3d4e5f60718,subnet-0f1e2d3c4b5a69788",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/leo-saas-app",
        "leo-d-LoadB-Xa9Bc8De7Fg6",
        "vpc-0a1b2c3d4e5f60718",
    ] {
        file.set_public("LEO_OUT_X", value, Place::End, &[])
            .unwrap_or_else(|error| panic!("{value}: {error}"));
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn changed(root: &Path, path: &str) -> EnvFile {
    let mut file = EnvFile::read(root, path).unwrap();
    file.set("A", "2", Place::End, &[]).unwrap();
    file
}

#[test]
fn a_file_is_written_with_its_mode_and_leaves_nothing_beside_it() {
    let root = tempfile::tempdir().unwrap();
    let (env, path) = (root.path().join("env"), root.path().join("env/.env"));
    let new = changed(root.path(), "env/.env");
    assert_eq!(new.write(root.path(), Access::Private).unwrap(), Written { changed: true, was_open: None });
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("A=2\n", 0o600));
    fs::write(&path, "A=1\n").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    assert!(changed(root.path(), "env/.env").write(root.path(), Access::Kept).unwrap().changed);
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("A=2\n", 0o640));
    let same = changed(root.path(), "env/.env");
    assert_eq!(same.write(root.path(), Access::Kept).unwrap(), Written { changed: false, was_open: None });
    assert_eq!(mode(&path), 0o640);
    let tightened = same.write(root.path(), Access::Private).unwrap();
    assert_eq!((tightened, mode(&path)), (Written { changed: false, was_open: Some(0o640) }, 0o600));
    assert_eq!(fs::read_dir(env).unwrap().count(), 1);
}

#[test]
fn a_link_stays_one() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("env")).unwrap();
    fs::write(root.path().join("elsewhere"), "A=1\n").unwrap();
    symlink(root.path().join("elsewhere"), root.path().join("env/.env")).unwrap();
    changed(root.path(), "env/.env").write(root.path(), Access::Private).unwrap();
    assert!(root.path().join("env/.env").is_symlink());
    assert_eq!(fs::read_to_string(root.path().join("elsewhere")).unwrap(), "A=2\n");
}

#[test]
fn what_somebody_else_wrote_in_the_meantime_is_not_lost() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("env")).unwrap();
    let path = root.path().join("env/.env");
    let first = changed(root.path(), "env/.env");
    fs::write(&path, "A=theirs\n").unwrap();
    let error = first.write(root.path(), Access::Private).unwrap_err();
    assert!(matches!(error, EditError::ChangedElsewhere { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "A=theirs\n");
    let second = changed(root.path(), "env/.env");
    fs::remove_file(&path).unwrap();
    assert!(matches!(second.write(root.path(), Access::Private), Err(EditError::ChangedElsewhere { .. })));
    assert!(!path.exists());
}

#[test]
fn of_many_who_write_at_once_none_undoes_what_another_one_has_done() {
    const WRITERS: usize = 4;
    const EACH: usize = 10;
    let root = tempfile::tempdir().unwrap();
    let one = |writer: usize| {
        for number in 0..EACH {
            loop {
                let mut file = EnvFile::read(root.path(), "env/.env").unwrap();
                file.set(&format!("K{writer}_{number}"), "x", Place::End, &[]).unwrap();
                match file.write(root.path(), Access::Private) {
                    Ok(_) => break,
                    Err(EditError::ChangedElsewhere { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || one(writer));
        }
    });
    let keys = EnvFile::read(root.path(), "env/.env").unwrap().keys();
    assert_eq!(keys.len(), WRITERS * EACH, "what was written is there: {keys:?}");
    let left: Vec<_> = fs::read_dir(root.path().join("env")).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file stays: {left:?}");
}

#[test]
fn a_file_that_only_its_owner_may_run_is_open_to_nobody() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("env")).unwrap();
    let path = root.path().join("env/.env");
    fs::write(&path, "A=1\n").unwrap();
    let file = changed(root.path(), "env/.env");
    fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
    let written = file.write(root.path(), Access::Private).unwrap();
    assert_eq!(written, Written { changed: true, was_open: None });
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let root = tempfile::tempdir().unwrap();
    let pipe = root.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(matches!(EnvFile::read(root.path(), "pipe"), Err(EditError::Read { .. })));
    let mut new = EnvFile::new("pipe", None);
    new.set("A", "1", Place::End, &[]).unwrap();
    assert!(matches!(new.write(root.path(), Access::Private), Err(EditError::Write { .. })));
}

#[test]
fn a_link_that_leads_to_nothing_is_refused_and_stays_one() {
    let root = tempfile::tempdir().unwrap();
    symlink("nowhere", root.path().join("link")).unwrap();
    assert!(matches!(EnvFile::read(root.path(), "link"), Err(EditError::Read { .. })));
    let mut new = EnvFile::new("link", None);
    new.set("A", "1", Place::End, &[]).unwrap();
    let refused = new.write(root.path(), Access::Private).unwrap_err();
    assert_eq!(refused.to_string(), "write `link`: it is a link to a file that isn't there");
    assert!(root.path().join("link").is_symlink());
}

#[test]
fn a_file_of_no_variables_is_replaced_as_a_whole_and_keeps_its_mode() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("docs/page.md");
    replace_file(&path, "one").unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("one", 0o644));
    fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
    replace_file(&path, "two").unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("two", 0o664));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn debug_output_has_no_text() {
    assert!(!format!("{:?}", file("A=hush")).contains("hush"));
}

/// A line of a file: ours, anybody's, or none at all.
fn line() -> impl Strategy<Value = String> {
    let of_key = |form: &str| {
        let form = form.replace("KEY", "(A|B|KEY_2|LEO_OUT_DEV_URL)");
        prop::string::string_regex(&form).unwrap()
    };
    prop_oneof![
        4 => of_key("( |export )?KEY ?= ?[a-z0-9:/._-]{0,8}( # [a-z ]{0,6})?"),
        2 => of_key("KEY='[ -&(-~]{0,8}'( #x)?"),
        2 => of_key("KEY=\"[ !#%-;=-Z^_a-z]{0,8}\""),
        1 => of_key("KEY='[a-z]{0,3}\n[a-z#=]{0,3}'"),
        1 => "#[ -~]{0,12}",
        1 => "[ \t]{0,3}",
        1 => "[ -~é]{0,12}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    let ending = prop_oneof![3 => Just("\n"), 1 => Just("\r\n")];
    (any::<bool>(), prop::collection::vec((line(), ending), 0..8), any::<bool>()).prop_map(
        |(mark, lines, whole)| {
            let mut text = lines.into_iter().map(|(line, ending)| line + ending).collect::<String>();
            if !whole {
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
            }
            if mark && text.len() % 3 == 0 { format!("{BOM}{text}") } else { text }
        },
    )
}

fn cases() -> ProptestConfig {
    let long = std::env::var_os("LEO_FULL").is_some_and(|full| full == "1");
    let cases = if long { 20_000 } else { 512 };
    let seed = if long { RngSeed::Random } else { RngSeed::Fixed(1) };
    ProptestConfig { cases, rng_seed: seed, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn whatever_a_file_holds_only_the_key_changes(
        text in text(),
        value in prop_oneof!["[a-zA-Z0-9:/._@%+,=-]{0,12}", "[ -~]{0,12}", "[ -~é\n]{0,6}"],
        key in prop_oneof![Just("A"), Just("KEY_2"), Just("LEO_OUT_DEV_URL"), Just("NEW")],
    ) {
        let mut changed = file(&text);
        let before = changed.keys();
        let outcome = changed.set(key, &value, Place::AfterKey("B"), &["why"]);
        let Ok(edit) = outcome else {
            prop_assert_eq!(changed.text(), text);
            return Ok(());
        };
        prop_assert_eq!(changed.value(key).map(|value| (*value).clone()), Some(value.clone()));
        prop_assert_eq!(changed.set(key, &value, Place::End, &[]).unwrap(), Edit::Unchanged);
        match edit {
            Edit::Unchanged => prop_assert_eq!(changed.text(), &text),
            // What is before and behind the value is what was there, whole.
            Edit::Changed => {
                let same = |pairs: &mut dyn Iterator<Item = (u8, u8)>| pairs.take_while(|(a, b)| a == b).count();
                let (old, new) = (text.as_bytes(), changed.text().as_bytes());
                let front = same(&mut old.iter().copied().zip(new.iter().copied()));
                let back = same(&mut old.iter().rev().copied().zip(new.iter().rev().copied()));
                let kept = changed.span(changed.entries().iter().find(|entry| entry.key == key).unwrap());
                prop_assert!(front >= kept.start);
                prop_assert!(back >= new.len() - kept.end);
                prop_assert_eq!(changed.keys(), before);
            }
            // Without the new lines it is the old text, at most with an end to its last line.
            Edit::Added => {
                prop_assert!(changed.remove(key));
                let left = changed.text().replacen("# why\r\n", "", 1).replacen("# why\n", "", 1);
                let letters = |text: &str| text.replace(['\r', '\n'], "");
                prop_assert_eq!(letters(&left), letters(&text));
            }
        }
    }
}
