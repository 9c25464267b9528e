use crate::{
    bucket::{Bucket, Fault},
    records::new,
};
use leo_release::{History, ReleaseError, template_sha256};
use std::{collections::BTreeSet, num::NonZeroUsize};

fn numbers(history: &History) -> Vec<u64> {
    history.releases.iter().map(|release| release.number).collect()
}

#[tokio::test(start_paused = true)]
async fn a_release_is_kept_whole_with_its_templates() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let release = artifacts.record(new("one", "a")).await.unwrap();
    assert_eq!(
        bucket.keys(),
        BTreeSet::from([
            "releases/dev/00000001.json".to_owned(),
            format!("templates/{}.json", template_sha256("a")),
            format!("templates/{}.json", template_sha256(r#"{"Resources":{}}"#)),
        ])
        .into_iter()
        .collect::<Vec<_>>()
    );
    let calls = bucket.calls();
    assert!(calls.last().unwrap().starts_with("PUT releases/"), "templates come first: {calls:?}");
    insta::assert_snapshot!(bucket.text("releases/dev/00000001.json").unwrap());
    assert_eq!(artifacts.release("dev", 1).await.unwrap().as_ref(), Some(&release));
    assert_eq!(artifacts.release("dev", 2).await.unwrap(), None);
    let sha256 = &release.stack("platform").unwrap().template_sha256;
    assert_eq!(artifacts.template(sha256).await.unwrap(), "a");
}

#[tokio::test(start_paused = true)]
async fn nothing_to_change_is_no_release() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let first = artifacts.record(new("one", "a")).await.unwrap();
    bucket.calls();
    assert_eq!(artifacts.record(new("two", "a")).await.unwrap(), first);
    assert_eq!(bucket.calls(), ["GET releases/dev/", "GET releases/dev/00000001.json"]);
    assert_eq!(artifacts.record(new("three", "b")).await.unwrap().number, 2);
    assert_eq!(artifacts.record(new("four", "a")).await.unwrap().number, 3);
    let mut other_secrets = new("five", "a");
    other_secrets.stacks[1].parameters.insert("SecretsRevision".to_owned(), "r2".to_owned());
    assert_eq!(artifacts.record(other_secrets).await.unwrap().number, 4);
}

#[tokio::test(start_paused = true)]
async fn two_writers_never_share_a_number() {
    let bucket = Bucket::new();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..12 {
        let artifacts = bucket.artifacts();
        writers.spawn(async move {
            artifacts.record(new(&format!("writer {writer}"), &writer.to_string())).await.unwrap()
        });
    }
    let recorded = writers.join_all().await;
    let history = bucket.artifacts().releases("dev", None).await.unwrap();
    assert_eq!(numbers(&history), (1..=12).rev().collect::<Vec<_>>());
    for release in recorded {
        let kept = history.releases.iter().find(|kept| kept.number == release.number).unwrap();
        assert_eq!(*kept, release);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_answer_got_lost_is_not_doubled() {
    let bucket = Bucket::new();
    bucket.fault("PUT releases/", [Fault::AnswerLost]);
    assert_eq!(bucket.artifacts().record(new("one", "a")).await.unwrap().number, 1);
    assert_eq!(numbers(&bucket.artifacts().releases("dev", None).await.unwrap()), [1]);
}

#[tokio::test(start_paused = true)]
async fn whether_a_lost_answer_was_ours_is_never_guessed() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    bucket.fault("PUT releases/", [Fault::AnswerLost]);
    bucket.fault("GET releases/dev/0", [Fault::Refused(403, "AccessDenied")]);
    artifacts.record(new("one", "a")).await.unwrap_err();
    assert_eq!(artifacts.newest("dev").await.unwrap(), Some(1), "it did arrive");
    assert_eq!(artifacts.record(new("again", "a")).await.unwrap().operation, "one");
    // Nor is the newest release taken for another one because it could not be read.
    bucket.fault("GET releases/dev/0", [Fault::Refused(403, "AccessDenied")]);
    artifacts.record(new("two", "a")).await.unwrap_err();
    assert_eq!(artifacts.newest("dev").await.unwrap(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_kill_at_any_step_leaves_no_half_release() {
    // The calls of a record, each of which may be the last that is answered.
    for answered in 0.. {
        let bucket = Bucket::new();
        let artifacts = bucket.artifacts();
        artifacts.record(new("before", "a")).await.unwrap();
        bucket.calls();
        bucket.silent_after(answered);
        let killed = tokio::spawn({
            let artifacts = bucket.artifacts();
            async move { artifacts.record(new("killed", "b")).await }
        });
        while !killed.is_finished() && !bucket.was_silent() {
            tokio::task::yield_now().await;
        }
        let finished = killed.is_finished();
        killed.abort();
        bucket.speak_again();
        let history = artifacts.releases("dev", None).await.unwrap();
        assert_eq!(history.unreadable, []);
        let again = artifacts.record(new("again", "b")).await.unwrap();
        assert_eq!(again.number, 2, "{answered} calls answered");
        for stack in &again.stacks {
            artifacts.template(&stack.template_sha256).await.unwrap();
        }
        if finished {
            assert!(answered >= 4, "list, newest, two templates, record");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_pages_are_listed_newest_first() {
    let bucket = Bucket::new();
    bucket.page(3);
    let artifacts = bucket.artifacts();
    for number in 1..=20 {
        artifacts.record(new(&number.to_string(), &number.to_string())).await.unwrap();
    }
    let history = artifacts.releases("dev", None).await.unwrap();
    assert_eq!(numbers(&history), (1..=20).rev().collect::<Vec<_>>());
    bucket.calls();
    assert_eq!(artifacts.newest("dev").await.unwrap(), Some(20));
    assert_eq!(artifacts.newest("prod").await.unwrap(), None);
    bucket.calls();
    let newest = artifacts.releases("dev", NonZeroUsize::new(2)).await.unwrap();
    assert_eq!((numbers(&newest), newest.older), (vec![20, 19], 18));
    let read = bucket.calls().into_iter().filter(|call| call.contains(".json")).count();
    assert_eq!(read, 2, "the others are not read");
    assert_eq!(artifacts.releases("prod", None).await.unwrap(), History::default());
}

#[tokio::test(start_paused = true)]
async fn damaged_records_are_named_and_left_out() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    artifacts.record(new("one", "a")).await.unwrap();
    artifacts.record(new("two", "b")).await.unwrap();
    let second = bucket.text("releases/dev/00000002.json").unwrap();
    bucket.write("releases/dev/00000003.json", &second);
    bucket.write("releases/dev/00000004.json", "{\"schema\": 1, \"number\":");
    bucket.write("releases/dev/00000005.json", &second.replace("\"schema\": 1", "\"schema\": 2"));
    bucket.write("releases/dev/00000006.json", "{\"schema\": 1, \"number\": 6}");
    bucket.write("releases/dev/7.json", &second);
    bucket.write("releases/dev/notes.txt", "hello");
    let history = artifacts.releases("dev", None).await.unwrap();
    assert_eq!(numbers(&history), [2, 1]);
    let said: Vec<_> =
        history.unreadable.iter().map(|damaged| format!("{}: {}", damaged.key, damaged.reason)).collect();
    insta::assert_snapshot!(said.join("\n"));
    assert!(matches!(artifacts.release("dev", 4).await, Err(ReleaseError::Damaged { .. })));
    assert_eq!(artifacts.record(new("three", "c")).await.unwrap().number, 7, "no number is used again");
}

#[tokio::test(start_paused = true)]
async fn fields_of_later_versions_are_ignored() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let release = artifacts.record(new("one", "a")).await.unwrap();
    let text = bucket.text("releases/dev/00000001.json").unwrap();
    let later = text.replacen('{', "{\"mood\": \"good\", \"signature\": {\"by\": [1]},", 1);
    bucket.write("releases/dev/00000001.json", &later);
    assert_eq!(artifacts.release("dev", 1).await.unwrap(), Some(release));
}

#[tokio::test(start_paused = true)]
async fn a_failing_read_fails_the_list_instead_of_shortening_it() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    artifacts.record(new("one", "a")).await.unwrap();
    bucket.fault("GET releases/dev/0", [Fault::Refused(403, "AccessDenied")]);
    let error = artifacts.releases("dev", None).await.unwrap_err();
    insta::assert_snapshot!(format!("failed to {error}\nhint: {}", error.hint().unwrap()));
}
