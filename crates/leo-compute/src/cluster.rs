//! The cluster and the log groups. They are in the foundation: what a failed first platform printed outlives it.

use leo_cfn::{
    Attributes, Fragment, Handle, logical_id,
    types::{
        ecs::{CapacityProviderStrategyItem, Cluster, ClusterSetting},
        logs::LogGroup,
    },
};
use leo_config::Config;

/// What the cluster offers.
#[derive(Debug)]
pub struct Exports {
    /// The cluster.
    pub cluster: Handle<Cluster>,
}

/// The cluster and the log groups.
#[must_use]
pub fn cluster(config: &Config) -> (Fragment, Exports) {
    let mut fragment = Fragment::new("compute::cluster", "cluster");
    let name = &config.environment.name;
    let cluster = fragment.add(
        logical_id!("Cluster"),
        Cluster {
            cluster_name: name.cluster(),
            capacity_providers: vec!["FARGATE", "FARGATE_SPOT"],
            default_capacity_provider_strategy: vec![CapacityProviderStrategyItem {
                capacity_provider: config.cluster.default_capacity.provider(),
                weight: 1,
            }],
            cluster_settings: vec![ClusterSetting {
                name: "containerInsights",
                value: if config.cluster.container_insights { "enabled" } else { "disabled" },
            }],
        },
    );
    for (id, component, log_group_name) in [
        (logical_id!("OrchestratorLogs"), "orchestrator", name.orchestrator_log_group()),
        (logical_id!("GeneratorLogs"), "generator", name.generator_log_group()),
    ] {
        fragment.add_with(
            id,
            Attributes::default().component(component),
            LogGroup { log_group_name, retention_in_days: config.logs.retention.days() },
        );
    }
    (fragment, Exports { cluster })
}
