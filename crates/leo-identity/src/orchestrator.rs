//! What the orchestrator may do: start, watch and stop generators in its own cluster, and keep their jobs.

use crate::{Inputs, arns, read_secrets};
use leo_cfn::{
    Handle, Statement, join,
    types::{iam::Role, secretsmanager::Secret},
};
use leo_config::Config;

const COMPONENT_TAG: &str = "aws:ResourceTag/leo:component";

pub(crate) fn statements(
    config: &Config,
    inputs: Inputs<'_>,
    passed: [&Handle<Role>; 2],
    secrets: &[&Handle<Secret>],
) -> Vec<Statement> {
    let mut statements = generators(config, inputs, passed);
    statements.extend(itself(config));
    statements.extend(jobs(inputs));
    statements.extend(read_secrets(secrets));
    statements
}

fn generators(config: &Config, inputs: Inputs<'_>, passed: [&Handle<Role>; 2]) -> Vec<Statement> {
    let name = &config.environment.name;
    let cluster = || inputs.cluster.arn().text();
    let tasks = || arns::here("ecs", &format!("task/{}/*", name.cluster()));
    vec![
        Statement::allow("StartGenerators", ["ecs:RunTask"])
            .on([arns::here("ecs", &format!("task-definition/{}:*", name.generator_family()))])
            .when("ArnEquals", "ecs:cluster", cluster()),
        Statement::allow("TagWhatItStarts", ["ecs:TagResource"]).on([tasks()]).when(
            "StringEquals",
            "ecs:CreateAction",
            "RunTask".into(),
        ),
        Statement::allow("PassGeneratorRoles", ["iam:PassRole"])
            .on(passed.map(|role| role.arn().text()))
            .when("StringEquals", "iam:PassedToService", "ecs-tasks.amazonaws.com".into()),
        Statement::allow("WatchTasks", ["ecs:DescribeTasks"]).on([tasks()]),
        // The only resource that AWS lets it be narrowed to is a container instance. Fargate has none: a call that names
        // none is authorized on `*`, and any other resource here would refuse it. The condition keeps it to our cluster.
        Statement::allow("ListTasks", ["ecs:ListTasks"]).on_everything().when(
            "ArnEquals",
            "ecs:cluster",
            cluster(),
        ),
        Statement::allow("StopTasks", ["ecs:StopTask"]).on([tasks()]),
        // A task's ARN does not carry its family; its tags, propagated from the service, tell it apart.
        Statement::deny("NeverStopOrchestrators", ["ecs:StopTask"]).on([tasks()]).when(
            "StringEquals",
            COMPONENT_TAG,
            "orchestrator".into(),
        ),
    ]
}

/// Its own task: protection from being stopped while it works, and a shell where that is switched on.
fn itself(config: &Config) -> Vec<Statement> {
    let tasks = arns::here("ecs", &format!("task/{}/*", config.environment.name.cluster()));
    let mut statements = vec![
        Statement::allow("ProtectItself", ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"])
            .on([tasks])
            .when("StringEquals", COMPONENT_TAG, "orchestrator".into()),
    ];
    if config.orchestrator.exec {
        // AWS supports no resource for these (Service Authorization Reference, "Amazon Message Gateway Service").
        statements.push(
            Statement::allow(
                "ShellIntoIt",
                [
                    "ssmmessages:CreateControlChannel",
                    "ssmmessages:CreateDataChannel",
                    "ssmmessages:OpenControlChannel",
                    "ssmmessages:OpenDataChannel",
                ],
            )
            .on_everything(),
        );
    }
    statements
}

fn jobs(inputs: Inputs<'_>) -> Vec<Statement> {
    let bucket = inputs.bucket.arn().text();
    vec![
        Statement::allow("KeepJobs", ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"])
            .on([join("/", [bucket.clone(), "jobs/*".into()])]),
        // Without it a missing object answers 403, not 404.
        Statement::allow("ListJobs", ["s3:ListBucket"]).on([bucket]).when(
            "StringLike",
            "s3:prefix",
            "jobs/*".into(),
        ),
    ]
}
