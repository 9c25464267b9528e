use std::{collections::BTreeMap, path::PathBuf};

use ipnet::{IpNet, Ipv4Net};

use crate::{
    AccountId, AvailabilityZone, CertificateArn, DomainName, EnvironmentName, FargateSize, HostedZoneId,
    LogRetention, PolicyArn, ProviderName, Region,
};

/// The whole configuration of one environment, valid in itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Which environment this is, and where it lives.
    pub environment: Environment,
    /// The VPC and its public subnets.
    pub network: Network,
    /// The load balancer before the orchestrator.
    pub load_balancer: LoadBalancer,
    /// The repositories; shared by all environments of an account and region, so never set per environment.
    pub registry: Registry,
    /// The bucket of generated applications.
    pub storage: Storage,
    /// The log groups.
    pub logs: Logs,
    /// The roles.
    pub identity: Identity,
    /// The ECS cluster.
    pub cluster: Cluster,
    /// The always-on web service.
    pub orchestrator: Orchestrator,
    /// The container of one job.
    pub generator: Generator,
    /// The secrets, one a provider, sorted by name.
    pub secrets: Vec<SecretProvider>,
    /// Where the two images are built from.
    pub images: Images,
}

/// Which environment, and where it lives.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// Its name, a part of every physical name.
    pub name: EnvironmentName,
    /// The only account it may be deployed to; `None`: whichever the credentials are for.
    pub account: Option<AccountId>,
    /// The region it is in.
    pub region: Region,
    /// The profile of the AWS configuration to sign in with.
    pub profile: Option<String>,
    /// The profile for the commands that read and change values of secrets; `None`: the same one.
    pub secrets_profile: Option<String>,
    /// No Spot, secrets in a file of its own, and no shortcuts in a deploy.
    pub protected: bool,
}

/// The VPC and its public subnets.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// The VPC's addresses.
    pub vpc_cidr: Ipv4Net,
    /// Two or three subnets, each in a zone of its own, inside the VPC and apart from each other.
    pub subnets: Vec<SubnetPlan>,
}

/// A public subnet.
#[derive(Clone, Debug, PartialEq)]
pub struct SubnetPlan {
    /// The zone's name, e.g. `us-east-1a`.
    pub zone: AvailabilityZone,
    /// The zone's letter alone, e.g. `a`.
    pub letter: char,
    /// The subnet's addresses.
    pub cidr: Ipv4Net,
}

/// The load balancer before the orchestrator.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadBalancer {
    /// Who may connect; no two overlap.
    pub ingress: Vec<IpNet>,
    /// After how many seconds without a byte a connection is cut (1–4000).
    pub idle_timeout_seconds: u32,
    /// How many seconds a target that leaves may finish its requests (0–3600).
    pub deregistration_delay_seconds: u32,
    /// For how many seconds a browser stays with its target (1–604800).
    pub stickiness_seconds: u32,
    /// Plain HTTP, or HTTPS under a domain.
    pub endpoint: Endpoint,
}

/// How the orchestrator is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum Endpoint {
    /// Under the load balancer's own name, unencrypted.
    Http,
    /// Under a domain, with HTTP redirected to it.
    Https {
        /// The domain that people open.
        domain: DomainName,
        /// The certificate for it.
        certificate: Certificate,
    },
}

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Certificate {
    /// It exists already, in the environment's region.
    Existing {
        /// The certificate.
        arn: CertificateArn,
        /// Where the domain's alias record is made; `None`: someone else makes it.
        hosted_zone: Option<HostedZoneId>,
    },
    /// It is made with the platform and validated by DNS; the alias record is made as well.
    Issued {
        /// The zone that holds the domain.
        hosted_zone: HostedZoneId,
    },
}

/// The image repositories.
#[derive(Clone, Debug, PartialEq)]
pub struct Registry {
    /// Untagged and cache images expire after this many days.
    pub expire_after_days: u32,
    /// The images of so many of each environment's newest releases are never collected.
    pub keep_releases: u32,
}

/// The bucket of generated applications.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// Objects expire after this many days.
    pub object_expiry_days: u32,
    /// Uploads that were never completed are dropped after this many days.
    pub incomplete_upload_days: u32,
}

/// The log groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Logs {
    /// For how long lines are kept.
    pub retention: LogRetention,
}

/// The roles.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The permissions boundary put on every role.
    pub permissions_boundary: Option<PolicyArn>,
}

/// The ECS cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// What runs where nothing else is said.
    pub default_capacity: Capacity,
    /// Whether CloudWatch Container Insights is on (it is billed).
    pub container_insights: bool,
}

/// Where Fargate takes a task's machine from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capacity {
    /// Kept until it stops by itself.
    OnDemand,
    /// About 68 % cheaper, and taken back with two minutes' notice.
    Spot,
}

impl Capacity {
    /// The capacity provider's name in ECS.
    pub fn provider(self) -> &'static str {
        match self {
            Self::OnDemand => "FARGATE",
            Self::Spot => "FARGATE_SPOT",
        }
    }
}

/// The processor an image is built for and runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// Intel and AMD.
    X86_64,
    /// AWS Graviton.
    Arm64,
}

impl Architecture {
    /// `CpuArchitecture` of a task definition.
    pub fn ecs(self) -> &'static str {
        match self {
            Self::X86_64 => "X86_64",
            Self::Arm64 => "ARM64",
        }
    }

    /// The platform as `docker buildx build --platform` wants it.
    pub fn platform(self) -> &'static str {
        match self {
            Self::X86_64 => "linux/amd64",
            Self::Arm64 => "linux/arm64",
        }
    }

    /// The part of an image's tag that tells it from the other architecture's.
    pub fn tag(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

/// The always-on web service.
#[derive(Clone, Debug, PartialEq)]
pub struct Orchestrator {
    /// CPU and memory of the task.
    pub size: FargateSize,
    /// The processor of the task.
    pub architecture: Architecture,
    /// The port it listens on.
    pub port: u16,
    /// How many tasks run.
    pub desired_count: u32,
    /// Never Spot in a protected environment.
    pub capacity: Capacity,
    /// How the load balancer asks whether a task is well.
    pub health: HealthCheck,
    /// The container's own health check, `CMD` or `CMD-SHELL` first; empty: none.
    pub health_command: Vec<String>,
    /// Seconds between SIGTERM and SIGKILL (2–120).
    pub stop_timeout_seconds: u32,
    /// Whether the container's root filesystem can't be written; never together with `exec`.
    pub read_only_root: bool,
    /// Whether ECS Exec may open a shell in the task.
    pub exec: bool,
    /// After how many failed tasks a deployment is given up.
    pub circuit_breaker_failures: u32,
    /// The path that WebSocket clients open, for the health gate.
    pub websocket_path: Option<String>,
    /// Further plain variables; no key is reserved or a secret's.
    pub environment: BTreeMap<String, String>,
    /// The secrets it gets, sorted by provider; no key comes from two.
    pub secrets: Vec<SecretRef>,
}

/// How the load balancer asks whether a task is well.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheck {
    /// The path asked for.
    pub path: String,
    /// Seconds between two checks (5–300).
    pub interval_seconds: u32,
    /// Seconds an answer may take; less than the interval.
    pub timeout_seconds: u32,
    /// So many good answers make a target healthy (2–10).
    pub healthy_threshold: u32,
    /// So many bad answers make it unhealthy (2–10).
    pub unhealthy_threshold: u32,
    /// For so many seconds after its start a task's bad answers don't count.
    pub grace_period_seconds: u32,
}

/// The container of one job.
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    /// CPU and memory of the task.
    pub size: FargateSize,
    /// The processor of the task.
    pub architecture: Architecture,
    /// Disk of the task in GiB (20–200); 20 is what every task has, so the property is left out then.
    pub ephemeral_storage_gib: u32,
    /// Seconds between SIGTERM and SIGKILL (2–120).
    pub stop_timeout_seconds: u32,
    /// Whether the container's root filesystem can't be written.
    pub read_only_root: bool,
    /// What the orchestrator starts it on.
    pub capacity: Capacity,
    /// Further plain variables; no key is reserved or a secret's.
    pub environment: BTreeMap<String, String>,
    /// The secrets it gets, sorted by provider; it gets every key of each, as it may read all of them.
    pub secrets: Vec<SecretRef>,
}

/// One Secrets Manager secret: a JSON object with these keys.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretProvider {
    /// Whose secrets these are.
    pub name: ProviderName,
    /// The keys in the order of `infra/env.toml`; none has another's variable or another's JSON key.
    pub keys: Vec<SecretKey>,
}

/// One value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKey {
    /// The variable: of the environment files, and of the containers that get it.
    pub variable: String,
    /// Its key in the JSON object.
    pub json_key: String,
}

/// What a container gets of one provider's secret.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretRef {
    /// The provider.
    pub provider: ProviderName,
    /// The keys of it that the container gets.
    pub keys: Vec<SecretKey>,
}

/// Where the two images are built from.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// The orchestrator's.
    pub orchestrator: ImageSource,
    /// The generator's.
    pub generator: ImageSource,
    /// Whether images carry provenance and an SBOM, which give each build a digest of its own.
    pub attestations: bool,
    /// An image whose base is not pinned by digest is built again once it is so many days old.
    pub max_age_days: u32,
}

/// What an image is built from.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageSource {
    /// The build context, relative to this repository's root unless absolute.
    pub context: PathBuf,
    /// The Dockerfile, relative to the context.
    pub dockerfile: PathBuf,
    /// The stage to build; `None`: the last.
    pub target: Option<String>,
    /// Build arguments. They end up in the image, so no secret belongs here.
    pub build_args: BTreeMap<String, String>,
    /// What an image may weigh in the registry, compressed, in MB (10⁶ bytes), before there is a warning.
    pub budget_mb: u32,
    /// Files of the context, relative to it, that look like secrets and are none.
    pub allow_in_context: Vec<PathBuf>,
    /// The branch that the context's repository should be on; `None`: any.
    pub branch: Option<String>,
    /// An environment file of the sibling's own, relative to this repository's root unless absolute, from which secrets
    /// are taken that `env/.env` lacks. Never one of this repository's.
    pub env_file: Option<PathBuf>,
}
