//! A look at what is there now.

use leo_evidence::{CauseKind, Evidence, Redact, diagnose, look};
use serde_json::json;

use crate::answers::{
    NEW, OLD, deployment, exited, log, ok, refused, running, service, service_list, subject, targets,
    task_arn,
};
use crate::wire::{Answer, Aws};

const NOON: f64 = 1_793_534_400.0;

/// After a rolled back update: the old revision runs again, and ECS still remembers why the new one did not.
#[tokio::test]
async fn what_stopped_within_the_hour_is_found() {
    let aws = Aws::new(|call, _| {
        let stopped = call.body.contains("STOPPED");
        match call.operation.as_str() {
            "ListServices" => service_list(),
            "DescribeServices" => {
                service(7, &[deployment(OLD, "PRIMARY", 7, "COMPLETED", NOON - 9000.0)], &[])
            }
            "ListTasks" if stopped => ok(&json!({ "taskArns": [task_arn(1), task_arn(2)] })),
            "ListTasks" => ok(&json!({ "taskArns": [task_arn(7)] })),
            "DescribeTasks" if call.body.contains(&task_arn(7)) => {
                ok(&json!({ "tasks": [running(7, 7, OLD, "10.0.0.7")] }))
            }
            "DescribeTasks" => ok(
                &json!({ "tasks": [exited(1, 8, NEW, 3, NOON), exited(2, 6, "ecs-svc/0", 1, NOON - 1800.0)] }),
            ),
            "DescribeTargetHealth" => targets(&[("10.0.0.7", "healthy", "", "")]),
            "GetLogEvents" => log(&["no DATABASE_URL"]),
            other => panic!("{other} is not expected"),
        }
    });
    let evidence = look(aws.clients(), subject(), Redact::default()).await.unwrap();
    let diagnosis = diagnose(&evidence).unwrap();
    assert_eq!(diagnosis.cause, CauseKind::ContainerExits);
    assert_eq!(diagnosis.text, "the container exits by itself with exit code 3");
    assert_eq!(diagnosis.log, ["no DATABASE_URL"]);
}

/// ECS still tells the events of deployments that are long over.
#[tokio::test]
async fn an_event_from_before_the_newest_deployment_is_of_another_one() {
    let causes = [NOON - 60.0, NOON + 60.0].map(|at| async move {
        let aws = Aws::new(move |call, _| match call.operation.as_str() {
            "ListServices" => service_list(),
            "DescribeServices" => service(
                8,
                &[
                    deployment(NEW, "PRIMARY", 8, "IN_PROGRESS", NOON),
                    deployment(OLD, "ACTIVE", 7, "COMPLETED", NOON - 9000.0),
                ],
                &[json!({ "id": "e1", "createdAt": at,
                    "message": "(service leo) was unable to place a task. Reason: Capacity is unavailable at this time." })],
            ),
            "ListTasks" => ok(&json!({ "taskArns": [] })),
            "DescribeTargetHealth" => targets(&[]),
            other => panic!("{other} is not expected"),
        });
        let evidence = look(aws.clients(), subject(), Redact::default()).await.unwrap();
        diagnose(&evidence).map(|diagnosis| diagnosis.cause)
    });
    let [before, after] = causes;
    assert_eq!(before.await, None);
    assert_eq!(after.await, Some(CauseKind::NoCapacity));
}

#[tokio::test]
async fn without_an_answer_there_is_an_error_and_without_a_cluster_nothing() {
    let aws = Aws::new(|_, _| refused("ExpiredTokenException", "The security token is expired"));
    let error = look(aws.clients(), subject(), Redact::default()).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("ExpiredTokenException"));
    let aws = Aws::new(|_, _| refused("ClusterNotFoundException", "Cluster not found."));
    let evidence = look(aws.clients(), subject(), Redact::default()).await.unwrap();
    assert_eq!(diagnose(&evidence), None);
}

fn events(rows: &[(&str, &str, &str, &str)]) -> Answer {
    let id = "arn:aws:cloudformation:us-east-1:123456789012:stack/leo-dev-platform/0a1b";
    let members: String = rows
        .iter()
        .enumerate()
        .map(|(index, (name, kind, status, reason))| {
            let physical = if *kind == "AWS::CloudFormation::Stack" { id } else { "" };
            format!(
                "<member><EventId>{index}</EventId><StackId>{id}</StackId><StackName>leo-dev-platform</StackName>\
                 <LogicalResourceId>{name}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId>\
                 <ResourceType>{kind}</ResourceType><ResourceStatus>{status}</ResourceStatus>\
                 <ResourceStatusReason>{reason}</ResourceStatusReason><Timestamp>2026-11-01T12:00:00Z</Timestamp></member>"
            )
        })
        .collect();
    let ns = "http://cloudformation.amazonaws.com/doc/2010-05-15/";
    Answer::Body(
        200,
        format!(
            "<DescribeStackEventsResponse xmlns=\"{ns}\"><DescribeStackEventsResult><StackEvents>{members}</StackEvents>\
             </DescribeStackEventsResult></DescribeStackEventsResponse>"
        ),
    )
}

fn no_stack() -> Answer {
    Answer::Body(
        400,
        "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
         <Message>Stack [leo-dev-platform] does not exist</Message></Error></ErrorResponse>"
            .to_owned(),
    )
}

/// A create that failed leaves no stack of its name; its events are found by its id.
#[tokio::test]
async fn the_events_of_a_stack_that_was_deleted_again_are_found() {
    let stack = "AWS::CloudFormation::Stack";
    let aws = Aws::new(move |call, _| {
        match call.operation.as_str() {
        "DescribeStackEvents" if !call.body.contains("0a1b") => no_stack(),
        "DescribeStackEvents" => events(&[
            ("leo-dev-platform", stack, "DELETE_COMPLETE", ""),
            ("leo-dev-platform", stack, "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Listener]."),
            ("Other", "AWS::Logs::LogGroup", "CREATE_FAILED", "Resource creation cancelled"),
            ("Listener", "AWS::ElasticLoadBalancingV2::Listener", "CREATE_FAILED", "Certificate ARN 'x' is not valid"),
            ("leo-dev-platform", stack, "CREATE_IN_PROGRESS", "User Initiated"),
        ]),
        "ListStacks" => Answer::Body(
            200,
            "<ListStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><ListStacksResult><StackSummaries>\
             <member><StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/leo-dev-platform/older</StackId>\
             <StackName>leo-dev-platform</StackName><CreationTime>2026-10-01T12:00:00Z</CreationTime>\
             <DeletionTime>2026-10-01T12:00:00Z</DeletionTime><StackStatus>DELETE_COMPLETE</StackStatus></member>\
             <member><StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/leo-dev-platform/0a1b</StackId>\
             <StackName>leo-dev-platform</StackName><CreationTime>2026-11-01T12:00:00Z</CreationTime>\
             <DeletionTime>2026-11-01T12:00:00Z</DeletionTime><StackStatus>DELETE_COMPLETE</StackStatus></member>\
             </StackSummaries></ListStacksResult></ListStacksResponse>"
                .to_owned(),
        ),
        other => panic!("{other} is not expected"),
    }
    });
    let mut evidence = Evidence { subject: subject(), ..Evidence::default() };
    let client = aws.cloudformation();
    evidence.add_last_operation(&client, "leo-dev-platform", &Redact::default()).await.unwrap();
    assert_eq!(evidence.stack.failures.len(), 1);
    assert_eq!(diagnose(&evidence).unwrap().cause, CauseKind::CertificateNotFound);
}

/// What went wrong in an operation before the last one is over.
#[tokio::test]
async fn only_the_last_operation_counts_and_only_where_it_failed() {
    let stack = "AWS::CloudFormation::Stack";
    let aws = Aws::new(move |_, _| {
        events(&[
            ("leo-dev-platform", stack, "UPDATE_COMPLETE", ""),
            ("leo-dev-platform", stack, "UPDATE_IN_PROGRESS", "User Initiated"),
            ("leo-dev-platform", stack, "UPDATE_ROLLBACK_COMPLETE", ""),
            (
                "Listener",
                "AWS::ElasticLoadBalancingV2::Listener",
                "UPDATE_FAILED",
                "Certificate ARN 'x' is not valid",
            ),
            ("leo-dev-platform", stack, "UPDATE_IN_PROGRESS", "User Initiated"),
        ])
    });
    let mut evidence = Evidence { subject: subject(), ..Evidence::default() };
    let client = aws.cloudformation();
    evidence.add_last_operation(&client, "leo-dev-platform", &Redact::default()).await.unwrap();
    assert_eq!(diagnose(&evidence), None);
}
