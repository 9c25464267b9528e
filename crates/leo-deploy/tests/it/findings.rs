//! What CloudFormation's own validation says about a change set.

use leo_deploy::{DeployError, Prepared};

use crate::answers::*;
use crate::wire::{Answer, Conversation};

/// A page of DescribeEvents: the members' inner XML.
fn page(members: &[&str], next: Option<&str>) -> Answer {
    let members = members.iter().map(|inner| format!("<member>{inner}</member>")).collect::<String>();
    let next = next.map(|token| format!("<NextToken>{token}</NextToken>")).unwrap_or_default();
    let body = format!(
        "<DescribeEventsResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeEventsResult>\
         <OperationEvents>{members}</OperationEvents>{next}</DescribeEventsResult></DescribeEventsResponse>"
    );
    Answer::Body(200, body)
}

const QUOTA: &str = "<EventType>VALIDATION_ERROR</EventType><LogicalResourceId>LoadBalancer</LogicalResourceId>\
    <ValidationFailureMode>WARN</ValidationFailureMode><ValidationName>SERVICE_QUOTA</ValidationName>\
    <ValidationStatusReason>50 of 50 load balancers are in use</ValidationStatusReason>";
const NAME: &str = "<EventType>VALIDATION_ERROR</EventType><LogicalResourceId>Bucket</LogicalResourceId>\
    <ValidationFailureMode>FAIL</ValidationFailureMode><ValidationName>NAME_CONFLICT_VALIDATION</ValidationName>\
    <ValidationPath>/Resources/Bucket</ValidationPath>\
    <ValidationStatusReason>a bucket of this name already exists</ValidationStatusReason>";
const HOOK: &str = "<EventType>HOOK_INVOCATION_ERROR</EventType><HookType>Corp::Encryption</HookType>\
    <HookFailureMode>FAIL</HookFailureMode><HookStatusReason>encryption is not configured</HookStatusReason>";
const PROGRESS: &str = "<EventType>PROGRESS_EVENT</EventType><OperationStatus>IN_PROGRESS</OperationStatus>";
const STACK_EVENT: &str =
    "<EventType>STACK_EVENT</EventType><ResourceStatus>REVIEW_IN_PROGRESS</ResourceStatus>";

#[tokio::test(start_paused = true)]
async fn all_pages_are_read_and_only_errors_are_findings() {
    let conversation = Conversation::new([
        (DESCRIBE, no_stack()),
        (CREATE, created()),
        (REVIEW, change_set_in("FAILED", "UNAVAILABLE", "Validation failed")),
        (FINDINGS, page(&[STACK_EVENT, PROGRESS, QUOTA], Some("2"))),
        (FINDINGS, page(&[NAME, HOOK], None)),
        (DELETE, done(DELETE)),
        (DESCRIBE, no_stack()),
    ]);
    let error = stacks(&conversation).prepare(&request(), &|_| {}).await.unwrap_err();
    conversation.assert_over();
    let asked = conversation.calls(FINDINGS);
    assert_eq!(asked[0].fields["ChangeSetName"], CHANGE_SET);
    assert_eq!(asked[1].fields["NextToken"], "2");
    let DeployError::ChangeSet { findings, .. } = &error else { panic!("{error}") };
    assert_eq!(findings.iter().map(|finding| finding.fatal).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(findings[1].name.as_deref(), Some("NAME_CONFLICT_VALIDATION"));
    insta::assert_snapshot!(error, @r"
    deploy leo-dev: the change set was refused: Validation failed
      warning LoadBalancer: 50 of 50 load balancers are in use
      refused Bucket /Resources/Bucket: a bucket of this name already exists
      refused Corp::Encryption: encryption is not configured
    ");
}

#[tokio::test(start_paused = true)]
async fn what_was_found_before_a_page_was_lost_is_kept() {
    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (CREATE, created()),
        (REVIEW, change_set(&[("Modify", "Service", "False")], None)),
        (FINDINGS, page(&[QUOTA], Some("2"))),
        (FINDINGS, throttled()),
    ]);
    let lines = Lines::default();
    let prepared = stacks(&conversation).prepare(&request(), &lines.sink()).await.unwrap();
    assert!(matches!(prepared, Prepared::Ready(ready) if ready.findings().len() == 1));
    assert!(
        lines.text().contains("warning LoadBalancer: 50 of 50 load balancers are in use"),
        "{}",
        lines.text()
    );
}
