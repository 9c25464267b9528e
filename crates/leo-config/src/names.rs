//! The physical names that are fixed, because roles, people or sibling repositories name them. They are spelled here and
//! nowhere else; everything else is named by CloudFormation, so that it can be replaced.

use crate::{AccountId, EnvironmentName, ProviderName, Region, StackName};

/// The stack of the repositories and the artifacts bucket: one per account and region, shared by its environments.
pub const REGISTRY_STACK: &str = "leo-registry";

/// The ECR repository of the orchestrator's image.
pub const ORCHESTRATOR_REPOSITORY: &str = "leo-saas-app";

/// The ECR repository of the generator's image.
pub const GENERATOR_REPOSITORY: &str = "leo";

/// What the artifacts bucket's name begins with; see [`bucket`].
pub const ARTIFACTS_BUCKET_PREFIX: &str = "leo-artifacts";

/// [`REGISTRY_STACK`] as a name.
pub fn registry_stack() -> StackName {
    StackName::of(REGISTRY_STACK.to_owned())
}

/// Whether a stack is called as an environment's platform is, whichever environment that may be.
pub fn is_platform_stack(stack: &str) -> bool {
    let environment = stack.strip_prefix("leo-").and_then(|rest| rest.strip_suffix("-platform"));
    environment.is_some_and(|environment| environment.parse::<EnvironmentName>().is_ok())
}

/// A bucket's physical name: `<prefix>-<account>-<region>`, since bucket names are shared by all of AWS.
pub fn bucket(prefix: &str, account: &AccountId, region: &Region) -> String {
    format!("{prefix}-{account}-{region}")
}

impl EnvironmentName {
    /// `leo-<environment>-foundation`: network, data, roles, cluster.
    pub fn foundation_stack(&self) -> StackName {
        StackName::of(format!("leo-{self}-foundation"))
    }

    /// `leo-<environment>-platform`: the service, which changes with every release.
    pub fn platform_stack(&self) -> StackName {
        StackName::of(format!("leo-{self}-platform"))
    }

    /// The ECS cluster, `leo-<environment>`.
    pub fn cluster(&self) -> String {
        format!("leo-{self}")
    }

    /// The task family of the orchestrator, which is also its service's.
    pub fn orchestrator_family(&self) -> String {
        format!("leo-{self}-orchestrator")
    }

    /// The task family of the generators.
    pub fn generator_family(&self) -> String {
        format!("leo-{self}-generator")
    }

    /// The orchestrator's log group.
    pub fn orchestrator_log_group(&self) -> String {
        format!("/leo/{self}/orchestrator")
    }

    /// The generators' log group.
    pub fn generator_log_group(&self) -> String {
        format!("/leo/{self}/generator")
    }

    /// The Secrets Manager secret of a provider, `leo/<environment>/<provider>`.
    pub fn secret(&self, provider: &ProviderName) -> String {
        format!("leo/{self}/{provider}")
    }

    /// What the name of the bucket of generated applications begins with; see [`bucket`].
    pub fn apps_bucket_prefix(&self) -> String {
        format!("leo-{self}-apps")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_known_by_its_name() {
        let dev: EnvironmentName = "dev".parse().unwrap();
        assert!(is_platform_stack(dev.platform_stack().as_str()));
        for other in
            ["leo-dev-foundation", "leo-registry", "leo--platform", "leo-platform", "my-leo-dev-platform"]
        {
            assert!(!is_platform_stack(other), "{other}");
        }
    }
}
