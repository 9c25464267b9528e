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
    /// The planned deployment failed; ECS may have gone back to an earlier one of the same task definition.
    RolloutFailed {
        /// The planned task definition.
        planned: String,
        /// The task definition of another deployment that runs tasks.
        runs: Option<String>,
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
    /// What answers the opening of a WebSocket with 101 does not speak WebSocket.
    BadWebSocket {
        /// What was asked.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// A WebSocket that opened did not stay open.
    WebSocketClosed {
        /// What was asked.
        url: String,
        /// For how long it was open.
        seconds: u64,
        /// The code of the closing frame; none where the connection was cut without one.
        code: Option<u16>,
        /// What the closing frame or the connection said.
        reason: Option<String>,
        /// After how long a silence the load balancer is configured to cut a connection, where that is known.
        idle_timeout_seconds: Option<u64>,
    },
    /// A ping on an open WebSocket was not answered.
    NoPong {
        /// What was asked.
        url: String,
        /// For how long it had been open when the ping was sent.
        seconds: u64,
        /// For how long the answer was waited for.
        waited_seconds: u64,
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
    /// Whether waiting can't make it go away, once it was seen twice.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::OtherTaskDefinition { .. }
            | Self::RolloutFailed { .. }
            | Self::NoContainer { .. }
            | Self::OtherImage { .. } => true,
            // These come after everything else is as it should be, and seeing them a second time takes a minute.
            _ if self.is_of_an_open_websocket() => true,
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
            | Self::BadWebSocket { .. }
            | Self::WebSocketClosed { .. }
            | Self::NoPong { .. }
            | Self::NoAnswer { .. } => false,
        }
    }

    /// Whether a WebSocket opened and then failed.
    pub(super) fn is_of_an_open_websocket(&self) -> bool {
        matches!(self, Self::WebSocketClosed { .. } | Self::NoPong { .. })
    }

    /// Whether it is what an earlier look found; not to the second.
    pub(super) fn repeats(&self, earlier: &Self) -> bool {
        self == earlier || (self.is_of_an_open_websocket() && earlier.is_of_an_open_websocket())
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
            Self::NoWebSocket { .. } | Self::BadWebSocket { .. } => {
                "the orchestrator has to open WebSockets at `orchestrator.websocket_path` of infra/leo.toml"
            }
            Self::WebSocketClosed { code, seconds, idle_timeout_seconds, .. } => {
                return Some(closed_hint(*code, *seconds, *idle_timeout_seconds));
            }
            Self::NoPong { .. } => {
                "the orchestrator has to read from its WebSockets all the time and answer pings (RFC 6455, section 5.5.2)"
            }
            Self::NoAnswer { .. } => {
                "this machine has to be among `load_balancer.ingress_cidrs` of infra/leo.toml; where the load balancer \
                 is new, its name may take some minutes to resolve: then run the same command again"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// Where a WebSocket's end came from, and how it stays open.
fn closed_hint(code: Option<u16>, seconds: u64, idle_timeout_seconds: Option<u64>) -> String {
    match idle_timeout_seconds {
        _ if code.is_some() => "the orchestrator closed it: at `orchestrator.websocket_path` of infra/leo.toml a \
             WebSocket has to stay open, also while its client says nothing and has not signed in"
            .to_owned(),
        // Both are whole seconds of different clocks.
        Some(idle) if seconds.saturating_add(2) >= idle => format!(
            "nothing was sent for {idle} s, which is `load_balancer.idle_timeout_seconds` of infra/leo.toml: raise it, or \
             have the orchestrator ping its clients more often than that"
        ),
        _ => "a quiet WebSocket has to stay open: have the orchestrator ping its clients, more often than \
             `load_balancer.idle_timeout_seconds` of infra/leo.toml and than any limit of its own server or proxy"
            .to_owned(),
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
            Self::RolloutFailed { planned, runs, reason } => {
                write!(f, "the deployment of {} failed", short(planned))?;
                in_brackets(f, reason.as_deref())?;
                match runs.as_deref() {
                    Some(runs) if runs == planned => f.write_str("; an earlier deployment of it runs"),
                    Some(runs) => write!(f, "; {} still runs", short(runs)),
                    None => Ok(()),
                }
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
            Self::BadWebSocket { url, reason } => {
                write!(f, "{url} opens no WebSocket")?;
                in_brackets(f, Some(reason))
            }
            Self::WebSocketClosed { url, seconds, code, reason, .. } => {
                write!(f, "a WebSocket at {url} was ")?;
                match code {
                    Some(code) => write!(f, "closed after {seconds} s with code {code}"),
                    None => write!(f, "cut after {seconds} s"),
                }?;
                in_brackets(f, reason.as_deref())
            }
            Self::NoPong { url, seconds, waited_seconds } => write!(
                f,
                "a WebSocket at {url} did not answer a ping within {waited_seconds} s, {seconds} s after it opened"
            ),
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
