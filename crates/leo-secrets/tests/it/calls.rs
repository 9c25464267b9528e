//! The calls that are made are those that a role is told to need.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use leo_env::Secret;
use leo_secrets::{Blank, ENSURE_ACTIONS, Overwrite, PUSH_ACTIONS, Record, Values, ensure, rotate, status};

use crate::given::{CLAUDE, SUPABASE, claude, environment, pushed, wanted};
use crate::service::Service;

const FILE: &str = "A=canary-8f3a-a B=canary-8f3a-b";

fn asked(service: &Service) -> BTreeSet<String> {
    service.asked.lock().unwrap().iter().map(|call| format!("secretsmanager:{call}")).collect()
}

#[tokio::test]
async fn of_a_push_with_all_that_belongs_to_it() {
    let there = r#"{"A":"canary-8f3a-0","B":"canary-8f3a-b"}"#;
    let service = Service::with(&[(CLAUDE, Some(there))]);
    service.change(CLAUDE, |stored| stored.deleted = true);
    let report = pushed(&service, FILE, &Record::default(), Overwrite::Yes).await;
    assert_eq!(report.failed, []);
    pushed(&service, FILE, &report.seen, Overwrite::Yes).await;
    assert_eq!(service.current(CLAUDE)["A"], "canary-8f3a-a");
    rotate(&service.client(), &claude(), "A", &Secret::new("canary-8f3a-new")).await.unwrap();
    status(&service.client(), wanted(FILE), report.seen).await.unwrap();
    assert_eq!(asked(&service), PUSH_ACTIONS.map(str::to_owned).into());
}

#[tokio::test]
async fn of_a_deploy() {
    let service = Service::with(&[(CLAUDE, None), (SUPABASE, Some("{}"))]);
    service.pedantic.store(true, Ordering::Relaxed);
    let env = environment(FILE);
    ensure(&service.client(), &[claude()], Values::Environment(&env), Blank::Unread, &BTreeMap::new())
        .await
        .unwrap();
    assert_eq!(service.current(CLAUDE)["A"], "canary-8f3a-a");
    assert_eq!(asked(&service), ENSURE_ACTIONS.map(str::to_owned).into());
}
