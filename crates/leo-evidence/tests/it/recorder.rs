//! What the recorder sees, keeps and signals.

use std::time::Duration;

use leo_env::Secret;
use leo_evidence::{CauseKind, Evidence, Recorder, Redact, diagnose};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::answers::{
    NEW, OLD, deployment, exited, log, ok, refused, running, service, service_list, stack_event, subject,
    targets, task_arn, task_id,
};
use crate::wire::{Answer, Aws, Call};

/// 2026-11-01T12:00:00Z.
const NOON: f64 = 1_793_534_400.0;

fn wants_stopped(call: &Call) -> bool {
    call.body.contains("\"desiredStatus\":\"STOPPED\"")
}

/// The tasks of `all` that a DescribeTasks call names.
fn described(call: &Call, all: &[Value]) -> Answer {
    let named: Vec<&Value> =
        all.iter().filter(|task| call.body.contains(task["taskArn"].as_str().unwrap())).collect();
    ok(&json!({ "tasks": named, "failures": [] }))
}

fn arns(tasks: &[Value]) -> Answer {
    ok(&json!({ "taskArns": tasks.iter().map(|task| task["taskArn"].clone()).collect::<Vec<_>>() }))
}

/// An update of which the new tasks exit: the first looks find the old deployment alone, the later ones two failures.
fn failing_update(call: &Call, before: usize) -> Answer {
    let stopped = [
        exited(1, 8, NEW, 1, NOON + 5.0),
        exited(2, 8, NEW, 1, NOON + 40.0),
        exited(9, 6, "ecs-svc/0", 1, NOON - 900.0),
    ];
    let runs = [running(7, 7, OLD, "10.0.0.7")];
    match call.operation.as_str() {
        "ListServices" => service_list(),
        "DescribeServices" if before == 0 => {
            service(7, &[deployment(OLD, "PRIMARY", 7, "COMPLETED", NOON - 9000.0)], &[])
        }
        "DescribeServices" => service(
            8,
            &[
                deployment(NEW, "PRIMARY", 8, "IN_PROGRESS", NOON + 2.0),
                deployment(OLD, "ACTIVE", 7, "COMPLETED", NOON - 9000.0),
            ],
            &[json!({ "id": "e1", "createdAt": NOON + 6.0,
                "message": "(service leo) has started 1 tasks: (task 00000001aaaabbbbccccdddd00000000)." })],
        ),
        "ListTasks" if wants_stopped(call) && before < 2 => arns(&stopped[2..]),
        "ListTasks" if wants_stopped(call) && call.body.contains("nextToken") => arns(&stopped[1..]),
        "ListTasks" if wants_stopped(call) => ok(&json!({ "taskArns": [task_arn(1)], "nextToken": "more" })),
        "ListTasks" => arns(&runs),
        "DescribeTasks" => {
            let all: Vec<Value> = stopped.iter().chain(&runs).cloned().collect();
            described(call, &all)
        }
        "DescribeTargetHealth" => targets(&[("10.0.0.7", "healthy", "", "")]),
        "GetTaskProtection" => ok(&json!({ "failures": [], "protectedTasks": [
            { "taskArn": task_arn(7), "protectionEnabled": true, "expirationDate": NOON + 7200.0 } ] })),
        "GetLogEvents" => {
            log(&["thread 'main' panicked at src/main.rs:12:", "cannot sign in with sk-canary-0123456789"])
        }
        other => panic!("{other} is not expected"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_second_failure_alike_gives_the_signal_and_everything_is_on_disk_by_then() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("evidence").join("20261101T120000Z-dev-deploy-0001");
    let aws = Aws::new(failing_update);
    let redact = Redact::new(&[Secret::new("sk-canary-0123456789")]);
    let recorder = Recorder::start(aws.clients(), subject(), folder.clone(), redact);
    let mut signal = recorder.abort_signal();
    let reason =
        timeout(Duration::from_mins(1), signal.wait_for(Option::is_some)).await.unwrap().unwrap().clone();
    assert_eq!(
        reason.as_deref(),
        Some(
            "2 tasks of leo-dev-orchestrator:8 stopped for the same reason: Essential container in task exited \
             (orchestrator: exit code 1)"
        )
    );
    // As after a `kill -9`: nothing was finished, and the file says it all.
    drop(recorder);
    let saved = Evidence::load(&folder).unwrap().unwrap();
    assert_eq!(saved.ended, None);
    let new: Vec<_> = saved.stops.kept.iter().filter(|stop| stop.item.new).collect();
    assert_eq!((new.len(), new[0].count, new[0].item.tasks.len()), (1, 2, 2));
    assert_eq!(new[0].item.tasks[0].containers[0].exit_code, Some(1));
    assert_eq!(new[0].item.tasks[0].containers[0].digest.as_deref(), Some("sha256:aa"));
    assert_eq!(saved.logs[0].stream, format!("ecs/orchestrator/{}", task_id(1)));
    assert_eq!(saved.logs[0].lines[1], "cannot sign in with ‹redacted›");
    let diagnosis = diagnose(&saved).unwrap();
    assert_eq!(diagnosis.cause, CauseKind::ContainerExits);
    assert!(!std::fs::read_to_string(folder.join("evidence.json")).unwrap().contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn protection_targets_events_and_deployments_are_kept() {
    let root = tempfile::tempdir().unwrap();
    let aws = Aws::new(failing_update);
    let recorder = Recorder::start(aws.clients(), subject(), root.path().join("one"), Redact::default());
    sleep(Duration::from_mins(1)).await;
    assert_eq!(recorder.protected_until().as_deref(), Some("2026-11-01T14:00:00Z"));
    recorder.on_mismatch("the deployment failed");
    let evidence = recorder.finish("rolled back").await;
    assert_eq!(Evidence::load(&root.path().join("one")).unwrap().unwrap(), evidence);
    assert_eq!(evidence.ended.as_deref(), Some("rolled back"));
    assert_eq!(evidence.protected[0].task, task_id(7));
    assert_eq!(evidence.protected[0].definition, "leo-dev-orchestrator:7");
    assert_eq!(evidence.protected[0].until.as_deref(), Some("2026-11-01T14:00:00Z"));
    assert_eq!(evidence.targets.kept[0].item.addresses, ["10.0.0.7:8080"]);
    assert_eq!(evidence.events.kept.len(), 1);
    let deployments: Vec<_> =
        evidence.deployments.iter().map(|it| (it.definition.as_str(), it.rollout.as_str(), it.new)).collect();
    assert_eq!(
        deployments,
        [("leo-dev-orchestrator:7", "COMPLETED", false), ("leo-dev-orchestrator:8", "IN_PROGRESS", true)]
    );
    assert_eq!(evidence.mismatches, ["the deployment failed"]);
    assert_eq!(evidence.unanswered, Vec::<String>::new());
    // A minute in which little happens: looks become rare, and what was told is not asked again.
    let calls = aws.calls();
    assert!(calls["DescribeServices"] <= 25, "{calls:?}");
    assert_eq!(calls["ListServices"], 1);
    assert!(calls["GetLogEvents"] <= 8, "{calls:?}");
    assert!(aws.bodies("ListTasks").iter().any(|body| body.contains("\"nextToken\":\"more\"")));
}

/// An old task that ended its work by itself holds nothing up.
#[tokio::test(start_paused = true)]
async fn a_protected_task_that_is_gone_is_forgotten() {
    let root = tempfile::tempdir().unwrap();
    let aws = Aws::new(|call, before| match call.operation.as_str() {
        "ListTasks" if !wants_stopped(call) && before > 12 => arns(&[]),
        _ => failing_update(call, before),
    });
    let recorder = Recorder::start(aws.clients(), subject(), root.path().join("one"), Redact::default());
    let mut seen = Vec::new();
    for _ in 0..60 {
        sleep(Duration::from_secs(1)).await;
        seen.push(recorder.protected_until().is_some());
    }
    assert!(seen.contains(&true), "it was protected");
    assert_eq!(recorder.protected_until(), None);
}

/// Tasks that the operation did not start, or that were only replaced, are no reason to give up.
#[tokio::test(start_paused = true)]
async fn old_scaled_and_interrupted_tasks_give_no_signal() {
    let stop = |number, by: &str, code: &str, reason: &str| {
        let mut task = exited(number, 8, by, 137, NOON + 5.0);
        task["stopCode"] = json!(code);
        task["stoppedReason"] = json!(reason);
        task
    };
    let tasks = vec![
        exited(1, 7, OLD, 1, NOON),
        exited(2, 7, OLD, 1, NOON),
        stop(
            3,
            NEW,
            "ServiceSchedulerInitiated",
            "Scaling activity initiated by (deployment ecs-svc/2222222222222222222)",
        ),
        stop(
            4,
            NEW,
            "ServiceSchedulerInitiated",
            "Scaling activity initiated by (deployment ecs-svc/2222222222222222222)",
        ),
        stop(5, NEW, "UserInitiated", "Task stopped by user"),
        stop(6, NEW, "UserInitiated", "Task stopped by user"),
        stop(7, NEW, "SpotInterruption", "Your Spot Task was interrupted."),
        stop(8, NEW, "SpotInterruption", "Your Spot Task was interrupted."),
        exited(9, 8, NEW, 1, NOON + 5.0),
    ];
    let root = tempfile::tempdir().unwrap();
    let aws = Aws::new(move |call, before| match call.operation.as_str() {
        "ListTasks" if wants_stopped(call) && before > 1 => arns(&tasks),
        "ListTasks" => arns(&[]),
        "DescribeTasks" => described(call, &tasks),
        _ => failing_update(call, before),
    });
    let recorder = Recorder::start(aws.clients(), subject(), root.path().join("one"), Redact::default());
    let signal = recorder.abort_signal();
    sleep(Duration::from_mins(1)).await;
    assert_eq!(*signal.borrow(), None);
    let evidence = recorder.finish("deployed").await;
    assert_eq!(evidence.stops.kept.iter().map(|stop| stop.count).sum::<u64>(), 9);
}

/// What an earlier deploy left behind must not end this one; the stack says when the service began to change.
#[tokio::test(start_paused = true)]
async fn a_deployment_that_failed_before_is_not_blamed_and_an_attached_one_is() {
    let root = tempfile::tempdir().unwrap();
    let tasks = vec![exited(1, 8, NEW, 1, NOON + 5.0), exited(2, 8, NEW, 1, NOON + 40.0)];
    let aws = Aws::new(move |call, before| match call.operation.as_str() {
        "DescribeServices" => service(8, &[deployment(NEW, "PRIMARY", 8, "IN_PROGRESS", NOON + 2.0)], &[]),
        "ListTasks" if wants_stopped(call) => arns(&tasks),
        "ListTasks" => arns(&[]),
        "DescribeTasks" => described(call, &tasks),
        _ => failing_update(call, before),
    });
    let recorder = Recorder::start(aws.clients(), subject(), root.path().join("one"), Redact::default());
    let mut signal = recorder.abort_signal();
    sleep(Duration::from_secs(30)).await;
    assert_eq!(*signal.borrow(), None, "both were there before");
    let service = "AWS::ECS::Service";
    recorder.on_stack_event(&stack_event(
        "Service",
        service,
        "UPDATE_IN_PROGRESS",
        None,
        "2026-11-01T12:00:00Z",
    ));
    timeout(Duration::from_secs(30), signal.wait_for(Option::is_some)).await.unwrap().unwrap();
}

/// Thousands of stopped tasks of a loop: counted, not collected.
#[tokio::test(start_paused = true)]
async fn a_loop_of_failing_tasks_stays_small() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("one");
    let aws = Aws::new(move |call, before| match call.operation.as_str() {
        "ListTasks" if wants_stopped(call) => {
            let page: usize = call
                .body
                .split("\"nextToken\":\"")
                .nth(1)
                .map_or(0, |rest| rest.split('"').next().unwrap().parse().unwrap());
            let from = u32::try_from(page * 100).unwrap();
            let tasks: Vec<String> = (from..from + 100).map(task_arn).collect();
            ok(&json!({ "taskArns": tasks, "nextToken": (page + 1).to_string() }))
        }
        "ListTasks" => arns(&[]),
        "DescribeTasks" => {
            let body: Value = serde_json::from_str(&call.body).unwrap();
            let named = body["tasks"].as_array().unwrap();
            assert!(named.len() <= 100, "DescribeTasks takes 100 tasks");
            let tasks: Vec<Value> = named
                .iter()
                .map(|arn| {
                    let mut task = exited(0, 8, NEW, 1, NOON + 5.0);
                    task["taskArn"] = arn.clone();
                    task
                })
                .collect();
            ok(&json!({ "tasks": tasks, "failures": [] }))
        }
        _ => failing_update(call, before),
    });
    let recorder = Recorder::start(aws.clients(), subject(), folder.clone(), Redact::default());
    sleep(Duration::from_mins(1)).await;
    let evidence = recorder.finish("failed").await;
    assert_eq!(evidence.stops.kept.len(), 1);
    assert!(evidence.stops.kept[0].count >= 1000, "{}", evidence.stops.kept[0].count);
    assert!(std::fs::metadata(folder.join("evidence.json")).unwrap().len() < 20_000);
}

#[tokio::test(start_paused = true)]
async fn calls_that_fail_neither_end_it_nor_storm() {
    let root = tempfile::tempdir().unwrap();
    let aws = Aws::new(|call, before| match call.operation.as_str() {
        "ListServices" if before == 0 => Answer::Reset,
        "DescribeServices" if (1..4).contains(&before) => refused("ThrottlingException", "Rate exceeded"),
        "GetTaskProtection" => refused(
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecs:GetTaskProtection",
        ),
        "GetLogEvents" => refused("ResourceNotFoundException", "The specified log stream does not exist."),
        "DescribeTargetHealth" => Answer::Body(503, "<html>later</html>".to_owned()),
        _ => failing_update(call, before),
    });
    let recorder = Recorder::start(aws.clients(), subject(), root.path().join("one"), Redact::default());
    let service = "AWS::ECS::Service";
    recorder.on_stack_event(&stack_event(
        "Service",
        service,
        "UPDATE_IN_PROGRESS",
        None,
        "2026-11-01T12:00:00Z",
    ));
    sleep(Duration::from_mins(10)).await;
    let evidence = recorder.finish("failed").await;
    assert_eq!(
        evidence.stops.kept.iter().filter(|stop| stop.item.new).map(|stop| stop.count).sum::<u64>(),
        2
    );
    let calls = aws.calls();
    assert_eq!(calls["GetTaskProtection"], 1, "what is denied is not asked again");
    assert!(calls["DescribeTargetHealth"] <= 16, "{calls:?}");
    let said = evidence.unanswered.join("\n");
    for expected in
        ["GetTaskProtection: AccessDeniedException", "ThrottlingException", "DescribeTargetHealth"]
    {
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_are_not_hammered() {
    let root = tempfile::tempdir().unwrap();
    let aws = Aws::new(|_, _| {
        refused("ExpiredTokenException", "The security token included in the request is expired")
    });
    let recorder = Recorder::start(aws.clients(), subject(), root.path().join("one"), Redact::default());
    sleep(Duration::from_mins(10)).await;
    let evidence = recorder.finish("left").await;
    assert!(aws.calls().values().sum::<usize>() <= 60, "{:?}", aws.calls());
    assert!(evidence.unanswered[0].contains("ExpiredTokenException"));
    assert_eq!(diagnose(&evidence), None);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_cannot_be_written_is_said_and_stops_nothing() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("file"), "").unwrap();
    let aws = Aws::new(failing_update);
    let folder = root.path().join("file").join("one");
    let recorder = Recorder::start(aws.clients(), subject(), folder, Redact::default());
    let evidence = recorder.finish("deployed").await;
    assert!(evidence.unanswered.iter().any(|text| text.starts_with("failed to make the folder of")));
}
