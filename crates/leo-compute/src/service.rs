//! The platform: what changes with every release.

use crate::{
    load_balancer::{self, Place},
    task,
};
use leo_cfn::{
    Attributes, Fragment, Output, Parameter, Rule, Value, join, logical_id,
    types::{
        ec2::{SecurityGroupId, SubnetId, VpcId},
        ecr::ImageUri,
        ecs::{
            AwsvpcConfiguration, CapacityProviderStrategyItem, ClusterName, DeploymentCircuitBreaker,
            DeploymentConfiguration, ForceNewDeployment, NetworkConfiguration, Service, ServiceArn,
            ServiceLoadBalancer, TaskDefinitionArn, ThresholdConfiguration,
        },
        elasticloadbalancingv2::TargetGroupArn,
        iam::RoleArn,
        s3::BucketName,
        secretsmanager::SecretArn,
    },
};
use leo_config::{Config, Endpoint, ProviderName};
use std::collections::BTreeMap;

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

/// What the service offers.
#[derive(Debug)]
pub struct Exports {
    /// What it takes.
    pub parameters: Parameters,
    /// Where users go.
    pub url: Output<String>,
    /// The load balancer's name in the account.
    pub load_balancer_name: Output<String>,
    /// The load balancer's own domain name.
    pub load_balancer_dns_name: Output<String>,
    /// The target group.
    pub target_group: Output<TargetGroupArn>,
    /// The orchestrator's service.
    pub service: Output<ServiceArn>,
    /// The revision that the service runs.
    pub orchestrator_task_definition: Output<TaskDefinitionArn>,
    /// The newest revision of the generators' family.
    pub generator_task_definition: Output<TaskDefinitionArn>,
}

/// The platform.
#[must_use]
pub fn service(config: &Config) -> (Fragment, Exports) {
    let mut fragment = Fragment::new("compute::service", "orchestrator");
    let parameters = declare(config, &mut fragment);
    let front = load_balancer::add(
        config,
        &mut fragment,
        Place {
            vpc: parameters.vpc.value(),
            subnets: parameters.subnets.value(),
            security_group: parameters.load_balancer_security_group.value(),
        },
    );
    let orchestrator =
        fragment.add(logical_id!("OrchestratorTaskDefinition"), task::orchestrator(config, &parameters));
    let service = fragment.add_with(
        logical_id!("OrchestratorService"),
        Attributes::default().after(&front.listener),
        orchestrator_service(config, &parameters, orchestrator.reference(), front.target_group.reference()),
    );
    let generator = fragment.add_with(
        logical_id!("GeneratorTaskDefinition"),
        // New generators run the family's newest revision at once: a deploy that fails before this leaves them alone.
        Attributes::default().component("generator").after(&service),
        task::generator(config, &parameters),
    );
    let url = match &config.load_balancer.endpoint {
        Endpoint::Http => join("", ["http://".into(), front.load_balancer.dns_name()]),
        Endpoint::Https { domain, .. } => Value::from(format!("https://{domain}")),
    };
    let exports = Exports {
        url: fragment.output(logical_id!("Url"), "Where users go", url),
        load_balancer_name: fragment.output(
            logical_id!("LoadBalancerName"),
            "The load balancer's name in the account",
            front.load_balancer.name(),
        ),
        load_balancer_dns_name: fragment.output(
            logical_id!("LoadBalancerDnsName"),
            "The load balancer's own domain name",
            front.load_balancer.dns_name(),
        ),
        target_group: fragment.output(
            logical_id!("TargetGroupArn"),
            "The orchestrator's targets",
            front.target_group.reference(),
        ),
        service: fragment.output(
            logical_id!("OrchestratorServiceArn"),
            "The orchestrator's service",
            service.reference(),
        ),
        orchestrator_task_definition: fragment.output(
            logical_id!("OrchestratorTaskDefinitionArn"),
            "The revision that the orchestrator's service runs",
            orchestrator.reference(),
        ),
        generator_task_definition: fragment.output(
            logical_id!("GeneratorTaskDefinitionArn"),
            "The revision that new generators run",
            generator.reference(),
        ),
        parameters,
    };
    (fragment, exports)
}

fn declare(config: &Config, fragment: &mut Fragment) -> Parameters {
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
        .collect::<std::collections::BTreeSet<_>>()
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

fn orchestrator_service(
    config: &Config,
    parameters: &Parameters,
    task_definition: Value<TaskDefinitionArn>,
    target_group: Value<TargetGroupArn>,
) -> Service {
    let settings = &config.orchestrator;
    Service {
        cluster: parameters.cluster.value(),
        task_definition,
        desired_count: settings.desired_count,
        capacity_provider_strategy: vec![CapacityProviderStrategyItem {
            capacity_provider: settings.capacity.provider(),
            weight: 1,
        }],
        deployment_configuration: DeploymentConfiguration {
            maximum_percent: 200,
            minimum_healthy_percent: 100,
            deployment_circuit_breaker: DeploymentCircuitBreaker {
                enable: true,
                rollback: true,
                threshold_configuration: ThresholdConfiguration {
                    r#type: "COUNT",
                    value: settings.circuit_breaker_failures,
                },
            },
        },
        // UpdateService refuses another capacity provider without a forced deployment, and does not roll tasks for
        // ECS Exec: both are part of what forces one.
        force_new_deployment: ForceNewDeployment {
            enable_force_new_deployment: true,
            force_new_deployment_nonce: join(
                "-",
                [
                    parameters.secrets_revision.value(),
                    settings.capacity.provider().into(),
                    if settings.exec { "exec" } else { "no-exec" }.into(),
                ],
            ),
        },
        enable_execute_command: settings.exec,
        availability_zone_rebalancing: "DISABLED",
        enable_ecs_managed_tags: true,
        propagate_tags: "SERVICE",
        health_check_grace_period_seconds: settings.health.grace_period_seconds,
        load_balancers: [ServiceLoadBalancer {
            container_name: task::ORCHESTRATOR,
            container_port: settings.port,
            target_group_arn: target_group,
        }],
        network_configuration: NetworkConfiguration {
            awsvpc_configuration: AwsvpcConfiguration {
                assign_public_ip: "ENABLED",
                subnets: parameters.subnets.value(),
                security_groups: vec![parameters.orchestrator_security_group.value()],
            },
        },
    }
}
