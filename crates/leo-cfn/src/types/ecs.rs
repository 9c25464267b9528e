//! Amazon ECS: clusters, task definitions, services.

use super::{
    ec2::{SecurityGroupId, SubnetId},
    ecr::ImageUri,
    elasticloadbalancingv2::TargetGroupArn,
    iam::RoleArn,
    identifiers, resource,
};
use crate::{Handle, Value};
use serde::Serialize;

identifiers! {
    /// The name of a cluster.
    ClusterName,
    /// The ARN of a cluster.
    ClusterArn,
    /// The ARN of a task definition, with its revision.
    TaskDefinitionArn,
    /// The ARN of a service.
    ServiceArn,
}

impl crate::ParameterType for ClusterName {
    const TYPE: &'static str = "String";
}

/// `AWS::ECS::Cluster`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Cluster {
    /// Its name.
    pub cluster_name: String,
    /// The providers that its tasks can use.
    pub capacity_providers: Vec<&'static str>,
    /// What is used where a task does not say: without it, EC2.
    pub default_capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// Its settings.
    pub cluster_settings: Vec<ClusterSetting>,
}
resource!(Cluster = "AWS::ECS::Cluster", List, Ref = ClusterName);

impl Handle<Cluster> {
    /// The cluster's ARN.
    #[must_use]
    pub fn arn(&self) -> Value<ClusterArn> {
        self.attribute("Arn")
    }
}

/// A cluster's setting.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ClusterSetting {
    /// `containerInsights`.
    pub name: &'static str,
    /// `enabled` or `disabled`.
    pub value: &'static str,
}

/// How many of the tasks run on one provider.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CapacityProviderStrategyItem {
    /// `FARGATE` or `FARGATE_SPOT`.
    pub capacity_provider: &'static str,
    /// Its share, among all shares.
    pub weight: u32,
}

/// `AWS::ECS::TaskDefinition` for Fargate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TaskDefinition {
    /// The family whose next revision this is.
    pub family: String,
    /// CPU units, 1024 to a vCPU, in digits.
    pub cpu: String,
    /// Memory in MiB, in digits.
    pub memory: String,
    /// `awsvpc`.
    pub network_mode: &'static str,
    /// `FARGATE`.
    pub requires_compatibilities: [&'static str; 1],
    /// The processor and operating system.
    pub runtime_platform: RuntimePlatform,
    /// The role that ECS takes on to start it.
    pub execution_role_arn: Value<RoleArn>,
    /// The role that its containers have.
    pub task_role_arn: Value<RoleArn>,
    /// Disk beyond the 20 GiB that are included.
    pub ephemeral_storage: Option<EphemeralStorage>,
    /// Disks that its containers share.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Its containers.
    pub container_definitions: [ContainerDefinition; 1],
}
resource!(TaskDefinition = "AWS::ECS::TaskDefinition", List, Ref = TaskDefinitionArn);

/// The processor and operating system.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RuntimePlatform {
    /// `X86_64` or `ARM64`.
    pub cpu_architecture: &'static str,
    /// `LINUX`.
    pub operating_system_family: &'static str,
}

/// Disk of a task.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EphemeralStorage {
    /// GiB in all, from 21 to 200.
    #[serde(rename = "SizeInGiB")]
    pub size_in_gib: u32,
}

/// A disk that lives as long as its task.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Volume {
    /// Its name.
    pub name: &'static str,
}

/// A container of a task definition.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerDefinition {
    /// Its name.
    pub name: &'static str,
    /// Its image, by digest.
    pub image: Value<ImageUri>,
    /// Whether its end ends the task.
    pub essential: bool,
    /// Its variables.
    pub environment: Vec<KeyValuePair>,
    /// Its secret variables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
    /// The ports that it listens on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub port_mappings: Vec<PortMapping>,
    /// How ECS asks whether it is healthy.
    pub health_check: Option<HealthCheck>,
    /// Where what it prints goes.
    pub log_configuration: LogConfiguration,
    /// Seconds between SIGTERM and SIGKILL.
    pub stop_timeout: u32,
    /// Whether its root file system can't be written.
    pub readonly_root_filesystem: bool,
    /// The disks that it sees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mount_points: Vec<MountPoint>,
    /// What of Linux it has.
    pub linux_parameters: LinuxParameters,
}

/// A variable.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyValuePair {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value<String>,
}

/// A variable whose value ECS reads from Secrets Manager when the task starts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// `<secret ARN>:<JSON key>::`.
    pub value_from: Value<String>,
}

/// A port that a container listens on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PortMapping {
    /// The port.
    pub container_port: u16,
    /// `tcp`.
    pub protocol: &'static str,
}

/// How ECS asks a container whether it is healthy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HealthCheck {
    /// `CMD` and a command, or `CMD-SHELL` and a line.
    pub command: Vec<String>,
    /// Seconds between two checks.
    pub interval: u32,
    /// Seconds until a check has failed.
    pub timeout: u32,
    /// Failures in a row that make it unhealthy.
    pub retries: u32,
    /// Seconds at the start in which failures do not count.
    pub start_period: u32,
}

/// Where what a container prints goes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LogConfiguration {
    /// `awslogs`.
    pub log_driver: &'static str,
    /// The log group and how it is written.
    pub options: LogOptions,
}

/// The `awslogs` driver's options.
#[derive(Debug, Serialize)]
pub struct LogOptions {
    /// The log group.
    #[serde(rename = "awslogs-group")]
    pub group: String,
    /// Its region.
    #[serde(rename = "awslogs-region")]
    pub region: Value<String>,
    /// What stream names begin with.
    #[serde(rename = "awslogs-stream-prefix")]
    pub stream_prefix: &'static str,
    /// `non-blocking`: a container never waits for its log.
    pub mode: &'static str,
    /// Room for lines that wait, as `4m`.
    #[serde(rename = "max-buffer-size")]
    pub max_buffer_size: &'static str,
}

/// A disk that a container sees.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MountPoint {
    /// The volume's name.
    pub source_volume: &'static str,
    /// Where.
    pub container_path: &'static str,
    /// Whether it can't be written.
    pub read_only: bool,
}

/// What of Linux a container has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LinuxParameters {
    /// Whether a small init process reaps its children and passes signals on.
    pub init_process_enabled: bool,
}

/// `AWS::ECS::Service`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Service {
    /// Its cluster.
    pub cluster: Value<ClusterName>,
    /// What runs.
    pub task_definition: Value<TaskDefinitionArn>,
    /// How many of it.
    pub desired_count: u32,
    /// On what.
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// How one revision follows another.
    pub deployment_configuration: DeploymentConfiguration,
    /// Rolls the tasks when the nonce changes, with nothing else changed.
    pub force_new_deployment: ForceNewDeployment,
    /// Whether a shell can be opened in its containers.
    pub enable_execute_command: bool,
    /// `DISABLED`: tasks move only when something is deployed. ECS would otherwise move them to even out zones.
    pub availability_zone_rebalancing: &'static str,
    /// Whether ECS adds tags of its own, with the cluster's and service's names.
    #[serde(rename = "EnableECSManagedTags")]
    pub enable_ecs_managed_tags: bool,
    /// `SERVICE`: tasks get the service's tags.
    pub propagate_tags: &'static str,
    /// Seconds after a start in which failing health checks are ignored.
    pub health_check_grace_period_seconds: u32,
    /// Who sends it requests.
    pub load_balancers: [ServiceLoadBalancer; 1],
    /// Where its tasks stand.
    pub network_configuration: NetworkConfiguration,
}
resource!(Service = "AWS::ECS::Service", List, Ref = ServiceArn);

impl Handle<Service> {
    /// The service's name.
    #[must_use]
    pub fn name(&self) -> Value<String> {
        self.attribute("Name")
    }
}

/// How one revision follows another.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeploymentConfiguration {
    /// Tasks that may run during a deployment, in percent of the desired count.
    pub maximum_percent: u32,
    /// Tasks that have to run during it.
    pub minimum_healthy_percent: u32,
    /// What ends a deployment that fails.
    pub deployment_circuit_breaker: DeploymentCircuitBreaker,
}

/// What ends a deployment that fails.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeploymentCircuitBreaker {
    /// Whether it is on.
    pub enable: bool,
    /// Whether the service goes back to the last deployment that worked.
    pub rollback: bool,
    /// How many failures it takes.
    pub threshold_configuration: ThresholdConfiguration,
}

/// How many failures open the circuit breaker.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ThresholdConfiguration {
    /// `COUNT`.
    pub r#type: &'static str,
    /// The number.
    pub value: u32,
}

/// Rolls the tasks when the nonce changes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ForceNewDeployment {
    /// Whether it is on.
    pub enable_force_new_deployment: bool,
    /// Anything; a change of it is what counts.
    pub force_new_deployment_nonce: Value<String>,
}

/// Who sends a service requests.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServiceLoadBalancer {
    /// The container that gets them.
    pub container_name: &'static str,
    /// On this port.
    pub container_port: u16,
    /// From this group.
    pub target_group_arn: Value<TargetGroupArn>,
}

/// Where a service's tasks stand.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkConfiguration {
    /// Addresses, subnets and groups.
    pub awsvpc_configuration: AwsvpcConfiguration,
}

/// A task's network interface.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AwsvpcConfiguration {
    /// `ENABLED`: a task in a public subnet reaches AWS through a public address.
    pub assign_public_ip: &'static str,
    /// The subnets.
    pub subnets: Value<Vec<SubnetId>>,
    /// The security groups.
    pub security_groups: Vec<Value<SecurityGroupId>>,
}
