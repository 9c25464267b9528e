//! The platform: what changes with every release.

use crate::{
    load_balancer::{self, Place},
    parameters::{Parameters, declare},
    task,
};
use leo_cfn::{
    Attributes, Fragment, Output, Value, join, logical_id,
    types::{
        ecs::{
            AwsvpcConfiguration, CapacityProviderStrategyItem, DeploymentCircuitBreaker,
            DeploymentConfiguration, ForceNewDeployment, NetworkConfiguration, Service, ServiceArn,
            ServiceLoadBalancer, TaskDefinitionArn, ThresholdConfiguration,
        },
        elasticloadbalancingv2::TargetGroupArn,
    },
};
use leo_config::{Config, Endpoint};

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
