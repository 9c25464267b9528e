//! What is here becomes what is there, key by key.

use leo_aws::FailureKind;
use leo_secrets::{
    Change, KeyAction, KeyName, Outcome, Overwrite, PushPlan, Pushed, Record, Undeclared, Values, Wanted,
    plan_push, push, status,
};
use serde_json::json;

use crate::given::{
    CANARY, CLAUDE, SUPABASE, after, assert_silent, blocked, carried_out, environment, equal, is_equal, plan,
    planned, planned_over, pushed, told, wanted,
};
use crate::service::{Fault, Service, error};

const BOTH: &str = "A=canary-8f3a-a B=canary-8f3a-b";

fn actions(plan: &PushPlan) -> Vec<(&str, KeyAction)> {
    plan.secrets[0].keys.iter().map(|key| (key.json_key.shown(), key.action)).collect()
}

/// A record that has seen the secret's present value equal to a file.
async fn recorded(service: &Service, lines: &str) -> Record {
    let plan = planned(service, lines, &Record::default()).await.unwrap();
    assert_eq!(plan.secrets[0].change, Change::Unchanged);
    plan.seen().clone()
}

fn shown(keys: &[KeyName]) -> Vec<&str> {
    keys.iter().map(KeyName::shown).collect()
}

fn kept_back(pushed: &Pushed) -> Vec<&str> {
    pushed.kept_back.iter().map(|key| key.json_key.shown()).collect()
}

#[tokio::test]
async fn an_empty_secret_gets_its_first_value() {
    for empty in [None, Some("")] {
        let service = Service::with(&[(CLAUDE, empty)]);
        let plan = planned(&service, BOTH, &Record::default()).await.unwrap();
        assert_eq!(plan.secrets[0].change, Change::Create);
        assert_eq!(actions(&plan), [("A", KeyAction::Add), ("B", KeyAction::Add)]);
        assert!(plan.has_work());
        assert_eq!(service.times_asked("PutSecretValue"), 0);

        let report = carried_out(&service, plan).await;
        assert_eq!(report.done[0].outcome, Outcome::Created);
        assert_eq!(shown(&report.done[0].written), ["A", "B"]);
        assert_eq!(service.current(CLAUDE), json!({"A": "canary-8f3a-a", "B": "canary-8f3a-b"}));
        assert_eq!(report.seen, equal(&service, &["A", "B"]));

        let again = planned(&service, BOTH, &report.seen).await.unwrap();
        assert!(is_equal(&again));
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
    let report = carried_out(&service, plan).await;
    assert_eq!((report.done[0].outcome, shown(&report.done[0].written)), (Outcome::Updated, vec!["A"]));
    assert_eq!(service.text(CLAUDE), there.replace("canary-8f3a-a", "canary-8f3a-new"));
    assert_eq!(report.versions(), [(CLAUDE.to_owned(), service.version(CLAUDE))].into());
    assert_eq!(report.seen, equal(&service, &["A", "B"]));
}

#[tokio::test]
async fn nothing_is_sent_where_nothing_changed() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-\u0061","B":"canary-8f3a-b"}"#))]);
    let report = pushed(&service, BOTH, &Record::default(), Overwrite::Yes).await;
    assert_eq!(report.done[0].outcome, Outcome::Unchanged, "another way to write the same text");
    assert_eq!(report.changed().count(), 0);
    assert_eq!(report.seen, equal(&service, &["A", "B"]));
    assert_eq!(service.times_asked("PutSecretValue"), 0);
}

#[tokio::test]
async fn undeclared_keys_go_only_where_the_plan_says_so() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"OLD":1,"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#))]);
    let client = service.client();
    let plan = plan_push(&client, wanted(BOTH), Record::default(), Undeclared::Remove, Overwrite::No);
    let plan = plan.await.unwrap();
    assert_eq!(plan.secrets[0].change, Change::Update);
    assert_eq!(actions(&plan)[2], ("OLD", KeyAction::Remove));
    let report = carried_out(&service, plan).await;
    assert_eq!((shown(&report.done[0].removed), report.done[0].written.len()), (vec!["OLD"], 0));
    assert_eq!(report.seen, equal(&service, &["A", "B"]));
    assert_eq!(service.text(CLAUDE), r#"{"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#);
}

#[tokio::test]
async fn a_key_that_is_missing_here_stays() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#))]);
    let plan = planned(&service, "A=canary-8f3a-a", &Record::default()).await.unwrap();
    assert_eq!(actions(&plan), [("A", KeyAction::Same), ("B", KeyAction::NotHere)]);
    assert!(is_equal(&plan));
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
    let stays: Vec<_> = plan.kept_back().map(|(secret, key)| (secret, key.json_key.shown())).collect();
    assert_eq!(stays, [(CLAUDE, "A")]);
    assert!(plan.secrets[0].last_changed.is_some());

    let report = carried_out(&service, plan).await;
    assert_eq!(report.kept_back().flat_map(kept_back).collect::<Vec<_>>(), ["A"]);
    assert_eq!(service.current(CLAUDE), json!({"A": "canary-8f3a-theirs", "B": "canary-8f3a-new"}));

    let known = after(&record, &report.seen);
    let again = planned(&service, file, &known).await.unwrap();
    assert_eq!(actions(&again), [("A", KeyAction::ChangedElsewhere), ("B", KeyAction::Same)], "and still is");
    assert!(!again.has_work());
    let newer = planned(&service, "A=canary-8f3a-a B=canary-8f3a-newer", &known).await.unwrap();
    assert_eq!(actions(&newer)[1], ("B", KeyAction::Update), "what we wrote beside it is ours");
    let report = pushed(&service, file, &known, Overwrite::Yes).await;
    assert_eq!(shown(&report.done[0].written), ["A"]);
    assert_eq!(service.current(CLAUDE), json!({"A": "canary-8f3a-a", "B": "canary-8f3a-new"}));
    assert!(is_equal(&planned(&service, file, &report.seen).await.unwrap()));
}

#[tokio::test]
async fn a_key_that_was_taken_out_elsewhere_does_not_come_back_unasked() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#))]);
    let record = recorded(&service, BOTH).await;
    service.change(CLAUDE, |stored| stored.put("v-elsewhere", r#"{"A":"canary-8f3a-a"}"#));
    let plan = planned(&service, BOTH, &record).await.unwrap();
    assert_eq!(actions(&plan), [("A", KeyAction::Same), ("B", KeyAction::ChangedElsewhere)]);
    assert!(!plan.has_work());
}

#[tokio::test]
async fn a_label_that_was_moved_back_by_hand_is_a_change_elsewhere() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-0","B":"canary-8f3a-b"}"#))]);
    let before = recorded(&service, "A=canary-8f3a-0 B=canary-8f3a-b").await;
    let base = service.version(CLAUDE);
    let record = after(&before, &pushed(&service, BOTH, &before, Overwrite::No).await.seen);
    service.change(CLAUDE, {
        let base = base.clone();
        move |stored| stored.label("AWSCURRENT", &base)
    });

    let plan = planned(&service, BOTH, &record).await.unwrap();
    assert_eq!(actions(&plan), [("A", KeyAction::ChangedElsewhere), ("B", KeyAction::Same)]);
    let report = carried_out(&service, plan).await;
    assert_eq!(service.version(CLAUDE), base);
    let known = after(&record, &report.seen);
    let report = pushed(&service, BOTH, &known, Overwrite::Yes).await;
    assert_eq!(report.done[0].outcome, Outcome::Updated);
    assert_eq!(service.current(CLAUDE)["A"], "canary-8f3a-a");
}

/// One key is equal and so known; of the one that this machine never had a value for nothing is.
#[tokio::test]
async fn a_colleague_s_value_that_was_never_seen_is_not_overwritten_unasked() {
    let there = r#"{"A":"canary-8f3a-a","B":"canary-8f3a-theirs"}"#;
    let service = Service::with(&[(CLAUDE, Some(there))]);
    let only = "A=canary-8f3a-a";
    let of_push = recorded(&service, only).await;
    let of_status = status(&service.client(), wanted(only), Record::default()).await.unwrap().seen;
    let of_other = pushed(&service, only, &Record::default(), Overwrite::Yes).await.seen;
    for record in [of_push, of_status, of_other] {
        assert_eq!(record, equal(&service, &["A"]));
        let plan = planned(&service, BOTH, &record).await.unwrap();
        assert_eq!(actions(&plan), [("A", KeyAction::Same), ("B", KeyAction::Unseen)]);
        let report = carried_out(&service, plan).await;
        assert_eq!(kept_back(&report.done[0]), ["B"]);
        assert_eq!(service.text(CLAUDE), there);
    }
}

#[tokio::test]
async fn without_a_record_only_a_dummy_is_nobody_s_change() {
    let unknown = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-0","B":"canary-8f3a-b"}"#))]);
    let plan = planned(&unknown, BOTH, &Record::default()).await.unwrap();
    assert_eq!(actions(&plan)[0], ("A", KeyAction::Unseen));

    // A colleague's deploy made it.
    unknown.change(CLAUDE, |stored| {
        stored.put(
            "leo-first-00000000000000000000000000000000",
            r#"{"A":"canary-8f3a-0","B":"canary-8f3a-b"}"#,
        );
    });
    let plan = planned(&unknown, BOTH, &Record::default()).await.unwrap();
    assert_eq!(actions(&plan)[0], ("A", KeyAction::Unseen));

    let dummies = Service::with(&[(CLAUDE, Some(r#"{"A":"local-dummy-A","B":"canary-8f3a-theirs"}"#))]);
    let plan = planned(&dummies, BOTH, &Record::default()).await.unwrap();
    assert_eq!(actions(&plan), [("A", KeyAction::Update), ("B", KeyAction::Unseen)]);
}

#[tokio::test]
async fn a_name_that_may_be_a_secret_is_neither_shown_nor_lost() {
    let there =
        r#"{"canary-8f3a one":1,"canary-8f3a\u001b[2J":2,"OLD":3,"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#;
    let service = Service::with(&[(CLAUDE, Some(there))]);
    let status = status(&service.client(), wanted(BOTH), Record::default()).await.unwrap();
    assert_silent(&status);
    let plan = planned(&service, BOTH, &Record::default()).await.unwrap();
    let names: Vec<_> = actions(&plan).into_iter().map(|(name, _)| name).collect();
    let hidden = "a key whose name is not shown";
    assert_eq!(names, ["A", "B", hidden, hidden, "OLD"]);
    pushed(&service, "A=canary-8f3a-new B=canary-8f3a-b", &equal(&service, &["A"]), Overwrite::No).await;
    assert_eq!(service.text(CLAUDE), there.replace("canary-8f3a-a", "canary-8f3a-new"));
    let client = service.client();
    let plan = plan_push(&client, wanted(BOTH), Record::default(), Undeclared::Remove, Overwrite::Yes);
    let report = push(&client, plan.await.unwrap()).await;
    assert_silent(&report);
    assert_eq!(shown(&report.done[0].removed), [hidden, hidden, "OLD"]);
    assert_eq!(service.text(CLAUDE), r#"{"A":"canary-8f3a-a","B":"canary-8f3a-b"}"#);
}

#[tokio::test]
async fn a_new_key_comes_to_the_others_whatever_is_known_of_them() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":"canary-8f3a-theirs"}"#))]);
    let plan = planned(&service, BOTH, &Record::default()).await.unwrap();
    assert_eq!(actions(&plan), [("A", KeyAction::Unseen), ("B", KeyAction::Add)]);
    carried_out(&service, plan).await;
    assert_eq!(service.text(CLAUDE), r#"{"A":"canary-8f3a-theirs","B":"canary-8f3a-b"}"#);
}

#[tokio::test]
async fn a_value_of_another_type_becomes_a_text() {
    let service = Service::with(&[(CLAUDE, Some(r#"{"A":42,"B":{"canary-8f3a":[null,"}"]}}"#))]);
    let known = equal(&service, &["A", "B"]);
    let plan = planned(&service, "A=42 B=canary-8f3a-b", &known).await.unwrap();
    assert_eq!(actions(&plan), [("A", KeyAction::Update), ("B", KeyAction::Update)]);
    carried_out(&service, plan).await;
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
        assert!(!plan.has_work() && plan.secrets[0].has_work(Overwrite::Yes));
        let report = carried_out(&service, plan).await;
        assert_eq!((report.done[0].outcome, &report.seen), (Outcome::Unchanged, &Record::default()));
        assert_eq!(kept_back(&report.done[0]), ["A", "B"]);
        // What it could not do is no part of a plan.
        let short = planned_over(&service, "A=canary-8f3a-a", &report.seen, Overwrite::Yes).await.unwrap();
        assert!(told(blocked(&short)).contains("`B` of leo/dev/claude has no value"));
        let report = pushed(&service, BOTH, &report.seen, Overwrite::Yes).await;
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
    let client = service.client();
    let plan = plan_push(&client, wanted, Record::default(), Undeclared::Keep, Overwrite::No).await.unwrap();
    let error = blocked(&plan);
    assert_eq!(error.kind(), FailureKind::Usage);
    assert_eq!(service.times_asked("PutSecretValue"), 0);
    insta::assert_snapshot!(told(error).replace("; ", ";\n  "));
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
    let plan = planned(&service, &format!("A={fits}x B=b"), &report.seen).await.unwrap();
    let error = blocked(&plan);
    assert!(told(error).contains("65537 bytes"), "{error}");
}

#[tokio::test]
async fn a_role_that_may_not_read_is_told_what_to_do() {
    let service = Service::with(&[(CLAUDE, Some("{}")), (SUPABASE, Some("{}"))]);
    service.refuse("GetSecretValue", error("AccessDeniedException", "explicit deny"));
    let plans = [plan(CLAUDE, &["A"]), plan(SUPABASE, &["URL"])];
    let env = environment("A=canary-8f3a URL=canary-8f3a");
    let wanted = Wanted::all(&plans, Values::Environment(&env));
    let client = service.client();
    let plan = plan_push(&client, wanted, Record::default(), Undeclared::Keep, Overwrite::No).await.unwrap();
    let error = blocked(&plan);
    assert_eq!(error.kind(), FailureKind::Credentials);
    insta::assert_snapshot!(told(error));
}

#[tokio::test]
async fn what_can_t_be_pushed_holds_nothing_else_up() {
    let service = Service::with(&[(CLAUDE, None), ("leo/dev/closed", Some("{}"))]);
    service
        .fail("GetSecretValue", [Fault::of(error("AccessDeniedException", "Access to KMS is not allowed"))]);
    let plans = [plan("leo/dev/openai", &["KEY"]), plan(CLAUDE, &["A"]), plan("leo/dev/closed", &["C"])];
    let env = environment("A=canary-8f3a KEY=canary-8f3a C=canary-8f3a");
    let wanted = Wanted::all(&plans, Values::Environment(&env));
    let client = service.client();
    let plan = plan_push(&client, wanted, Record::default(), Undeclared::Keep, Overwrite::No).await.unwrap();
    assert_eq!(plan.secrets.iter().map(|secret| secret.name.as_str()).collect::<Vec<_>>(), [CLAUDE]);
    let report = carried_out(&service, plan).await;
    assert_eq!(report.done[0].outcome, Outcome::Created);
    assert_eq!(service.current(CLAUDE), json!({"A": "canary-8f3a"}));
    insta::assert_snapshot!(report.failed.iter().map(told).collect::<Vec<_>>().join("\n\n"));
}

/// Keys and quotas that people meet: each says what to do about it.
#[tokio::test]
async fn refusals_of_the_service_have_hints_of_their_own() {
    let there = r#"{"A":"canary-8f3a-0","B":"canary-8f3a-b"}"#;
    let mut shown = Vec::new();
    for (code, message) in [
        ("AccessDeniedException", "Access to KMS is not allowed"),
        ("EncryptionFailure", "canary-8f3a is disabled"),
        ("LimitExceededException", "canary-8f3a has too many versions"),
    ] {
        let service = Service::with(&[(CLAUDE, Some(there))]);
        let plan = planned(&service, BOTH, &equal(&service, &["A", "B"])).await.unwrap();
        service.refuse("PutSecretValue", error(code, message));
        shown.push(told(&carried_out(&service, plan).await.failed[0]));
    }
    let service = Service::with(&[(CLAUDE, Some(there))]);
    service.refuse("GetSecretValue", error("DecryptionFailure", "canary-8f3a can't be decrypted"));
    shown.push(told(&planned(&service, BOTH, &Record::default()).await.unwrap_err()));
    insta::assert_snapshot!(shown.join("\n\n"));
}
