use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::operation::describe_tasks::DescribeTasksError;
use aws_sdk_ecs::operation::list_tasks::ListTasksError;
use aws_sdk_ecs::operation::stop_task::StopTaskError;
use aws_sdk_ecs::types as sdk;
use leo_aws::ServiceError;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::DataError;
use crate::each::each;
use crate::inventory::count;

/// For how long tasks are waited for: a container has up to two minutes to end (`stopTimeout` on Fargate), and its network
/// interface goes after it.
pub const STOPS_WITHIN: Duration = Duration::from_mins(6);

/// How often is looked again.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Tasks that one call of DescribeTasks takes ("DescribeTasks", Amazon ECS API Reference).
const DESCRIBED_AT_ONCE: usize = 100;
/// Calls of StopTask under way at a time; it allows 40 a second for an account ("Request throttling", Amazon ECS API
/// Reference).
const STOPPED_AT_ONCE: usize = 10;
/// What a stopped task's `stoppedReason` says.
const REASON: &str = "its environment is being destroyed";

/// A task that has not stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Task {
    /// The last part of its ARN.
    pub id: String,
    /// Its task definition, as family and revision.
    pub definition: String,
    /// Its status, in ECS's word.
    pub status: String,
    /// The service that it belongs to; `None` for a run of its own.
    pub service: Option<String>,
    /// Who started it, in the words of whoever did.
    pub started_by: Option<String>,
    #[serde(skip)]
    arn: String,
    #[serde(skip)]
    interface: bool,
}

/// Which tasks are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those that no service would start again.
    Runs,
    /// All: for a cluster whose services are gone.
    Everything,
}

/// Whether the network interfaces of stopped tasks are waited for: until they are deleted, no security group or subnet
/// that they use can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interfaces {
    /// They are.
    WaitedFor,
    /// Nobody tells that they are gone: the local target.
    Ignored,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopProgress {
    /// Tasks that were to stop.
    pub tasks: u64,
    /// Those that have not stopped.
    pub running: u64,
    /// Those that have, but for their network interface.
    pub interfaces: u64,
}

/// The tasks of a cluster that have not stopped, oldest name first. A cluster that does not exist has none.
///
/// # Errors
/// [`DataError::Service`].
pub async fn running_tasks(client: &Client, cluster: &str) -> Result<Vec<Task>, DataError> {
    let arns = list(client, cluster, &sdk::DesiredStatus::Running).await?;
    let tasks = describe(client, cluster, &arns).await?;
    Ok(tasks.into_iter().filter(|task| !task.has_stopped()).collect())
}

/// Stops the tasks that a cluster has now, and waits until they and their network interfaces are gone; how many were told
/// to stop. Tasks that stop already are waited for as well. What is started meanwhile is not its concern: the caller calls
/// again once nothing can start any more.
///
/// # Errors
/// [`DataError::StillRunning`] after [`STOPS_WITHIN`]; [`DataError::Service`].
pub async fn stop_runs(
    client: &Client,
    cluster: &str,
    scope: Scope,
    interfaces: Interfaces,
    on_progress: &(dyn Fn(StopProgress) + Send + Sync),
) -> Result<usize, DataError> {
    let wanted = |task: &Task| scope == Scope::Everything || task.service.is_none();
    let gone = |task: &Task| task.has_stopped() && (interfaces == Interfaces::Ignored || !task.interface);

    let (mut arns, stopping) = tokio::try_join!(
        list(client, cluster, &sdk::DesiredStatus::Running),
        list(client, cluster, &sdk::DesiredStatus::Stopped),
    )?;
    let to_stop: BTreeSet<String> = arns.iter().cloned().collect();
    arns.extend(stopping);
    let mut left: Vec<Task> = describe(client, cluster, &arns)
        .await?
        .into_iter()
        .filter(|task| wanted(task) && !gone(task))
        .collect();
    let to_stop: Vec<Task> = left.iter().filter(|task| to_stop.contains(&task.arn)).cloned().collect();
    for some in to_stop.chunks(STOPPED_AT_ONCE) {
        each(some.iter().cloned(), |task| stop(client.clone(), cluster.to_owned(), task)).await?;
    }

    let tasks = left.len() as u64;
    let since = Instant::now();
    while !left.is_empty() {
        let running = left.iter().filter(|task| !task.has_stopped()).count() as u64;
        on_progress(StopProgress { tasks, running, interfaces: left.len() as u64 - running });
        if since.elapsed() >= STOPS_WITHIN {
            return Err(DataError::StillRunning {
                cluster: cluster.to_owned(),
                tasks: left,
                waited: since.elapsed(),
            });
        }
        sleep(LOOK_EVERY).await;
        let arns: Vec<String> = left.into_iter().map(|task| task.arn).collect();
        left = describe(client, cluster, &arns).await?;
        left.retain(|task| !gone(task));
    }
    Ok(to_stop.len())
}

async fn list(
    client: &Client,
    cluster: &str,
    desired: &sdk::DesiredStatus,
) -> Result<Vec<String>, DataError> {
    let mut arns = Vec::new();
    let mut pages =
        client.list_tasks().cluster(cluster).desired_status(desired.clone()).into_paginator().send();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => arns.extend_from_slice(page.task_arns()),
            Err(error) => match error.as_service_error() {
                Some(ListTasksError::ClusterNotFoundException(_)) => return Ok(Vec::new()),
                _ => return Err(failed(cluster, ServiceError::of("ListTasks", &error))),
            },
        }
    }
    Ok(arns)
}

/// Those of these tasks that ECS still knows; it forgets a stopped one after about an hour.
async fn describe(client: &Client, cluster: &str, arns: &[String]) -> Result<Vec<Task>, DataError> {
    let mut tasks = Vec::new();
    for some in arns.chunks(DESCRIBED_AT_ONCE) {
        let call = client.describe_tasks().cluster(cluster).set_tasks(Some(some.to_vec()));
        match call.send().await {
            Ok(answer) => tasks.extend(answer.tasks().iter().map(Task::of)),
            Err(error) => match error.as_service_error() {
                Some(DescribeTasksError::ClusterNotFoundException(_)) => return Ok(Vec::new()),
                _ => return Err(failed(cluster, ServiceError::of("DescribeTasks", &error))),
            },
        }
    }
    Ok(tasks)
}

async fn stop(client: Client, cluster: String, task: Task) -> Result<(), DataError> {
    match client.stop_task().cluster(&cluster).task(&task.arn).reason(REASON).send().await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            Some(StopTaskError::ClusterNotFoundException(_)) => Ok(()),
            // "The referenced task was not found": it is over.
            Some(StopTaskError::InvalidParameterException(refusal))
                if refusal.message().is_some_and(|message| message.contains("not found")) =>
            {
                Ok(())
            }
            _ => Err(failed(&cluster, ServiceError::of("StopTask", &error))),
        },
    }
}

fn failed(cluster: &str, source: ServiceError) -> DataError {
    DataError::Service { subject: format!("cluster {cluster}"), source }
}

impl Task {
    fn of(task: &sdk::Task) -> Self {
        let arn = task.task_arn().unwrap_or_default();
        let last = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
        Self {
            id: last(arn),
            definition: last(task.task_definition_arn().unwrap_or_default()),
            status: task.last_status().unwrap_or_default().to_owned(),
            service: task.group().and_then(|group| group.strip_prefix("service:")).map(str::to_owned),
            started_by: task.started_by().map(str::to_owned),
            arn: arn.to_owned(),
            interface: task.attachments().iter().any(is_interface_that_exists),
        }
    }

    fn has_stopped(&self) -> bool {
        // `DELETED` comes after `STOPPED` ("Task lifecycle", Amazon ECS Developer Guide).
        matches!(self.status.as_str(), "STOPPED" | "DELETED")
    }
}

/// The statuses of an attachment end with `DELETED` or `FAILED` ("Attachment", Amazon ECS API Reference).
fn is_interface_that_exists(attachment: &sdk::Attachment) -> bool {
    attachment.r#type() == Some("ElasticNetworkInterface")
        && !matches!(attachment.status(), Some("DELETED" | "FAILED"))
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.definition, self.id, self.status)?;
        if let Some(started_by) = &self.started_by {
            write!(f, ", started by {started_by}")?;
        }
        Ok(())
    }
}

impl fmt::Display for StopProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tasks, running, interfaces } = self;
        write!(f, "{running} of {} running", count(*tasks, "task"))?;
        if *interfaces > 0 {
            write!(f, ", {} not deleted yet", count(*interfaces, "network interface"))?;
        }
        Ok(())
    }
}
