//! What runs in the clusters.

use std::collections::BTreeMap;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::operation::describe_services::DescribeServicesError;
use aws_sdk_ecs::operation::describe_tasks::DescribeTasksError;
use aws_sdk_ecs::operation::list_services::ListServicesError;
use aws_sdk_ecs::operation::list_tasks::ListTasksError;
use aws_sdk_ecs::types as sdk;
use leo_aws::ServiceError;

use super::{ImageUse, ImageUser, failed, name_of};
use crate::DataError;
use crate::each::each;

/// Services that one call of DescribeServices takes ("DescribeServices", Amazon ECS API Reference).
const SERVICES_AT_ONCE: usize = 10;
/// Tasks that one call of DescribeTasks takes ("DescribeTasks", Amazon ECS API Reference).
const TASKS_AT_ONCE: usize = 100;
/// Clusters that are looked into at the same time.
const CLUSTERS_AT_ONCE: usize = 8;
/// The reason of a failure that says that what was listed is gone since.
const MISSING: &str = "MISSING";

/// What the clusters have.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What tasks run, by their own word.
    pub(super) tasks: Vec<ImageUse>,
    /// The ARNs of the task definitions of services.
    pub(super) services: BTreeMap<String, Vec<ImageUser>>,
    /// The ARNs of the task definitions of tasks that do not name their images yet.
    pub(super) unnamed: BTreeMap<String, Vec<ImageUser>>,
}

/// The names of all clusters.
pub(super) async fn names(client: &Client) -> Result<Vec<String>, DataError> {
    let mut names = vec![];
    let mut pages = client.list_clusters().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed("every cluster", ServiceError::of("ListClusters", &error)))?;
        names.extend(page.cluster_arns().iter().map(|arn| name_of(arn)));
    }
    names.sort();
    Ok(names)
}

/// What runs in these clusters. One that was deleted since it was listed runs nothing.
pub(super) async fn look_into(client: &Client, clusters: &[String]) -> Result<Seen, DataError> {
    let mut seen = Seen::default();
    for some in clusters.chunks(CLUSTERS_AT_ONCE) {
        let each = each(some.iter().cloned(), |cluster| {
            let client = client.clone();
            async move {
                let mut seen = Seen::default();
                services(&client, &cluster, &mut seen).await?;
                tasks(&client, &cluster, &mut seen).await?;
                Ok(seen)
            }
        });
        for one in each.await? {
            seen.tasks.extend(one.tasks);
            for (definition, users) in one.services {
                seen.services.entry(definition).or_default().extend(users);
            }
            for (definition, users) in one.unnamed {
                seen.unnamed.entry(definition).or_default().extend(users);
            }
        }
    }
    Ok(seen)
}

async fn services(client: &Client, cluster: &str, seen: &mut Seen) -> Result<(), DataError> {
    let subject = || format!("cluster {cluster}");
    let mut arns = vec![];
    let mut pages = client.list_services().cluster(cluster).into_paginator().page_size(100).send();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => arns.extend_from_slice(page.service_arns()),
            Err(error) => match error.as_service_error() {
                Some(ListServicesError::ClusterNotFoundException(_)) => return Ok(()),
                _ => return Err(failed(subject(), ServiceError::of("ListServices", &error))),
            },
        }
    }
    for some in arns.chunks(SERVICES_AT_ONCE) {
        let call = client.describe_services().cluster(cluster).set_services(Some(some.to_vec()));
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => match error.as_service_error() {
                Some(DescribeServicesError::ClusterNotFoundException(_)) => return Ok(()),
                _ => return Err(failed(subject(), ServiceError::of("DescribeServices", &error))),
            },
        };
        let left_out = some.iter().filter(|arn| {
            !answer.services().iter().any(|service| service.service_arn() == Some(arn.as_str()))
        });
        refuse_gaps("DescribeServices", cluster, left_out, answer.failures())?;
        for service in answer.services() {
            let definitions = service
                .task_definition()
                .into_iter()
                .chain(service.deployments().iter().filter_map(sdk::Deployment::task_definition))
                .chain(service.task_sets().iter().filter_map(sdk::TaskSet::task_definition));
            for definition in definitions {
                let user = ImageUser::Service {
                    cluster: cluster.to_owned(),
                    service: service.service_name().unwrap_or_default().to_owned(),
                    definition: name_of(definition),
                };
                seen.services.entry(definition.to_owned()).or_default().push(user);
            }
        }
    }
    Ok(())
}

/// Those that are to run, pending ones too: what only stops pulls nothing any more.
async fn tasks(client: &Client, cluster: &str, seen: &mut Seen) -> Result<(), DataError> {
    let subject = || format!("cluster {cluster}");
    let mut arns = vec![];
    let call = client.list_tasks().cluster(cluster).desired_status(sdk::DesiredStatus::Running);
    let mut pages = call.into_paginator().send();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => arns.extend_from_slice(page.task_arns()),
            Err(error) => match error.as_service_error() {
                Some(ListTasksError::ClusterNotFoundException(_)) => return Ok(()),
                _ => return Err(failed(subject(), ServiceError::of("ListTasks", &error))),
            },
        }
    }
    for some in arns.chunks(TASKS_AT_ONCE) {
        let call = client.describe_tasks().cluster(cluster).set_tasks(Some(some.to_vec()));
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => match error.as_service_error() {
                Some(DescribeTasksError::ClusterNotFoundException(_)) => return Ok(()),
                _ => return Err(failed(subject(), ServiceError::of("DescribeTasks", &error))),
            },
        };
        let left_out = some
            .iter()
            .filter(|arn| !answer.tasks().iter().any(|task| task.task_arn() == Some(arn.as_str())));
        refuse_gaps("DescribeTasks", cluster, left_out, answer.failures())?;
        for task in answer.tasks() {
            let definition = task.task_definition_arn().unwrap_or_default();
            let by = ImageUser::Task {
                cluster: cluster.to_owned(),
                definition: name_of(definition),
                task: name_of(task.task_arn().unwrap_or_default()),
            };
            let containers = task.containers();
            if containers.is_empty() || containers.iter().any(|container| container.image().is_none()) {
                seen.unnamed.entry(definition.to_owned()).or_default().push(by.clone());
            }
            seen.tasks.extend(containers.iter().filter_map(|container| {
                let digest = container.image_digest().map(str::to_owned);
                Some(ImageUse { image: container.image()?.to_owned(), digest, by: by.clone() })
            }));
        }
    }
    Ok(())
}

/// What was asked for and not answered is missing because it is gone, or it can't be seen.
fn refuse_gaps<'a>(
    operation: &'static str,
    cluster: &str,
    left_out: impl Iterator<Item = &'a String>,
    failures: &[sdk::Failure],
) -> Result<(), DataError> {
    for arn in left_out {
        let failure = failures.iter().find(|failure| failure.arn() == Some(arn.as_str()));
        if failure.is_some_and(|failure| failure.reason() == Some(MISSING)) {
            continue;
        }
        let reason = match failure {
            Some(failure) => failure.reason().unwrap_or("no reason").to_owned(),
            None => "it is not in the answer".to_owned(),
        };
        return Err(DataError::Gap {
            operation,
            subject: format!("{} of cluster {cluster}", name_of(arn)),
            reason,
        });
    }
    Ok(())
}
