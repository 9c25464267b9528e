//! RunTask, DescribeTasks and ListTasks.

use serde_json::{Value, json};
use std::sync::Mutex;

use crate::server::{Answer, answer as reply};
use crate::{State, Task, lock};

pub(crate) fn operation(target: &str, body: &[u8]) -> (String, Value) {
    let operation = target.rsplit('.').next().unwrap_or(target);
    (operation.to_owned(), serde_json::from_slice(body).unwrap_or_default())
}

pub(crate) fn answer(state: &Mutex<State>, operation: &str, input: &Value) -> Answer {
    let mut state = lock(state);
    let document = match operation {
        "RunTask" => run_task(&mut state, input),
        "DescribeTasks" => describe_tasks(&state, input),
        "ListTasks" => list_tasks(&state, input),
        _ => return reply(400, json!({ "__type": "UnknownOperationException" }).to_string()),
    };
    reply(200, document.to_string())
}

fn run_task(state: &mut State, input: &Value) -> Value {
    let arn = format!("arn:aws:ecs:eu-central-1:123456789012:task/leo-test/{:032}", state.tasks.len() + 1);
    let task = Task {
        started_by: string(input, "startedBy"),
        last_status: "PROVISIONING".to_owned(),
        exit_code: None,
        stopped_reason: None,
    };
    state.tasks.insert(arn.clone(), task);
    json!({ "tasks": [{ "taskArn": arn, "lastStatus": "PROVISIONING" }], "failures": [] })
}

fn describe_tasks(state: &State, input: &Value) -> Value {
    let mut tasks = Vec::new();
    let mut failures = Vec::new();
    for arn in input.get("tasks").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        match state.tasks.get(arn) {
            Some(task) => tasks.push(json!({
                "taskArn": arn,
                "lastStatus": task.last_status,
                "stoppedReason": task.stopped_reason,
                "containers": [{ "name": "generator", "exitCode": task.exit_code }],
            })),
            None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
        }
    }
    json!({ "tasks": tasks, "failures": failures })
}

/// As in ECS, a stopped task is not listed unless it is asked for, and the name of the starter is the only filter.
fn list_tasks(state: &State, input: &Value) -> Value {
    let started_by = string(input, "startedBy");
    let running = state.tasks.iter().filter(|(_, task)| task.last_status != "STOPPED");
    let arns: Vec<_> =
        running.filter(|(_, task)| task.started_by == started_by).map(|(arn, _)| arn).collect();
    json!({ "taskArns": arns })
}

fn string(input: &Value, name: &str) -> String {
    input.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
