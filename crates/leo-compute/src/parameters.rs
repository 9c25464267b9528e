//! What the platform takes from the stacks before it, and from the deploy.

use leo_cfn::{
    Fragment, Parameter, Rule, logical_id,
    types::{
        ec2::{SecurityGroupId, SubnetId, VpcId},
        ecr::ImageUri,
        ecs::ClusterName,
        iam::RoleArn,
        s3::BucketName,
        secretsmanager::SecretArn,
    },
};
use leo_config::{Config, ProviderName};
use std::collections::{BTreeMap, BTreeSet};

/// What the service takes from the stacks before it, and from the deploy.
#[derive(Debug)]
pub struct Parameters {
    /// The VPC.
    pub vpc: Parameter<VpcId>,
    /// The public subnets.
    pub subnets: Parameter<Vec<SubnetId>>,
    /// The load balancer's group.
    pub load_balancer_security_group: Parameter<SecurityGroupId>,
    /// The orchestrator's group.
    pub orchestrator_security_group: Parameter<SecurityGroupId>,
    /// The generators' group.
    pub generator_security_group: Parameter<SecurityGroupId>,
    /// The cluster.
    pub cluster: Parameter<ClusterName>,
    /// The bucket of generated applications.
    pub bucket: Parameter<BucketName>,
    /// The secrets that a container gets, by provider.
    pub secrets: BTreeMap<ProviderName, Parameter<SecretArn>>,
    /// The orchestrator's roles and image.
    pub orchestrator: TaskParameters,
    /// The generators' roles and image.
    pub generator: TaskParameters,
    /// Changes when a secret's value does: running tasks keep the values that they started with, so a new one rolls
    /// them.
    pub secrets_revision: Parameter<String>,
}

/// What one task takes.
#[derive(Debug)]
pub struct TaskParameters {
    /// The role that ECS takes on to start it.
    pub execution_role: Parameter<RoleArn>,
    /// The role that its containers have.
    pub task_role: Parameter<RoleArn>,
    /// Its image, by digest.
    pub image: Parameter<ImageUri>,
}

/// Declares all of them.
pub(crate) fn declare(config: &Config, fragment: &mut Fragment) -> Parameters {
    let image = Some(Rule {
        pattern: ".+@sha256:[0-9a-f]{64}",
        meaning: "an image by digest: <repository>@sha256:<64 hexadecimal digits>",
    });
    let role = Some(Rule { pattern: "arn:[^:]+:iam::[0-9]{12}:role/.+", meaning: "the ARN of a role" });
    let secret = Some(Rule {
        pattern: "arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+",
        meaning: "the ARN of a secret",
    });
    let used = config.orchestrator.secrets.iter().chain(&config.generator.secrets);
    let secrets = used
        .map(|reference| &reference.provider)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|provider| {
            let id = logical_id!("SecretArn").suffixed(provider.as_str());
            (provider.clone(), fragment.parameter(id, "A secret that a container gets", secret))
        })
        .collect();
    Parameters {
        vpc: fragment.parameter(logical_id!("VpcId"), "The VPC", None),
        subnets: fragment.parameter(logical_id!("PublicSubnetIds"), "The public subnets", None),
        load_balancer_security_group: fragment.parameter(
            logical_id!("LoadBalancerSecurityGroupId"),
            "The load balancer's group",
            None,
        ),
        orchestrator_security_group: fragment.parameter(
            logical_id!("OrchestratorSecurityGroupId"),
            "The orchestrator's group",
            None,
        ),
        generator_security_group: fragment.parameter(
            logical_id!("GeneratorSecurityGroupId"),
            "The generators' group",
            None,
        ),
        cluster: fragment.parameter(logical_id!("ClusterName"), "The cluster", None),
        bucket: fragment.parameter(logical_id!("AppsBucketName"), "Where jobs are kept", None),
        secrets,
        orchestrator: TaskParameters {
            execution_role: fragment.parameter(
                logical_id!("OrchestratorExecutionRoleArn"),
                "Starts the orchestrator",
                role,
            ),
            task_role: fragment.parameter(
                logical_id!("OrchestratorTaskRoleArn"),
                "What the orchestrator may do",
                role,
            ),
            image: fragment.parameter(logical_id!("OrchestratorImage"), "The orchestrator's image", image),
        },
        generator: TaskParameters {
            execution_role: fragment.parameter(
                logical_id!("GeneratorExecutionRoleArn"),
                "Starts generators",
                role,
            ),
            task_role: fragment.parameter(
                logical_id!("GeneratorTaskRoleArn"),
                "What generators may do",
                role,
            ),
            image: fragment.parameter(logical_id!("GeneratorImage"), "The generators' image", image),
        },
        secrets_revision: fragment.parameter(
            logical_id!("SecretsRevision"),
            "Changes when a secret does, and so rolls the orchestrator's tasks",
            None,
        ),
    }
}
