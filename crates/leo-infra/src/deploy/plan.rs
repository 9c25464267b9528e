//! What a deploy is made from, all of it decided before the first step.

use super::choice::ImagePlan;
use crate::{failure::Problem, operation::Operation, target::Target};
use leo_config::AccountId;
use leo_deploy::{Action, Recovery, Skipped, Stack, StackOutcome, action};
use leo_project::Project;
use leo_release::{Artifacts, Release};
use leo_stack::Stacks;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What a deploy is made from.
pub(crate) struct Plan<'a> {
    pub(crate) project: &'a Project,
    pub(crate) target: &'a Target,
    pub(crate) stacks: &'a Stacks,
    pub(crate) templates: Templates,
    /// One for the whole run: it paces the calls.
    pub(crate) engine: leo_deploy::Stacks,
    /// The account that it goes to.
    pub(crate) account: AccountId,
    /// Where the images come from.
    pub(crate) images: ImagePlan,
    /// The secrets that the environment files give; marked dummies otherwise.
    pub(crate) with_secrets: bool,
    /// The stacks when it was decided; what a step goes by is what they are once it is this run's turn.
    pub(crate) before: Before,
    pub(crate) settings: Settings,
    pub(crate) operation: &'a Operation,
    pub(crate) artifacts: Artifacts,
    /// The release that is brought back; `None`: the configuration is deployed.
    pub(crate) release: Option<Release>,
    /// Versions of secrets that were made the current ones just before, by the secret's name: AWS may say so later.
    pub(crate) written: BTreeMap<String, String>,
    /// The newest release when the plan was shown. Another one since then, and it would be about something else.
    pub(crate) seen: Option<u64>,
}

/// The templates as they are sent.
pub(crate) struct Templates {
    /// `None`: the registry stays as it is.
    pub(crate) registry: Option<String>,
    pub(crate) foundation: String,
    pub(crate) platform: String,
}

impl Templates {
    /// Those of the configuration.
    pub(crate) fn of(stacks: &Stacks, target: &Target) -> Self {
        Self {
            registry: Some(target.template_body(&stacks.registry.template)),
            foundation: target.template_body(&stacks.foundation.template),
            platform: target.template_body(&stacks.platform.template),
        }
    }
}

/// For how long a look at the stacks counts as one at this moment.
const FRESH: Duration = Duration::from_secs(2);

/// The stacks as they were found; `None` where there was none.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    /// When they were asked for.
    at: Instant,
    pub(crate) registry: Option<Stack>,
    pub(crate) foundation: Option<Stack>,
    pub(crate) platform: Option<Stack>,
}

impl Before {
    /// Asks for all three at once.
    pub(crate) async fn look(engine: &leo_deploy::Stacks, stacks: &Stacks) -> Result<Self, Problem> {
        let at = Instant::now();
        let (registry, foundation, platform) = tokio::try_join!(
            engine.describe(stacks.registry.name.as_str()),
            engine.describe(stacks.foundation.name.as_str()),
            engine.describe(stacks.platform.name.as_str()),
        )?;
        Ok(Self { at, registry, foundation, platform })
    }

    /// Whether it is what one would see now.
    pub(crate) fn is_fresh(&self) -> bool {
        self.at.elapsed() < FRESH
    }

    /// A stack of it that need not be asked for again before it is deployed to.
    pub(super) fn just_seen(&self, stack: Option<&Stack>) -> Option<Stack> {
        stack
            .filter(|stack| self.is_fresh() && matches!(action(Some(&stack.status)), Action::Update))
            .cloned()
    }

    /// Whether the registry stands, and with it the bucket that tells deploys apart. A stack has outputs once all of it
    /// is there: one that has only adopted what an earlier one left has none yet, and perhaps no bucket.
    pub(crate) fn has_registry(&self) -> bool {
        self.registry.as_ref().is_some_and(|stack| {
            let stands = matches!(action(Some(&stack.status)), Action::Update | Action::RetryForward);
            stands && !stack.outputs.is_empty()
        })
    }

    /// The registry as the outcome of a step that had nothing to do.
    pub(crate) fn registry_outcome(&self) -> Option<StackOutcome> {
        self.registry.as_ref().map(unchanged)
    }
}

/// A stack as the outcome of a step that had nothing to do.
pub(super) fn unchanged(stack: &Stack) -> StackOutcome {
    StackOutcome {
        name: stack.name.clone(),
        stack_id: stack.id.clone(),
        status: stack.status.clone(),
        changed: false,
        outputs: stack.outputs.clone(),
        changes: vec![],
    }
}

/// How a deploy goes about it.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// For how long the platform may take, until it is healthy.
    pub(crate) deadline: Duration,
    /// Whether that was asked for, so that nothing is a reason to wait longer.
    pub(crate) firm: bool,
    /// CloudFormation's express mode for the platform: the gate is the judge.
    pub(crate) express: bool,
    /// The gate opens a WebSocket and does not wait.
    pub(crate) quick: bool,
    /// Change sets bring back what was changed behind CloudFormation's back.
    pub(crate) revert_drift: bool,
    pub(crate) recover: Consent,
}

/// Which stuck stacks may be recovered.
#[derive(Clone, Debug)]
pub(crate) enum Consent {
    /// All of them, also those that get stuck meanwhile.
    All,
    /// The ones of these names, each by what was shown of it.
    Only(BTreeMap<String, Recovery>),
}

impl Consent {
    /// Whether anything may be done about this stack.
    pub(crate) fn is_about(&self, stack: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(agreed) => agreed.contains_key(stack),
        }
    }

    /// Whether this may be done about it: what was shown, or less of the same. A stack that got into another state while
    /// another run was waited for, or that a recovery left in one, takes a question of its own.
    pub(crate) fn covers(&self, stack: &str, recovery: &Recovery) -> bool {
        let Self::Only(agreed) = self else { return true };
        let within = |wanted: &[Skipped], shown: &[Skipped]| {
            wanted.iter().all(|one| shown.iter().any(|other| other.logical_id == one.logical_id))
        };
        match (agreed.get(stack), recovery) {
            (
                Some(Recovery::ContinueRollback { skip: shown }),
                Recovery::ContinueRollback { skip: wanted },
            )
            | (Some(Recovery::RetryDelete { retain: shown }), Recovery::RetryDelete { retain: wanted }) => {
                within(wanted, shown)
            }
            (shown, wanted) => shown == Some(wanted),
        }
    }
}

impl Plan<'_> {
    /// The path that has to answer with a status of 2xx.
    pub(crate) fn health_path(&self) -> &str {
        match &self.release {
            Some(release) => &release.health_path,
            None => &self.project.config.orchestrator.health.path,
        }
    }

    /// The path that clients open WebSockets at, where there is one.
    pub(crate) fn websocket_path(&self) -> Option<&str> {
        match &self.release {
            Some(release) => release.websocket_path.as_deref(),
            None => self.project.config.orchestrator.websocket_path.as_deref(),
        }
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use leo_deploy::StackStatus;

    pub(crate) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    pub(crate) fn stack(status: &str, outputs: &[(&str, &str)], parameters: &[(&str, &str)]) -> Stack {
        Stack {
            name: "leo-dev-platform".to_owned(),
            id: "arn:leo-dev-platform".to_owned(),
            status: StackStatus::from(status),
            status_reason: None,
            outputs: map(outputs),
            parameters: map(parameters),
            tags: BTreeMap::new(),
            termination_protection: false,
            change_set_id: None,
            express: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::stack, *};

    fn before(registry: Option<Stack>) -> Before {
        Before { at: Instant::now(), registry, foundation: None, platform: None }
    }

    #[test]
    fn the_registry_stands_once_its_bucket_does() {
        let bucket = [("ArtifactsBucketName", "leo-artifacts-1-x")];
        assert!(!before(None).has_registry());
        for (status, stands) in [
            ("CREATE_COMPLETE", true),
            ("UPDATE_ROLLBACK_COMPLETE", true),
            ("UPDATE_FAILED", true),
            // Someone else makes or removes it.
            ("CREATE_IN_PROGRESS", false),
            ("DELETE_IN_PROGRESS", false),
            ("ROLLBACK_COMPLETE", false),
            ("REVIEW_IN_PROGRESS", false),
        ] {
            assert_eq!(before(Some(stack(status, &bucket, &[]))).has_registry(), stands, "{status}");
            // Such a one has adopted repositories alone, or was never finished.
            assert!(!before(Some(stack(status, &[], &[]))).has_registry(), "{status} without outputs");
        }
    }

    #[test]
    fn only_what_is_at_rest_and_was_just_seen_is_not_asked_for_again() {
        let mut before = before(None);
        let standing = stack("UPDATE_COMPLETE", &[], &[]);
        assert_eq!(before.just_seen(Some(&standing)).as_ref(), Some(&standing));
        for status in ["UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "UPDATE_FAILED", "REVIEW_IN_PROGRESS"] {
            assert_eq!(before.just_seen(Some(&stack(status, &[], &[]))), None, "{status}");
        }
        before.at = Instant::now().checked_sub(FRESH).expect("the machine runs for longer");
        assert_eq!(before.just_seen(Some(&standing)), None);
    }

    #[test]
    fn a_yes_is_one_to_what_was_shown() {
        let items = |ids: &[&str]| -> Vec<Skipped> {
            let item = |id: &&str| Skipped {
                logical_id: (*id).to_owned(),
                resource_type: "AWS::Some::Type".to_owned(),
                reason: "its reason may be another one".to_owned(),
            };
            ids.iter().map(item).collect()
        };
        let rollback = |ids: &[&str]| Recovery::ContinueRollback { skip: items(ids) };
        let delete = |ids: &[&str]| Recovery::RetryDelete { retain: items(ids) };
        for (shown, wanted, covered) in [
            (Recovery::DeleteFailedCreate, Recovery::DeleteFailedCreate, true),
            (Recovery::DeleteFailedCreate, delete(&["Bucket"]), false),
            (Recovery::DeleteFailedCreate, rollback(&[]), false),
            (rollback(&["A", "B"]), rollback(&["B"]), true),
            (rollback(&["A"]), rollback(&["A", "B"]), false),
            (rollback(&["A"]), delete(&["A"]), false),
            (delete(&["A"]), delete(&[]), true),
            (delete(&[]), delete(&["A"]), false),
        ] {
            let agreed = Consent::Only([("one".to_owned(), shown)].into());
            assert!(agreed.is_about("one") && !agreed.is_about("other"));
            assert_eq!(agreed.covers("one", &wanted), covered, "{wanted:?}");
            assert!(!agreed.covers("other", &wanted));
            assert!(Consent::All.covers("other", &wanted) && Consent::All.is_about("other"));
        }
    }
}
