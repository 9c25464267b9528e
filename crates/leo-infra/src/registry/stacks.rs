//! The stacks of the account and region.

use crate::failure::Problem;
use aws_sdk_cloudformation::{Client, types::StackStatus};
use leo_aws::ServiceError;

/// A stack that there is, whatever its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StandingStack {
    pub(crate) name: String,
    pub(crate) status: leo_deploy::StackStatus,
}

/// The stacks of this account and region whose names are wanted, whatever their state, sorted by name.
pub(crate) async fn standing(
    client: &Client,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<StandingStack>, Problem> {
    let all_but_deleted: Vec<StackStatus> = StackStatus::values()
        .iter()
        .map(|status| StackStatus::from(*status))
        .filter(|status| *status != StackStatus::DeleteComplete)
        .collect();
    let mut found = vec![];
    let mut pages =
        client.list_stacks().set_stack_status_filter(Some(all_but_deleted)).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| ServiceError::of("ListStacks", &error))?;
        found.extend(page.stack_summaries().iter().filter_map(|stack| {
            let name = stack.stack_name().filter(|name| wanted(name))?.to_owned();
            let status = stack.stack_status().map_or("", StackStatus::as_str);
            Some(StandingStack { name, status: leo_deploy::StackStatus::from(status) })
        }));
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}
