//! Pushes in any order of their calls, with faults: the secret's history stays one line, and every report is true.

use std::sync::atomic::Ordering;

use leo_secrets::{Outcome, Overwrite, PushReport, Record, SecretsError, Undeclared, plan_push, push};
use proptest::prelude::*;
use proptest::sample::select;

use crate::given::{CLAUDE, assert_silent, wanted};
use crate::service::{Fault, Service, throttled};

const THERE: &str = r#"{"A":"canary-8f3a-0","B":"canary-8f3a-0"}"#;

/// What the calls of some pushes meet.
#[derive(Clone, Debug)]
struct Weather {
    files: Vec<&'static str>,
    there: Option<&'static str>,
    faults: Vec<(&'static str, bool)>,
    delays: Vec<u8>,
    edited_before: Option<&'static str>,
    pedantic: bool,
}

fn weather() -> impl Strategy<Value = Weather> {
    let files = select(vec![
        "A=canary-8f3a-1 B=canary-8f3a-0",
        "A=canary-8f3a-2 B=canary-8f3a-2",
        "A=canary-8f3a-0 B=canary-8f3a-3",
    ]);
    let call = select(vec!["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"]);
    (
        proptest::collection::vec(files, 1..4),
        select(vec![None, Some(""), Some(THERE)]),
        proptest::collection::vec((call.clone(), any::<bool>()), 0..4),
        proptest::collection::vec(0..6_u8, 0..40),
        proptest::option::weighted(0.3, call),
        any::<bool>(),
    )
        .prop_map(|(files, there, faults, delays, edited_before, pedantic)| Weather {
            files,
            there,
            faults,
            delays,
            edited_before,
            pedantic,
        })
}

/// Plans all pushes from the same state, then carries them out at once.
async fn at_once(service: &Service, weather: &Weather) -> Vec<(&'static str, Option<String>, PushReport)> {
    let mut plans = Vec::new();
    let client = service.patient_client();
    for file in &weather.files {
        let plan = plan_push(&client, wanted(file), Record::default(), Undeclared::Keep, Overwrite::Yes)
            .await
            .unwrap();
        plans.push((*file, plan));
    }
    for (call, lost) in &weather.faults {
        service.fail(call, [if *lost { Fault::AnswerLost } else { throttled() }]);
    }
    if let Some(call) = weather.edited_before {
        service.just_before(call, |stored| {
            stored.put("v-console", r#"{"A":"canary-8f3a-console","B":"canary-8f3a-0"}"#);
        });
    }
    service.delays.lock().unwrap().clone_from(&weather.delays);
    let mut running = tokio::task::JoinSet::new();
    for (file, plan) in plans {
        let client = client.clone();
        let base = plan.secrets[0].version.clone();
        running.spawn(async move { (file, base, push(&client, plan).await) });
    }
    running.join_all().await
}

/// A long run is asked for by name.
fn cases() -> ProptestConfig {
    let cases = if std::env::var_os("LEO_FULL").is_some_and(|value| value == "1") { 500 } else { 40 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_report_is_true_and_nothing_is_lost_or_doubled(weather in weather()) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let service = Service::with(&[(CLAUDE, weather.there)]);
        service.change(CLAUDE, |stored| stored.moves.clear());
        service.pedantic.store(weather.pedantic, Ordering::Relaxed);
        let reports = runtime.block_on(at_once(&service, &weather));
        let moves = service.secrets.lock().unwrap()[CLAUDE].moves.clone();

        let mut own = 0;
        for (file, base, report) in &reports {
            assert_silent(report);
            for error in &report.failed {
                prop_assert_eq!(error, &SecretsError::ChangedMeanwhile { secret: CLAUDE.to_owned() });
            }
            let Some(pushed) = report.done.first() else { continue };
            let version = pushed.version.clone().unwrap();
            let text = service.secrets.lock().unwrap()[CLAUDE].versions[&version].text.clone().unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            for line in file.split(' ') {
                let (key, wanted) = line.split_once('=').unwrap();
                prop_assert_eq!(value[key].as_str(), Some(wanted), "what is said to be pushed is what was meant");
            }
            if pushed.outcome != Outcome::Unchanged {
                own += 1;
                let made: Vec<_> = moves.iter().filter(|(to, _)| *to == version).collect();
                prop_assert_eq!(made.len(), 1, "a version becomes the current one once");
                prop_assert_eq!(&made[0].1, base, "and in the place of the one that was compared");
            }
        }
        let others = moves.iter().filter(|(to, _)| to == "v-console").count();
        let bases: Vec<_> = reports.iter().map(|(_, base, _)| base).collect();
        for (to, from) in &moves {
            prop_assert!(to == "v-console" || bases.contains(&from), "only what was compared is replaced");
        }
        // Whose answer was lost and whose value was replaced by then is told of the replacement.
        let replaced = if others == 0 { 0 } else { reports.len() - own };
        prop_assert!(moves.len() <= own + others + replaced, "nobody's failure changed anything");
        if others == 0 && weather.there != Some(THERE) {
            prop_assert!(own >= 1, "of several one succeeds");
        }
    }
}
