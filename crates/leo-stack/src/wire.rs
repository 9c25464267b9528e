//! The edges.

use crate::{Keys, Link};
use leo_cfn::{
    Fragment, Output, logical_id,
    types::{
        ec2::{SecurityGroupId, SubnetId, VpcId},
        ecr::RepositoryUri,
        ecs::ClusterName,
        iam::RoleArn,
        s3::BucketName,
        secretsmanager::SecretArn,
    },
};
use leo_compute::{ServiceExports, ServiceParameters};
use leo_config::{Config, ProviderName};
use std::collections::BTreeMap;

/// What the registry tells a deploy.
pub(crate) struct Registry {
    orchestrator: Output<RepositoryUri>,
    generator: Output<RepositoryUri>,
}

pub(crate) fn registry(config: &Config) -> (Vec<Fragment>, Registry) {
    let (storage, repositories) = leo_storage::registry(config);
    let mut outputs = Fragment::new("stack::registry", "registry");
    let exports = Registry {
        orchestrator: outputs.output(
            logical_id!("OrchestratorRepositoryUri"),
            "Where the orchestrator's images are",
            repositories.orchestrator.repository_uri(),
        ),
        generator: outputs.output(
            logical_id!("GeneratorRepositoryUri"),
            "Where the generators' images are",
            repositories.generator.repository_uri(),
        ),
    };
    outputs.output(
        logical_id!("ArtifactsBucketName"),
        "Where templates and records of releases are",
        repositories.artifacts.reference(),
    );
    (vec![storage, outputs], exports)
}

/// What the foundation gives the platform.
pub(crate) struct Foundation {
    vpc: Output<VpcId>,
    subnets: Output<Vec<SubnetId>>,
    load_balancer_security_group: Output<SecurityGroupId>,
    orchestrator_security_group: Output<SecurityGroupId>,
    generator_security_group: Output<SecurityGroupId>,
    cluster: Output<ClusterName>,
    bucket: Output<BucketName>,
    secrets: BTreeMap<ProviderName, Output<SecretArn>>,
    orchestrator_execution_role: Output<RoleArn>,
    orchestrator_task_role: Output<RoleArn>,
    generator_execution_role: Output<RoleArn>,
    generator_task_role: Output<RoleArn>,
}

pub(crate) fn foundation(config: &Config) -> (Vec<Fragment>, Foundation) {
    let (networking, network) = leo_networking::network(config);
    let (storage, data) = leo_storage::data(config);
    let (compute, cluster) = leo_compute::cluster(config);
    let (identity, roles) = leo_identity::roles(
        config,
        leo_identity::Inputs { cluster: &cluster.cluster, bucket: &data.bucket, secrets: &data.secrets },
    );
    let mut outputs = Fragment::new("stack::foundation", "foundation");
    let exports = Foundation {
        vpc: outputs.output(logical_id!("VpcId"), "The VPC", network.vpc.reference()),
        subnets: outputs.output_list(
            logical_id!("PublicSubnetIds"),
            "The public subnets",
            network.subnets.iter().map(leo_cfn::Handle::reference),
        ),
        load_balancer_security_group: outputs.output(
            logical_id!("LoadBalancerSecurityGroupId"),
            "The load balancer's group",
            network.load_balancer.group_id(),
        ),
        orchestrator_security_group: outputs.output(
            logical_id!("OrchestratorSecurityGroupId"),
            "The orchestrator's group",
            network.orchestrator.group_id(),
        ),
        generator_security_group: outputs.output(
            logical_id!("GeneratorSecurityGroupId"),
            "The generators' group",
            network.generator.group_id(),
        ),
        cluster: outputs.output(logical_id!("ClusterName"), "The cluster", cluster.cluster.reference()),
        bucket: outputs.output(logical_id!("AppsBucketName"), "Where jobs are kept", data.bucket.reference()),
        secrets: data
            .secrets
            .iter()
            .map(|(provider, secret)| {
                let id = logical_id!("SecretArn").suffixed(provider.as_str());
                (provider.clone(), outputs.output(id, "The ARN of a secret", secret.arn()))
            })
            .collect(),
        orchestrator_execution_role: outputs.output(
            logical_id!("OrchestratorExecutionRoleArn"),
            "Starts the orchestrator",
            roles.orchestrator_execution.arn(),
        ),
        orchestrator_task_role: outputs.output(
            logical_id!("OrchestratorTaskRoleArn"),
            "What the orchestrator may do",
            roles.orchestrator_task.arn(),
        ),
        generator_execution_role: outputs.output(
            logical_id!("GeneratorExecutionRoleArn"),
            "Starts generators",
            roles.generator_execution.arn(),
        ),
        generator_task_role: outputs.output(
            logical_id!("GeneratorTaskRoleArn"),
            "What generators may do",
            roles.generator_task.arn(),
        ),
    };
    (vec![networking, storage, compute, identity, outputs], exports)
}

pub(crate) fn platform(config: &Config) -> (Vec<Fragment>, ServiceExports) {
    let (service, exports) = leo_compute::service(config);
    (vec![service], exports)
}

pub(crate) fn links(foundation: &Foundation, platform: &ServiceParameters) -> Vec<Link> {
    let mut links = vec![
        Link::new(&foundation.vpc, &platform.vpc),
        Link::new(&foundation.subnets, &platform.subnets),
        Link::new(&foundation.load_balancer_security_group, &platform.load_balancer_security_group),
        Link::new(&foundation.orchestrator_security_group, &platform.orchestrator_security_group),
        Link::new(&foundation.generator_security_group, &platform.generator_security_group),
        Link::new(&foundation.cluster, &platform.cluster),
        Link::new(&foundation.bucket, &platform.bucket),
        Link::new(&foundation.orchestrator_execution_role, &platform.orchestrator.execution_role),
        Link::new(&foundation.orchestrator_task_role, &platform.orchestrator.task_role),
        Link::new(&foundation.generator_execution_role, &platform.generator.execution_role),
        Link::new(&foundation.generator_task_role, &platform.generator.task_role),
    ];
    links.extend(
        platform.secrets.iter().filter_map(|(provider, parameter)| {
            Some(Link::new(foundation.secrets.get(provider)?, parameter))
        }),
    );
    links
}

pub(crate) fn keys(registry: &Registry, foundation: &Foundation, platform: &ServiceExports) -> Keys {
    Keys {
        orchestrator_repository: registry.orchestrator.key().to_owned(),
        generator_repository: registry.generator.key().to_owned(),
        bucket: foundation.bucket.key().to_owned(),
        cluster: foundation.cluster.key().to_owned(),
        orchestrator_image: platform.parameters.orchestrator.image.key().to_owned(),
        generator_image: platform.parameters.generator.image.key().to_owned(),
        secrets_revision: platform.parameters.secrets_revision.key().to_owned(),
        url: platform.url.key().to_owned(),
        load_balancer_name: platform.load_balancer_name.key().to_owned(),
        load_balancer_dns_name: platform.load_balancer_dns_name.key().to_owned(),
        target_group: platform.target_group.key().to_owned(),
        service: platform.service.key().to_owned(),
        orchestrator_task_definition: platform.orchestrator_task_definition.key().to_owned(),
    }
}
