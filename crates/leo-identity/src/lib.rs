//! The roles of an environment: for each of the two tasks one that ECS takes on to start it (execution role) and
//! one that its containers have (task role).
//!
//! Deliberately absent: users, keys, and any permission of people or of the deployment itself.

mod arns;
mod execution;
mod generator;
mod orchestrator;

use leo_cfn::{
    Attributes, Fragment, Handle, LogicalId, PolicyDocument, Principal, Statement, logical_id, pseudo,
    types::{
        ecs::Cluster,
        iam::{Policy, Role},
        s3::Bucket,
        secretsmanager::Secret,
    },
};
use leo_config::{Config, ProviderName, SecretRef, names};
use std::collections::BTreeMap;

/// What the roles are about.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The cluster that tasks run in.
    pub cluster: &'a Handle<Cluster>,
    /// The bucket of generated applications.
    pub bucket: &'a Handle<Bucket>,
    /// The secrets, by provider.
    pub secrets: &'a BTreeMap<ProviderName, Handle<Secret>>,
}

/// The roles.
#[derive(Debug)]
pub struct Exports {
    /// Starts the orchestrator.
    pub orchestrator_execution: Handle<Role>,
    /// What the orchestrator may do.
    pub orchestrator_task: Handle<Role>,
    /// Starts a generator.
    pub generator_execution: Handle<Role>,
    /// What a generator may do.
    pub generator_task: Handle<Role>,
}

/// The roles.
#[must_use]
pub fn roles(config: &Config, inputs: Inputs<'_>) -> (Fragment, Exports) {
    let mut fragment = Fragment::new("identity::roles", "identity");
    let name = &config.environment.name;
    let mut role = |id: LogicalId, component: &'static str, purpose: &str, statements: Vec<Statement>| {
        fragment.add_with(
            id,
            Attributes::default().component(component),
            task_role(config, format!("Leo {name}: {purpose}"), statements),
        )
    };
    let generator_execution = role(
        logical_id!("GeneratorExecutionRole"),
        "generator",
        "starts generators",
        execution::statements(
            names::GENERATOR_REPOSITORY,
            &name.generator_log_group(),
            &secrets(&config.generator.secrets, inputs),
        ),
    );
    let generator_task = role(
        logical_id!("GeneratorTaskRole"),
        "generator",
        "what generators may do",
        generator::statements(inputs.bucket, &secrets(&config.generator.secrets, inputs)),
    );
    let orchestrator_execution = role(
        logical_id!("OrchestratorExecutionRole"),
        "orchestrator",
        "starts the orchestrator",
        execution::statements(
            names::ORCHESTRATOR_REPOSITORY,
            &name.orchestrator_log_group(),
            &secrets(&config.orchestrator.secrets, inputs),
        ),
    );
    let orchestrator_task = role(
        logical_id!("OrchestratorTaskRole"),
        "orchestrator",
        "what the orchestrator may do",
        orchestrator::statements(
            config,
            inputs,
            [&generator_execution, &generator_task],
            &secrets(&config.orchestrator.secrets, inputs),
        ),
    );
    (fragment, Exports { orchestrator_execution, orchestrator_task, generator_execution, generator_task })
}

/// The secrets that a container names. A provider that the configuration does not have is left out here: the
/// configuration refuses such a reference.
fn secrets<'a>(references: &[SecretRef], inputs: Inputs<'a>) -> Vec<&'a Handle<Secret>> {
    references.iter().filter_map(|reference| inputs.secrets.get(&reference.provider)).collect()
}

fn task_role(config: &Config, description: String, statements: Vec<Statement>) -> Role {
    Role {
        description,
        assume_role_policy_document: PolicyDocument::new([Statement::allow("Tasks", ["sts:AssumeRole"])
            .by(Principal::Service("ecs-tasks.amazonaws.com"))
            // Without it another account's tasks could be made to use the role (the confused deputy).
            .when("StringEquals", "aws:SourceAccount", pseudo::account_id())]),
        policies: vec![Policy { policy_name: "task", policy_document: PolicyDocument::new(statements) }],
        permissions_boundary: config.identity.permissions_boundary.as_ref().map(ToString::to_string),
    }
}

/// Reading these secrets; nothing where there are none.
fn read_secrets(secrets: &[&Handle<Secret>]) -> Option<Statement> {
    (!secrets.is_empty()).then(|| {
        Statement::allow("ReadSecrets", ["secretsmanager:GetSecretValue"])
            .on(secrets.iter().map(|secret| secret.arn().text()))
    })
}
