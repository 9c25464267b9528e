//! One look at the service and what stands around it. Every question is asked for itself: what one of them does not
//! bring is noted, and the others' answers count.

mod logs;
mod read;
mod tasks;

use std::collections::{BTreeSet, HashSet};

use aws_sdk_ecs::Client as Ecs;
use aws_sdk_elasticloadbalancingv2::Client as LoadBalancing;
use leo_aws::{ErrorClass, ServiceError};

use crate::evidence::{DeploymentSeen, ProtectedTask, ServiceSeen, Subject, TargetSeen, TaskSeen};

pub(crate) use logs::tail;

/// How many services one DescribeServices call takes ("DescribeServices", Amazon ECS API Reference).
const SERVICES_A_CALL: usize = 10;
/// Pages of a list after which its end is given up: the cluster is not what it should be.
const MOST_PAGES: usize = 20;
/// Between two questions about protection, counted in looks: it changes seldom.
const PROTECTION_EVERY: u32 = 6;

/// The clients of the services that are asked.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Amazon ECS.
    pub ecs: Ecs,
    /// Elastic Load Balancing.
    pub load_balancing: LoadBalancing,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
}

/// What one look brought. `None` is what got no answer.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) service: Option<Found>,
    pub(crate) running: Option<Vec<TaskSeen>>,
    /// Tasks that have stopped since the last look.
    pub(crate) stopped: Option<Vec<TaskSeen>>,
    pub(crate) targets: Option<Vec<(String, TargetSeen)>>,
    pub(crate) protected: Option<Vec<ProtectedTask>>,
    pub(crate) failed: Vec<ServiceError>,
    /// Whether the service and its stopped tasks were both told, so that what was there before is known.
    pub(crate) service_answered: bool,
}

/// Whether there is a service.
#[derive(Debug)]
pub(crate) enum Found {
    There(Service),
    Absent,
}

/// The service at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Service {
    pub(crate) seen: ServiceSeen,
    pub(crate) target_group: Option<String>,
    pub(crate) deployments: Vec<DeploymentSeen>,
    /// Time and text of its events, the oldest first; each with its id.
    pub(crate) events: Vec<(String, String, String)>,
}

/// Looks, and remembers what need not be asked again.
#[derive(Debug)]
pub(crate) struct Looker {
    clients: Clients,
    subject: Subject,
    service: Option<String>,
    /// Stopped tasks that were reported.
    stopped: HashSet<String>,
    /// Operations that are refused for good, and so not called again.
    refused: BTreeSet<&'static str>,
    /// Looks until protection is asked for again.
    until_protection: u32,
}

impl Looker {
    pub(crate) fn new(clients: Clients, subject: Subject) -> Self {
        Self {
            clients,
            subject,
            service: None,
            stopped: HashSet::new(),
            refused: BTreeSet::new(),
            until_protection: 0,
        }
    }

    /// The clients that it asks with.
    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// One look. `old` are the running tasks of which the protection is of interest.
    pub(crate) async fn look(&mut self, old: &[TaskSeen]) -> Look {
        let mut look = Look::default();
        let service = self.service().await;
        let (running, stopped) = (self.running().await, self.newly_stopped().await);
        look.running = self.keep(running, &mut look.failed);
        look.stopped = self.keep(stopped, &mut look.failed);
        look.service = self.keep(service, &mut look.failed);
        if let Some(Found::There(service)) = &look.service
            && let Some(group) = &service.target_group
        {
            let targets = targets(&self.clients.load_balancing, group).await;
            look.targets = self.keep(targets, &mut look.failed);
        }
        if !old.is_empty() && self.until_protection == 0 {
            self.until_protection = PROTECTION_EVERY;
            let protected = self.protected(old).await;
            look.protected = self.keep(protected, &mut look.failed);
        }
        self.until_protection = self.until_protection.saturating_sub(1);
        look.service_answered = look.service.is_some() && look.stopped.is_some();
        look
    }

    /// An answer, or none: then the failure is kept, once where asking again is no use.
    fn keep<T>(
        &mut self,
        answer: Result<Option<T>, ServiceError>,
        failed: &mut Vec<ServiceError>,
    ) -> Option<T> {
        match answer {
            Ok(answer) => answer,
            Err(error) => {
                if is_final(&error) {
                    self.refused.insert(error.operation);
                }
                failed.push(error);
                None
            }
        }
    }

    fn is_refused(&self, operation: &'static str) -> bool {
        self.refused.contains(operation)
    }

    /// The orchestrator's service: the cluster's one that runs the family.
    async fn service(&mut self) -> Result<Option<Found>, ServiceError> {
        if self.is_refused("ListServices") || self.is_refused("DescribeServices") {
            return Ok(None);
        }
        if self.service.is_none() {
            let arns = match self.service_arns().await {
                Err(error) if is_absent(&error) => return Ok(Some(Found::Absent)),
                arns => arns?,
            };
            for some in arns.chunks(SERVICES_A_CALL) {
                let found = self.describe(some.to_vec()).await?;
                let ours = |service: &&aws_sdk_ecs::types::Service| {
                    read::short(service.task_definition().unwrap_or_default())
                        .rsplit_once(':')
                        .is_some_and(|(family, _)| family == self.subject.family)
                };
                if let Some(service) = found.iter().find(ours) {
                    self.service = service.service_arn().map(str::to_owned);
                    return Ok(Some(Found::There(read::service(service))));
                }
            }
            return Ok(Some(Found::Absent));
        }
        let found = self.describe(self.service.iter().cloned().collect()).await?;
        if let Some(service) = found.first() {
            return Ok(Some(Found::There(read::service(service))));
        }
        self.service = None;
        Ok(Some(Found::Absent))
    }

    async fn service_arns(&self) -> Result<Vec<String>, ServiceError> {
        let mut arns = Vec::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let request =
                self.clients.ecs.list_services().cluster(&self.subject.cluster).set_next_token(token.take());
            let page = request.send().await.map_err(|error| ServiceError::of("ListServices", &error))?;
            arns.extend_from_slice(page.service_arns());
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        Ok(arns)
    }

    /// These services, without those that are gone.
    async fn describe(&self, arns: Vec<String>) -> Result<Vec<aws_sdk_ecs::types::Service>, ServiceError> {
        let request =
            self.clients.ecs.describe_services().cluster(&self.subject.cluster).set_services(Some(arns));
        let answer = request.send().await.map_err(|error| ServiceError::of("DescribeServices", &error))?;
        let mut services = answer.services.unwrap_or_default();
        services.retain(|service| service.status() != Some("INACTIVE"));
        Ok(services)
    }
}

/// Asking again brings nothing: the call is refused as such, or these credentials may not make it.
fn is_final(error: &ServiceError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    error.class == ErrorClass::Final || code.contains("Denied") || code.contains("Unauthorized")
}

/// The cluster is not there yet, or not any more.
fn is_absent(error: &ServiceError) -> bool {
    error.code.as_deref() == Some("ClusterNotFoundException")
}

/// Address and health of each target.
async fn targets(
    client: &LoadBalancing,
    group: &str,
) -> Result<Option<Vec<(String, TargetSeen)>>, ServiceError> {
    let request = client.describe_target_health().target_group_arn(group);
    let answer = request.send().await.map_err(|error| ServiceError::of("DescribeTargetHealth", &error))?;
    Ok(Some(answer.target_health_descriptions().iter().map(read::target).collect()))
}
