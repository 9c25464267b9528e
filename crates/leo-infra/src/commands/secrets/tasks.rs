//! The tasks that run, and which secrets each was given when it started.

use aws_sdk_ecs::{
    Client,
    operation::list_tasks::ListTasksError,
    types::{ContainerDefinition, TaskDefinition},
};
use leo_aws::ServiceError;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

/// How many tasks one call describes at most (Amazon ECS, "DescribeTasks").
const DESCRIBED: usize = 100;
/// What Secrets Manager puts behind a name in an ARN: a hyphen and six characters.
const SUFFIX: usize = 7;

/// A task that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// The last part of its ARN.
    pub(super) id: String,
    /// The family of its task definition.
    pub(super) family: String,
    pub(super) created: SystemTime,
    /// The resources behind `secret:` in the ARNs that its containers name: the secret's name and a suffix.
    secrets: BTreeSet<String>,
}

impl Task {
    /// Whether it was given something of this secret.
    pub(super) fn uses(&self, secret: &str) -> bool {
        self.secrets.iter().any(|found| {
            let rest = found.strip_prefix(secret);
            rest.is_some_and(|rest| rest.is_empty() || rest.len() == SUFFIX && rest.starts_with('-'))
        })
    }
}

/// Those of a cluster; none where there is no cluster.
pub(super) async fn running(ecs: &Client, cluster: &str) -> Result<Vec<Task>, ServiceError> {
    let mut arns = Vec::new();
    let mut pages = ecs.list_tasks().cluster(cluster).into_paginator().send();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => arns.extend(page.task_arns.unwrap_or_default()),
            Err(error) => match error.as_service_error() {
                Some(ListTasksError::ClusterNotFoundException(_)) => return Ok(vec![]),
                _ => return Err(ServiceError::of("ListTasks", &error)),
            },
        }
    }
    let mut tasks = Vec::new();
    let mut definitions: BTreeMap<String, Option<TaskDefinition>> = BTreeMap::new();
    for some in arns.chunks(DESCRIBED) {
        let call = ecs.describe_tasks().cluster(cluster).set_tasks(Some(some.to_vec())).send();
        let answer = call.await.map_err(|error| ServiceError::of("DescribeTasks", &error))?;
        for task in answer.tasks() {
            let Some(definition) = task.task_definition_arn() else { continue };
            if !definitions.contains_key(definition) {
                definitions.insert(definition.to_owned(), described(ecs, definition).await?);
            }
            let known = definitions.get(definition).and_then(Option::as_ref);
            let (Some(definition), Some(created)) = (known, task.created_at()) else { continue };
            tasks.push(Task {
                id: last(task.task_arn().unwrap_or_default()),
                family: definition.family().unwrap_or_default().to_owned(),
                created: SystemTime::UNIX_EPOCH
                    + Duration::from_secs(created.secs().try_into().unwrap_or_default()),
                secrets: secrets(definition),
            });
        }
    }
    tasks.sort_by(|a, b| (&a.family, a.created, &a.id).cmp(&(&b.family, b.created, &b.id)));
    Ok(tasks)
}

async fn described(ecs: &Client, arn: &str) -> Result<Option<TaskDefinition>, ServiceError> {
    let answer = ecs.describe_task_definition().task_definition(arn).send().await;
    Ok(answer.map_err(|error| ServiceError::of("DescribeTaskDefinition", &error))?.task_definition)
}

fn secrets(definition: &TaskDefinition) -> BTreeSet<String> {
    let containers = definition.container_definitions().iter();
    let named = containers.flat_map(ContainerDefinition::secrets);
    named.filter_map(|secret| resource(secret.value_from())).map(str::to_owned).collect()
}

/// `leo/dev/github-AbCdEf` of `arn:aws:secretsmanager:…:secret:leo/dev/github-AbCdEf:GITHUB_TOKEN::`.
fn resource(value_from: &str) -> Option<&str> {
    value_from.split_once(":secret:")?.1.split(':').next()
}

fn last(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::types::Secret;

    #[test]
    fn a_task_uses_the_secrets_that_its_containers_name() {
        let arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:leo/dev/github-AbCdEf:GITHUB_TOKEN::";
        let secret = Secret::builder().name("GITHUB_TOKEN").value_from(arn).build().expect("is complete");
        let definition = TaskDefinition::builder()
            .container_definitions(ContainerDefinition::builder().secrets(secret).build())
            .build();
        let task = Task {
            id: "1".to_owned(),
            family: "leo-dev-orchestrator".to_owned(),
            created: SystemTime::UNIX_EPOCH,
            secrets: secrets(&definition),
        };
        assert!(task.uses("leo/dev/github"));
        for other in ["leo/dev/git", "leo/dev/github-AbCd", "leo/dev/githubs", "leo/dev/flyio"] {
            assert!(!task.uses(other), "{other}");
        }
        assert_eq!(resource("arn:aws:ssm:us-east-1:1:parameter/x"), None);
    }
}
