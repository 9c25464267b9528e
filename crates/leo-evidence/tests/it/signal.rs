//! When the recorder says that a deploy may be given up.

use std::time::Duration;

use leo_evidence::{Recorder, Redact};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::answers::{NEW, OLD, deployment, exited, log, ok, service, service_list, subject, targets};
use crate::wire::Aws;

/// 2026-11-01T12:00:00Z.
const NOON: f64 = 1_793_534_400.0;

/// What is signalled within a minute of a deployment of `desired` tasks, of which these stop.
async fn signal(desired: i32, stopped: Vec<Value>) -> Option<String> {
    let root = tempfile::tempdir().unwrap();
    let aws = Aws::new(move |call, before| match call.operation.as_str() {
        "ListServices" => service_list(),
        "DescribeServices" => {
            let mut new = deployment(NEW, "PRIMARY", 8, "IN_PROGRESS", NOON);
            new["desiredCount"] = json!(desired);
            let old = deployment(OLD, "ACTIVE", 7, "COMPLETED", NOON - 9000.0);
            service(8, &if before == 0 { vec![old] } else { vec![new, old] }, &[])
        }
        "ListTasks" if call.body.contains("STOPPED") && before > 1 => {
            ok(&json!({ "taskArns": stopped.iter().map(|task| task["taskArn"].clone()).collect::<Vec<_>>() }))
        }
        "ListTasks" => ok(&json!({ "taskArns": [] })),
        "DescribeTasks" => ok(&json!({ "tasks": stopped, "failures": [] })),
        "DescribeTargetHealth" => targets(&[]),
        "GetLogEvents" => log(&[]),
        other => panic!("{other} is not expected"),
    });
    let recorder = Recorder::start(aws.clients(), subject(), root.path().join("one"), Redact::default());
    let signal = recorder.abort_signal();
    sleep(Duration::from_mins(1)).await;
    let reason = signal.borrow().clone();
    let evidence = recorder.finish("left").await;
    assert!(evidence.stops.items().all(|stop| stop.new), "all of them are the operation's own");
    reason
}

fn failing(count: u32, reason: Option<&str>) -> Vec<Value> {
    let one = |number| {
        let mut task = exited(number, 8, NEW, 1, NOON + f64::from(number));
        if let Some(reason) = reason {
            task["stopCode"] = json!("TaskFailedToStart");
            task["stoppedReason"] = json!(reason);
            task["containers"][0].as_object_mut().unwrap().remove("exitCode");
        }
        task
    };
    (1..=count).map(one).collect()
}

/// The first tasks of a deployment start together, so that they meet the same trouble says little.
#[tokio::test(start_paused = true)]
async fn a_task_of_a_later_try_has_to_fail_as_well() {
    assert_eq!(signal(2, failing(2, None)).await, None);
    let reason = signal(2, failing(3, None)).await.unwrap();
    assert!(reason.starts_with("3 tasks of leo-dev-orchestrator:8 stopped"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn throttling_is_left_to_ecs_which_tries_again() {
    for reason in [
        "CannotPullContainerError: failed to pull image: toomanyrequests: Rate exceeded",
        "Timeout waiting for network interface provisioning to complete.",
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
    ] {
        assert_eq!(signal(1, failing(9, Some(reason))).await, None, "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_has_to_last() {
    let reason =
        "ResourceInitializationError: unable to pull registry auth: dial tcp 10.0.0.1:443: i/o timeout";
    assert_eq!(signal(1, failing(2, Some(reason))).await, None);
    assert!(signal(1, failing(3, Some(reason))).await.is_some());
}
