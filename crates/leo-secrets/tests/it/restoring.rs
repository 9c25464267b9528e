//! Secrets that are scheduled for deletion.

use leo_secrets::{
    Change, KeyAction, KeyName, Outcome, Overwrite, Record, SecretState, Undeclared, plan_push, push, status,
};

use crate::given::{CLAUDE, after, assert_silent, carried_out, equal, planned, pushed, told, wanted};
use crate::service::{Fault, Service, error};

const THERE: &str = r#"{"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#;
const SAME: &str = "A=canary-8f3a-a B=canary-8f3a-b";
const OTHER: &str = "A=canary-8f3a-new B=canary-8f3a-b";

fn deleted(value: Option<&str>) -> Service {
    let service = Service::with(&[(CLAUDE, value)]);
    service.change(CLAUDE, |stored| stored.deleted = true);
    service
}

#[tokio::test]
async fn it_is_restored_and_then_pushed_as_if_it_had_been_there() {
    // The value, whether it is the one that this machine last saw equal to its file, the file, and what comes of it.
    let table = [
        (None, false, OTHER, Outcome::Created, 0),
        (Some(THERE), true, SAME, Outcome::Unchanged, 0),
        (Some(THERE), true, OTHER, Outcome::Updated, 0),
        (Some(THERE), false, OTHER, Outcome::Unchanged, 1),
    ];
    for (value, known, file, outcome, kept_back) in table {
        let service = deleted(value);
        let record = if known { equal(&service, &["A", "B"]) } else { Record::default() };
        let plan = planned(&service, file, &record).await.unwrap();
        assert_eq!((plan.secrets[0].change, plan.secrets[0].keys.len()), (Change::Restore, 0));
        assert_eq!(service.times_asked("RestoreSecret"), 0, "a plan changes nothing");
        let report = carried_out(&service, plan).await;
        assert_eq!(report.failed, []);
        let pushed = &report.done[0];
        assert_eq!((pushed.restored, pushed.outcome, pushed.kept_back.len()), (true, outcome, kept_back));
        assert!(!service.secrets.lock().unwrap()[CLAUDE].deleted);
    }
}

/// The plan could not show what would be overwritten or taken out: another one does.
#[tokio::test]
async fn nothing_that_no_plan_has_shown_is_overwritten_or_taken_out() {
    let there = r#"{"A":"canary-8f3a-theirs","OLD":"canary-8f3a-old"}"#;
    let service = deleted(Some(there));
    let client = service.client();
    let planned = async |record: &Record| {
        plan_push(&client, wanted(SAME), record.clone(), Undeclared::Remove, Overwrite::Yes).await.unwrap()
    };
    let report = push(&client, planned(&Record::default()).await).await;
    assert_silent(&report);
    let restored = &report.done[0];
    let kept: Vec<_> = restored.kept_back.iter().map(|key| (key.json_key.shown(), key.action)).collect();
    assert_eq!(kept, [("A", KeyAction::Unseen), ("OLD", KeyAction::Undeclared)]);
    assert!(restored.removed.is_empty() && restored.restored);
    assert_eq!(restored.written.iter().map(KeyName::shown).collect::<Vec<_>>(), ["B"]);
    let now = r#"{"A":"canary-8f3a-theirs","OLD":"canary-8f3a-old","B":"canary-8f3a-b"}"#;
    assert_eq!(service.text(CLAUDE), now);
    // Now it is shown, and done.
    let plan = planned(&report.seen).await;
    assert_eq!(plan.secrets[0].with_action(KeyAction::Remove).count(), 1);
    assert!(push(&client, plan).await.kept_back().next().is_none());
    assert_eq!(service.text(CLAUDE), THERE);

    let odd = deleted(Some("canary-8f3a"));
    let report = pushed(&odd, SAME, &Record::default(), Overwrite::Yes).await;
    assert_eq!((report.done[0].outcome, report.done[0].kept_back.len()), (Outcome::Unchanged, 2));
    assert_eq!(odd.text(CLAUDE), "canary-8f3a");
}

#[tokio::test(start_paused = true)]
async fn a_restored_secret_that_is_seen_late_is_waited_for() {
    for (seen, outcome) in [(2, Some(Outcome::Unchanged)), (20, None)] {
        let service = deleted(Some(THERE));
        let plan = planned(&service, SAME, &Record::default()).await.unwrap();
        let answer = serde_json::json!({"Name": CLAUDE, "DeletedDate": 1_790_000_000});
        service.fail("DescribeSecret", vec![Fault::Refused(200, answer); seen]);
        let report = carried_out(&service, plan).await;
        match outcome {
            Some(outcome) => assert_eq!(report.done[0].outcome, outcome),
            None => assert!(told(&report.failed[0]).contains("is scheduled for deletion")),
        }
    }
}

#[tokio::test]
async fn someone_else_s_restoring_is_as_good() {
    let service = deleted(Some(THERE));
    let plan = planned(&service, SAME, &Record::default()).await.unwrap();
    service.change(CLAUDE, |stored| stored.deleted = false);
    service.refuse("RestoreSecret", error("InvalidRequestException", "not scheduled for deletion"));
    let report = carried_out(&service, plan).await;
    assert_eq!((report.failed.len(), report.done[0].outcome), (0, Outcome::Unchanged));
}

#[tokio::test]
async fn where_restoring_is_denied_it_is_said() {
    let service = deleted(Some(THERE));
    service.refuse("RestoreSecret", error("AccessDeniedException", "not yours"));
    let report = pushed(&service, SAME, &Record::default(), Overwrite::No).await;
    insta::assert_snapshot!(told(&report.failed[0]));
}

#[tokio::test]
async fn a_deletion_between_plan_and_push_is_an_error_and_the_next_push_restores() {
    let service = Service::with(&[(CLAUDE, Some(THERE))]);
    let record = planned(&service, SAME, &Record::default()).await.unwrap().seen().clone();
    let plan = planned(&service, OTHER, &record).await.unwrap();
    service.change(CLAUDE, |stored| stored.deleted = true);
    let report = carried_out(&service, plan).await;
    assert!(told(&report.failed[0]).contains("InvalidRequestException"));
    let report = pushed(&service, OTHER, &after(&record, &report.seen), Overwrite::No).await;
    assert_eq!((report.done[0].restored, report.done[0].outcome), (true, Outcome::Updated));
}

#[tokio::test]
async fn its_status_says_so() {
    let service = deleted(Some(THERE));
    let status = status(&service.client(), wanted(SAME), Record::default()).await.unwrap();
    assert_silent(&status);
    assert_eq!(status.secrets[0].state, SecretState::ScheduledForDeletion);
    assert!(status.secrets[0].keys.is_empty() && !status.secrets[0].is_in_sync());
}
