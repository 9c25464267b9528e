//! What the platform's containers do while it is deployed, kept before it is gone, and read when it failed.

use super::Plan;
use crate::{failure::Problem, keep, watched};
use leo_aws::FailureKind;
use leo_deploy::{Control, DeployError, StackEvent};
use leo_evidence::{Evidence, Recorder, diagnose};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::watch::Receiver;

/// The least that the gate gets, however long CloudFormation took.
const GATE_AT_LEAST: Duration = Duration::from_secs(30);

/// Watches from the platform's first change to the end of its gate.
#[derive(Default)]
pub(super) struct Watch {
    recorder: Mutex<Option<Recorder>>,
    began: Mutex<Option<Instant>>,
}

impl Watch {
    /// Begins, where containers run. What comes back ends the deploy early: at its deadline, or once it can't succeed.
    pub(super) fn start(&self, plan: &Plan<'_>) -> Control {
        *lock(&self.began) = Some(Instant::now());
        if plan.target.runs_containers() {
            *lock(&self.recorder) = Some(Self::begin(plan));
        }
        Control { deadline: Some(plan.settings.deadline), abort: self.abort_signal() }
    }

    /// Whether it has begun: whether anything of the platform was changed.
    pub(super) fn has_begun(&self) -> bool {
        lock(&self.began).is_some()
    }

    /// Says when the deploy can't succeed any more, and why.
    pub(super) fn abort_signal(&self) -> Option<Receiver<Option<String>>> {
        lock(&self.recorder).as_ref().map(Recorder::abort_signal)
    }

    /// What is left of the time that the platform may take.
    pub(super) fn time_left(&self, deadline: Duration) -> Duration {
        let spent = lock(&self.began).map(|began| began.elapsed()).unwrap_or_default();
        deadline.saturating_sub(spent).max(GATE_AT_LEAST.min(deadline))
    }

    pub(super) fn on_stack_event(&self, event: &StackEvent) {
        if let Some(recorder) = lock(&self.recorder).as_ref() {
            recorder.on_stack_event(event);
        }
    }

    pub(super) fn on_mismatch(&self, text: &str) {
        if let Some(recorder) = lock(&self.recorder).as_ref() {
            recorder.on_mismatch(text);
        }
    }

    pub(super) fn on_error(&self, error: &DeployError) {
        if let Some(recorder) = lock(&self.recorder).as_ref() {
            recorder.on_error(error);
        }
    }

    /// It went well: what was kept would only push out the evidence of what did not.
    pub(super) fn discard(&self) {
        if let Some(recorder) = lock(&self.recorder).take() {
            let folder = recorder.folder().to_owned();
            drop(recorder);
            // What can't be removed is pruned one day.
            let _ = std::fs::remove_dir_all(folder);
        }
    }

    /// The problem with its cause, the evidence for that, and the fix, where they can be told.
    pub(super) async fn explain(&self, plan: &Plan<'_>, problem: Problem) -> Problem {
        if !plan.target.runs_containers() {
            return problem;
        }
        let recorder = lock(&self.recorder).take();
        let evidence = match recorder {
            Some(recorder) => recorder.finish(&problem.message).await,
            // Nothing had to change, and what runs is not well nevertheless.
            None if problem.kind == FailureKind::Failed => Self::begin(plan).finish(&problem.message).await,
            None => return problem,
        };
        explained(problem, &evidence, &plan.operation.record().id)
    }

    fn begin(plan: &Plan<'_>) -> Recorder {
        let folder = keep::evidence(&plan.project.root).join(plan.operation.record().id);
        let subject = watched::subject(&plan.project.config, plan.health_path());
        Recorder::start(plan.target.evidence(), subject, folder, watched::redact(plan.project))
    }
}

fn explained(mut problem: Problem, evidence: &Evidence, operation: &str) -> Problem {
    // Of another kind nothing is known to have failed: we can't see it any more, and what to do about that is said.
    let failed = problem.kind == FailureKind::Failed;
    let Some(diagnosis) = diagnose(evidence).filter(|_| failed) else { return problem };
    problem.details = diagnosis.lines();
    problem.hint = Some(diagnosis.fix.clone());
    problem.details.push(format!("all that was seen: `cargo xtask diagnose --operation {operation}`"));
    problem
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_failed_is_explained_by_what_was_seen() {
        let mismatches = vec!["leo-dev-orchestrator:1 runs instead of leo-dev-orchestrator:2".to_owned()];
        let evidence = Evidence { mismatches, ..Evidence::default() };
        let of = |kind| {
            explained(
                Problem::new(kind, "deploy leo-dev-platform").hint("the first hint"),
                &evidence,
                "operation-1",
            )
        };
        let failed = of(FailureKind::Failed);
        assert_ne!(failed.hint.as_deref(), Some("the first hint"));
        let said = failed.details.join("\n");
        assert!(
            said.contains("runs instead of") && said.contains("diagnose --operation operation-1"),
            "{said}"
        );
        for kind in [FailureKind::Credentials, FailureKind::Detached] {
            let unseen = of(kind);
            assert_eq!((unseen.hint.as_deref(), unseen.details.len()), (Some("the first hint"), 0));
        }
    }
}
