//! Tasks: those that run, those that stopped, those that must not be stopped.

use aws_sdk_ecs::types::DesiredStatus;
use leo_aws::ServiceError;

use super::{Looker, MOST_PAGES, is_absent, read};
use crate::evidence::{ProtectedTask, TaskSeen};

/// How many tasks one DescribeTasks or GetTaskProtection call takes (Amazon ECS API Reference).
const TASKS_A_CALL: usize = 100;
/// Stopped tasks of which one look reads the details; the next look goes on.
const MOST_A_LOOK: usize = 300;
/// Stopped tasks after which no more are listed: the service starts them in a loop, and their reasons are known.
const MOST: usize = 5_000;

impl Looker {
    pub(super) async fn running(&self) -> Result<Option<Vec<TaskSeen>>, ServiceError> {
        if self.is_refused("ListTasks") || self.is_refused("DescribeTasks") {
            return Ok(None);
        }
        let arns = self.list(DesiredStatus::Running).await?;
        self.details(&arns).await.map(Some)
    }

    /// The stopped tasks that were not reported before.
    pub(super) async fn newly_stopped(&self) -> Result<Option<Vec<TaskSeen>>, ServiceError> {
        if self.is_refused("ListTasks") || self.is_refused("DescribeTasks") || self.stopped.len() >= MOST {
            return Ok(None);
        }
        let mut arns = self.list(DesiredStatus::Stopped).await?;
        arns.retain(|arn| !self.stopped.contains(read::short(arn)));
        arns.truncate(MOST_A_LOOK);
        let mut tasks = self.details(&arns).await?;
        // One that is still being stopped has not said yet what its containers exited with.
        tasks.retain(has_ended);
        tasks.sort_by(|a, b| a.stopped.cmp(&b.stopped));
        Ok(Some(tasks))
    }

    /// These were taken: the next look leaves them out.
    pub(crate) fn took(&mut self, stopped: &[TaskSeen]) {
        self.stopped.extend(stopped.iter().map(|task| task.id.clone()));
    }

    /// Whether stopped tasks are no longer listed, since there were too many.
    pub(crate) fn gave_up_listing(&self) -> bool {
        self.stopped.len() >= MOST
    }

    async fn list(&self, status: DesiredStatus) -> Result<Vec<String>, ServiceError> {
        let mut arns = Vec::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let request = self
                .clients
                .ecs
                .list_tasks()
                .cluster(&self.subject.cluster)
                .family(&self.subject.family)
                .desired_status(status.clone())
                .set_next_token(token.take());
            let page = match request.send().await.map_err(|error| ServiceError::of("ListTasks", &error)) {
                Err(error) if is_absent(&error) => return Ok(Vec::new()),
                page => page?,
            };
            arns.extend_from_slice(page.task_arns());
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        Ok(arns)
    }

    async fn details(&self, arns: &[String]) -> Result<Vec<TaskSeen>, ServiceError> {
        let mut tasks = Vec::new();
        for some in arns.chunks(TASKS_A_CALL) {
            let request = self
                .clients
                .ecs
                .describe_tasks()
                .cluster(&self.subject.cluster)
                .set_tasks(Some(some.to_vec()));
            let answer = request.send().await.map_err(|error| ServiceError::of("DescribeTasks", &error))?;
            // A task that someone ran by hand is not the service's.
            let of_service = |task: &&aws_sdk_ecs::types::Task| {
                task.group().is_none_or(|group| group.is_empty() || group.starts_with("service:"))
            };
            tasks.extend(answer.tasks().iter().filter(of_service).map(read::task));
        }
        Ok(tasks)
    }

    /// Those of the tasks that are protected.
    pub(crate) async fn protection_of(&self, old: &[TaskSeen]) -> Result<Vec<ProtectedTask>, ServiceError> {
        Ok(self.protected(old).await?.unwrap_or_default())
    }

    pub(super) async fn protected(
        &self,
        old: &[TaskSeen],
    ) -> Result<Option<Vec<ProtectedTask>>, ServiceError> {
        if self.is_refused("GetTaskProtection") {
            return Ok(None);
        }
        let mut found = Vec::new();
        for some in old.chunks(TASKS_A_CALL) {
            let request = self
                .clients
                .ecs
                .get_task_protection()
                .cluster(&self.subject.cluster)
                .set_tasks(Some(some.iter().map(|task| task.id.clone()).collect()));
            let answer =
                request.send().await.map_err(|error| ServiceError::of("GetTaskProtection", &error))?;
            let protected = answer.protected_tasks().iter().filter(|task| task.protection_enabled());
            found.extend(protected.map(|task| {
                let id = read::short(task.task_arn().unwrap_or_default()).to_owned();
                let definition =
                    some.iter().find(|known| known.id == id).map(|known| known.definition.clone());
                ProtectedTask {
                    definition: definition.unwrap_or_default(),
                    until: task.expiration_date().and_then(crate::time::text),
                    task: id,
                }
            }));
        }
        Ok(Some(found))
    }
}

fn has_ended(task: &TaskSeen) -> bool {
    let over = |container: &crate::evidence::ContainerSeen| container.status == "STOPPED";
    task.status == "STOPPED" || (task.stop_code.is_some() && task.containers.iter().all(over))
}
