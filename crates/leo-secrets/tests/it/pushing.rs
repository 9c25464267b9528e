//! What is here becomes what is there, key by key.

use leo_aws::FailureKind;
use leo_secrets::{
    Change, KeyAction, Outcome, Overwrite, PushPlan, Record, Undeclared, Values, Wanted, plan_push,
};
use serde_json::json;

use crate::given::{
    CANARY, CLAUDE, SUPABASE, assert_silent, carried_out, environment, plan, planned, pushed, told, wanted,
};
use crate::service::{Service, error};

const BOTH: &str = "A=canary-8f3a-a B=canary-8f3a-b";

fn actions(plan: &PushPlan) -> Vec<(&str, KeyAction)> {
    plan.secrets[0].keys.iter().map(|key| (key.json_key.as_str(), key.action)).collect()
}

/// A record that has seen the secret's present value equal to a file.
async fn recorded(service: &Service, lines: &str) -> Record {
    let plan = planned(service, lines, &Record::default()).await.unwrap();
    assert_eq!(plan.secrets[0].change, Change::Unchanged);
    plan.record().clone()
}

#[tokio::test]
async fn an_empty_secret_gets_its_first_value() {
    for empty in [None, Some("")] {
        let service = Service::with(&[(CLAUDE, empty)]);
        let plan = planned(&service, BOTH, &Record::default()).await.unwrap();
        assert_eq!(plan.secrets[0].change, Change::Create);
        assert_eq!(actions(&plan), [("A", KeyAction::Add), ("B", KeyAction::Add)]);
        assert!(plan.has_work(Overwrite::No));
        assert_eq!(service.times_asked("PutSecretValue"), 0);

        let report = carried_out(&service, plan, Overwrite::No).await;
        assert_eq!(report.done[0].outcome, Outcome::Created);
        assert_eq!(report.done[0].written, ["A", "B"]);
        assert_eq!(service.current(CLAUDE), json!({"A": "canary-8f3a-a", "B": "canary-8f3a-b"}));
        assert_eq!(report.record.version(CLAUDE), Some(service.version(CLAUDE).as_str()));

        let again = planned(&service, BOTH, &report.record).await.unwrap();
        assert!(!again.has_work(Overwrite::Yes));
    }
}

#[tokio::test]
async fn only_the_keys_that_changed_change_and_the_rest_keeps_its_bytes() {
    let there = "{\n  \"MORE\": 1.0e2,\n  \"A\": \"canary-8f3a-a\",\n  \"B\" : \"canary-8f3a-b\"\n}";
    let service = Service::with(&[(CLAUDE, Some(there))]);
    let record = recorded(&service, BOTH).await;

    let plan = planned(&service, "A=canary-8f3a-new B=canary-8f3a-b", &record).await.unwrap();
    assert_eq!(plan.secrets[0].change, Change::Update);
    assert_eq!(
        actions(&plan),
        [("A", KeyAction::Update), ("B", KeyAction::Same), ("MORE", KeyAction::Undeclared)]
    );
    let report = carried_out(&service, plan, Overwrite::No).await;
    assert_eq!(
        (report.done[0].outcome, report.done[0].written.as_slice()),
        (Outcome::Updated, &["A".to_owned()][..])
    );
    assert_eq!(service.text(CLAUDE), there.replace("canary-8f3a-a", "canary-8f3a-new"));
    assert_eq!(report.changed().collect::<Vec<_>>(), [CLAUDE]);
    assert_eq!(report.record.version(CLAUDE), Some(service.version(CLAUDE).as_str()));
}

#[tokio::test]
async fn nothing_is_sent_where_nothing_changed() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-\u0061","B":"canary-8f3a-b"}"#))]);
    let report = pushed(&service, BOTH, &Record::default(), Overwrite::Yes).await;
    assert_eq!(report.done[0].outcome, Outcome::Unchanged, "another way to write the same text");
    assert_eq!(report.changed().count(), 0);
    assert_eq!(report.record.version(CLAUDE), Some(service.version(CLAUDE).as_str()));
    assert_eq!(service.times_asked("PutSecretValue"), 0);
}

#[tokio::test]
async fn undeclared_keys_go_only_where_the_plan_says_so() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"OLD":1,"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#))]);
    let plan =
        plan_push(&service.client(), wanted(BOTH), Record::default(), Undeclared::Remove).await.unwrap();
    assert_eq!(plan.secrets[0].change, Change::Update);
    assert_eq!(plan.secrets[0].with_action(KeyAction::Remove).collect::<Vec<_>>(), ["OLD"]);
    let report = carried_out(&service, plan, Overwrite::No).await;
    assert_eq!(
        (report.done[0].removed.as_slice(), report.done[0].written.len()),
        (&["OLD".to_owned()][..], 0)
    );
    assert_eq!(service.text(CLAUDE), r#"{"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#);
}

#[tokio::test]
async fn a_key_that_is_missing_here_stays() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#))]);
    let plan = planned(&service, "A=canary-8f3a-a", &Record::default()).await.unwrap();
    assert_eq!(actions(&plan), [("A", KeyAction::Same), ("B", KeyAction::NotHere)]);
    assert!(!plan.has_work(Overwrite::Yes));
}

#[tokio::test]
async fn what_was_changed_elsewhere_is_shown_and_not_overwritten_unasked() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#))]);
    let record = recorded(&service, BOTH).await;
    service.change(CLAUDE, |stored| {
        stored.put("v-elsewhere", r#"{"A":"canary-8f3a-theirs","B":"canary-8f3a-b"}"#);
    });

    let file = "A=canary-8f3a-a B=canary-8f3a-new";
    let plan = planned(&service, file, &record).await.unwrap();
    assert_eq!(actions(&plan), [("A", KeyAction::ChangedElsewhere), ("B", KeyAction::Update)]);
    assert_eq!(plan.changed_elsewhere().count(), 1);
    assert!(plan.secrets[0].last_changed.is_some());

    let report = carried_out(&service, plan, Overwrite::No).await;
    assert_eq!(report.kept_back().flat_map(|pushed| &pushed.kept_back).collect::<Vec<_>>(), ["A"]);
    assert_eq!(service.current(CLAUDE), json!({"A": "canary-8f3a-theirs", "B": "canary-8f3a-new"}));

    let again = planned(&service, file, &report.record).await.unwrap();
    assert_eq!(actions(&again), [("A", KeyAction::ChangedElsewhere), ("B", KeyAction::Same)], "and still is");
    assert!(!again.has_work(Overwrite::No));
    let report = carried_out(&service, again, Overwrite::Yes).await;
    assert_eq!(report.done[0].written, ["A"]);
    assert_eq!(service.current(CLAUDE), json!({"A": "canary-8f3a-a", "B": "canary-8f3a-new"}));
    assert!(!planned(&service, file, &report.record).await.unwrap().has_work(Overwrite::Yes));
}

#[tokio::test]
async fn a_key_that_was_taken_out_elsewhere_does_not_come_back_unasked() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#))]);
    let record = recorded(&service, BOTH).await;
    service.change(CLAUDE, |stored| stored.put("v-elsewhere", r#"{"A":"canary-8f3a-a"}"#));
    let plan = planned(&service, BOTH, &record).await.unwrap();
    assert_eq!(actions(&plan), [("A", KeyAction::Same), ("B", KeyAction::ChangedElsewhere)]);
    assert!(!plan.has_work(Overwrite::No));
}

#[tokio::test]
async fn a_label_that_was_moved_back_by_hand_is_a_change_elsewhere() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-0","B":"canary-8f3a-b"}"#))]);
    let before = recorded(&service, "A=canary-8f3a-0 B=canary-8f3a-b").await;
    let base = service.version(CLAUDE);
    let record = pushed(&service, BOTH, &before, Overwrite::No).await.record;
    service.change(CLAUDE, {
        let base = base.clone();
        move |stored| stored.label("AWSCURRENT", &base)
    });

    let plan = planned(&service, BOTH, &record).await.unwrap();
    assert_eq!(actions(&plan), [("A", KeyAction::ChangedElsewhere), ("B", KeyAction::Same)]);
    let report = carried_out(&service, plan, Overwrite::No).await;
    assert_eq!(service.version(CLAUDE), base);
    let report = pushed(&service, BOTH, &report.record, Overwrite::Yes).await;
    assert_eq!(report.done[0].outcome, Outcome::Updated);
    assert_eq!(service.current(CLAUDE)["A"], "canary-8f3a-a");
}

#[tokio::test]
async fn without_a_record_only_what_a_deploy_made_first_is_nobody_s_change() {
    let there = r#"{"A":"canary-8f3a-0","B":"canary-8f3a-b"}"#;
    let unknown = Service::with(&[(CLAUDE, Some(there))]);
    let plan = planned(&unknown, BOTH, &Record::default()).await.unwrap();
    assert_eq!(actions(&plan)[0], ("A", KeyAction::ChangedElsewhere));

    let deployed = Service::with(&[(CLAUDE, None)]);
    deployed.change(CLAUDE, |stored| stored.put("leo-first-00000000000000000000000000000000", there));
    let plan = planned(&deployed, BOTH, &Record::default()).await.unwrap();
    assert_eq!(actions(&plan)[0], ("A", KeyAction::Update));
}

#[tokio::test]
async fn a_new_key_comes_to_the_others_whatever_is_known_of_them() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-theirs"}"#))]);
    let plan = planned(&service, BOTH, &Record::default()).await.unwrap();
    assert_eq!(actions(&plan), [("A", KeyAction::ChangedElsewhere), ("B", KeyAction::Add)]);
    carried_out(&service, plan, Overwrite::No).await;
    assert_eq!(service.text(CLAUDE), r#"{"A":"canary-8f3a-theirs","B":"canary-8f3a-b"}"#);
}

#[tokio::test]
async fn a_value_of_another_type_becomes_a_text() {
    let service = Service::with(&[(CLAUDE, None)]);
    service.change(CLAUDE, |stored| {
        stored
            .put("leo-first-00000000000000000000000000000000", r#"{"A":42,"B":{"canary-8f3a":[null,"}"]}}"#);
    });
    let plan = planned(&service, "A=42 B=canary-8f3a-b", &Record::default()).await.unwrap();
    assert_eq!(actions(&plan), [("A", KeyAction::Update), ("B", KeyAction::Update)]);
    carried_out(&service, plan, Overwrite::No).await;
    assert_eq!(service.text(CLAUDE), r#"{"A":"42","B":"canary-8f3a-b"}"#);
}

#[tokio::test]
async fn a_value_that_is_no_object_is_replaced_only_when_asked() {
    for odd in [Some("canary-8f3a"), Some("[\"canary-8f3a\"]"), Some("{\"canary-8f3a\""), Some(" "), None] {
        let service = Service::with(&[(CLAUDE, Some("{}"))]);
        service.change(CLAUDE, |stored| {
            stored.versions.values_mut().for_each(|version| version.text = odd.map(str::to_owned));
        });
        let plan = planned(&service, BOTH, &Record::default()).await.unwrap();
        assert_eq!(plan.secrets[0].change, Change::Replace, "{odd:?}");
        assert!(!plan.has_work(Overwrite::No) && plan.has_work(Overwrite::Yes));
        let report = carried_out(&service, plan, Overwrite::No).await;
        assert_eq!((report.done[0].outcome, report.record.version(CLAUDE)), (Outcome::Unchanged, None));
        assert_eq!(report.done[0].kept_back, ["A", "B"]);
        let report = pushed(&service, BOTH, &report.record, Overwrite::Yes).await;
        assert_eq!(report.done[0].outcome, Outcome::Updated);
        assert_eq!(service.current(CLAUDE)["B"], "canary-8f3a-b");
    }
}

#[tokio::test]
async fn everything_wrong_is_said_at_once() {
    let service = Service::with(&[
        (CLAUDE, None),
        (SUPABASE, Some(r#"{"URL":"canary-8f3a"}"#)),
        ("leo/dev/long", Some("{}")),
    ]);
    let plans = [
        plan(CLAUDE, &["A"]),
        plan(SUPABASE, &["URL", "KEY"]),
        plan("leo/dev/absent", &["X"]),
        plan("leo/dev/long", &["L"]),
    ];
    let env = environment(&format!("URL=canary-8f3a L={}", CANARY.repeat(6_000)));
    let wanted = Wanted::all(&plans, Values::Environment(&env));
    let error = plan_push(&service.client(), wanted, Record::default(), Undeclared::Keep).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    assert_eq!(service.times_asked("PutSecretValue"), 0);
    insta::assert_snapshot!(told(&error).replace("; ", ";\n  "));
}

#[tokio::test]
async fn a_value_of_exactly_64_kib_is_taken() {
    let service = Service::with(&[(CLAUDE, None)]);
    // `{"A":"…","B":"b"}` is 16 more
    let fits = "x".repeat(65_536 - 16);
    assert_silent(&fits);
    let report = pushed(&service, &format!("A={fits} B=b"), &Record::default(), Overwrite::No).await;
    assert_eq!(report.done[0].outcome, Outcome::Created);
    assert_eq!(service.text(CLAUDE).len(), 65_536);
    let error = planned(&service, &format!("A={fits}x B=b"), &report.record).await.unwrap_err();
    assert!(told(&error).contains("65537 bytes"), "{error}");
}

#[tokio::test]
async fn a_role_that_may_not_read_is_told_what_to_do() {
    let service = Service::with(&[(CLAUDE, Some("{}")), (SUPABASE, Some("{}"))]);
    service.refuse("GetSecretValue", error("AccessDeniedException", "explicit deny"));
    let plans = [plan(CLAUDE, &["A"]), plan(SUPABASE, &["URL"])];
    let env = environment("A=canary-8f3a URL=canary-8f3a");
    let wanted = Wanted::all(&plans, Values::Environment(&env));
    let error = plan_push(&service.client(), wanted, Record::default(), Undeclared::Keep).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Credentials);
    insta::assert_snapshot!(told(&error));
}
