//! The service, its tasks and its targets at one moment, and how they differ from the plan.

use aws_sdk_ecs::Client as Ecs;
use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types as ecs;
use aws_sdk_elasticloadbalancingv2::Client as LoadBalancing;
use aws_sdk_elasticloadbalancingv2::types::{TargetHealthDescription, TargetHealthStateEnum};
use leo_aws::ServiceError;

use super::{Gate, Mismatch};

/// How many tasks one DescribeTasks call takes ("DescribeTasks", Amazon ECS API Reference).
const TASKS_A_CALL: usize = 100;

/// In the reason of the deployment that a failed one is replaced by ("ECS deployment circuit breaker: rolling back to
/// deploymentId …").
const GOES_BACK: &str = "rolling back to";

/// What AWS says at one moment.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    exists: bool,
    deployments: Vec<Deployment>,
    tasks: Vec<Task>,
    targets: Vec<Target>,
}

#[derive(Debug, Default)]
pub(super) struct Deployment {
    pub(super) id: String,
    primary: bool,
    task_definition: String,
    state: String,
    reason: Option<String>,
    created: Option<DateTime>,
    pub(super) running: i32,
    desired: i32,
}

/// A running task.
#[derive(Debug)]
struct Task {
    arn: String,
    definition: String,
    containers: Vec<Container>,
}

#[derive(Debug)]
struct Container {
    name: String,
    image: String,
    digest: Option<String>,
}

#[derive(Debug)]
struct Target {
    address: String,
    state: String,
    reason: Option<String>,
}

impl Snapshot {
    pub(super) async fn take(
        gate: &Gate,
        ecs: &Ecs,
        load_balancing: &LoadBalancing,
    ) -> Result<Self, ServiceError> {
        let request = ecs.describe_services().cluster(&gate.cluster).services(&gate.service);
        let answer = request.send().await.map_err(|error| ServiceError::of("DescribeServices", &error))?;
        let active = |service: &&ecs::Service| service.status() != Some("INACTIVE");
        let Some(service) = answer.services().iter().find(active) else { return Ok(Self::default()) };
        Ok(Self {
            exists: true,
            deployments: service.deployments().iter().map(Deployment::of).collect(),
            tasks: tasks(gate, ecs).await?,
            targets: targets(gate, load_balancing).await?,
        })
    }

    /// All that differs; the last mile, HTTP, is not part of it.
    pub(super) fn mismatches(&self, gate: &Gate) -> Vec<Mismatch> {
        if !self.exists {
            return vec![Mismatch::NoService { service: gate.service.clone() }];
        }
        let Some(primary) = self.primary() else {
            return vec![Mismatch::NoDeployment { service: gate.service.clone() }];
        };
        if primary.task_definition != gate.task_definition {
            return vec![self.other_task_definition(gate, primary)];
        }
        if primary.state == ecs::DeploymentRolloutState::Failed.as_str() {
            return vec![self.rollout_failed(primary)];
        }
        if let Some(undone) = self.undone(gate, primary) {
            return vec![undone];
        }
        let mut found = Vec::new();
        let completed = primary.state == ecs::DeploymentRolloutState::Completed.as_str();
        if !completed || primary.desired == 0 || primary.running != primary.desired {
            found.push(Mismatch::RolloutUnfinished {
                state: primary.state.clone(),
                running: primary.running,
                desired: primary.desired,
            });
        }
        // An old deployment that is meant to have no task only drains its connections.
        let keeps_tasks = |old: &&Deployment| !old.primary && old.desired > 0;
        found.extend(self.deployments.iter().filter(keeps_tasks).map(|old| Mismatch::OldDeployment {
            task_definition: old.task_definition.clone(),
            desired: old.desired,
        }));
        self.task_mismatches(gate, primary, &mut found);
        self.target_mismatches(primary, &mut found);
        found
    }

    fn other_task_definition(&self, gate: &Gate, primary: &Deployment) -> Mismatch {
        let failed = self
            .deployments
            .iter()
            .find(|other| other.task_definition == gate.task_definition && other.reason.is_some());
        Mismatch::OtherTaskDefinition {
            planned: gate.task_definition.clone(),
            runs: primary.task_definition.clone(),
            reason: failed.unwrap_or(primary).reason.clone(),
        }
    }

    fn rollout_failed(&self, primary: &Deployment) -> Mismatch {
        let runs = self.deployments.iter().find(|other| !other.primary && other.running > 0);
        Mismatch::RolloutFailed {
            planned: primary.task_definition.clone(),
            runs: runs.map(|runs| runs.task_definition.clone()),
            reason: primary.reason.clone(),
        }
    }

    /// Where only what the tasks read has changed, ECS goes back to an earlier deployment of the very same task
    /// definition, which looks like the planned one. A failed one may be listed long after a later one went well, so
    /// only one counts that is newer than the primary, or that this deploy itself began.
    fn undone(&self, gate: &Gate, primary: &Deployment) -> Option<Mismatch> {
        let began = gate.since.map(DateTime::from);
        let failed = self.deployments.iter().find(|other| {
            let later = |than: &Option<DateTime>| {
                other.created.zip(*than).is_some_and(|(created, than)| created > than)
            };
            other.task_definition == gate.task_definition
                && other.state == ecs::DeploymentRolloutState::Failed.as_str()
                && (later(&primary.created) || later(&began))
        });
        let goes_back = primary.reason.as_deref().is_some_and(|reason| reason.contains(GOES_BACK));
        let told = failed.or(goes_back.then_some(primary))?;
        Some(Mismatch::RolloutFailed {
            planned: gate.task_definition.clone(),
            runs: (primary.running > 0).then(|| primary.task_definition.clone()),
            reason: told.reason.clone(),
        })
    }

    fn task_mismatches(&self, gate: &Gate, primary: &Deployment, found: &mut Vec<Mismatch>) {
        let planned = self.tasks.iter().filter(|task| task.definition == gate.task_definition);
        let running = planned.clone().count();
        if i32::try_from(running).is_ok_and(|running| running < primary.desired) {
            found.push(Mismatch::TasksMissing { running, desired: primary.desired });
        }
        for task in planned {
            for (name, digests) in &gate.images {
                let Some(container) = task.containers.iter().find(|container| container.name == *name) else {
                    found.push(Mismatch::NoContainer { container: name.clone(), task: task.arn.clone() });
                    continue;
                };
                if !container.digest().is_some_and(|digest| digests.contains(digest)) {
                    found.push(Mismatch::OtherImage {
                        container: name.clone(),
                        task: task.arn.clone(),
                        runs: container.digest().unwrap_or(&container.image).to_owned(),
                        planned: digests.iter().cloned().collect(),
                    });
                }
            }
        }
    }

    fn target_mismatches(&self, primary: &Deployment, found: &mut Vec<Mismatch>) {
        let draining = TargetHealthStateEnum::Draining.as_str();
        let mut current = self.targets.iter().filter(|target| target.state != draining).peekable();
        if current.peek().is_none() {
            found.push(Mismatch::NoTargets);
            return;
        }
        let before = found.len();
        found.extend(current.filter(|target| !target.is_healthy()).map(|target| Mismatch::UnhealthyTarget {
            target: target.address.clone(),
            state: target.state.clone(),
            reason: target.reason.clone(),
        }));
        let healthy = self.healthy_targets();
        let too_few = i32::try_from(healthy).is_ok_and(|healthy| healthy < primary.desired);
        if found.len() == before && too_few {
            found.push(Mismatch::TooFewTargets { healthy, desired: primary.desired });
        }
    }

    pub(super) fn healthy_targets(&self) -> usize {
        self.targets.iter().filter(|target| target.is_healthy()).count()
    }

    pub(super) fn into_primary(self) -> Deployment {
        self.deployments.into_iter().find(|deployment| deployment.primary).unwrap_or_default()
    }

    fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.primary)
    }
}

async fn tasks(gate: &Gate, client: &Ecs) -> Result<Vec<Task>, ServiceError> {
    // Unlike DescribeServices, ListTasks filters by a service's name alone.
    let service_name = gate.service.rsplit('/').next().unwrap_or(&gate.service);
    let mut arns = Vec::new();
    let mut token = None;
    loop {
        let request = client
            .list_tasks()
            .cluster(&gate.cluster)
            .service_name(service_name)
            .desired_status(ecs::DesiredStatus::Running)
            .set_next_token(token.take());
        let page = request.send().await.map_err(|error| ServiceError::of("ListTasks", &error))?;
        arns.extend_from_slice(page.task_arns());
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    let mut tasks = Vec::new();
    for some in arns.chunks(TASKS_A_CALL) {
        let request = client.describe_tasks().cluster(&gate.cluster).set_tasks(Some(some.to_vec()));
        let answer = request.send().await.map_err(|error| ServiceError::of("DescribeTasks", &error))?;
        let running = answer.tasks().iter().filter(|task| task.last_status() == Some("RUNNING"));
        tasks.extend(running.map(Task::of));
    }
    Ok(tasks)
}

async fn targets(gate: &Gate, client: &LoadBalancing) -> Result<Vec<Target>, ServiceError> {
    let request = client.describe_target_health().target_group_arn(&gate.target_group);
    let answer = request.send().await.map_err(|error| ServiceError::of("DescribeTargetHealth", &error))?;
    Ok(answer.target_health_descriptions().iter().map(Target::of).collect())
}

impl Deployment {
    fn of(deployment: &ecs::Deployment) -> Self {
        Self {
            id: deployment.id().unwrap_or_default().to_owned(),
            primary: deployment.status() == Some("PRIMARY"),
            task_definition: deployment.task_definition().unwrap_or_default().to_owned(),
            state: deployment.rollout_state().map_or("", ecs::DeploymentRolloutState::as_str).to_owned(),
            reason: deployment.rollout_state_reason().filter(|text| !text.is_empty()).map(str::to_owned),
            created: deployment.created_at().copied(),
            running: deployment.running_count(),
            desired: deployment.desired_count(),
        }
    }
}

impl Task {
    fn of(task: &ecs::Task) -> Self {
        let container = |container: &ecs::Container| Container {
            name: container.name().unwrap_or_default().to_owned(),
            image: container.image().unwrap_or_default().to_owned(),
            digest: container.image_digest().filter(|text| !text.is_empty()).map(str::to_owned),
        };
        Self {
            arn: task.task_arn().unwrap_or_default().to_owned(),
            definition: task.task_definition_arn().unwrap_or_default().to_owned(),
            containers: task.containers().iter().map(container).collect(),
        }
    }
}

impl Container {
    /// The digest that runs; where none is reported, the one that the image reference pins.
    fn digest(&self) -> Option<&str> {
        self.digest.as_deref().or_else(|| self.image.split_once('@').map(|(_, digest)| digest))
    }
}

impl Target {
    fn of(target: &TargetHealthDescription) -> Self {
        let address = target.target().map_or_else(String::new, |target| {
            let id = target.id().unwrap_or_default();
            target.port().map_or_else(|| id.to_owned(), |port| format!("{id}:{port}"))
        });
        let health = target.target_health();
        let state = health.and_then(|health| health.state());
        Self {
            address,
            state: state.map_or("", TargetHealthStateEnum::as_str).to_owned(),
            reason: health.and_then(|health| health.description()).map(str::to_owned),
        }
    }

    fn is_healthy(&self) -> bool {
        self.state == TargetHealthStateEnum::Healthy.as_str()
    }
}
