//! Every cause, from evidence with the words that AWS uses.

use std::collections::BTreeSet;

use leo_evidence::{CauseKind, Evidence, diagnose};
use serde_json::{Value, json};

use crate::answers::subject;

const SERVICE: &str = "AWS::ECS::Service";
const BREAKER: &str = "Resource handler returned message: \"Error occurred during operation 'ECS Deployment Circuit Breaker was \
    triggered'.\" (RequestToken: 121161f9-1c97-e3d5-b4d3-8328bb2b676c, HandlerErrorCode: GeneralServiceException)";
const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/leo-saas-app@sha256:5d41402abc4b";

fn evidence(parts: &Value) -> Evidence {
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
fn stopped(code: &str, reason: &str, container: &Value, more: &Value) -> Evidence {
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

fn log(lines: &[&str]) -> Value {
    json!({ "logs": [{ "task": "0123456789abcdef0123456789abcdef", "container": "orchestrator",
        "stream": "ecs/orchestrator/0123456789abcdef0123456789abcdef", "lines": lines }] })
}

fn failure(id: &str, kind: &str, reason: &str) -> Value {
    json!({ "logical_id": id, "resource_type": kind, "status": "CREATE_FAILED", "reason": reason })
}

fn failed(id: &str, kind: &str, reason: &str) -> Evidence {
    evidence(&json!({ "deployments": [], "stack": { "failures": [failure(id, kind, reason)] } }))
}

fn said_by_ecs(message: &str) -> Evidence {
    evidence(&json!({
        "events": { "kept": [{ "key": "k", "count": 4, "first": "2026-11-01T12:01:00Z", "last": "2026-11-01T12:08:00Z",
            "item": message }] },
        "stack": { "status": "UPDATE_ROLLBACK_IN_PROGRESS" }
    }))
}

fn unhealthy(code: &str, description: &str) -> Value {
    json!({
        "running": [{ "id": "0123456789abcdef0123456789abcdef", "definition": "leo-dev-orchestrator:8",
            "started_by": "ecs-svc/2", "status": "RUNNING", "address": "10.0.3.17" }],
        "targets": { "kept": [{ "key": "k", "count": 1, "first": "2026-11-01T12:01:00Z", "last": "2026-11-01T12:01:00Z",
            "item": { "state": "unhealthy", "code": code, "description": description, "current": true,
                      "addresses": ["10.0.3.17:8080"] } }] }
    })
}

fn with(mut one: Value, other: &Value) -> Value {
    one.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    one
}

const ELB: &str = "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:us-east-1:123456789012:\
    targetgroup/leo-d-Targe-1ABC/0123456789abcdef)";

fn from_tasks() -> Vec<(CauseKind, &'static str, Evidence)> {
    let start = "TaskFailedToStart";
    let exited = "Essential container in task exited";
    let none = json!({});
    vec![
        (
            CauseKind::ContainerExits,
            "a program that ends at once",
            stopped(
                "EssentialContainerExited",
                exited,
                &json!({ "exit_code": 1 }),
                &log(&[
                    "thread 'main' panicked at src/main.rs:12:31:",
                    "SUPABASE_URL is not set",
                    "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
                ]),
            ),
        ),
        (
            CauseKind::ContainerExits,
            "a program that is done",
            stopped("EssentialContainerExited", exited, &json!({ "exit_code": 0 }), &none),
        ),
        (
            CauseKind::ImageNotFound,
            "an image that expired",
            stopped(
                start,
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref \
                 123456789012.dkr.ecr.us-east-1.amazonaws.com/leo-saas-app@sha256:5d41402abc4b: not found",
                &none,
                &none,
            ),
        ),
        (
            CauseKind::WrongArchitecture,
            "an image of another processor, at the pull",
            stopped(
                start,
                "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not contain \
                 descriptor matching platform 'linux/amd64'",
                &none,
                &none,
            ),
        ),
        (
            CauseKind::WrongArchitecture,
            "an image of another processor, at the start",
            stopped(
                "EssentialContainerExited",
                exited,
                &json!({ "exit_code": 255 }),
                &log(&["exec /leo-saas: exec format error"]),
            ),
        ),
        (
            CauseKind::SecretWithoutValue,
            "a secret that nobody gave a value",
            stopped(
                start,
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: \
                 unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret \
                 arn:aws:secretsmanager:us-east-1:123456789012:secret:leo/dev/supabase-AbCd12 from secrets manager: \
                 ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
                &none,
                &none,
            ),
        ),
        (
            CauseKind::SecretWithoutValue,
            "a secret without the key",
            stopped(
                start,
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: \
                 unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets \
                 Manager did not contain json key SUPABASE_ANON_KEY",
                &none,
                &none,
            ),
        ),
        (
            CauseKind::SecretNotReadable,
            "a secret that the role may not read",
            stopped(
                start,
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: \
                 unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret \
                 arn:aws:secretsmanager:us-east-1:123456789012:secret:leo/dev/github-AbCd12 from secrets manager: \
                 AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/leo-dev-execution/0123456789abcdef is not \
                 authorized to perform: secretsmanager:GetSecretValue on resource: \
                 arn:aws:secretsmanager:us-east-1:123456789012:secret:leo/dev/github-AbCd12 because no identity-based policy \
                 allows the secretsmanager:GetSecretValue action",
                &none,
                &none,
            ),
        ),
        (
            CauseKind::AccessDenied,
            "a registry that refuses the role",
            stopped(
                start,
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref \
                 123456789012.dkr.ecr.us-east-1.amazonaws.com/leo-saas-app@sha256:5d41402abc4b: unexpected status from HEAD \
                 request: 403 Forbidden",
                &none,
                &none,
            ),
        ),
        (
            CauseKind::NoRoute,
            "no public address",
            stopped(
                start,
                "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from \
                 Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network \
                 configuration. RequestError: send request failed caused by: Post \"https://api.ecr.us-east-1.amazonaws.com/\": \
                 dial tcp 54.180.184.245:443: i/o timeout",
                &none,
                &json!({ "service": { "name": "leo", "desired": 1, "public_address": false } }),
            ),
        ),
        (
            CauseKind::OutOfMemory,
            "out of memory, as ECS says it",
            stopped(
                "EssentialContainerExited",
                exited,
                &json!({ "exit_code": 137, "reason": "OutOfMemoryError: Container killed due to memory usage" }),
                &log(&["loading 3 GiB of embeddings"]),
            ),
        ),
        (
            CauseKind::OutOfMemory,
            "killed, and ECS does not say why",
            stopped("EssentialContainerExited", exited, &json!({ "exit_code": 137 }), &none),
        ),
        (
            CauseKind::CannotStart,
            "an entry point that is not in the image",
            stopped(
                start,
                "CannotStartContainerError: ResourceInitializationError: unable to create new container: failed to create shim \
                 task: OCI runtime create failed: exec: \"/leo-saas\": stat /leo-saas: no such file or directory: unknown",
                &none,
                &none,
            ),
        ),
        (
            CauseKind::HealthCheckFails,
            "a health path that is not there",
            stopped(
                "ServiceSchedulerInitiated",
                ELB,
                &json!({ "exit_code": 137 }),
                &with(
                    unhealthy("Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]"),
                    &log(&["listening on 0.0.0.0:8080", "GET /healthz 404"]),
                ),
            ),
        ),
        (
            CauseKind::HealthCheckFails,
            "a health check of the container itself",
            stopped("ServiceSchedulerInitiated", "Task failed container health checks", &none, &none),
        ),
        (
            CauseKind::PortMismatch,
            "a program that listens elsewhere",
            stopped(
                "ServiceSchedulerInitiated",
                ELB,
                &none,
                &with(
                    unhealthy("Target.FailedHealthChecks", "Health checks failed"),
                    &log(&["2026-11-01T12:00:31Z INFO ready", "Server listening on http://0.0.0.0:3000"]),
                ),
            ),
        ),
        (
            CauseKind::Reported,
            "a stop that no rule knows",
            stopped(start, "ResourceInitializationError: something quite new", &none, &none),
        ),
    ]
}

fn from_elsewhere() -> Vec<(CauseKind, &'static str, Evidence)> {
    let certificate = "AWS::CertificateManager::Certificate";
    vec![
        (
            CauseKind::HealthCheckFails,
            "a target that does not answer",
            evidence(&unhealthy("Target.Timeout", "Request timed out")),
        ),
        (
            CauseKind::HealthCheckFails,
            "only ECS says it",
            said_by_ecs(
                "(service leo) (task 0123456789abcdef0123456789abcdef) (port 8080) is unhealthy in (target-group leo-d-Targe-1ABC) \
                 due to (reason Health checks failed with these codes: [500]).",
            ),
        ),
        (
            CauseKind::NoCapacity,
            "no machine",
            said_by_ecs(
                "(service leo) was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or \
                 in a different availability zone.",
            ),
        ),
        (
            CauseKind::QuotaReached,
            "the quota of processors",
            said_by_ecs(
                "(service leo) was unable to place a task. Reason: You’ve reached the limit on the number of vCPUs you can run \
                 concurrently.",
            ),
        ),
        (
            CauseKind::TaskProtected,
            "an old task with work to do",
            evidence(&json!({
                "protected": [{ "task": "fedcba9876543210fedcba9876543210", "definition": "leo-dev-orchestrator:7",
                    "until": "2026-11-01T14:00:00Z" }],
                "stack": { "failures": [failure("OrchestratorService", SERVICE, "Exceeded attempts to wait")] }
            })),
        ),
        (
            CauseKind::ZoneNotDelegated,
            "a certificate that waits",
            evidence(&json!({ "deployments": [], "stack": {
                "rollback_since": "2026-11-01T12:09:00Z",
                "waiting": [{ "logical_id": "Certificate", "resource_type": certificate, "since": "2026-11-01T12:00:10Z",
                    "reason": "Content of DNS Record is: {Name: _0a1b.dev.example.com.,Type: CNAME,Value: \
                               _2c3d.hkvuiqjoua.acm-validations.aws.}" }] } })),
        ),
        (
            CauseKind::CertificateNotFound,
            "a certificate of another region",
            failed(
                "HttpsListener",
                "AWS::ElasticLoadBalancingV2::Listener",
                "Resource handler returned message: \"Certificate ARN 'arn:aws:acm:eu-west-1:123456789012:certificate/ee2c420e' is \
                 not valid (Service: ElasticLoadBalancingV2, Status Code: 400, Request ID: a3ab2120)\"",
            ),
        ),
        (
            CauseKind::CertificateNotFound,
            "a certificate that is not there",
            failed(
                "HttpsListener",
                "AWS::ElasticLoadBalancingV2::Listener",
                "Certificate ARN 'arn:aws:acm:us-east-1:123456789012:certificate/ee2c420e' is not valid (Status Code: 400)",
            ),
        ),
        (
            CauseKind::AccessDenied,
            "someone who may not make roles",
            failed(
                "ExecutionRole",
                "AWS::IAM::Role",
                "Resource handler returned message: \"User: arn:aws:sts::123456789012:assumed-role/ci/deploy is not authorized to \
                 perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/leo-dev-foundation-ExecutionRole-1 because no \
                 identity-based policy allows the iam:CreateRole action (Service: Iam, Status Code: 403)\" (RequestToken: \
                 a3ab2120-1821-f83c-3adc-23d519cacdfe, HandlerErrorCode: AccessDenied)",
            ),
        ),
        (
            CauseKind::NameExists,
            "a bucket that an earlier deploy left",
            failed(
                "AppsBucket",
                "AWS::S3::Bucket",
                "Resource handler returned message: \"leo-dev-apps-123456789012-us-east-1 already exists (Service: S3, Status Code: \
                 0)\" (HandlerErrorCode: AlreadyExists)",
            ),
        ),
        (
            CauseKind::NameExists,
            "a log group of another stack",
            failed(
                "LogGroup",
                "AWS::Logs::LogGroup",
                "/leo/dev/orchestrator already exists in stack arn:aws:cloudformation:us-east-1:123456789012:stack/old-leo/0a1b",
            ),
        ),
        (
            CauseKind::SecretScheduledForDeletion,
            "a secret of an environment that was destroyed",
            failed(
                "SupabaseSecret",
                "AWS::SecretsManager::Secret",
                "Resource handler returned message: \"You can't create this secret because a secret with this name is already \
                 scheduled for deletion. (Service: SecretsManager, Status Code: 400)\" (HandlerErrorCode: InvalidRequest)",
            ),
        ),
        (
            CauseKind::TemplateRefused,
            "a property that CloudFormation refuses",
            evidence(&json!({ "deployments": [], "service": null, "stack": {
                "refused": "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]",
                "findings": [{ "fatal": true, "logical_id": "TargetGroup", "path": "/Resources/TargetGroup/Properties/Port",
                    "reason": "#/Port: 70000 is greater than the maximum value of 65535" },
                    { "fatal": false, "reason": "only a warning" }] } })),
        ),
        (
            CauseKind::CircuitBreaker,
            "a breaker, and nothing was seen",
            failed("OrchestratorService", SERVICE, BREAKER),
        ),
        (
            CauseKind::Reported,
            "a failure that no rule knows",
            failed(
                "LoadBalancer",
                "AWS::ElasticLoadBalancingV2::LoadBalancer",
                "Exceeded limit of 50 load balancers",
            ),
        ),
        (
            CauseKind::Overdue,
            "a load balancer that takes its time",
            evidence(&json!({ "deployments": [], "stack": {
                "rollback_since": "2026-11-01T12:15:00Z",
                "waiting": [{ "logical_id": "LoadBalancer", "resource_type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
                    "since": "2026-11-01T12:00:10Z" }] } })),
        ),
        (
            CauseKind::Mismatch,
            "only the gate complains",
            evidence(&json!({ "mismatches": ["https://dev.example.com/healthz answers with 502"] })),
        ),
    ]
}

#[test]
fn every_cause_is_read_from_what_aws_writes() {
    let mut seen = BTreeSet::new();
    let mut screens = String::new();
    for (cause, name, evidence) in from_tasks().into_iter().chain(from_elsewhere()) {
        let diagnosis = diagnose(&evidence).unwrap_or_else(|| panic!("{name}: no cause"));
        assert_eq!(diagnosis.cause, cause, "{name}: {diagnosis:#?}");
        let lines = diagnosis.lines();
        assert!(lines.len() <= 25, "{name}: {} lines", lines.len());
        assert!(!diagnosis.evidence.is_empty() && !diagnosis.fix.is_empty(), "{name}");
        seen.insert(format!("{cause:?}"));
        screens += &format!("# {name}\n{}\n\n", lines.join("\n"));
    }
    // As many as there are rules' words: a new cause needs a row here.
    assert_eq!(seen.len(), 24, "{seen:?}");
    insta::assert_snapshot!(screens);
}

#[test]
fn where_nothing_went_wrong_there_is_no_cause() {
    assert_eq!(diagnose(&Evidence::default()), None);
    assert_eq!(diagnose(&evidence(&json!({}))), None);
}

/// What tasks of before do, and what is only under way, is no cause.
#[test]
fn neither_old_tasks_nor_a_certificate_that_has_just_begun_are_blamed() {
    let mut old = stopped(
        "EssentialContainerExited",
        "Essential container in task exited",
        &json!({ "exit_code": 1 }),
        &json!({}),
    );
    old.stops.kept[0].item.new = false;
    old.stack.failures.clear();
    assert_eq!(diagnose(&old), None);
    let mut waiting =
        from_elsewhere().into_iter().find(|row| row.0 == CauseKind::ZoneNotDelegated).unwrap().2;
    waiting.ended = None;
    waiting.stack.rollback_since = None;
    waiting.updated = "2026-11-01T12:01:00Z".to_owned();
    assert_eq!(diagnose(&waiting), None);
    waiting.updated = "2026-11-01T12:06:00Z".to_owned();
    assert_eq!(diagnose(&waiting).unwrap().cause, CauseKind::ZoneNotDelegated);
    let mut old_target = evidence(&unhealthy("Target.Timeout", "Request timed out"));
    old_target.running[0].started_by = Some("ecs-svc/1".to_owned());
    assert_eq!(diagnose(&old_target), None);
}

/// A log that names the right port is no sign of a wrong one.
#[test]
fn a_program_on_the_right_port_has_a_failing_health_check() {
    let evidence = stopped(
        "ServiceSchedulerInitiated",
        ELB,
        &json!({}),
        &with(
            unhealthy("Target.FailedHealthChecks", "Health checks failed"),
            &log(&["metrics listening on 127.0.0.1:9090", "listening on 127.0.0.1:8080"]),
        ),
    );
    assert_eq!(diagnose(&evidence).unwrap().cause, CauseKind::HealthCheckFails);
}
