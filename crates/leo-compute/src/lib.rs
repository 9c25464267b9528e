//! What runs: [`cluster`] has the ECS cluster and the log groups, [`service`] the task definitions, the load balancer
//! and the orchestrator's service.
//!
//! Deliberately absent: a service of generators. They are started one by one, by the orchestrator, with `ecs:RunTask`.

mod cluster;
mod load_balancer;
mod parameters;
mod service;
mod task;

pub use cluster::{Exports as ClusterExports, cluster};
pub use parameters::{Parameters as ServiceParameters, TaskParameters};
pub use service::{Exports as ServiceExports, service};
pub use task::{GENERATOR as GENERATOR_CONTAINER, LOG_STREAM_PREFIX, ORCHESTRATOR as ORCHESTRATOR_CONTAINER};
