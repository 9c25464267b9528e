//! Tasks that stopped.

use leo_evidence::CauseKind;
use serde_json::json;

use super::{Case, ELB, log, stopped, unhealthy, with};

pub(crate) fn from_tasks() -> Vec<Case> {
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
            stopped("EssentialContainerExited", exited, &json!({ "exit_code": 0 }), &log(&[])),
        ),
        (
            CauseKind::ContainerExits,
            "a program that ends, and its log can't be read",
            stopped("EssentialContainerExited", exited, &json!({ "exit_code": 2 }), &none),
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
