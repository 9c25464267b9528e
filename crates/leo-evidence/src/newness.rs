//! Which deployments and tasks are the operation's own. What an earlier one left must not fail this one.

use std::collections::BTreeSet;

use crate::evidence::{DeploymentSeen, Evidence, Stop};
use crate::time::seconds;

/// How far CloudFormation's and ECS's clocks may be apart.
const SKEW_SECONDS: f64 = 2.0;

/// What was there before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Newness {
    /// Deployments, and what started the tasks, at the first look; `None` before it.
    before: Option<BTreeSet<String>>,
}

impl Newness {
    /// Nothing was there before: all that is found is of interest.
    pub(crate) fn all() -> Self {
        Self { before: Some(BTreeSet::new()) }
    }

    /// Whether it is known what was there before.
    pub(crate) fn is_settled(&self) -> bool {
        self.before.is_some()
    }

    /// Remembers what is there at the first look that was answered.
    pub(crate) fn observe(&mut self, evidence: &Evidence) {
        if self.before.is_none() {
            let deployments = evidence.deployments.iter();
            let deployments = deployments.flat_map(|deployment| [&deployment.id, &deployment.definition]);
            let stops = evidence.stops.items().map(|stop| &stop.origin);
            self.before = Some(deployments.chain(stops).cloned().collect());
        }
    }

    /// Marks what is the operation's own.
    pub(crate) fn mark(&self, evidence: &mut Evidence) {
        let since = evidence.stack.service_since.as_deref().and_then(seconds);
        let until = evidence.stack.rollback_since.as_deref().and_then(seconds);
        let deployments = evidence.deployments.clone();
        for deployment in &mut evidence.deployments {
            deployment.new = self.is_new(&deployment.id, deployment.created.as_deref(), since, until);
        }
        for counted in &mut evidence.stops.kept {
            let stop = &mut counted.item;
            let created = created(stop, &deployments);
            stop.new = self.is_new(&stop.origin, created.as_deref(), since, until);
        }
    }

    /// The stack's own word decides, once it is there: only what came after the service began to change, and before
    /// the stack began to roll back. Until then what was not there before is new.
    fn is_new(&self, origin: &str, created: Option<&str>, since: Option<f64>, until: Option<f64>) -> bool {
        let created = created.and_then(seconds);
        if until.zip(created).is_some_and(|(until, created)| created >= until) {
            return false;
        }
        match (since, created) {
            (Some(since), Some(created)) => created >= since - SKEW_SECONDS,
            _ => self.before.as_ref().is_some_and(|before| !before.contains(origin)),
        }
    }
}

/// When the deployment of these tasks was made; where that is not known any more, when the first of them was.
fn created(stop: &Stop, deployments: &[DeploymentSeen]) -> Option<String> {
    let deployment = deployments.iter().find(|deployment| deployment.id == stop.origin);
    deployment
        .and_then(|deployment| deployment.created.clone())
        .or_else(|| stop.tasks.iter().find_map(|task| task.created.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(created: &[(&str, &str)]) -> Evidence {
        Evidence {
            deployments: created
                .iter()
                .map(|(id, created)| DeploymentSeen {
                    id: (*id).to_owned(),
                    created: Some(format!("2026-11-01T{created}Z")),
                    ..DeploymentSeen::default()
                })
                .collect(),
            ..Evidence::default()
        }
    }

    fn new(evidence: &Evidence) -> Vec<bool> {
        evidence.deployments.iter().map(|deployment| deployment.new).collect()
    }

    #[test]
    fn before_the_service_changes_only_what_was_not_there_is_new() {
        let mut newness = Newness::default();
        newness.observe(&evidence(&[("old", "10:00:00")]));
        let mut now = evidence(&[("old", "10:00:00"), ("other", "12:00:00")]);
        newness.observe(&now);
        newness.mark(&mut now);
        assert_eq!(new(&now), [false, true]);
    }

    #[test]
    fn an_operation_that_was_attached_to_is_known_by_its_time() {
        let mut newness = Newness::default();
        let mut now =
            evidence(&[("broken before", "11:00:00"), ("own", "12:00:01"), ("rolls back", "12:05:00")]);
        newness.observe(&now);
        newness.mark(&mut now);
        assert_eq!(new(&now), [false, false, false], "nothing is blamed before it is known");
        now.stack.service_since = Some("2026-11-01T12:00:00Z".to_owned());
        now.stack.rollback_since = Some("2026-11-01T12:05:00Z".to_owned());
        newness.mark(&mut now);
        assert_eq!(new(&now), [false, true, false]);
    }
}
