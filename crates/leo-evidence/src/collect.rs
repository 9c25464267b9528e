//! What a look brought, taken into the evidence.

use std::collections::{BTreeMap, HashSet};

use leo_aws::ServiceError;

use crate::evidence::{ContainerSeen, DeploymentSeen, Evidence, LogTail, Stop, TargetSeen, TaskSeen};
use crate::look::{Found, Look, Service};
use crate::newness::Newness;
use crate::normalise::normalise;
use crate::redact::Redact;
use crate::stop;
use crate::time::now;

/// Tasks kept of each way to stop: the first ones, and in the last place the last one.
const SAMPLES: usize = 3;
/// Log streams that are read: more than these say the same.
const STREAMS: usize = 8;
/// Log streams that are kept: a service in a loop has new ones all the time.
const KEPT_STREAMS: usize = 3 * STREAMS;
/// Characters of a log's line that are kept.
const LONGEST_LINE: usize = 2_000;
/// The load balancer's word for a target of which the check fails.
const UNHEALTHY: &str = "unhealthy";
/// Addresses kept of targets in one state.
const ADDRESSES: usize = 5;
/// Calls that failed, of which more would not be read.
const UNANSWERED: usize = 20;
/// Deployments that are kept; one operation makes one or two.
const DEPLOYMENTS: usize = 20;

/// What whoever passes the evidence on has to know.
const CAUTION: &str = "the containers' own lines are in here without the values of env/.env of this machine and without \
                       what looks like a key; a secret of another kind that a container printed can't be recognised";

/// What has to be remembered between two looks, but is no evidence.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    pub(crate) redact: Redact,
    pub(crate) newness: Newness,
    events: HashSet<String>,
    targets: BTreeMap<String, String>,
}

impl Collector {
    pub(crate) fn new(redact: Redact, newness: Newness) -> Self {
        Self { redact, newness, ..Self::default() }
    }

    /// Takes a look into the evidence. Events of the service that were there at the first look are of before, unless
    /// `all_events` are wanted.
    pub(crate) fn take(&mut self, look: Look, evidence: &mut Evidence, all_events: bool) {
        match look.service {
            Some(Found::There(service)) => self.service(service, evidence, all_events),
            Some(Found::Absent) => evidence.service = None,
            None => {}
        }
        if let Some(mut tasks) = look.running {
            for task in &mut tasks {
                self.redact_task(task);
            }
            evidence.running = tasks;
            // One that is gone holds nothing up any more.
            let running = &evidence.running;
            evidence.protected.retain(|old| running.iter().any(|task| task.id == old.task));
        }
        for task in look.stopped.into_iter().flatten() {
            self.stopped(task, evidence);
        }
        if let Some(protected) = look.protected {
            evidence.protected = protected;
        }
        for error in &look.failed {
            self.unanswered(error, evidence);
        }
        if look.service_answered {
            self.newness.observe(evidence);
        }
        self.newness.mark(evidence);
        // Whose target it is can be told now.
        if let Some(targets) = look.targets {
            self.targets(targets, evidence);
        }
    }

    pub(crate) fn unanswered(&self, error: &ServiceError, evidence: &mut Evidence) {
        let text = self.redact.apply(&normalise(&error.to_string()));
        if evidence.unanswered.len() < UNANSWERED && !evidence.unanswered.contains(&text) {
            evidence.unanswered.push(text);
        }
    }

    fn service(&mut self, service: Service, evidence: &mut Evidence, all_events: bool) {
        let of_before = !all_events && !self.newness.is_settled();
        evidence.service = Some(service.seen);
        for deployment in service.deployments {
            let reason = deployment.reason.map(|reason| self.redact.apply(&reason));
            let deployment = DeploymentSeen { reason, ..deployment };
            if let Some(known) = evidence.deployments.iter_mut().find(|known| known.id == deployment.id) {
                *known = deployment;
            } else if evidence.deployments.len() < DEPLOYMENTS {
                evidence.deployments.push(deployment);
            }
        }
        for (id, time, text) in service.events {
            if self.events.insert(id) && !of_before {
                let text = self.redact.apply(&text);
                evidence.events.count(&normalise(&text), &time, || text, |_| {});
            }
        }
    }

    fn stopped(&self, mut task: TaskSeen, evidence: &mut Evidence) {
        self.redact_task(&mut task);
        let time = task.stopped.clone().unwrap_or_else(now);
        let reason = stop::reason(&task);
        let origin = stop::origin(&task).to_owned();
        let key = format!("{origin} {}", normalise(&reason));
        let other = task.clone();
        evidence.stops.count(
            &key,
            &time,
            || Stop {
                reason: normalise(&reason),
                origin,
                failure: stop::is_failure(&task),
                new: false,
                tasks: vec![task],
            },
            |known| {
                known.tasks.truncate(SAMPLES - 1);
                known.tasks.push(other);
            },
        );
    }

    fn targets(&mut self, targets: Vec<(String, TargetSeen)>, evidence: &mut Evidence) {
        for known in &mut evidence.targets.kept {
            known.item.current = false;
        }
        let running = evidence.running.iter().filter(|task| !evidence.is_new(task));
        let old: HashSet<String> = running.filter_map(|task| task.address.clone()).collect();
        let before = std::mem::take(&mut self.targets);
        for (address, mut target) in targets {
            if target.state == UNHEALTHY && old.contains(host(&address)) {
                continue;
            }
            if target.state == "healthy" {
                forget_unhealthy(&address, evidence);
            }
            target.description = target.description.map(|text| self.redact.apply(&text));
            let words = [Some(&target.state), target.code.as_ref(), target.description.as_ref()];
            let key = words.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
            self.targets.insert(address.clone(), key.clone());
            if before.get(&address) == Some(&key)
                && let Some(known) = evidence.targets.kept.iter_mut().find(|known| known.key == key)
            {
                known.item.current = true;
                continue;
            }
            target.addresses = vec![address.clone()];
            evidence.targets.count(
                &key,
                &now(),
                || target,
                |known| {
                    known.current = true;
                    if known.addresses.len() < ADDRESSES && !known.addresses.contains(&address) {
                        known.addresses.push(address);
                    }
                },
            );
        }
    }

    /// Takes the end of a log, where it says more than the one before.
    pub(crate) fn log(&self, mut tail: LogTail, evidence: &mut Evidence) {
        for line in &mut tail.lines {
            // Hidden first: of a value across the cut, half would stay.
            *line = clip(&self.redact.apply(line));
        }
        if !tail.lines.is_empty() {
            evidence.caution = Some(CAUTION.to_owned());
        }
        match evidence.logs.iter_mut().find(|known| known.stream == tail.stream) {
            Some(known) if !tail.lines.is_empty() => *known = tail,
            Some(_) => {}
            None => {
                if evidence.logs.len() >= KEPT_STREAMS {
                    // The oldest of those that tell nothing any more; what is read at once is fewer than are kept.
                    let telling = evidence.telling_streams();
                    let tells = |log: &LogTail| telling.iter().any(|it| it.stream == log.stream);
                    let oldest = evidence.logs.iter().position(|log| !tells(log)).unwrap_or_default();
                    evidence.logs.remove(oldest);
                }
                evidence.logs.push(tail);
            }
        }
    }

    fn redact_task(&self, task: &mut TaskSeen) {
        let hide = |text: &mut Option<String>| {
            if let Some(text) = text {
                *text = self.redact.apply(text);
            }
        };
        hide(&mut task.reason);
        for container in &mut task.containers {
            hide(&mut container.reason);
        }
    }
}

fn host(address: &str) -> &str {
    address.split(':').next().unwrap_or_default()
}

/// A target that became healthy was only slow.
fn forget_unhealthy(address: &str, evidence: &mut Evidence) {
    evidence.targets.kept.retain_mut(|known| {
        if known.item.state != UNHEALTHY || known.item.addresses.is_empty() {
            return true;
        }
        known.item.addresses.retain(|known| known != address);
        !known.item.addresses.is_empty()
    });
}

/// Without what would move the terminal's cursor.
fn clip(line: &str) -> String {
    line.trim_end()
        .chars()
        .take(LONGEST_LINE)
        .map(|c| if c.is_control() && c != '\t' { ' ' } else { c })
        .collect()
}

impl Evidence {
    /// Tasks of before that run while the operation's own are started.
    pub(crate) fn old_running(&self) -> Vec<TaskSeen> {
        if !self.deployments.iter().any(|deployment| deployment.new) {
            return Vec::new();
        }
        self.running.iter().filter(|task| !self.is_new(task)).cloned().collect()
    }

    /// Whether the operation's own deployment started it.
    pub(crate) fn is_new(&self, task: &TaskSeen) -> bool {
        let origin = stop::origin(task);
        self.deployments
            .iter()
            .any(|deployment| deployment.new && (deployment.id == origin || deployment.definition == origin))
    }

    /// How many tasks the deployment, or the task definition, of this name should have; the service's number at least,
    /// since a deployment that is taken back is emptied.
    pub(crate) fn desired_of(&self, origin: &str) -> i32 {
        let own = self.deployments.iter().filter(|it| it.id == origin || it.definition == origin);
        let service = self.service.iter().map(|service| service.desired);
        own.map(|deployment| deployment.desired).chain(service).max().unwrap_or_default()
    }

    /// The log streams whose end says why: of the operation's own tasks that failed or are not well.
    pub(crate) fn telling_streams(&self) -> Vec<LogTail> {
        let stopped = self.failed_stops().into_iter().flat_map(|stop| &stop.item.tasks);
        let unwell = self.running.iter().filter(|task| self.is_new(task) && self.is_unwell(task));
        let ran = |container: &&ContainerSeen| container.exit_code.is_some() || container.status == "RUNNING";
        let streams = stopped.chain(unwell).flat_map(|task| {
            task.containers.iter().filter(ran).map(|container| LogTail {
                task: task.id.clone(),
                container: container.name.clone(),
                stream: format!("{}/{}/{}", self.subject.log_prefix, container.name, task.id),
                lines: Vec::new(),
            })
        });
        let mut streams: Vec<LogTail> = streams.collect();
        streams.dedup();
        streams.truncate(STREAMS);
        streams
    }

    fn is_unwell(&self, task: &TaskSeen) -> bool {
        let at = |target: &TargetSeen| {
            let address = task.address.as_deref().unwrap_or_default();
            target.addresses.iter().any(|target| host(target) == address)
        };
        task.health.as_deref() == Some("UNHEALTHY")
            || self.targets.items().any(|target| target.current && target.state == UNHEALTHY && at(target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_env::Secret;

    fn tail(task: usize, lines: &[String]) -> LogTail {
        LogTail {
            stream: format!("ecs/leo/{task}"),
            task: task.to_string(),
            lines: lines.to_vec(),
            ..LogTail::default()
        }
    }

    #[test]
    fn a_secret_across_the_cut_of_a_line_is_hidden_whole() {
        let collector = Collector::new(Redact::new(&[Secret::new("hunter2-and-more")]), Newness::default());
        let mut evidence = Evidence::default();
        collector.log(tail(1, &[format!("{}hunter2-and-more", "x".repeat(LONGEST_LINE - 4))]), &mut evidence);
        let kept = &evidence.logs[0].lines[0];
        assert!(kept.ends_with("x‹red") && kept.chars().count() == LONGEST_LINE, "{kept}");
        let caution = evidence.caution.unwrap_or_default();
        assert!(caution.contains("can't be recognised"), "{caution}");
    }

    #[test]
    fn the_logs_of_a_loop_stay_few_and_the_newest_are_there() {
        let collector = Collector::default();
        let mut evidence = Evidence::default();
        for task in 0..1000 {
            collector.log(tail(task, &["the same again".to_owned()]), &mut evidence);
        }
        assert_eq!(evidence.logs.len(), KEPT_STREAMS);
        assert_eq!(evidence.logs.last().map(|tail| tail.task.as_str()), Some("999"));
    }

    fn look(targets: &[(&str, &str)]) -> Look {
        let task = |id: &str, by: &str| TaskSeen {
            id: id.to_owned(),
            started_by: Some(by.to_owned()),
            address: Some(format!("10.0.0.{id}")),
            ..TaskSeen::default()
        };
        let seen = |(address, state): &(&str, &str)| {
            (
                (*address).to_owned(),
                TargetSeen { state: (*state).to_owned(), current: true, ..TargetSeen::default() },
            )
        };
        let deployment = DeploymentSeen { id: "ecs-svc/2".to_owned(), ..DeploymentSeen::default() };
        Look {
            service: Some(Found::There(Service { deployments: vec![deployment], ..Service::default() })),
            running: Some(vec![task("7", "ecs-svc/1"), task("8", "ecs-svc/2"), task("9", "ecs-svc/2")]),
            targets: Some(targets.iter().map(seen).collect()),
            ..Look::default()
        }
    }

    /// What is still unhealthy, by its targets' addresses.
    fn unhealthy(evidence: &Evidence) -> Vec<&str> {
        let targets = evidence.targets.items().filter(|target| target.state == UNHEALTHY);
        targets.flat_map(|target| &target.addresses).map(String::as_str).collect()
    }

    #[test]
    fn neither_an_old_tasks_target_nor_one_that_was_only_slow_is_unhealthy() {
        let mut collector = Collector::new(Redact::default(), Newness::all());
        let mut evidence = Evidence::default();
        let all = ["10.0.0.7:8080", "10.0.0.8:8080", "10.0.0.9:8080"].map(|address| (address, UNHEALTHY));
        for _ in 0..2 {
            collector.take(look(&all), &mut evidence, true);
            assert_eq!(unhealthy(&evidence), ["10.0.0.8:8080", "10.0.0.9:8080"]);
        }
        collector.take(look(&[("10.0.0.8:8080", "healthy"), all[2]]), &mut evidence, true);
        assert_eq!(unhealthy(&evidence), ["10.0.0.9:8080"]);
        collector.take(
            look(&[("10.0.0.8:8080", "healthy"), ("10.0.0.9:8080", "healthy")]),
            &mut evidence,
            true,
        );
        assert_eq!(unhealthy(&evidence), Vec::<&str>::new());
        collector.take(look(&all[1..2]), &mut evidence, true);
        assert_eq!(unhealthy(&evidence), ["10.0.0.8:8080"], "it is unhealthy again");
    }
}
