//! How what is there compares with what is here.

use std::time::{Duration, SystemTime};

use leo_secrets::{Holds, KeyState, Record, SecretState, SecretStatus, Status, status};

use crate::given::{CLAUDE, assert_silent, equal, wanted};
use crate::service::{Service, error};

async fn of(service: &Service, lines: &str, record: &Record) -> Status {
    let status = status(&service.client(), wanted(lines), record.clone()).await.unwrap();
    assert_silent(&status);
    status
}

fn states(status: &SecretStatus) -> Vec<(&str, KeyState)> {
    status.keys.iter().map(|key| (key.json_key.shown(), key.state)).collect()
}

#[tokio::test]
async fn each_key_is_told_apart() {
    use KeyState::{Differs, InSync, Missing, MissingHere, MissingThere, Undeclared, Unseen};
    let table = [
        (r#"{"A":"a","B":"b"}"#, "A=a B=b", vec![("A", InSync), ("B", InSync)]),
        (r#"{"A":"a","B":7,"C":1}"#, "A=x B=7", vec![("A", Unseen), ("B", Unseen), ("C", Undeclared)]),
        (r#"{"A":"a"}"#, "B=b", vec![("A", MissingHere), ("B", MissingThere)]),
        (r#"{"A":"a"}"#, "A=a", vec![("A", InSync), ("B", Missing)]),
    ];
    for (there, here, expected) in table {
        let service = Service::with(&[(CLAUDE, Some(there))]);
        let status = of(&service, here, &Record::default()).await;
        assert_eq!(states(&status.secrets[0]), expected);
        assert_eq!(status.secrets[0].state, SecretState::Valued);
        assert!(status.secrets[0].created.is_some());
    }
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"a","B":"b"}"#))]);
    let seen = of(&service, "A=a B=b", &Record::default()).await;
    assert!(seen.secrets[0].is_in_sync());
    let status = of(&service, "A=x B=b", &seen.seen).await;
    assert_eq!(states(&status.secrets[0]), [("A", Differs), ("B", InSync)]);
    assert_eq!(status.seen, equal(&service, &["B"]));
}

#[tokio::test]
async fn a_secret_without_readable_keys_says_why() {
    use KeyState::{Missing, MissingThere, Unread};
    let table = [
        (None, SecretState::Empty, [MissingThere, Missing]),
        (Some(""), SecretState::Empty, [MissingThere, Missing]),
        (Some("canary-8f3a"), SecretState::NotAnObject, [MissingThere, Missing]),
    ];
    for (there, state, keys) in table {
        let service = Service::with(&[(CLAUDE, there)]);
        let status = of(&service, "A=canary-8f3a", &Record::default()).await;
        assert_eq!(status.secrets[0].state, state);
        assert_eq!(states(&status.secrets[0]), [("A", keys[0]), ("B", keys[1])]);
    }
    let absent = of(&Service::default(), "A=canary-8f3a", &Record::default()).await;
    assert_eq!(absent.secrets[0].state, SecretState::Absent);

    let service = Service::with(&[(CLAUDE, Some("{}"))]);
    service.refuse("GetSecretValue", error("AccessDeniedException", "explicit deny"));
    let status = of(&service, "A=canary-8f3a", &Record::default()).await;
    assert_eq!(status.secrets[0].state, SecretState::Unread);
    assert_eq!(states(&status.secrets[0]), [("A", Unread), ("B", Unread)]);
    assert_eq!(status.secrets[0].version, Some(service.version(CLAUDE)), "what may be known is said");
}

#[tokio::test]
async fn tasks_that_are_older_than_the_value_have_another_one() {
    let service = Service::with(&[(CLAUDE, Some("{}"))]);
    service.change(CLAUDE, |stored| {
        stored.put("v-new", r#"{"A":"a","B":"b"}"#);
        stored.changed += 100;
    });
    let status = &of(&service, "A=a B=b", &Record::default()).await.secrets[0];
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_020);
    assert_eq!(status.created, Some(created));
    let seconds = Duration::from_secs;
    assert_eq!(status.holds(created - seconds(1)), Holds::Older);
    assert_eq!(status.holds(created + seconds(1)), Holds::PerhapsOlder);
    assert_eq!(status.holds(created + seconds(100)), Holds::Current);
}
