//! A stack's events, each once and in order.

use std::collections::HashSet;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::primitives::DateTimeFormat;
use aws_sdk_cloudformation::types as sdk;
use leo_aws::ServiceError;

use crate::event::ResourceEvent;

/// Where an operation's events begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// After the event with this id.
    After(String),
    /// With the stack's first event.
    Beginning,
}

/// Reads the events of one operation, however often it is asked.
#[derive(Debug)]
pub(super) struct Poller {
    client: Client,
    stack_id: String,
    start: Start,
    seen: HashSet<String>,
}

impl Poller {
    pub(super) fn new(client: Client, stack_id: &str, start: Start) -> Self {
        Self { client, stack_id: stack_id.to_owned(), start, seen: HashSet::new() }
    }

    /// The events since the last successful call, oldest first. After an error nothing is lost: the next call
    /// brings them.
    pub(super) async fn poll(&mut self) -> Result<Vec<ResourceEvent>, ServiceError> {
        let mut fresh: Vec<ResourceEvent> = Vec::new();
        let mut token = None;
        loop {
            let page = page(&self.client, &self.stack_id, token.take()).await?;
            let mut meets_known = false;
            let mut meets_start = false;
            for event in page.events {
                if self.start == Start::After(event.id.clone()) {
                    meets_start = true;
                    break;
                }
                if self.seen.contains(&event.id) {
                    // The rest of this page is read nevertheless: an event can turn up behind a newer one.
                    meets_known = true;
                } else if !fresh.iter().any(|known| known.id == event.id) {
                    fresh.push(event);
                }
            }
            token = page.next;
            if meets_start || meets_known || token.is_none() {
                break;
            }
        }
        self.seen.extend(fresh.iter().map(|event| event.id.clone()));
        fresh.reverse();
        Ok(fresh)
    }
}

/// Where the events of an operation begin that has yet to be started.
pub(super) async fn start_of_next(client: &Client, stack_id: &str) -> Result<Start, ServiceError> {
    let newest = page(client, stack_id, None).await?.events.into_iter().next();
    Ok(newest.map_or(Start::Beginning, |event| Start::After(event.id)))
}

/// Where the events of the running operation begin, and the token that it carries.
pub(super) async fn start_of_running(
    client: &Client,
    stack_id: &str,
) -> Result<(Start, Option<String>), ServiceError> {
    let mut request_token = None;
    let mut found = false;
    let mut next = None;
    loop {
        let page = page(client, stack_id, next.take()).await?;
        for event in page.events {
            if found {
                return Ok((Start::After(event.id), request_token));
            }
            if is_start(&event) {
                found = true;
                request_token = event.token;
            }
        }
        next = page.next;
        if next.is_none() {
            return Ok((Start::Beginning, request_token));
        }
    }
}

const STARTS: [&str; 4] =
    ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"];

fn is_start(event: &ResourceEvent) -> bool {
    event.of_stack && STARTS.contains(&event.status.as_str())
}

/// The events of the operation with this token, where another one has begun after it. `None` while none has, and where the
/// service sends no tokens. With `may_delete` a delete is part of it, whatever its token: that of a failed create, or of
/// one that was ended early.
pub(super) fn before_another<'a>(
    events: &'a [ResourceEvent],
    token: Option<&str>,
    may_delete: bool,
) -> Option<&'a [ResourceEvent]> {
    let token = token?;
    let ours = events.iter().position(|event| is_start(event) && event.token.as_deref() == Some(token))?;
    let events = events.get(ours..)?;
    let other = events.iter().position(|event| {
        is_start(event)
            && event.token.as_deref().is_some_and(|other| other != token)
            && !(may_delete && event.status == "DELETE_IN_PROGRESS")
    })?;
    events.get(..other)
}

/// One page, newest first.
struct Page {
    events: Vec<ResourceEvent>,
    next: Option<String>,
}

async fn page(client: &Client, stack_id: &str, token: Option<String>) -> Result<Page, ServiceError> {
    let request = client.describe_stack_events().stack_name(stack_id).set_next_token(token);
    let answer = request.send().await.map_err(|error| ServiceError::of("DescribeStackEvents", &error))?;
    Ok(Page {
        events: answer.stack_events().iter().map(|event| convert(event, stack_id)).collect(),
        next: answer.next_token().map(str::to_owned),
    })
}

fn convert(event: &sdk::StackEvent, stack_id: &str) -> ResourceEvent {
    let text = |value: Option<&str>| value.filter(|text| !text.is_empty()).map(str::to_owned);
    let time = event.timestamp().and_then(|time| time.fmt(DateTimeFormat::DateTime).ok());
    ResourceEvent {
        id: event.event_id().unwrap_or_default().to_owned(),
        time: time.unwrap_or_default(),
        logical_id: event.logical_resource_id().unwrap_or_default().to_owned(),
        physical_id: text(event.physical_resource_id()),
        resource_type: event.resource_type().unwrap_or_default().to_owned(),
        status: event.resource_status().map_or("", sdk::ResourceStatus::as_str).to_owned(),
        reason: text(event.resource_status_reason()),
        token: text(event.client_request_token()),
        of_stack: event.physical_resource_id() == Some(stack_id),
    }
}
