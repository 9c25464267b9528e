//! AWS's answers, read into what is kept of them.

use aws_sdk_ecs::types as ecs;
use aws_sdk_elasticloadbalancingv2::types as elb;

use super::Service;
use crate::evidence::{ContainerSeen, DeploymentSeen, ServiceSeen, TargetSeen, TaskSeen};
use crate::time::text;

/// The part of an ARN that people know it by: `leo-dev-orchestrator:7` of a task definition, the id of a task.
pub(crate) fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn some(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

pub(super) fn service(service: &ecs::Service) -> Service {
    let address = service
        .network_configuration()
        .and_then(ecs::NetworkConfiguration::awsvpc_configuration)
        .and_then(ecs::AwsVpcConfiguration::assign_public_ip);
    let mut events: Vec<_> = service
        .events()
        .iter()
        .filter_map(|event| {
            let time = event.created_at().and_then(text).unwrap_or_default();
            Some((event.id()?.to_owned(), time, event.message()?.to_owned()))
        })
        .collect();
    // They come newest first.
    events.reverse();
    Service {
        seen: ServiceSeen {
            name: service.service_name().unwrap_or_default().to_owned(),
            desired: service.desired_count(),
            running: service.running_count(),
            pending: service.pending_count(),
            public_address: address.map(|address| *address == ecs::AssignPublicIp::Enabled),
        },
        target_group: service.load_balancers().iter().find_map(|front| some(front.target_group_arn())),
        deployments: service.deployments().iter().map(deployment).collect(),
        events,
    }
}

fn deployment(deployment: &ecs::Deployment) -> DeploymentSeen {
    DeploymentSeen {
        id: deployment.id().unwrap_or_default().to_owned(),
        definition: short(deployment.task_definition().unwrap_or_default()).to_owned(),
        status: deployment.status().unwrap_or_default().to_owned(),
        rollout: deployment.rollout_state().map_or("", ecs::DeploymentRolloutState::as_str).to_owned(),
        reason: some(deployment.rollout_state_reason()),
        desired: deployment.desired_count(),
        running: deployment.running_count(),
        pending: deployment.pending_count(),
        failed: deployment.failed_tasks(),
        created: deployment.created_at().and_then(text),
        new: false,
    }
}

pub(super) fn task(task: &ecs::Task) -> TaskSeen {
    let detail = |name: &str| {
        let details = task.attachments().iter().flat_map(ecs::Attachment::details);
        details.filter(|pair| pair.name() == Some(name)).find_map(|pair| some(pair.value()))
    };
    let architecture = task.attributes().iter().find(|attribute| attribute.name() == "ecs.cpu-architecture");
    TaskSeen {
        id: short(task.task_arn().unwrap_or_default()).to_owned(),
        definition: short(task.task_definition_arn().unwrap_or_default()).to_owned(),
        started_by: some(task.started_by()),
        status: task.last_status().unwrap_or_default().to_owned(),
        health: task.health_status().map(|health| health.as_str().to_owned()),
        created: task.created_at().and_then(text),
        stopped: task.stopped_at().and_then(text),
        stop_code: task.stop_code().map(|code| code.as_str().to_owned()).filter(|code| !code.is_empty()),
        reason: some(task.stopped_reason()),
        capacity_provider: some(task.capacity_provider_name()),
        cpu: some(task.cpu()),
        memory: some(task.memory()),
        architecture: architecture.and_then(|attribute| some(attribute.value())),
        address: detail("privateIPv4Address"),
        containers: task.containers().iter().map(container).collect(),
    }
}

fn container(container: &ecs::Container) -> ContainerSeen {
    ContainerSeen {
        name: container.name().unwrap_or_default().to_owned(),
        image: container.image().unwrap_or_default().to_owned(),
        digest: some(container.image_digest()),
        status: container.last_status().unwrap_or_default().to_owned(),
        health: container.health_status().map(|health| health.as_str().to_owned()),
        exit_code: container.exit_code(),
        reason: some(container.reason()),
    }
}

/// Its address with the port, and its health.
pub(super) fn target(target: &elb::TargetHealthDescription) -> (String, TargetSeen) {
    let address = target.target().map_or_else(String::new, |target| {
        let id = target.id().unwrap_or_default();
        target.port().map_or_else(|| id.to_owned(), |port| format!("{id}:{port}"))
    });
    let health = target.target_health();
    let seen = TargetSeen {
        state: health.and_then(elb::TargetHealth::state).map_or("", |state| state.as_str()).to_owned(),
        code: health.and_then(elb::TargetHealth::reason).map(|code| code.as_str().to_owned()),
        description: health.and_then(|health| some(health.description())),
        current: true,
        addresses: Vec::new(),
    };
    (address, seen)
}
