//! What CloudFormation, ECS, the load balancer or the gate say.

use leo_evidence::CauseKind;
use serde_json::json;

use super::{BREAKER, Case, SERVICE, evidence, failed, failure, said_by_ecs, unhealthy};

pub(crate) fn from_elsewhere() -> Vec<Case> {
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
            CauseKind::HealthCheckFails,
            "a health path that only the gate sees answered badly",
            evidence(&json!({ "mismatches": ["https://dev.example.com/healthz answers with 502"] })),
        ),
        (
            CauseKind::Mismatch,
            "only the gate complains",
            evidence(&json!({ "mismatches": ["the target group has no target"] })),
        ),
    ]
}
