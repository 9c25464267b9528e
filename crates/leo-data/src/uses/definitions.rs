//! What task definitions name.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::TaskDefinitionStatus;
use leo_aws::ServiceError;

use super::{failed, name_of};
use crate::DataError;
use crate::each::each;

/// Calls of DescribeTaskDefinition under way at a time; it allows 20 a second for an account over time ("Request
/// throttling", Amazon ECS API Reference).
const DESCRIBED_AT_ONCE: usize = 10;

/// A task definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Definition {
    pub(super) arn: String,
    pub(super) is_active: bool,
}

/// The ARNs of all active revisions of all families.
pub(super) async fn active(client: &Client) -> Result<BTreeSet<String>, DataError> {
    let mut arns = BTreeSet::new();
    let call = client.list_task_definitions().status(TaskDefinitionStatus::Active);
    let mut pages = call.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| {
            failed("every task definition", ServiceError::of("ListTaskDefinitions", &error))
        })?;
        arns.extend(page.task_definition_arns().iter().cloned());
    }
    Ok(arns)
}

/// The images of each of these.
pub(super) async fn images(
    client: &Client,
    arns: &BTreeSet<String>,
) -> Result<BTreeMap<Definition, Vec<String>>, DataError> {
    let arns: Vec<&String> = arns.iter().collect();
    let mut found = BTreeMap::new();
    for some in arns.chunks(DESCRIBED_AT_ONCE) {
        let described = each(some.iter().map(|arn| (*arn).clone()), |arn| {
            let client = client.clone();
            async move { describe(&client, arn).await }
        });
        found.extend(described.await?);
    }
    Ok(found)
}

async fn describe(client: &Client, arn: String) -> Result<(Definition, Vec<String>), DataError> {
    let subject = || format!("task definition {}", name_of(&arn));
    let answer = client.describe_task_definition().task_definition(&arn).send().await;
    let answer =
        answer.map_err(|error| failed(subject(), ServiceError::of("DescribeTaskDefinition", &error)))?;
    let Some(definition) = answer.task_definition() else {
        return Err(DataError::Gap {
            operation: "DescribeTaskDefinition",
            subject: subject(),
            reason: "it is not in the answer".to_owned(),
        });
    };
    let images = definition.container_definitions().iter().filter_map(|container| container.image());
    let images = images.map(str::to_owned).collect();
    let is_active = definition.status() == Some(&TaskDefinitionStatus::Active);
    Ok((Definition { arn, is_active }, images))
}
