//! Every cause, from evidence with the words that AWS uses.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use leo_evidence::{CauseKind, Evidence, diagnose};
use serde_json::json;

use crate::cases::{ELB, evidence, from_elsewhere, from_tasks, log, stopped, unhealthy, with};

#[test]
fn every_cause_is_read_from_what_aws_writes() {
    let mut seen = BTreeSet::new();
    let mut screens = String::new();
    for (cause, name, evidence) in from_tasks().into_iter().chain(from_elsewhere()) {
        let diagnosis = diagnose(&evidence).unwrap_or_else(|| panic!("{name}: no cause"));
        assert_eq!(diagnosis.cause, cause, "{name}: {diagnosis:#?}");
        let lines = diagnosis.lines();
        assert!(lines.len() <= 25, "{name}: {} lines", lines.len());
        assert!(!diagnosis.evidence.is_empty() && !diagnosis.fix.is_empty(), "{name}");
        seen.insert(format!("{cause:?}"));
        let _ = write!(screens, "# {name}\n{}\n\n", lines.join("\n"));
    }
    // As many as there are rules' words: a new cause needs a row here.
    assert_eq!(seen.len(), 23, "{seen:?}");
    insta::assert_snapshot!(screens);
}

#[test]
fn where_nothing_went_wrong_there_is_no_cause() {
    assert_eq!(diagnose(&Evidence::default()), None);
    assert_eq!(diagnose(&evidence(&json!({}))), None);
}

/// What tasks of before do, and what is only under way, is no cause.
#[test]
fn neither_old_tasks_nor_a_certificate_that_has_just_begun_are_blamed() {
    let mut old = stopped(
        "EssentialContainerExited",
        "Essential container in task exited",
        &json!({ "exit_code": 1 }),
        &json!({}),
    );
    old.stops.kept[0].item.new = false;
    old.stack.failures.clear();
    assert_eq!(diagnose(&old), None);
    let mut waiting =
        from_elsewhere().into_iter().find(|row| row.0 == CauseKind::ZoneNotDelegated).unwrap().2;
    waiting.ended = None;
    waiting.stack.rollback_since = None;
    waiting.updated = "2026-11-01T12:01:00Z".to_owned();
    assert_eq!(diagnose(&waiting), None);
    waiting.updated = "2026-11-01T12:06:00Z".to_owned();
    assert_eq!(diagnose(&waiting).unwrap().cause, CauseKind::ZoneNotDelegated);
    let mut old_target = evidence(&unhealthy("Target.Timeout", "Request timed out"));
    old_target.running[0].started_by = Some("ecs-svc/1".to_owned());
    assert_eq!(diagnose(&old_target), None);
}

/// A log that names the right port is no sign of a wrong one.
#[test]
fn a_program_on_the_right_port_has_a_failing_health_check() {
    let evidence = stopped(
        "ServiceSchedulerInitiated",
        ELB,
        &json!({}),
        &with(
            unhealthy("Target.FailedHealthChecks", "Health checks failed"),
            &log(&["metrics listening on 127.0.0.1:9090", "listening on 127.0.0.1:8080"]),
        ),
    );
    assert_eq!(diagnose(&evidence).unwrap().cause, CauseKind::HealthCheckFails);
}
