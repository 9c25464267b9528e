//! What the platform's containers do while it is deployed, kept before it is gone, and read when it failed.

use super::Plan;
use crate::{failure::Problem, keep, watched};
use aws_sdk_cloudformation::primitives::{DateTime, DateTimeFormat};
use leo_aws::FailureKind;
use leo_deploy::{Control, DeployError, Respite, StackEvent};
use leo_evidence::{Evidence, Recorder, diagnose};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::watch::Receiver;

/// The least that the gate gets, however long CloudFormation took.
const GATE_AT_LEAST: Duration = Duration::from_secs(30);
/// How long a deployment takes to end once its old task may stop: it drains, and CloudFormation notices.
const AFTER_PROTECTION: Duration = Duration::from_mins(5);

/// Watches from the platform's first change to the end of its gate.
#[derive(Default)]
pub(super) struct Watch {
    recorder: Arc<Mutex<Option<Recorder>>>,
    began: Mutex<Option<Instant>>,
    /// What the gate missed last.
    mismatch: Mutex<Option<String>>,
}

impl Watch {
    /// Begins, where containers run. What comes back ends the deploy early: at its deadline, or once it can't succeed.
    pub(super) fn start(&self, plan: &Plan<'_>) -> Control {
        *lock(&self.began) = Some(Instant::now());
        if plan.target.runs_containers() {
            *lock(&self.recorder) = Some(Self::begin(plan));
        }
        Control {
            deadline: Some(plan.settings.deadline),
            abort: self.abort_signal(),
            respite: (!plan.settings.firm).then(|| respite(self.recorder.clone())),
        }
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

    /// When it began; none where nothing of the platform was changed.
    pub(super) fn since(&self) -> Option<SystemTime> {
        let began = *lock(&self.began);
        SystemTime::now().checked_sub(began?.elapsed())
    }

    pub(super) fn on_stack_event(&self, event: &StackEvent) {
        if let Some(recorder) = lock(&self.recorder).as_ref() {
            recorder.on_stack_event(event);
        }
    }

    pub(super) fn on_mismatch(&self, text: &str) {
        *lock(&self.mismatch) = Some(text.to_owned());
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
        if recorder.is_none() && problem.kind != FailureKind::Failed {
            return problem;
        }
        let recorder = recorder.unwrap_or_else(|| {
            // Nothing had to change, and what runs is not well nevertheless.
            let recorder = Self::begin(plan);
            if let Some(text) = lock(&self.mismatch).take() {
                recorder.on_mismatch(&text);
            }
            recorder
        });
        let evidence = recorder.finish(&problem.message).await;
        explained(problem, &evidence, &plan.operation.record().id)
    }

    fn begin(plan: &Plan<'_>) -> Recorder {
        let folder = keep::evidence(&plan.project.root).join(plan.operation.record().id);
        let subject = watched::subject(&plan.project.config, plan.health_path());
        Recorder::start(plan.target.evidence(), subject, folder, watched::redact(plan.project))
    }
}

/// Waits longer than the deadline while an old task must not be stopped: giving up then would only undo what goes well.
fn respite(recorder: Arc<Mutex<Option<Recorder>>>) -> Respite {
    Respite::new(move || {
        let until = lock(&recorder).as_ref()?.protected_until()?;
        let longer = left(&until, SystemTime::now())?;
        Some((longer + AFTER_PROTECTION, format!("an old task is protected until {until}; Ctrl-C leaves")))
    })
}

/// The time until then; `None` where it is over, or not a time.
fn left(until: &str, now: SystemTime) -> Option<Duration> {
    let until = DateTime::from_str(until, DateTimeFormat::DateTime).ok()?;
    SystemTime::try_from(until).ok()?.duration_since(now).ok()
}

fn explained(mut problem: Problem, evidence: &Evidence, operation: &str) -> Problem {
    // Of another kind nothing is known to have failed: we can't see it any more, and what to do about that is said.
    let failed = problem.kind == FailureKind::Failed;
    let Some(diagnosis) = diagnose(evidence).filter(|_| failed) else { return problem };
    problem.details = diagnosis.details();
    problem.details.insert(0, format!("cause: {}", diagnosis.text));
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
    fn a_protection_is_waited_for_until_its_end() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_357_099);
        assert_eq!(left("2026-11-22T14:20:19Z", now), Some(Duration::from_mins(2)));
        assert_eq!(left("2026-11-22T14:18:00Z", now), None);
        assert_eq!(left("tomorrow", now), None);
    }

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
