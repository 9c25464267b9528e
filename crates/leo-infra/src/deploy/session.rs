//! What a deploy holds while it runs, so that it can be given back however it ends.

use super::{Before, Plan};
use crate::{failure::Problem, operation::Operation};
use leo_aws::FailureKind;
use leo_deploy::{Finished, Reporter};
use leo_release::{Artifacts, Holder, Lease, Process, ReleaseError, Waiting};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{task::JoinHandle, time::timeout};

/// For how long another deploy of the same environment is waited for: as long as a slow first one takes.
const WAIT_AT_MOST: Duration = Duration::from_mins(45);
/// How often it is said that another one is waited for.
const SAID_EVERY: Duration = Duration::from_secs(30);

/// For how long a claim that was interrupted is waited for, to be given back: a call or two.
const SETTLES_WITHIN: Duration = Duration::from_secs(3);

/// What is held while a command changes an environment.
#[derive(Default)]
pub(crate) struct Session {
    lease: tokio::sync::Mutex<Option<Arc<Lease>>>,
    /// The environment may be had before that is known here: whoever is interrupted meanwhile has to give it back.
    taking: tokio::sync::Mutex<Option<JoinHandle<Result<Lease, ReleaseError>>>>,
}

impl Session {
    /// Has the environment for this run alone; another one is waited for. The stacks as they are from then on: what the
    /// other one changed, or what was changed while a question was on the screen, is seen again.
    pub(crate) async fn take(
        &self,
        plan: &Plan<'_>,
        reporter: &Reporter,
    ) -> Result<Finished<Before>, Problem> {
        let environment = &plan.project.config.environment.name;
        let alone = self.take_for(&plan.artifacts, plan.operation, environment.as_str(), reporter).await?;
        refuse_another_release(plan).await?;
        let before = if alone && plan.before.is_fresh() {
            plan.before.clone()
        } else {
            Before::look(&plan.engine, plan.stacks).await?
        };
        Ok(Finished::new(before, true))
    }

    /// The same for any operation on an environment. Whether nobody else had it when it was asked for.
    pub(crate) async fn take_for(
        &self,
        artifacts: &Artifacts,
        operation: &Operation,
        environment: &str,
        reporter: &Reporter,
    ) -> Result<bool, Problem> {
        let said = Arc::new(Said::default());
        let on_wait = {
            let (said, reporter) = (said.clone(), reporter.clone());
            move |waiting: &Waiting| {
                if said.is_due() {
                    reporter.note(format!("waiting: {waiting}"));
                }
            }
        };
        let record = operation.record();
        let holder = Holder {
            environment: environment.to_owned(),
            operation: record.id,
            user: record.who.user,
            host: record.who.host,
            process: Process::current(),
            commit: record.who.commit,
            command: record.command,
        };
        let artifacts = artifacts.clone();
        let mut taking = self.taking.lock().await;
        let task =
            taking.insert(tokio::spawn(async move { artifacts.lease(holder, WAIT_AT_MOST, &on_wait).await }));
        let lease = task.await;
        *taking = None;
        let lease = lease.map_err(|error| {
            Problem::new(FailureKind::Failed, format!("have `{environment}` for itself: {error}"))
        })??;
        if let Some(before) = lease.taken_over() {
            reporter.note(format!("{before} did not end in order: continuing where it stopped"));
        }
        let alone = lease.taken_over().is_none() && !said.is_anything();
        *self.lease.lock().await = Some(Arc::new(lease));
        Ok(alone)
    }

    /// Makes sure that no other run has taken the environment meanwhile, before a step that would mix the two.
    pub(crate) async fn confirm(&self) -> Result<(), Problem> {
        let lease = self.lease.lock().await.clone();
        match lease {
            Some(lease) => Ok(lease.confirm().await?),
            None => Ok(()),
        }
    }

    /// Gives the environment back. Where that fails its claim ends by itself.
    pub(crate) async fn give_back(&self) {
        let mut lease = self.lease.lock().await.take().and_then(Arc::into_inner);
        if let Some(mut task) = self.taking.lock().await.take() {
            if let Ok(Ok(Ok(taken))) = timeout(SETTLES_WITHIN, &mut task).await {
                lease = Some(taken);
            } else {
                // It waits for another one, and has nothing yet.
                task.abort();
            }
        }
        if let Some(lease) = lease {
            // It ends by itself within two minutes; the run's own outcome is what counts.
            drop(lease.release().await);
        }
    }
}

/// What was shown and agreed to has to be about the release that still is the newest.
async fn refuse_another_release(plan: &Plan<'_>) -> Result<(), Problem> {
    let Some(seen) = plan.seen else { return Ok(()) };
    let environment = plan.project.config.environment.name.as_str();
    match plan.artifacts.newest(environment).await? {
        Some(newest) if newest != seen => Err(Problem::new(
            FailureKind::Failed,
            format!("go back in `{environment}`: release {newest} came in between; nothing was changed"),
        )
        .hint("run the same command again: it shows what it would do now")),
        _ => Ok(()),
    }
}

/// When something was said last.
#[derive(Default)]
struct Said(Mutex<Option<Instant>>);

impl Said {
    fn is_due(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| last.elapsed() >= SAID_EVERY);
        if due {
            *last = Some(Instant::now());
        }
        due
    }

    fn is_anything(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}
