//! A look at what is there now, for an operation of which nothing was saved here.

use std::cmp::Reverse;

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_cloudformation::primitives::DateTimeFormat;
use aws_sdk_cloudformation::types::{ResourceStatus, StackEvent as SdkEvent, StackStatus};
use leo_aws::ServiceError;
use leo_deploy::{DeployError, ResourceEvent, StackEvent};

use crate::collect::Collector;
use crate::evidence::{Evidence, Subject};
use crate::look::{Clients, Found, Looker, Service, tail};
use crate::newness::Newness;
use crate::redact::Redact;
use crate::time::{now, seconds};

/// Pages of a list after which its end is given up.
const MOST_PAGES: usize = 20;

/// What runs now, and what stopped within the hour for which ECS remembers it.
///
/// The newest revision of the task definition that failed counts as the operation's own. An error is returned only
/// where nothing at all was answered.
pub async fn look(clients: Clients, subject: Subject, redact: Redact) -> Result<Evidence, ServiceError> {
    let mut evidence = Evidence { subject: subject.clone(), began: now(), ..Evidence::default() };
    let mut collector = Collector::new(redact, Newness::all());
    let mut looker = Looker::new(clients, subject.clone());
    let mut look = looker.look(&[]).await;
    if look.service.is_none()
        && look.stopped.is_none()
        && let Some(error) = look.failed.first()
    {
        return Err(error.clone());
    }
    if let Some(Found::There(service)) = &mut look.service {
        leave_newest(service);
    }
    collector.take(look, &mut evidence, true);
    judge_by_revision(&mut evidence);
    let protection = looker.protection_of(&evidence.old_running()).await;
    match protection {
        Ok(protected) => evidence.protected = protected,
        Err(error) => collector.unanswered(&error, &mut evidence),
    }
    for mut stream in evidence.telling_streams() {
        match tail(&looker.clients().logs, &subject.log_group, &stream.stream).await {
            Ok(lines) => {
                stream.lines = lines;
                collector.log(stream, &mut evidence);
            }
            Err(error) => collector.unanswered(&error, &mut evidence),
        }
    }
    evidence.updated = now();
    Ok(evidence)
}

/// ECS keeps a hundred events, however old: those before the newest deployment are of another one.
fn leave_newest(service: &mut Service) {
    let created = service.deployments.iter().filter_map(|deployment| seconds(deployment.created.as_deref()?));
    let Some(newest) = created.max_by(f64::total_cmp) else { return };
    service.events.retain(|(_, time, _)| seconds(time).is_none_or(|time| time >= newest));
}

/// Without the beginning of the operation only the revision tells what is new: the newest that was ever started.
pub(crate) fn judge_by_revision(evidence: &mut Evidence) {
    let stopped = evidence.stops.items().filter(|stop| stop.failure).flat_map(|stop| &stop.tasks);
    let definitions = stopped.map(|task| &task.definition);
    let all = definitions.chain(evidence.deployments.iter().map(|deployment| &deployment.definition));
    let newest = all.filter_map(|definition| revision(definition)).max();
    for deployment in &mut evidence.deployments {
        deployment.new = newest.is_some() && revision(&deployment.definition) == newest;
    }
    for counted in &mut evidence.stops.kept {
        let stop = &mut counted.item;
        stop.new = newest.is_some() && stop.tasks.iter().all(|task| revision(&task.definition) == newest);
    }
}

fn revision(definition: &str) -> Option<u64> {
    definition.rsplit_once(':')?.1.parse().ok()
}

impl Evidence {
    /// All that is known of an operation that was not recorded: how it failed.
    pub fn of_error(subject: Subject, error: &DeployError, redact: &Redact) -> Self {
        let ended = Some(redact.apply(&error.to_string()));
        let mut evidence = Self { subject, began: now(), updated: now(), ended, ..Self::default() };
        evidence.stack.take_error(error, redact);
        evidence
    }

    /// Adds what the last operation of a stack reported, where it failed. A stack that was deleted after a failed
    /// create is found for 90 days.
    pub async fn add_last_operation(
        &mut self,
        client: &CloudFormation,
        stack: &str,
        redact: &Redact,
    ) -> Result<(), ServiceError> {
        let events = match events(client, stack).await {
            Err(error) if is_absent(&error) => match deleted(client, stack).await? {
                Some(id) => self::events(client, &id).await?,
                None => return Ok(()),
            },
            events => events?,
        };
        let last = last_operation(events);
        if last.iter().any(|event| event.of_stack && is_bad_end(&event.status)) {
            for event in last {
                self.stack.take(&StackEvent::Resource(event), redact);
            }
        }
        Ok(())
    }
}

fn is_bad_end(status: &str) -> bool {
    status.contains("ROLLBACK") || status.ends_with("_FAILED")
}

/// The events of the operation that began last, the oldest first; of a stack that was deleted, those of its create or
/// last update. `events` come newest first.
fn last_operation(events: Vec<ResourceEvent>) -> Vec<ResourceEvent> {
    let begins = |event: &ResourceEvent| {
        event.of_stack
            && ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "IMPORT_IN_PROGRESS"].contains(&&*event.status)
    };
    let end = events.iter().position(begins).map_or(events.len(), |index| index + 1);
    let mut last: Vec<_> = events.into_iter().take(end).collect();
    last.reverse();
    last
}

async fn events(client: &CloudFormation, stack: &str) -> Result<Vec<ResourceEvent>, ServiceError> {
    let mut all = Vec::new();
    let mut token = None;
    for _ in 0..MOST_PAGES {
        let request = client.describe_stack_events().stack_name(stack).set_next_token(token.take());
        let page = request.send().await.map_err(|error| ServiceError::of("DescribeStackEvents", &error))?;
        all.extend(page.stack_events().iter().map(event));
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    Ok(all)
}

fn event(event: &SdkEvent) -> ResourceEvent {
    let physical_id = event.physical_resource_id().filter(|id| !id.is_empty());
    ResourceEvent {
        id: event.event_id().unwrap_or_default().to_owned(),
        time: event.timestamp().and_then(|time| time.fmt(DateTimeFormat::DateTime).ok()).unwrap_or_default(),
        logical_id: event.logical_resource_id().unwrap_or_default().to_owned(),
        physical_id: physical_id.map(str::to_owned),
        resource_type: event.resource_type().unwrap_or_default().to_owned(),
        status: event.resource_status().map_or("", ResourceStatus::as_str).to_owned(),
        reason: event.resource_status_reason().filter(|text| !text.is_empty()).map(str::to_owned),
        token: event.client_request_token().map(str::to_owned),
        of_stack: physical_id.is_some() && physical_id == event.stack_id(),
    }
}

/// The id of the stack of this name that was deleted last.
async fn deleted(client: &CloudFormation, stack: &str) -> Result<Option<String>, ServiceError> {
    let mut found = Vec::new();
    let mut token = None;
    for _ in 0..MOST_PAGES {
        let request = client
            .list_stacks()
            .stack_status_filter(StackStatus::DeleteComplete)
            .set_next_token(token.take());
        let page = request.send().await.map_err(|error| ServiceError::of("ListStacks", &error))?;
        let of_name = page.stack_summaries().iter().filter(|summary| summary.stack_name() == Some(stack));
        found.extend(of_name.filter_map(|summary| {
            let time = summary.deletion_time().map(|time| Reverse(time.secs()));
            Some((time, summary.stack_id()?.to_owned()))
        }));
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    found.sort();
    Ok(found.into_iter().next().map(|(_, id)| id))
}

fn is_absent(error: &ServiceError) -> bool {
    error.code.as_deref() == Some("ValidationError") && error.message.contains("does not exist")
}
