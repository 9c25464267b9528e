//! What is watched while a platform deploys, and what of it must not be kept.

use leo_compute::LOG_STREAM_PREFIX;
use leo_config::Config;
use leo_evidence::{Redact, Subject};
use leo_project::Project;

/// The orchestrator's service and what stands around it; `health_path` is the one that the platform is checked by,
/// `local` whether that one is in the local target.
pub(crate) fn subject(config: &Config, health_path: &str, local: bool) -> Subject {
    let name = &config.environment.name;
    Subject {
        cluster: name.cluster(),
        family: name.orchestrator_family(),
        log_group: name.orchestrator_log_group(),
        log_prefix: LOG_STREAM_PREFIX.to_owned(),
        health_path: health_path.to_owned(),
        port: config.orchestrator.port,
        region: config.environment.region.to_string(),
        stack: name.platform_stack().to_string(),
        local,
    }
}

/// What a container could have printed of what it was given, as far as this machine's environment and env/.env know it.
/// Values that others gave it are unknown here: of those the evidence hides what looks like a key, and says so.
pub(crate) fn redact(project: &Project) -> Redact {
    let keys = project.config.secrets.iter().flat_map(|provider| &provider.keys);
    Redact::new(keys.filter_map(|key| project.env.secret(&key.variable)).map(|value| &value.secret))
}
