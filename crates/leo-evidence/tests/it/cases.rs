//! Evidence with the words that AWS uses, each with the cause that it shows.

use leo_evidence::{CauseKind, Evidence};
use serde_json::{Value, json};

use crate::answers::subject;

mod elsewhere;
mod tasks;

pub(crate) use elsewhere::from_elsewhere;
pub(crate) use tasks::from_tasks;

/// The cause, what happened, and what was seen of it.
pub(crate) type Case = (CauseKind, &'static str, Evidence);

pub(crate) const SERVICE: &str = "AWS::ECS::Service";
pub(crate) const BREAKER: &str = "Resource handler returned message: \"Error occurred during operation 'ECS Deployment Circuit Breaker was \
    triggered'.\" (RequestToken: 121161f9-1c97-e3d5-b4d3-8328bb2b676c, HandlerErrorCode: GeneralServiceException)";
pub(crate) const IMAGE: &str =
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/leo-saas-app@sha256:5d41402abc4b";

pub(crate) fn evidence(parts: &Value) -> Evidence {
    let mut whole = json!({
        "subject": subject(), "began": "2026-11-01T12:00:00Z", "updated": "2026-11-01T12:09:00Z", "ended": "failed",
        "service": { "name": "leo", "desired": 1, "running": 0, "pending": 1, "public_address": true },
        "deployments": [
            { "id": "ecs-svc/1", "definition": "leo-dev-orchestrator:7", "status": "ACTIVE", "rollout": "COMPLETED" },
            { "id": "ecs-svc/2", "definition": "leo-dev-orchestrator:8", "status": "PRIMARY",
              "rollout": "IN_PROGRESS", "new": true }
        ]
    });
    let fields = whole.as_object_mut().unwrap();
    fields.extend(parts.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

/// Evidence of three new tasks that stopped so.
pub(crate) fn stopped(code: &str, reason: &str, container: &Value, more: &Value) -> Evidence {
    let mut own = json!({ "name": "orchestrator", "image": IMAGE, "status": "STOPPED" });
    own.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    let task = json!({
        "id": "0123456789abcdef0123456789abcdef", "definition": "leo-dev-orchestrator:8", "started_by": "ecs-svc/2",
        "status": "STOPPED", "stop_code": code, "reason": reason, "cpu": "1024", "memory": "2048",
        "architecture": "x86_64", "capacity_provider": "FARGATE", "containers": [own]
    });
    let mut parts = json!({
        "stops": { "kept": [{ "key": "k", "count": 3, "first": "2026-11-01T12:01:00Z", "last": "2026-11-01T12:03:00Z",
            "item": { "reason": reason, "origin": "ecs-svc/2", "failure": true, "new": true, "tasks": [task] } }] },
        "stack": { "failures": [failure("OrchestratorService", SERVICE, BREAKER)] }
    });
    parts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    evidence(&parts)
}

pub(crate) fn log(lines: &[&str]) -> Value {
    json!({ "logs": [{ "task": "0123456789abcdef0123456789abcdef", "container": "orchestrator",
        "stream": "ecs/orchestrator/0123456789abcdef0123456789abcdef", "lines": lines }] })
}

pub(crate) fn failure(id: &str, kind: &str, reason: &str) -> Value {
    json!({ "logical_id": id, "resource_type": kind, "status": "CREATE_FAILED", "reason": reason })
}

pub(crate) fn failed(id: &str, kind: &str, reason: &str) -> Evidence {
    evidence(&json!({ "deployments": [], "stack": { "failures": [failure(id, kind, reason)] } }))
}

pub(crate) fn said_by_ecs(message: &str) -> Evidence {
    evidence(&json!({
        "events": { "kept": [{ "key": "k", "count": 4, "first": "2026-11-01T12:01:00Z", "last": "2026-11-01T12:08:00Z",
            "item": message }] },
        "stack": { "status": "UPDATE_ROLLBACK_IN_PROGRESS" }
    }))
}

pub(crate) fn unhealthy(code: &str, description: &str) -> Value {
    json!({
        "running": [{ "id": "0123456789abcdef0123456789abcdef", "definition": "leo-dev-orchestrator:8",
            "started_by": "ecs-svc/2", "status": "RUNNING", "address": "10.0.3.17" }],
        "targets": { "kept": [{ "key": "k", "count": 1, "first": "2026-11-01T12:01:00Z", "last": "2026-11-01T12:01:00Z",
            "item": { "state": "unhealthy", "code": code, "description": description, "current": true,
                      "addresses": ["10.0.3.17:8080"] } }] }
    })
}

pub(crate) fn with(mut one: Value, other: &Value) -> Value {
    one.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    one
}

pub(crate) const ELB: &str = "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:us-east-1:123456789012:\
    targetgroup/leo-d-Targe-1ABC/0123456789abcdef)";
