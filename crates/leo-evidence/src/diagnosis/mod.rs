//! The cause of a failure, read from the evidence: pure, and the same for the same evidence.
//!
//! The rules are asked in order, the most certain first; each names the line that it rests on. Where none of them fits,
//! the first thing that CloudFormation reported is given as it is.

mod capacity;
mod container;
mod gate;
mod health;
mod image;
mod last;
mod screen;
mod secret;
mod stack;
mod words;

use serde::{Deserialize, Serialize};

use crate::distinct::Counted;
use crate::evidence::{Evidence, Stop};

/// Why a deploy failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CauseKind {
    /// CloudFormation's validation refused the template before anything changed.
    TemplateRefused,
    /// Something of that name is there already.
    NameExists,
    /// A secret of that name waits for its deletion.
    SecretScheduledForDeletion,
    /// The certificate is not in the environment's region, or there is none.
    CertificateNotFound,
    /// The certificate waits for a DNS record that nobody sees: the zone is not delegated.
    ZoneNotDelegated,
    /// Someone may not do something.
    AccessDenied,
    /// The image, or this version of it, is not in the registry.
    ImageNotFound,
    /// The image is for another processor.
    WrongArchitecture,
    /// The task reaches no registry and no secrets: it has no way out.
    NoRoute,
    /// A secret has no value, or not the key that is asked for.
    SecretWithoutValue,
    /// The execution role may not read a secret.
    SecretNotReadable,
    /// The container used more memory than it has.
    OutOfMemory,
    /// The container's program could not be started.
    CannotStart,
    /// The container ends as soon as it runs.
    ContainerExits,
    /// The container listens on another port than the one that is asked.
    PortMismatch,
    /// The container runs, and its health check does not pass.
    HealthCheckFails,
    /// Fargate has no machine at the moment.
    NoCapacity,
    /// The account's quota of processors is used up.
    QuotaReached,
    /// A task of before must not be stopped yet.
    TaskProtected,
    /// ECS gave the deployment up, and nothing says why.
    CircuitBreaker,
    /// What CloudFormation reported first, without a rule for it.
    Reported,
    /// Something was not ready when the deploy was ended, and nothing says why.
    Overdue,
    /// What runs is not what was planned, and nothing says why.
    Mismatch,
}

/// A cause, with what shows it and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Which one.
    pub cause: CauseKind,
    /// In plain words; begins in lower case, as a message does.
    pub text: String,
    /// The line that it rests on, as AWS or the container wrote it.
    pub evidence: String,
    /// The end of the container's log, where it matters; the oldest line first.
    pub log: Vec<String>,
    /// What to do, with our own settings and commands.
    pub fix: String,
}

type Rule = fn(&Evidence) -> Option<Diagnosis>;

/// Root causes before their consequences: a resource that was refused, a task that can't start, one that ends, one that
/// runs and is not well, one that is not given a place. The last ones only repeat what was reported.
const RULES: [Rule; 22] = [
    stack::secret_scheduled_for_deletion,
    stack::certificate_not_found,
    stack::name_exists,
    stack::access_denied,
    stack::template_refused,
    image::wrong_architecture,
    image::not_found,
    secret::without_value,
    secret::not_readable,
    image::no_route,
    image::pull_denied,
    container::out_of_memory,
    container::cannot_start,
    container::exits,
    health::port_mismatch,
    health::fails,
    gate::answers_badly,
    capacity::quota,
    capacity::none,
    capacity::protected,
    stack::zone_not_delegated,
    last::resort,
];

/// Where another resource than the service failed first: what tasks did besides is not why.
const ELSEWHERE: [Rule; 7] = [
    stack::secret_scheduled_for_deletion,
    stack::certificate_not_found,
    stack::name_exists,
    stack::access_denied,
    stack::template_refused,
    stack::zone_not_delegated,
    last::reported,
];

/// The cause, where the evidence shows one; `None` where nothing went wrong that was seen.
pub fn diagnose(evidence: &Evidence) -> Option<Diagnosis> {
    let rules: &[Rule] = if failed_elsewhere(evidence) { &ELSEWHERE } else { &RULES };
    rules.iter().find_map(|rule| rule(evidence))
}

/// Whether CloudFormation's own first failure is of another resource. A stack in a stack may hold the service.
fn failed_elsewhere(evidence: &Evidence) -> bool {
    let first = evidence.stack.failures.first();
    first.is_some_and(|first| {
        !first.late
            && !["AWS::ECS::Service", "AWS::CloudFormation::Stack"].contains(&first.resource_type.as_str())
    })
}

/// The first failure of the operation's own tasks whose reason fits.
fn stop_where(evidence: &Evidence, fits: impl Fn(&str) -> bool) -> Option<&Counted<Stop>> {
    evidence.failed_stops().into_iter().find(|stop| fits(&said(stop)))
}

/// Everything that ECS says about such a stop, in lower case: the shortened reason and the first task's own words.
fn said(stop: &Counted<Stop>) -> String {
    let mut text = stop.item.reason.clone();
    for task in stop.item.tasks.iter().take(1) {
        let containers = task.containers.iter().filter_map(|container| container.reason.as_ref());
        for more in task.reason.iter().chain(containers) {
            text.push('\n');
            text.push_str(more);
        }
    }
    text.to_lowercase()
}

/// The line for a stop: which task, which task definition, how often, and the reason as it was given.
fn line(stop: &Counted<Stop>) -> String {
    let Some(task) = stop.item.tasks.first() else { return stop.item.reason.clone() };
    let times = if stop.count > 1 { format!(", and {} more like it", stop.count - 1) } else { String::new() };
    format!("task {} of {}{times}: {}", task.id, task.definition, crate::stop::reason(task))
}

/// The log of the tasks that stopped so.
fn log(evidence: &Evidence, stop: &Counted<Stop>) -> Vec<String> {
    evidence.log_of(&stop.item.tasks).map(|tail| tail.lines.clone()).unwrap_or_default()
}
