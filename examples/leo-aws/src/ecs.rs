//! Starting a task and asking what became of it.

use hyper::Method;
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::client::{Call, Service};
use crate::{Client, Error};

/// One task to start on Fargate, with public or private networking in the given subnets.
#[derive(Clone, Debug)]
pub struct RunTask<'a> {
    /// The cluster's name or ARN.
    pub cluster: &'a str,
    /// The task definition: a family means its newest revision.
    pub task_definition: &'a str,
    /// `FARGATE` or `FARGATE_SPOT`. A launch type is never given: it would override the strategy.
    pub capacity_provider: &'a str,
    /// The subnets that ECS may choose from.
    pub subnets: &'a [String],
    /// The one security group.
    pub security_group: &'a str,
    /// `ENABLED` or `DISABLED`.
    pub assign_public_ip: &'a str,
    /// The container whose environment is added to.
    pub container: &'a str,
    /// What is added. All overrides together may have 8,192 characters.
    pub environment: &'a [(&'a str, &'a str)],
    /// The task's tags.
    pub tags: &'a [(&'a str, &'a str)],
    /// Makes the call idempotent for 24 hours; at most 64 ASCII characters.
    pub client_token: &'a str,
    /// What `ListTasks` finds the task by.
    pub started_by: &'a str,
}

/// What `RunTask` answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Started {
    /// The task's ARN.
    Task(String),
    /// Nothing was started, though the call succeeded: ECS reports a lack of capacity in this way.
    Refused(Vec<Failure>),
}

/// Why something was not started.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// ECS's reason, such as `Capacity is unavailable at this time.`
    pub reason: String,
    /// More about it, where ECS has more.
    pub detail: Option<String>,
}

impl Failure {
    /// Whether the same request may find room in a moment.
    pub fn is_lack_of_capacity(&self) -> bool {
        self.reason.contains("Capacity is unavailable") || self.reason.starts_with("RESOURCE:")
    }
}

/// A task as ECS sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Where it is in its life: `PROVISIONING`, `PENDING`, `RUNNING`, … `STOPPED`.
    pub last_status: String,
    /// Why ECS stopped it, in ECS's words.
    pub stopped_reason: Option<String>,
    /// The exit code of its first container that has one.
    pub exit_code: Option<i64>,
}

impl Client {
    /// Starts one task.
    pub async fn run_task(&self, task: &RunTask<'_>) -> Result<Started, Error> {
        let answer = self.ecs("RunTask", &run_task_body(task)).await?;
        let arn = answer.pointer("/tasks/0/taskArn").and_then(Value::as_str);
        if let Some(arn) = arn {
            return Ok(Started::Task(arn.to_owned()));
        }
        let failures: Vec<_> = list(&answer, "failures").iter().map(failure).collect();
        if failures.is_empty() {
            let reason = "neither a task nor a failure is in it".to_owned();
            return Err(Error::Answer { operation: "RunTask", reason });
        }
        Ok(Started::Refused(failures))
    }

    /// The task of that ARN; `None` when ECS does not know it: not yet, or, about an hour after its end, no longer.
    pub async fn describe_task(&self, cluster: &str, arn: &str) -> Result<Option<Task>, Error> {
        let answer = self.ecs("DescribeTasks", &json!({ "cluster": cluster, "tasks": [arn] })).await?;
        Ok(list(&answer, "tasks").first().map(task))
    }

    /// The ARN of a task that was started under that name and is not stopped, if there is one. ECS allows no other
    /// filter beside this one, so stopped tasks can't be asked for.
    pub async fn find_task(&self, cluster: &str, started_by: &str) -> Result<Option<String>, Error> {
        let answer = self.ecs("ListTasks", &json!({ "cluster": cluster, "startedBy": started_by })).await?;
        Ok(list(&answer, "taskArns").first().and_then(Value::as_str).map(str::to_owned))
    }

    async fn ecs(&self, operation: &'static str, body: &Value) -> Result<Value, Error> {
        let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let call = Call {
            operation,
            service: Service::Ecs,
            method: Method::POST,
            url: self.endpoint().ecs(),
            headers: &headers,
            body: Bytes::from(body.to_string()),
        };
        let answer = self.send(call).await?;
        serde_json::from_slice(&answer)
            .map_err(|error| Error::Answer { operation, reason: format!("not JSON: {error}") })
    }
}

fn run_task_body(task: &RunTask<'_>) -> Value {
    let environment: Vec<_> =
        task.environment.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let tags: Vec<_> = task.tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    json!({
        "cluster": task.cluster,
        "taskDefinition": task.task_definition,
        "count": 1,
        "capacityProviderStrategy": [{ "capacityProvider": task.capacity_provider, "weight": 1 }],
        "networkConfiguration": { "awsvpcConfiguration": {
            "subnets": task.subnets,
            "securityGroups": [task.security_group],
            "assignPublicIp": task.assign_public_ip,
        }},
        "overrides": { "containerOverrides": [{ "name": task.container, "environment": environment }] },
        "tags": tags,
        "clientToken": task.client_token,
        "startedBy": task.started_by,
    })
}

fn list<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn failure(value: &Value) -> Failure {
    let reason = text(value, "reason").unwrap_or_else(|| "without a reason".to_owned());
    Failure { reason, detail: text(value, "detail") }
}

fn task(value: &Value) -> Task {
    let containers = list(value, "containers");
    Task {
        last_status: text(value, "lastStatus").unwrap_or_default(),
        stopped_reason: text(value, "stoppedReason"),
        exit_code: containers.iter().find_map(|container| container.get("exitCode")?.as_i64()),
    }
}

#[cfg(test)]
mod tests {
    use super::{RunTask, run_task_body};

    #[test]
    fn a_run_has_a_strategy_and_never_a_launch_type() {
        let body = run_task_body(&RunTask {
            cluster: "leo-dev",
            task_definition: "leo-dev-generator",
            capacity_provider: "FARGATE_SPOT",
            subnets: &["subnet-a".to_owned(), "subnet-b".to_owned()],
            security_group: "sg-1",
            assign_public_ip: "ENABLED",
            container: "generator",
            environment: &[("LEO_RUN", "0")],
            tags: &[("leo:component", "generator")],
            client_token: "0-0",
            started_by: "0",
        });
        insta::assert_snapshot!(format!("{body:#}"), @r#"
        {
          "capacityProviderStrategy": [
            {
              "capacityProvider": "FARGATE_SPOT",
              "weight": 1
            }
          ],
          "clientToken": "0-0",
          "cluster": "leo-dev",
          "count": 1,
          "networkConfiguration": {
            "awsvpcConfiguration": {
              "assignPublicIp": "ENABLED",
              "securityGroups": [
                "sg-1"
              ],
              "subnets": [
                "subnet-a",
                "subnet-b"
              ]
            }
          },
          "overrides": {
            "containerOverrides": [
              {
                "environment": [
                  {
                    "name": "LEO_RUN",
                    "value": "0"
                  }
                ],
                "name": "generator"
              }
            ]
          },
          "startedBy": "0",
          "tags": [
            {
              "key": "leo:component",
              "value": "generator"
            }
          ],
          "taskDefinition": "leo-dev-generator"
        }
        "#);
    }
}
