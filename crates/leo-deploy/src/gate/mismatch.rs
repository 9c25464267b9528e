//! One way in which what runs is not what was planned.

use std::fmt;

use serde::Serialize;

/// One way in which what runs is not what was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mismatch {
    /// There is no such service.
    NoService {
        /// Its name.
        service: String,
    },
    /// The service has no primary deployment.
    NoDeployment {
        /// Its name.
        service: String,
    },
    /// The primary deployment is of another task definition: ECS rolled back, or someone else deployed.
    OtherTaskDefinition {
        /// The planned one.
        planned: String,
        /// The primary deployment's.
        runs: String,
        /// What ECS says about the deployment that failed, or about this one.
        reason: Option<String>,
    },
    /// The planned deployment failed.
    RolloutFailed {
        /// What ECS says about it.
        reason: Option<String>,
    },
    /// The planned deployment goes on.
    RolloutUnfinished {
        /// Its rollout state.
        state: String,
        /// How many tasks run.
        running: i32,
        /// How many should.
        desired: i32,
    },
    /// An older deployment still is meant to have tasks.
    OldDeployment {
        /// Its task definition.
        task_definition: String,
        /// How many tasks it is meant to have.
        desired: i32,
    },
    /// The service is complete, but the list of its tasks does not show them all.
    TasksMissing {
        /// How many tasks of the planned task definition are listed as running.
        running: usize,
        /// How many should be.
        desired: i32,
    },
    /// A task has no container of a planned name.
    NoContainer {
        /// The planned container.
        container: String,
        /// The task.
        task: String,
    },
    /// A container runs another image.
    OtherImage {
        /// The container.
        container: String,
        /// The task.
        task: String,
        /// What it runs.
        runs: String,
        /// The digests of which one was planned.
        planned: Vec<String>,
    },
    /// The load balancer has nowhere to send requests to.
    NoTargets,
    /// Fewer healthy targets than tasks.
    TooFewTargets {
        /// How many are healthy.
        healthy: usize,
        /// How many should be.
        desired: i32,
    },
    /// A target is not healthy.
    UnhealthyTarget {
        /// Its address and port.
        target: String,
        /// Its state.
        state: String,
        /// What the load balancer says about it.
        reason: Option<String>,
    },
    /// The load balancer answers with an error.
    HttpStatus {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// No WebSocket opens.
    NoWebSocket {
        /// What was asked.
        url: String,
        /// The HTTP status in place of 101.
        status: u16,
    },
    /// The load balancer does not answer.
    NoAnswer {
        /// What was asked.
        url: String,
        /// What the connection said.
        reason: String,
    },
}

impl Mismatch {
    /// Whether waiting can't make it go away.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::OtherTaskDefinition { .. }
            | Self::RolloutFailed { .. }
            | Self::NoContainer { .. }
            | Self::OtherImage { .. } => true,
            Self::NoService { .. }
            | Self::NoDeployment { .. }
            | Self::RolloutUnfinished { .. }
            | Self::OldDeployment { .. }
            | Self::TasksMissing { .. }
            | Self::NoTargets
            | Self::TooFewTargets { .. }
            | Self::UnhealthyTarget { .. }
            | Self::HttpStatus { .. }
            | Self::NoWebSocket { .. }
            | Self::NoAnswer { .. } => false,
        }
    }

    /// What to do, where that is known.
    pub(super) fn hint(&self) -> Option<String> {
        let text = match self {
            Self::OtherTaskDefinition { .. } | Self::RolloutFailed { .. } => {
                "the new tasks did not become healthy: their last log lines and stop reasons say why"
            }
            Self::OtherImage { .. } => "someone else may deploy at the same time: run the same command again",
            Self::UnhealthyTarget { .. } | Self::HttpStatus { .. } => {
                "the orchestrator has to answer its health path with a status of 2xx on its port"
            }
            Self::NoWebSocket { .. } => {
                "the orchestrator has to open WebSockets at `orchestrator.websocket_path` of infra/leo.toml"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoService { service } => write!(f, "there is no service {service}"),
            Self::NoDeployment { service } => write!(f, "{service} has no deployment"),
            Self::OtherTaskDefinition { planned, runs, reason } => {
                write!(f, "{} runs instead of {}", short(runs), short(planned))?;
                in_brackets(f, reason.as_deref())
            }
            Self::RolloutFailed { reason } => {
                f.write_str("the deployment failed")?;
                in_brackets(f, reason.as_deref())
            }
            Self::RolloutUnfinished { state, running, desired } => {
                write!(f, "the deployment is {state}, {running} of {desired} tasks run")
            }
            Self::OldDeployment { task_definition, desired } => {
                write!(
                    f,
                    "an older deployment of {} still has a desired count of {desired}",
                    short(task_definition)
                )
            }
            Self::TasksMissing { running, desired } => {
                write!(f, "{running} of {desired} tasks of the planned task definition are listed as running")
            }
            Self::NoContainer { container, task } => {
                write!(f, "task {} has no container {container}", short(task))
            }
            Self::OtherImage { container, task, runs, planned } => write!(
                f,
                "container {container} of task {} runs {runs} instead of {}",
                short(task),
                planned.join(" or ")
            ),
            Self::NoTargets => f.write_str("the target group has no target"),
            Self::TooFewTargets { healthy, desired } => {
                write!(f, "{healthy} of {desired} targets are healthy")
            }
            Self::UnhealthyTarget { target, state, reason } => {
                write!(f, "target {target} is {state}")?;
                in_brackets(f, reason.as_deref())
            }
            Self::NoWebSocket { url, status } => {
                write!(f, "{url} answers the opening of a WebSocket with {status}")
            }
            Self::HttpStatus { url, status } => write!(f, "{url} answers with {status}"),
            Self::NoAnswer { url, reason } => write!(f, "{url} does not answer ({reason})"),
        }
    }
}

fn in_brackets(f: &mut fmt::Formatter<'_>, reason: Option<&str>) -> fmt::Result {
    reason.map_or(Ok(()), |reason| write!(f, " ({reason})"))
}

/// The part of an ARN that people know it by: `leo-dev-orchestrator:7` of a task definition, the id of a task.
fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
