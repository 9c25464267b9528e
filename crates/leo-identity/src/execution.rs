//! What ECS may do to start a task: pull its image, read its secrets, write its log.

use crate::{arns, read_secrets};
use leo_cfn::{Handle, Statement, types::secretsmanager::Secret};

pub(crate) fn statements(repository: &str, log_group: &str, secrets: &[&Handle<Secret>]) -> Vec<Statement> {
    let mut statements = vec![
        // AWS supports no resource for it (Service Authorization Reference, "Amazon Elastic Container Registry").
        Statement::allow("SignInToRegistry", ["ecr:GetAuthorizationToken"]).on_everything(),
        Statement::allow(
            "PullImage",
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        )
        .on([arns::here("ecr", &format!("repository/{repository}"))]),
        Statement::allow("WriteLog", ["logs:CreateLogStream", "logs:PutLogEvents"])
            .on([arns::here("logs", &format!("log-group:{log_group}:*"))]),
    ];
    statements.extend(read_secrets(secrets));
    statements
}
