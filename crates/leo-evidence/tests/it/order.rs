//! Which of several signs is the cause.

use leo_evidence::{CauseKind, Evidence, diagnose};
use serde_json::json;

use crate::cases::{ELB, SERVICE, evidence, failure, log, said_by_ecs, stopped, unhealthy, with};

const NO_MACHINE: &str =
    "(service leo) was unable to place a task. Reason: Capacity is unavailable at this time.";

fn cause(evidence: &Evidence) -> Option<CauseKind> {
    diagnose(evidence).map(|diagnosis| diagnosis.cause)
}

fn exits() -> Evidence {
    stopped(
        "EssentialContainerExited",
        "Essential container in task exited",
        &json!({ "exit_code": 1 }),
        &log(&["metrics listening on 127.0.0.1:9090"]),
    )
}

#[test]
fn a_shortage_that_was_got_over_is_no_cause() {
    let short = said_by_ecs(NO_MACHINE);
    assert_eq!(cause(&short), Some(CauseKind::NoCapacity));
    let mut placed = short.clone();
    placed.deployments[1].desired = 2;
    placed.deployments[1].running = 2;
    assert_eq!(cause(&placed), None);
    let mut killed = stopped("ServiceSchedulerInitiated", ELB, &json!({}), &json!({}));
    killed.events = short.events.clone();
    assert_eq!(cause(&killed), Some(CauseKind::HealthCheckFails));
    let mut new = stopped("TaskFailedToStart", "something quite new", &json!({}), &json!({}));
    new.events = short.events;
    assert_eq!(cause(&new), Some(CauseKind::Reported), "a stop outranks the event");
}

#[test]
fn an_old_task_that_is_not_well_is_not_blamed() {
    let mut evidence = evidence(&json!({ "running": [{ "id": "1", "definition": "leo-dev-orchestrator:7",
        "started_by": "ecs-svc/1", "status": "RUNNING", "health": "UNHEALTHY" }] }));
    assert_eq!(cause(&evidence), None);
    evidence.running[0].started_by = Some("ecs-svc/2".to_owned());
    assert_eq!(cause(&evidence), Some(CauseKind::HealthCheckFails));
}

/// One task that stumbled does not hide what CloudFormation could not make.
#[test]
fn another_resource_that_failed_first_outranks_a_task() {
    let mut evidence = exits();
    assert_eq!(
        cause(&evidence),
        Some(CauseKind::ContainerExits),
        "the service's own failure comes of its tasks"
    );
    let mut first = |kind: &str, reason: &str| {
        evidence.stack.failures = vec![
            serde_json::from_value(failure("First", kind, reason)).unwrap(),
            serde_json::from_value(failure("OrchestratorService", SERVICE, "gave up")).unwrap(),
        ];
        cause(&evidence)
    };
    assert_eq!(
        first("AWS::ElasticLoadBalancingV2::LoadBalancer", "Exceeded limit of 50 load balancers"),
        Some(CauseKind::Reported)
    );
    assert_eq!(
        first("AWS::CertificateManager::Certificate", "DNS validation timed out"),
        Some(CauseKind::ZoneNotDelegated)
    );
    assert_eq!(first(SERVICE, "gave up"), Some(CauseKind::ContainerExits));
    // The deploy was given up for its tasks; then the cleanup failed.
    first("AWS::S3::Bucket", "Access Denied");
    evidence.stack.failures.truncate(1);
    evidence.stack.failures[0].late = true;
    assert_eq!(cause(&evidence), Some(CauseKind::ContainerExits));
}

#[test]
fn only_a_program_that_stays_up_listens_on_the_wrong_port() {
    let silent = unhealthy("Target.FailedHealthChecks", "Health checks failed");
    let mut ended = exits();
    let asked = evidence(&silent);
    ended.targets = asked.targets.clone();
    assert_eq!(cause(&ended), Some(CauseKind::ContainerExits));
    let listens = |lines: &[&str]| cause(&evidence(&with(silent.clone(), &log(lines))));
    assert_eq!(listens(&["listening on 0.0.0.0:3000"]), Some(CauseKind::PortMismatch));
    assert_eq!(listens(&["metrics listening on 0.0.0.0:9090"]), Some(CauseKind::HealthCheckFails));
    assert_eq!(
        listens(&["listening on 0.0.0.0:3000", "forwarding 8080 to it"]),
        Some(CauseKind::HealthCheckFails)
    );
    // The lines are of a task that is gone: they say nothing of the one that runs.
    let mut other = evidence(&with(silent.clone(), &log(&["listening on 0.0.0.0:3000"])));
    other.logs[0].task = "another".to_owned();
    assert_eq!(cause(&other), Some(CauseKind::HealthCheckFails));
}
