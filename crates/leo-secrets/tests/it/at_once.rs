//! Several at once, and calls that go wrong: nothing lost, nothing doubled.

use leo_secrets::{
    Outcome, Overwrite, PushPlan, Record, SecretsError, Undeclared, Values, Wanted, plan_push, push,
};
use serde_json::json;

use crate::given::{
    CLAUDE, SUPABASE, assert_silent, carried_out, environment, equal, is_equal, plan, planned, planned_over,
    pushed, told,
};
use crate::service::{Fault, OLD, Service, error, throttled};

const OURS: &str = "A=canary-8f3a-ours B=canary-8f3a-b";
const THEIRS: &str = "A=canary-8f3a-theirs B=canary-8f3a-b";

/// A secret whose value this machine knows, and the record of that.
async fn known() -> (Service, Record) {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-0","B":"canary-8f3a-b"}"#))]);
    let plan = planned(&service, "A=canary-8f3a-0 B=canary-8f3a-b", &Record::default()).await.unwrap();
    (service, plan.seen().clone())
}

async fn over(service: &Service, lines: &str, record: &Record) -> PushPlan {
    planned_over(service, lines, record, Overwrite::Yes).await.unwrap()
}

#[tokio::test]
async fn of_two_different_pushes_from_the_same_base_one_is_refused() {
    let (service, record) = known().await;
    let (ours, theirs) = (over(&service, OURS, &record).await, over(&service, THEIRS, &record).await);
    let (ours, theirs) = tokio::join!(carried_out(&service, ours), carried_out(&service, theirs));
    let (won, lost, value) = if ours.failed.is_empty() {
        (ours, theirs, "canary-8f3a-ours")
    } else {
        (theirs, ours, "canary-8f3a-theirs")
    };
    assert_eq!(won.done[0].outcome, Outcome::Updated);
    assert_eq!(lost.failed, [SecretsError::ChangedMeanwhile { secret: CLAUDE.to_owned() }]);
    let b = serde_json::to_value(&lost.seen).unwrap()["secrets"][service.arn(CLAUDE)].clone();
    assert_eq!(b, json!({"B": OLD}), "the next push compares A with what was known before");
    assert_eq!(service.current(CLAUDE)["A"], value);
    assert_eq!(won.done[0].version, Some(service.version(CLAUDE)));
    insta::assert_snapshot!(told(&lost.failed[0]));
}

#[tokio::test]
async fn two_equal_pushes_from_the_same_base_both_succeed_and_one_version_is_current() {
    let (service, record) = known().await;
    let (one, other) =
        (planned(&service, OURS, &record).await.unwrap(), planned(&service, OURS, &record).await.unwrap());
    let (one, other) = tokio::join!(carried_out(&service, one), carried_out(&service, other));
    let mut outcomes = [one.done[0].outcome, other.done[0].outcome];
    outcomes.sort_by_key(|outcome| *outcome == Outcome::Unchanged);
    assert_eq!(outcomes, [Outcome::Updated, Outcome::Unchanged]);
    assert_eq!((&one.failed, &other.failed), (&vec![], &vec![]));
    assert_eq!(one.done[0].version, other.done[0].version);
    assert_eq!((&one.seen, &other.seen), (&equal(&service, &["A", "B"]), &one.seen));
    assert_eq!(service.current(CLAUDE)["A"], "canary-8f3a-ours");
}

#[tokio::test]
async fn of_two_first_values_at_once_one_stays() {
    for (other, outcome) in [(OURS, Some(Outcome::Unchanged)), (THEIRS, None)] {
        let service = Service::with(&[(CLAUDE, None)]);
        let ours = over(&service, OURS, &Record::default()).await;
        let theirs = planned(&service, other, &Record::default()).await.unwrap();
        assert_eq!(carried_out(&service, theirs).await.done[0].outcome, Outcome::Created);
        let report = carried_out(&service, ours).await;
        if let Some(outcome) = outcome {
            assert_eq!(report.failed, []);
            // The very same request is ignored by the service: it is their version.
            assert!([Outcome::Created, outcome].contains(&report.done[0].outcome));
        } else {
            assert_eq!(report.failed, [SecretsError::ChangedMeanwhile { secret: CLAUDE.to_owned() }]);
            assert_eq!(service.current(CLAUDE)["A"], "canary-8f3a-theirs");
        }
        assert_eq!(service.versions(CLAUDE), 1);
    }
}

#[tokio::test]
async fn a_change_in_the_console_between_any_two_calls_stays() {
    for call in ["GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"] {
        let (service, record) = known().await;
        let plan = over(&service, OURS, &record).await;
        service.just_before(call, |stored| {
            stored.put("v-console", r#"{"A":"canary-8f3a-console","B":"canary-8f3a-b"}"#);
        });
        let report = carried_out(&service, plan).await;
        assert_eq!(report.failed, [SecretsError::ChangedMeanwhile { secret: CLAUDE.to_owned() }], "{call}");
        assert_eq!(service.version(CLAUDE), "v-console");
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_and_lost_answers_between_any_two_calls_lose_and_double_nothing() {
    for call in ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"] {
        for faults in
            [vec![throttled(); 3], vec![Fault::AnswerLost], vec![throttled(), Fault::AnswerLost, throttled()]]
        {
            let (service, record) = known().await;
            service.fail(call, faults.clone());
            let client = service.patient_client();
            let wanted = crate::given::wanted(OURS);
            let plan = plan_push(&client, wanted, record, Undeclared::Keep, Overwrite::No).await.unwrap();
            // Those of the plan are over; the same again for the push.
            service.recover();
            service.fail(call, faults);
            let report = push(&client, plan).await;
            assert_eq!(report.failed, [], "{call}");
            assert_eq!(report.done[0].outcome, Outcome::Updated);
            assert_eq!(service.versions(CLAUDE), 2, "{call}");
            assert_eq!(report.done[0].version, Some(service.version(CLAUDE)));
            assert_eq!(service.current(CLAUDE)["A"], "canary-8f3a-ours");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_not_seen_at_once_is_waited_for() {
    for (unseen, succeeds) in [(2, true), (20, false)] {
        let (service, record) = known().await;
        let plan = planned(&service, OURS, &record).await.unwrap();
        let gone = Fault::of(error("ResourceNotFoundException", "can't find the specified secret version"));
        service.fail("UpdateSecretVersionStage", vec![gone; unseen]);
        let report = carried_out(&service, plan).await;
        assert_eq!(report.failed.is_empty(), succeeds);
        assert_eq!(service.versions(CLAUDE), 2);
    }
}

#[tokio::test]
async fn a_push_that_was_cut_off_half_way_is_continued() {
    let plans = [plan(CLAUDE, &["A"]), plan(SUPABASE, &["URL"]), plan("leo/dev/github", &["G"])];
    let service = Service::with(&[
        (CLAUDE, None),
        (SUPABASE, Some(r#"{"URL":"canary-8f3a"}"#)),
        ("leo/dev/github", None),
    ]);
    let env = environment("A=canary-8f3a-a URL=canary-8f3a-new G=canary-8f3a-g");
    let wanted = || Wanted::all(&plans, Values::Environment(&env));
    let client = service.client();
    service.refuse("UpdateSecretVersionStage", error("InternalServiceError", "an error occurred"));
    service.fail("PutSecretValue", [throttled()]);

    let plan =
        plan_push(&client, wanted(), Record::default(), Undeclared::Keep, Overwrite::Yes).await.unwrap();
    let report = push(&client, plan).await;
    assert_silent(&report);
    assert_eq!((report.done.len(), report.failed.len()), (1, 2), "what can be done is done");
    assert_eq!(service.version(SUPABASE), OLD, "a half-sent value is nobody's");
    assert_eq!(report.seen.version(&service.arn(SUPABASE), "URL"), None);

    service.recover();
    let plan = plan_push(&client, wanted(), report.seen, Undeclared::Keep, Overwrite::Yes).await.unwrap();
    let report = push(&client, plan).await;
    assert_eq!(report.failed, []);
    assert_eq!(report.changed().count(), 2);
    assert_eq!(service.current(SUPABASE), json!({"URL": "canary-8f3a-new"}));

    let plan = plan_push(&client, wanted(), report.seen, Undeclared::Keep, Overwrite::Yes).await.unwrap();
    assert!(is_equal(&plan));
}

#[tokio::test]
async fn a_killed_push_that_kept_no_record_is_found_done() {
    let (service, record) = known().await;
    pushed(&service, OURS, &record, Overwrite::No).await;
    let plan = planned(&service, OURS, &record).await.unwrap();
    assert!(is_equal(&plan));
    assert_eq!(plan.seen(), &equal(&service, &["A", "B"]));
}

#[tokio::test]
async fn an_error_that_quotes_what_was_sent_is_not_repeated() {
    for call in ["PutSecretValue", "GetSecretValue"] {
        for code in
            ["ValidationException", "InvalidRequestException", "DecryptionFailure", "InternalServiceError"]
        {
            let (service, record) = known().await;
            let plan = planned(&service, OURS, &record).await.unwrap();
            service.refuse(call, error(code, "Value 'canary-8f3a-ours' at 'secretString' is bad"));
            let report = carried_out(&service, plan).await;
            assert_eq!(
                report.failed[0].to_string(),
                format!("call Secrets Manager {call} for leo/dev/claude: {code}")
            );
        }
    }
}
