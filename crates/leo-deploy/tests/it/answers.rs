//! CloudFormation's answers in its own XML.

use std::sync::Mutex;

use leo_deploy::{StackEvent, StackRequest, Stacks, TemplateSource};

use crate::wire::{Answer, Conversation};

pub(crate) const STACK: &str = "arn:aws:cloudformation:us-east-1:111122223333:stack/leo-dev/1";
pub(crate) const CHANGE_SET: &str = "arn:aws:cloudformation:us-east-1:111122223333:changeSet/leo-x/1";

pub(crate) const DESCRIBE: &str = "DescribeStacks";
pub(crate) const EVENTS: &str = "DescribeStackEvents";
pub(crate) const CREATE: &str = "CreateChangeSet";
pub(crate) const REVIEW: &str = "DescribeChangeSet";
pub(crate) const FINDINGS: &str = "DescribeEvents";
pub(crate) const EXECUTE: &str = "ExecuteChangeSet";
pub(crate) const DELETE: &str = "DeleteChangeSet";
pub(crate) const DELETE_STACK: &str = "DeleteStack";
pub(crate) const LIST: &str = "ListStackResources";

/// The engine at the other end of a conversation.
pub(crate) fn stacks(conversation: &Conversation) -> Stacks {
    Stacks::new(conversation.cloudformation())
}

pub(crate) fn request() -> StackRequest {
    StackRequest {
        name: "leo-dev".to_owned(),
        template: TemplateSource::Inline(r#"{"Resources":{}}"#.to_owned()),
        parameters: [("Image".to_owned(), "sha256:1".to_owned())].into(),
        capabilities: vec![leo_deploy::Capability::CapabilityNamedIam],
        tags: [("leo:environment".to_owned(), "dev".to_owned())].into(),
        on_create_failure: leo_deploy::OnCreateFailure::Delete,
        express: false,
        revert_drift: false,
        description: Some("ada@laptop, commit 1a2b3c".to_owned()),
    }
}

/// Collects the plain lines of the events.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub(crate) fn sink(&self) -> impl Fn(StackEvent) + Send + Sync {
        |event| self.0.lock().unwrap().push(event.to_string())
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

pub(crate) fn answer(operation: &str, inner: &str) -> Answer {
    let xml = format!(
        "<{operation}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
         <{operation}Result>{inner}</{operation}Result></{operation}Response>"
    );
    Answer::Body(200, xml)
}

pub(crate) fn refused(status: u16, code: &str, message: &str) -> Answer {
    let xml = format!(
        "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    Answer::Body(status, xml)
}

pub(crate) fn throttled() -> Answer {
    refused(400, "Throttling", "Rate exceeded")
}

pub(crate) fn no_stack() -> Answer {
    refused(400, "ValidationError", "Stack with id leo-dev does not exist")
}

/// The stack in `status`, with one output.
pub(crate) fn stack(status: &str) -> Answer {
    answer(
        DESCRIBE,
        &format!(
            "<Stacks><member><StackName>leo-dev</StackName><StackId>{STACK}</StackId>\
             <StackStatus>{status}</StackStatus><CreationTime>2026-11-01T00:00:00Z</CreationTime>\
             <ChangeSetId>{CHANGE_SET}</ChangeSetId>\
             <Outputs><member><OutputKey>Url</OutputKey><OutputValue>http://x</OutputValue></member></Outputs>\
             </member></Stacks>"
        ),
    )
}

/// One event: id, logical id, physical id, status, reason. The logical id `leo-dev` is the stack itself.
pub(crate) type Event<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

/// A page of events, given oldest first as people read them, answered newest first as AWS does.
pub(crate) fn events(page: &[Event<'_>], next: Option<&str>) -> Answer {
    let members = page
        .iter()
        .rev()
        .map(|(id, logical, physical, status, reason)| {
            let of_stack = *logical == "leo-dev";
            let physical = if of_stack { STACK } else { physical };
            let kind = match *logical {
                "leo-dev" | "Nested" | "Deeper" => "AWS::CloudFormation::Stack",
                _ => "AWS::ECS::Service",
            };
            format!(
                "<member><EventId>{id}</EventId><StackId>{STACK}</StackId><StackName>leo-dev</StackName>\
                 <LogicalResourceId>{logical}</LogicalResourceId>\
                 <PhysicalResourceId>{physical}</PhysicalResourceId><ResourceType>{kind}</ResourceType>\
                 <Timestamp>2026-11-01T00:00:00Z</Timestamp><ResourceStatus>{status}</ResourceStatus>\
                 <ResourceStatusReason>{reason}</ResourceStatusReason>\
                 <ClientRequestToken>token-of-{id}</ClientRequestToken></member>"
            )
        })
        .collect::<String>();
    let next = next.map(|token| format!("<NextToken>{token}</NextToken>")).unwrap_or_default();
    answer(EVENTS, &format!("<StackEvents>{members}</StackEvents>{next}"))
}

pub(crate) fn created() -> Answer {
    answer(CREATE, &format!("<Id>{CHANGE_SET}</Id><StackId>{STACK}</StackId>"))
}

/// A change set that would add or modify these: action, logical id, replacement.
pub(crate) fn change_set(changes: &[(&str, &str, &str)], next: Option<&str>) -> Answer {
    let members = changes
        .iter()
        .map(|(action, logical, replacement)| {
            format!(
                "<member><Type>Resource</Type><ResourceChange><Action>{action}</Action>\
                 <LogicalResourceId>{logical}</LogicalResourceId><ResourceType>AWS::ECS::Service</ResourceType>\
                 <Replacement>{replacement}</Replacement><Scope><member>Properties</member></Scope>\
                 <Details><member><Target><Attribute>Properties</Attribute><Name>TaskDefinition</Name>\
                 <RequiresRecreation>Never</RequiresRecreation></Target></member></Details>\
                 </ResourceChange></member>"
            )
        })
        .collect::<String>();
    let next = next.map(|token| format!("<NextToken>{token}</NextToken>")).unwrap_or_default();
    answer(
        REVIEW,
        &format!(
            "<ChangeSetId>{CHANGE_SET}</ChangeSetId><StackId>{STACK}</StackId><Status>CREATE_COMPLETE</Status>\
             <ExecutionStatus>AVAILABLE</ExecutionStatus><Changes>{members}</Changes>{next}"
        ),
    )
}

pub(crate) fn change_set_in(status: &str, execution: &str, reason: &str) -> Answer {
    answer(
        REVIEW,
        &format!(
            "<ChangeSetId>{CHANGE_SET}</ChangeSetId><StackId>{STACK}</StackId><Status>{status}</Status>\
             <ExecutionStatus>{execution}</ExecutionStatus><StatusReason>{reason}</StatusReason>\
             <Description>ada@laptop, commit 1a2b3c</Description>"
        ),
    )
}

pub(crate) fn finding(mode: &str, logical: &str, path: &str, reason: &str) -> Answer {
    answer(
        FINDINGS,
        &format!(
            "<OperationEvents><member><EventId>v</EventId><EventType>VALIDATION_ERROR</EventType>\
             <LogicalResourceId>{logical}</LogicalResourceId>\
             <ValidationFailureMode>{mode}</ValidationFailureMode><ValidationName>PROPERTY</ValidationName>\
             <ValidationStatus>FAILED</ValidationStatus>\
             <ValidationStatusReason>{reason}</ValidationStatusReason><ValidationPath>{path}</ValidationPath>\
             </member></OperationEvents>"
        ),
    )
}

/// An endpoint that does not know DescribeEvents.
pub(crate) fn no_findings() -> Answer {
    refused(400, "InvalidAction", "The action DescribeEvents is not valid")
}

pub(crate) fn done(operation: &str) -> Answer {
    answer(operation, "")
}

pub(crate) fn change_sets(count: usize) -> Answer {
    let members = "<member><ChangeSetName>other</ChangeSetName></member>".repeat(count);
    answer("ListChangeSets", &format!("<Summaries>{members}</Summaries>"))
}

/// The stack's resources: logical id, type, physical id, status.
pub(crate) fn resources(listed: &[(&str, &str, &str, &str)], next: Option<&str>) -> Answer {
    let members = listed
        .iter()
        .map(|(logical, kind, physical, status)| {
            format!(
                "<member><LogicalResourceId>{logical}</LogicalResourceId>\
                 <PhysicalResourceId>{physical}</PhysicalResourceId><ResourceType>{kind}</ResourceType>\
                 <LastUpdatedTimestamp>2026-11-01T00:00:00Z</LastUpdatedTimestamp>\
                 <ResourceStatus>{status}</ResourceStatus></member>"
            )
        })
        .collect::<String>();
    let next = next.map(|token| format!("<NextToken>{token}</NextToken>")).unwrap_or_default();
    answer(LIST, &format!("<StackResourceSummaries>{members}</StackResourceSummaries>{next}"))
}
