//! The values that a configuration is made of. None of them can hold anything that AWS would refuse for its form.

mod arn;
mod fargate;
mod naming;
mod place;
mod retention;

pub use arn::{CertificateArn, PolicyArn};
pub use fargate::FargateSize;
pub use naming::{EnvironmentName, ProviderName, StackName};
pub use place::{AccountId, AvailabilityZone, DomainName, HostedZoneId, Region};
pub use retention::LogRetention;
