use std::sync::Mutex;

use leo_data::{DataError, Interfaces, Scope, running_tasks, stop_runs};

use crate::account::Account;
use crate::json::Task;

const CLUSTER: &str = "leo-dev";
const SLOW: [(&str, &str); 4] = [
    ("RUNNING", "ATTACHED"),
    ("DEPROVISIONING", "DETACHING"),
    ("STOPPED", "DETACHED"),
    ("STOPPED", "DELETED"),
];

fn holding(tasks: Vec<Task>) -> Account {
    let account = Account::default();
    account.state().cluster = true;
    account.state().tasks = tasks;
    account
}

fn a_cluster() -> Account {
    holding(vec![
        Task::new("orchestrator", "service:leo-dev-orchestrator", &SLOW),
        Task::new("run-1", "family:leo-dev-generator", &SLOW),
        Task::new("run-2", "family:leo-dev-generator", &[("STOPPED", "DELETED")]),
        Task::new("run-3", "family:leo-dev-generator", &SLOW[1..]),
    ])
}

async fn stopped(
    account: &Account,
    scope: Scope,
    interfaces: Interfaces,
) -> (Result<usize, DataError>, Vec<String>) {
    let steps = Mutex::new(Vec::new());
    let client = account.clients().ecs;
    let on_progress = |progress: leo_data::StopProgress| steps.lock().unwrap().push(progress.to_string());
    let result = stop_runs(&client, CLUSTER, scope, interfaces, &on_progress).await;
    (result, steps.into_inner().unwrap())
}

#[tokio::test(start_paused = true)]
async fn runs_are_stopped_and_their_network_interfaces_waited_for() {
    let account = a_cluster();
    assert_eq!(running_tasks(&account.clients().ecs, CLUSTER).await.unwrap().len(), 4);
    let (result, steps) = stopped(&account, Scope::Runs, Interfaces::WaitedFor).await;
    assert_eq!(result.unwrap(), 3);
    insta::assert_snapshot!(steps.join("\n"), @r"
    3 of 3 tasks running
    2 of 3 tasks running
    1 of 3 tasks running, 1 network interface not deleted yet
    0 of 3 tasks running, 1 network interface not deleted yet
    ");
    assert_eq!(account.times_asked("StopTask"), 3);
    let left = running_tasks(&account.clients().ecs, CLUSTER).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].service.as_deref(), Some("leo-dev-orchestrator"));

    let (result, _) = stopped(&account, Scope::Runs, Interfaces::WaitedFor).await;
    assert_eq!(result.unwrap(), 0, "nothing is left to stop");
    let (result, _) = stopped(&account, Scope::Everything, Interfaces::WaitedFor).await;
    assert_eq!(result.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_stops_already_is_waited_for_by_the_next_run() {
    let mut task = Task::new("run-1", "family:leo-dev-generator", &SLOW);
    task.told = true;
    let account = holding(vec![task]);
    let (result, steps) = stopped(&account, Scope::Runs, Interfaces::WaitedFor).await;
    assert_eq!((result.unwrap(), account.times_asked("StopTask")), (0, 0));
    assert_eq!(steps.last().unwrap(), "0 of 1 task running, 1 network interface not deleted yet");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_tells_of_interfaces_a_stopped_task_is_gone() {
    let account = holding(vec![Task::new("run-1", "family:x", &[("STOPPED", "ATTACHED")])]);
    let (result, _) = stopped(&account, Scope::Runs, Interfaces::Ignored).await;
    assert_eq!(result.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_is_bounded_and_says_who_still_runs() {
    let account = holding(vec![Task::new("run-1", "family:x", &[("STOPPING", "ATTACHED")])]);
    let error = stopped(&account, Scope::Runs, Interfaces::WaitedFor).await.0.unwrap_err();
    insta::assert_snapshot!(format!("failed to {error}\nhint: {}", error.hint().unwrap()), @r"
    failed to stop what runs in cluster leo-dev: after 360 s there still is
      leo-dev-generator:7 run-1 (STOPPING), started by ada
    hint: they were told to stop: run the same command again in a few minutes, or see `aws ecs describe-tasks --cluster leo-dev`
    ");
}

#[tokio::test]
async fn a_cluster_that_is_gone_runs_nothing() {
    let account = Account::default();
    assert!(running_tasks(&account.clients().ecs, CLUSTER).await.unwrap().is_empty());
    let (result, _) = stopped(&account, Scope::Everything, Interfaces::WaitedFor).await;
    assert_eq!(result.unwrap(), 0);
}
