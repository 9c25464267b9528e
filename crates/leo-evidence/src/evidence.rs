//! Everything that was seen, as it is saved.

use serde::{Deserialize, Serialize};

use crate::distinct::Distinct;

/// What is looked at: the orchestrator's service, its tasks and what stands around them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// The cluster's name.
    pub cluster: String,
    /// The task family, without a revision.
    pub family: String,
    /// The log group of its containers.
    pub log_group: String,
    /// What a log stream's name begins with (`awslogs-stream-prefix`).
    pub log_prefix: String,
    /// The path that the load balancer's health check asks for.
    pub health_path: String,
    /// The port that the container is to listen on.
    pub port: u16,
    /// The region it is in.
    pub region: String,
    /// The platform's stack.
    pub stack: String,
    /// Whether it is in the local target, which has environments of the same names.
    pub local: bool,
}

/// Everything that was seen of one operation. Secret values that are known, and what looks like a key, were replaced
/// before they got here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// What was looked at.
    pub subject: Subject,
    /// When the recording began, in RFC 3339.
    pub began: String,
    /// When something new came last, in RFC 3339.
    pub updated: String,
    /// What became of the operation; `None` while it runs, or when it was left or killed.
    pub ended: Option<String>,
    /// The service at the last look.
    pub service: Option<ServiceSeen>,
    /// Every deployment of the service that was ever seen, as it was last.
    pub deployments: Vec<DeploymentSeen>,
    /// What ECS says about the service.
    pub events: Distinct<String>,
    /// Tasks that stopped, by reason.
    pub stops: Distinct<Stop>,
    /// Tasks that run, at the last look.
    pub running: Vec<TaskSeen>,
    /// Tasks of before that must not be stopped yet.
    pub protected: Vec<ProtectedTask>,
    /// What the load balancer thinks of its targets, by state and reason.
    pub targets: Distinct<TargetSeen>,
    /// The ends of the logs of containers that failed.
    pub logs: Vec<LogTail>,
    /// What CloudFormation says.
    pub stack: StackSeen,
    /// How what runs differed from what was planned, at the health gate.
    pub mismatches: Vec<String>,
    /// What could not be looked at, and why.
    pub unanswered: Vec<String>,
    /// What of it may still be secret, where that can't be known.
    pub caution: Option<String>,
}

/// The service at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceSeen {
    /// Its name.
    pub name: String,
    /// How many tasks it should have.
    pub desired: i32,
    /// How many of them run.
    pub running: i32,
    /// How many are being started.
    pub pending: i32,
    /// Whether its tasks get a public address, where that is known.
    pub public_address: Option<bool>,
}

/// A deployment of the service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeploymentSeen {
    /// Its id, `ecs-svc/…`.
    pub id: String,
    /// Its task definition, `family:revision`.
    pub definition: String,
    /// `PRIMARY`, `ACTIVE` or `INACTIVE`.
    pub status: String,
    /// `COMPLETED`, `FAILED` or `IN_PROGRESS`.
    pub rollout: String,
    /// What ECS says about that.
    pub reason: Option<String>,
    /// How many tasks it should have.
    pub desired: i32,
    /// How many of them run.
    pub running: i32,
    /// How many are being started.
    pub pending: i32,
    /// How many could not be kept running, since the last that could.
    pub failed: i32,
    /// When it was made, in RFC 3339.
    pub created: Option<String>,
    /// Whether the operation made it.
    pub new: bool,
}

/// A way in which tasks stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stop {
    /// Why, in ECS's words, with what the containers add; ids and times are left out.
    pub reason: String,
    /// What started the tasks: the deployment's id, or where there is none the task definition.
    pub origin: String,
    /// Whether it is a failure, not a scaling or someone's wish.
    pub failure: bool,
    /// Whether the operation's own tasks stopped so.
    pub new: bool,
    /// The first and the last of them.
    pub tasks: Vec<TaskSeen>,
}

/// A task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskSeen {
    /// Its id.
    pub id: String,
    /// Its task definition, `family:revision`.
    pub definition: String,
    /// The deployment that started it, where one did.
    pub started_by: Option<String>,
    /// `RUNNING`, `STOPPED` and so on.
    pub status: String,
    /// `HEALTHY`, `UNHEALTHY` or `UNKNOWN`.
    pub health: Option<String>,
    /// When it was made, in RFC 3339.
    pub created: Option<String>,
    /// When it stopped, in RFC 3339.
    pub stopped: Option<String>,
    /// Who or what stopped it, in a word of ECS.
    pub stop_code: Option<String>,
    /// Why it stopped.
    pub reason: Option<String>,
    /// Where Fargate took it from.
    pub capacity_provider: Option<String>,
    /// CPU units; 1024 are one processor.
    pub cpu: Option<String>,
    /// Memory in MiB.
    pub memory: Option<String>,
    /// The processor, `x86_64` or `arm64`.
    pub architecture: Option<String>,
    /// Its private address.
    pub address: Option<String>,
    /// Its containers.
    pub containers: Vec<ContainerSeen>,
}

/// A container of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerSeen {
    /// Its name.
    pub name: String,
    /// Its image's reference.
    pub image: String,
    /// The digest that was pulled.
    pub digest: Option<String>,
    /// `RUNNING`, `STOPPED` and so on.
    pub status: String,
    /// What its health check says.
    pub health: Option<String>,
    /// What it exited with.
    pub exit_code: Option<i32>,
    /// What ECS says about it.
    pub reason: Option<String>,
}

/// A task that must not be stopped before a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProtectedTask {
    /// Its id.
    pub task: String,
    /// Its task definition, `family:revision`.
    pub definition: String,
    /// Until when, in RFC 3339.
    pub until: Option<String>,
}

/// What the load balancer thinks of some targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetSeen {
    /// `healthy`, `unhealthy`, `initial`, `draining` and so on.
    pub state: String,
    /// The reason's code, `Target.Timeout` and so on.
    pub code: Option<String>,
    /// The reason in words.
    pub description: Option<String>,
    /// Whether a target still was so at the last look.
    pub current: bool,
    /// Addresses that were seen so, with their port.
    pub addresses: Vec<String>,
}

/// The end of a container's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogTail {
    /// The task.
    pub task: String,
    /// The container.
    pub container: String,
    /// The log stream.
    pub stream: String,
    /// The last lines, the oldest first.
    pub lines: Vec<String>,
}

/// What CloudFormation says about the stack's operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StackSeen {
    /// The stack's own last status.
    pub status: Option<String>,
    /// Why the change set was refused, where it was.
    pub refused: Option<String>,
    /// What the service's validation found.
    pub findings: Vec<FindingSeen>,
    /// Resources that failed, the first one first; not those that only were cancelled.
    pub failures: Vec<ResourceFailure>,
    /// Resources that have begun and not ended.
    pub waiting: Vec<ResourceWaiting>,
    /// When the service began to change, in RFC 3339.
    pub service_since: Option<String>,
    /// When the stack began to roll back, in RFC 3339.
    pub rollback_since: Option<String>,
}

/// A finding of CloudFormation's validation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FindingSeen {
    /// Whether it stops the operation.
    pub fatal: bool,
    /// The resource's name in the template.
    pub logical_id: Option<String>,
    /// Where in the template.
    pub path: Option<String>,
    /// What is wrong.
    pub reason: String,
}

/// A resource that failed by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceFailure {
    /// The resource's name in the template; of a nested stack, after the names that lead to it.
    pub logical_id: String,
    /// The CloudFormation type.
    pub resource_type: String,
    /// The status that it failed with.
    pub status: String,
    /// What the service said.
    pub reason: String,
    /// Whether the stack rolled back already: then it is no reason for that.
    pub late: bool,
}

/// A resource that has begun and not ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceWaiting {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The CloudFormation type.
    pub resource_type: String,
    /// Since when, in RFC 3339.
    pub since: String,
    /// What CloudFormation said last, where it said something.
    pub reason: Option<String>,
}

impl ContainerSeen {
    /// Whether it ended by itself with an error, or could not start.
    pub fn failed(&self) -> bool {
        self.exit_code.is_some_and(|code| code != 0) || self.reason.is_some()
    }
}

impl Evidence {
    /// The failures of the operation's own tasks, those that came most often first.
    pub(crate) fn failed_stops(&self) -> Vec<&crate::distinct::Counted<Stop>> {
        let mut stops: Vec<_> =
            self.stops.kept.iter().filter(|stop| stop.item.new && stop.item.failure).collect();
        stops.sort_by_key(|stop| std::cmp::Reverse(stop.count));
        stops
    }

    /// The end of the log of one of these tasks' containers, where there are lines.
    pub(crate) fn log_of(&self, tasks: &[TaskSeen]) -> Option<&LogTail> {
        self.logs.iter().find(|tail| !tail.lines.is_empty() && tasks.iter().any(|task| task.id == tail.task))
    }

    /// Whether the log of one of these tasks was read, and none of those that were has a line.
    pub(crate) fn wrote_nothing(&self, tasks: &[TaskSeen]) -> bool {
        let mut read =
            self.logs.iter().filter(|tail| tasks.iter().any(|task| task.id == tail.task)).peekable();
        read.peek().is_some() && read.all(|tail| tail.lines.is_empty())
    }
}
