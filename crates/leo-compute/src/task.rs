//! The two task definitions.

use crate::parameters::{Parameters, TaskParameters};
use leo_cfn::{
    Value, join, join_list, pseudo,
    types::ecs::{
        ContainerDefinition, EphemeralStorage, HealthCheck, KeyValuePair, LinuxParameters, LogConfiguration,
        LogOptions, MountPoint, PortMapping, RuntimePlatform, Secret, TaskDefinition, Volume,
    },
};
use leo_config::{Architecture, Config, FargateSize, SecretRef};
use std::collections::BTreeMap;

/// The name of the orchestrator's container.
pub const ORCHESTRATOR: &str = "orchestrator";
/// The name of a generator's container.
pub const GENERATOR: &str = "generator";
/// What the names of the containers' log streams begin with; the container's name and the task's id follow.
pub const LOG_STREAM_PREFIX: &str = "ecs";

/// Disk in GiB that every Fargate task has; a task definition can ask only for more.
const INCLUDED_STORAGE_GIB: u32 = 20;

/// What is writable where the root file system is not.
const SCRATCH: Volume = Volume { name: "scratch" };

pub(crate) fn orchestrator(config: &Config, parameters: &Parameters) -> TaskDefinition {
    let settings = &config.orchestrator;
    let mut container = container(
        ORCHESTRATOR,
        config.environment.name.orchestrator_log_group(),
        settings.stop_timeout_seconds,
        &parameters.orchestrator,
    );
    container.environment =
        environment(config, parameters, &settings.environment, orchestrator_variables(config, parameters));
    container.secrets = secrets(&settings.secrets, parameters);
    container.port_mappings = vec![PortMapping { container_port: settings.port, protocol: "tcp" }];
    container.health_check = (!settings.health_command.is_empty()).then(|| HealthCheck {
        command: settings.health_command.clone(),
        interval: settings.health.interval_seconds,
        timeout: settings.health.timeout_seconds.min(MOST_TIMEOUT),
        retries: settings.health.unhealthy_threshold,
        start_period: settings.health.grace_period_seconds.min(MOST_START_PERIOD),
    });
    task(
        config.environment.name.orchestrator_family(),
        settings.size,
        settings.architecture,
        None,
        settings.read_only_root,
        &parameters.orchestrator,
        container,
    )
}

/// Seconds (Amazon ECS, "HealthCheck", `startPeriod`).
const MOST_START_PERIOD: u32 = 300;
/// Seconds (Amazon ECS, "HealthCheck", `timeout`); a load balancer's check may take twice as long.
const MOST_TIMEOUT: u32 = 60;

pub(crate) fn generator(config: &Config, parameters: &Parameters) -> TaskDefinition {
    let settings = &config.generator;
    let mut container = container(
        GENERATOR,
        config.environment.name.generator_log_group(),
        settings.stop_timeout_seconds,
        &parameters.generator,
    );
    container.environment = environment(config, parameters, &settings.environment, vec![]);
    container.secrets = secrets(&settings.secrets, parameters);
    let storage = settings.ephemeral_storage_gib;
    task(
        config.environment.name.generator_family(),
        settings.size,
        settings.architecture,
        (storage > INCLUDED_STORAGE_GIB).then_some(EphemeralStorage { size_in_gib: storage }),
        settings.read_only_root,
        &parameters.generator,
        container,
    )
}

fn task(
    family: String,
    size: FargateSize,
    architecture: Architecture,
    ephemeral_storage: Option<EphemeralStorage>,
    read_only_root: bool,
    parameters: &TaskParameters,
    mut container: ContainerDefinition,
) -> TaskDefinition {
    if read_only_root {
        container.readonly_root_filesystem = true;
        container.mount_points =
            vec![MountPoint { source_volume: SCRATCH.name, container_path: "/tmp", read_only: false }];
    }
    TaskDefinition {
        family,
        cpu: size.cpu_units().to_string(),
        memory: size.memory_mib().to_string(),
        network_mode: "awsvpc",
        requires_compatibilities: ["FARGATE"],
        runtime_platform: RuntimePlatform {
            cpu_architecture: architecture.ecs(),
            operating_system_family: "LINUX",
        },
        execution_role_arn: parameters.execution_role.value(),
        task_role_arn: parameters.task_role.value(),
        ephemeral_storage,
        volumes: if read_only_root { vec![SCRATCH] } else { vec![] },
        container_definitions: [container],
    }
}

fn container(
    name: &'static str,
    log_group: String,
    stop_timeout: u32,
    parameters: &TaskParameters,
) -> ContainerDefinition {
    ContainerDefinition {
        name,
        image: parameters.image.value(),
        essential: true,
        environment: vec![],
        secrets: vec![],
        port_mappings: vec![],
        health_check: None,
        log_configuration: LogConfiguration {
            log_driver: "awslogs",
            options: LogOptions {
                group: log_group,
                region: pseudo::region(),
                stream_prefix: LOG_STREAM_PREFIX,
                mode: "non-blocking",
                max_buffer_size: "4m",
            },
        },
        stop_timeout,
        readonly_root_filesystem: false,
        mount_points: vec![],
        linux_parameters: LinuxParameters { init_process_enabled: true },
    }
}

/// What the orchestrator needs to start generators.
fn orchestrator_variables(config: &Config, parameters: &Parameters) -> Vec<(&'static str, Value<String>)> {
    vec![
        ("PORT", config.orchestrator.port.to_string().into()),
        ("LEO_CLUSTER", parameters.cluster.value().text()),
        ("LEO_GENERATOR_TASK_DEFINITION", config.environment.name.generator_family().into()),
        ("LEO_GENERATOR_CONTAINER", GENERATOR.into()),
        ("LEO_GENERATOR_SUBNETS", join_list(",", &parameters.subnets.value())),
        ("LEO_GENERATOR_SECURITY_GROUP", parameters.generator_security_group.value().text()),
        ("LEO_GENERATOR_ASSIGN_PUBLIC_IP", "ENABLED".into()),
        ("LEO_GENERATOR_CAPACITY_PROVIDER", config.generator.capacity.provider().into()),
    ]
}

/// All variables by name, so that their order depends on nothing else.
fn environment(
    config: &Config,
    parameters: &Parameters,
    own: &BTreeMap<String, String>,
    more: Vec<(&'static str, Value<String>)>,
) -> Vec<KeyValuePair> {
    let mut variables: BTreeMap<String, Value<String>> =
        own.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    variables.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    variables.extend([
        ("AWS_REGION".to_owned(), pseudo::region()),
        ("LEO_BUCKET".to_owned(), parameters.bucket.value().text()),
        ("LEO_ENVIRONMENT".to_owned(), config.environment.name.to_string().into()),
    ]);
    variables.into_iter().map(|(name, value)| KeyValuePair { name, value }).collect()
}

fn secrets(references: &[SecretRef], parameters: &Parameters) -> Vec<Secret> {
    let mut secrets: Vec<Secret> = references
        .iter()
        .filter_map(|reference| Some((reference, parameters.secrets.get(&reference.provider)?)))
        .flat_map(|(reference, secret)| {
            reference.keys.iter().map(|key| Secret {
                name: key.variable.clone(),
                value_from: join("", [secret.value().text(), format!(":{}::", key.json_key).into()]),
            })
        })
        .collect();
    secrets.sort_by(|a, b| a.name.cmp(&b.name));
    secrets
}
