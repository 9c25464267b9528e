//! Answers as the services write them, and the evidence that tests begin with.

use leo_deploy::{ResourceEvent, StackEvent};
use leo_evidence::Subject;
use serde_json::{Value, json};

use crate::wire::Answer;

pub(crate) const NEW: &str = "ecs-svc/2222222222222222222";
pub(crate) const OLD: &str = "ecs-svc/1111111111111111111";
pub(crate) const GROUP: &str =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/leo-d-Targe-1ABC/0123456789abcdef";

pub(crate) fn subject() -> Subject {
    Subject {
        cluster: "leo-dev".to_owned(),
        family: "leo-dev-orchestrator".to_owned(),
        log_group: "/leo/dev/orchestrator".to_owned(),
        log_prefix: "ecs".to_owned(),
        health_path: "/healthz".to_owned(),
        port: 8080,
        region: "us-east-1".to_owned(),
        stack: "leo-dev-platform".to_owned(),
        local: false,
    }
}

pub(crate) fn ok(body: &Value) -> Answer {
    Answer::Body(200, body.to_string())
}

pub(crate) fn refused(code: &str, message: &str) -> Answer {
    Answer::Body(400, json!({ "__type": code, "message": message }).to_string())
}

pub(crate) fn definition(revision: u32) -> String {
    format!("arn:aws:ecs:us-east-1:123456789012:task-definition/leo-dev-orchestrator:{revision}")
}

pub(crate) fn task_id(number: u32) -> String {
    format!("{number:08x}aaaabbbbccccdddd00000000")
}

pub(crate) fn task_arn(number: u32) -> String {
    format!("arn:aws:ecs:us-east-1:123456789012:task/leo-dev/{}", task_id(number))
}

/// An ECS deployment; `at` in seconds since 1970, as ECS writes times.
pub(crate) fn deployment(id: &str, status: &str, revision: u32, rollout: &str, at: f64) -> Value {
    json!({
        "id": id, "status": status, "taskDefinition": definition(revision), "desiredCount": 1, "pendingCount": 0,
        "runningCount": i32::from(rollout == "COMPLETED"), "failedTasks": 0, "createdAt": at, "updatedAt": at,
        "rolloutState": rollout, "rolloutStateReason": format!("ECS deployment {id} in progress.")
    })
}

/// The answer of DescribeServices.
pub(crate) fn service(revision: u32, deployments: &[Value], events: &[Value]) -> Answer {
    ok(&json!({ "failures": [], "services": [{
        "serviceArn": "arn:aws:ecs:us-east-1:123456789012:service/leo-dev/leo-dev-platform-OrchestratorService-1",
        "serviceName": "leo-dev-platform-OrchestratorService-1", "status": "ACTIVE",
        "desiredCount": 1, "runningCount": 1, "pendingCount": 0, "taskDefinition": definition(revision),
        "loadBalancers": [{ "targetGroupArn": GROUP, "containerName": "orchestrator", "containerPort": 8080 }],
        "networkConfiguration": { "awsvpcConfiguration": { "assignPublicIp": "ENABLED", "subnets": [] } },
        "deployments": deployments, "events": events
    }] }))
}

pub(crate) fn service_list() -> Answer {
    ok(&json!({ "serviceArns": [
        "arn:aws:ecs:us-east-1:123456789012:service/leo-dev/leo-dev-platform-OrchestratorService-1"
    ] }))
}

/// A task that stopped after its container exited.
pub(crate) fn exited(number: u32, revision: u32, by: &str, code: i32, at: f64) -> Value {
    json!({
        "taskArn": task_arn(number), "taskDefinitionArn": definition(revision), "lastStatus": "STOPPED",
        "desiredStatus": "STOPPED", "startedBy": by, "group": "service:leo-dev-platform-OrchestratorService-1",
        "createdAt": at, "stoppedAt": at + 20.0, "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited", "cpu": "1024", "memory": "2048",
        "capacityProviderName": "FARGATE", "healthStatus": "UNKNOWN",
        "attributes": [{ "name": "ecs.cpu-architecture", "value": "x86_64" }],
        "containers": [{
            "name": "orchestrator", "lastStatus": "STOPPED", "exitCode": code, "healthStatus": "UNKNOWN",
            "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/leo-saas-app@sha256:aa",
            "imageDigest": "sha256:aa"
        }]
    })
}

/// A task that runs at an address.
pub(crate) fn running(number: u32, revision: u32, by: &str, address: &str) -> Value {
    json!({
        "taskArn": task_arn(number), "taskDefinitionArn": definition(revision), "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING", "startedBy": by, "group": "service:leo-dev-platform-OrchestratorService-1",
        "createdAt": 1_793_530_000.0, "cpu": "1024", "memory": "2048", "healthStatus": "HEALTHY",
        "attachments": [{ "type": "ElasticNetworkInterface", "status": "ATTACHED",
            "details": [{ "name": "privateIPv4Address", "value": address }] }],
        "containers": [{ "name": "orchestrator", "lastStatus": "RUNNING", "healthStatus": "HEALTHY",
            "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/leo-saas-app@sha256:aa" }]
    })
}

/// The answer of DescribeTargetHealth; each target with state, reason and description.
pub(crate) fn targets(targets: &[(&str, &str, &str, &str)]) -> Answer {
    let members: String = targets
        .iter()
        .map(|(id, state, reason, description)| {
            let reason = if reason.is_empty() {
                String::new()
            } else {
                format!("<Reason>{reason}</Reason><Description>{description}</Description>")
            };
            format!(
                "<member><Target><Id>{id}</Id><Port>8080</Port></Target><HealthCheckPort>8080</HealthCheckPort>\
                 <TargetHealth><State>{state}</State>{reason}</TargetHealth></member>"
            )
        })
        .collect();
    Answer::Body(
        200,
        format!(
            "<DescribeTargetHealthResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
             <DescribeTargetHealthResult><TargetHealthDescriptions>{members}</TargetHealthDescriptions>\
             </DescribeTargetHealthResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>\
             </DescribeTargetHealthResponse>"
        ),
    )
}

/// The answer of GetLogEvents.
pub(crate) fn log(lines: &[&str]) -> Answer {
    let events: Vec<Value> = lines
        .iter()
        .map(|line| json!({ "timestamp": 1_793_534_400_000_i64, "message": line, "ingestionTime": 1_793_534_401_000_i64 }))
        .collect();
    ok(&json!({ "events": events, "nextForwardToken": "f/1", "nextBackwardToken": "b/1" }))
}

pub(crate) fn stack_event(
    id: &str,
    kind: &str,
    status: &str,
    reason: Option<&str>,
    time: &str,
) -> StackEvent {
    StackEvent::Resource(ResourceEvent {
        id: format!("{id}-{status}-{time}"),
        time: time.to_owned(),
        logical_id: id.to_owned(),
        physical_id: None,
        resource_type: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.map(str::to_owned),
        token: None,
        of_stack: kind == "AWS::CloudFormation::Stack",
    })
}
