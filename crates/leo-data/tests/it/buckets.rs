use std::sync::Mutex;

use leo_data::{DataError, Emptied, delete_bucket, delete_repositories, empty_bucket};

use crate::account::{Account, bucket};
use crate::s3::Stored;

const APPS: &str = "leo-dev-apps";

fn holding(stored: Stored) -> Account {
    let account = Account::default();
    account.state().buckets.insert(APPS.to_owned(), stored);
    account
}

async fn emptied(account: &Account) -> (Result<Emptied, DataError>, Vec<Emptied>) {
    let steps = Mutex::new(Vec::new());
    let result =
        empty_bucket(&account.clients().s3, &bucket(APPS), &|sum| steps.lock().unwrap().push(sum)).await;
    (result, steps.into_inner().unwrap())
}

#[tokio::test(start_paused = true)]
async fn every_version_marker_and_upload_goes_whatever_its_key() {
    let mut stored = Stored::with(&[
        ("a & <b>", "new", Some(10)),
        ("a & <b>", "old", Some(20)),
        ("c+d e", "marker", None),
        ("c+d e", "old", Some(30)),
        ("bell\u{7}", "null", Some(1)),
        ("\u{e9}", "null", Some(2)),
        ("z", "null", Some(3)),
    ]);
    stored.uploads = ["half done", "x"].map(str::to_owned).into();
    let account = holding(stored);
    let (result, steps) = emptied(&account).await;
    assert_eq!(result.unwrap(), Emptied { versions: 7, bytes: 66, uploads: 2 });
    assert_eq!(steps.last(), Some(&Emptied { versions: 7, bytes: 66, uploads: 2 }));
    assert!(steps.is_sorted_by_key(|sum| sum.versions), "{steps:?}");
    {
        let state = account.state();
        let stored = &state.buckets[APPS];
        assert!(stored.versions.is_empty() && stored.uploads.is_empty());
        assert_eq!(stored.largest_batch, 3, "a page a call");
    }
    assert_eq!(account.times_asked("DeleteObject"), 1, "the key that XML can't carry");

    let s3 = account.clients().s3;
    assert_eq!(delete_bucket(&s3, &bucket(APPS)).await.unwrap(), Some(Emptied::default()));
    assert_eq!(delete_bucket(&s3, &bucket(APPS)).await.unwrap(), None);
    let (result, steps) = emptied(&account).await;
    assert_eq!((result.unwrap(), steps.len()), (Emptied::default(), 0), "what is not there is empty");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_passes_is_tried_again() {
    let mut stored = Stored::with(&[("a", "null", Some(1)), ("b", "null", Some(2))]);
    stored.refused.insert("a".to_owned(), ("SlowDown", 3));
    let account = holding(stored);
    let (result, _) = emptied(&account).await;
    assert_eq!(result.unwrap(), Emptied { versions: 2, bytes: 3, uploads: 0 });
}

#[tokio::test(start_paused = true)]
async fn what_stays_is_named_and_everything_else_goes() {
    let mut stored = Stored::with(&[("held", "v1", Some(1)), ("b", "null", Some(2)), ("c", "null", None)]);
    stored.refused.insert("held".to_owned(), ("AccessDenied", u32::MAX));
    let account = holding(stored);
    let (result, _) = emptied(&account).await;
    let error = result.unwrap_err();
    insta::assert_snapshot!(format!("failed to {error}\nhint: {}", error.hint().unwrap()), @r"
    failed to empty bucket leo-dev-apps: 1 of its object versions can't be deleted
      held (version v1): AccessDenied: no
    hint: look at who may delete them (s3:DeleteObjectVersion, a policy of bucket leo-dev-apps, a legal hold or a retention), then run the same command again
    ");
    assert_eq!(account.state().buckets[APPS].versions.len(), 1);
    assert_eq!(error.kind().exit_code(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_ends_it_and_the_next_run_continues() {
    let account = holding(Stored::with(&[("a", "null", Some(1))]));
    let denied = "<Error><Code>AccessDenied</Code><Message>not you</Message></Error>".to_owned();
    account.state().refused.insert("DeleteObjects", (403, denied));
    let (result, _) = emptied(&account).await;
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), "call DeleteObjects for bucket leo-dev-apps: AccessDenied: not you");
    assert_eq!(error.kind().exit_code(), 4);
    account.state().refused.clear();
    assert_eq!(emptied(&account).await.0.unwrap().versions, 1);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_written_to_meanwhile_is_emptied_again_but_not_for_ever() {
    let account = holding(Stored { written_late: 2, ..Stored::default() });
    let late = delete_bucket(&account.clients().s3, &bucket(APPS)).await.unwrap();
    assert_eq!(late, Some(Emptied { versions: 2, bytes: 2, uploads: 0 }), "what came late counts");

    let account = holding(Stored { written_late: u32::MAX, ..Stored::default() });
    let error = delete_bucket(&account.clients().s3, &bucket(APPS)).await.unwrap_err();
    insta::assert_snapshot!(format!("failed to {error}\nhint: {}", error.hint().unwrap()), @r"
    failed to delete bucket leo-dev-apps: it is not empty, however often it is emptied
    hint: stop whatever writes to leo-dev-apps, then run the same command again
    ");
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_is_as_fast_as_the_emptying_ends_it() {
    let account = holding(Stored { written_when_listed: true, ..Stored::default() });
    let (result, _) = emptied(&account).await;
    assert_eq!(result.unwrap_err(), DataError::NotEmpty { bucket: APPS.to_owned() });
}

#[tokio::test(start_paused = true)]
async fn of_a_bucket_that_is_held_all_is_counted_and_some_is_shown() {
    let keys: Vec<String> = (0..8).map(|number| format!("held-{number}")).collect();
    let versions: Vec<_> = keys.iter().map(|key| (key.as_str(), "v1", Some(1))).collect();
    let mut stored = Stored::with(&versions);
    stored.refused = keys.iter().map(|key| (key.clone(), ("AccessDenied", u32::MAX))).collect();
    let (result, _) = emptied(&holding(stored)).await;
    match result.unwrap_err() {
        DataError::KeysLeft { left, refusals, .. } => assert_eq!((left, refusals.len()), (8, 5)),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_upload_that_went_while_it_was_aborted_counts() {
    let account = holding(Stored { uploads: ["x".to_owned()].into(), ..Stored::default() });
    let gone = "<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>".to_owned();
    account.state().refused.insert("AbortMultipartUpload", (404, gone));
    assert_eq!(emptied(&account).await.0.unwrap().uploads, 1);
}

#[tokio::test]
async fn repositories_go_with_their_images() {
    let account = Account::default();
    account.state().repositories.insert("leo".to_owned(), vec![1, 2]);
    let names = ["leo", "absent"].map(str::to_owned);
    assert_eq!(delete_repositories(&account.clients().ecr, &names).await.unwrap(), ["leo"]);
    assert!(account.state().repositories.is_empty());
}
