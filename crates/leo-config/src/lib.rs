//! `infra/leo.toml`, the schema of the environment files and the environment, validated into one [`Config`].
//!
//! Every number and name in a `Config` is one that AWS accepts: a Fargate size exists, a CIDR holds what is put into it, a
//! retention is one that CloudWatch allows. Whoever reads a `Config` checks nothing again.
//!
//! What this crate deliberately does not do: read files or the process (it is given texts), know CloudFormation, or ask AWS
//! anything.

mod invalid;
mod model;
pub mod names;
mod read;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod values;

pub use invalid::InvalidValue;
pub use model::{
    Architecture, Capacity, Certificate, Cluster, Config, Endpoint, Environment, Generator, HealthCheck,
    Identity, ImageSource, Images, LoadBalancer, Logs, Network, Orchestrator, Registry, SecretKey,
    SecretProvider, SecretRef, Storage, SubnetPlan,
};
pub use read::{Outline, SettledSetting, environments, load, outline, warnings};
pub use values::{
    AccountId, AvailabilityZone, CertificateArn, DomainName, EnvironmentName, FargateSize, HostedZoneId,
    LogRetention, PolicyArn, ProviderName, Region, StackName,
};
