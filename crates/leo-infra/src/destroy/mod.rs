//! Taking an environment, or the registry, away again: what its steps are, and what stays.
//!
//! Generators that run are stopped first, then the stacks go, the platform before the foundation that it stands on; data
//! is last, and only on explicit word, so that nothing that still runs can miss it. Nothing is remembered between two
//! runs: every step looks at what is there, so a run after one that was killed continues it.

mod again;
mod consent;
mod data;
mod report;
mod runs;
mod stacks;
mod subject;
mod survey;

pub(crate) use consent::Consent;
pub(crate) use report::Destroyed;
pub(crate) use subject::{Subject, refuse_protected, refuse_used};
pub(crate) use survey::{Survey, refuse_protected_stacks};

use crate::{
    deploy::Session,
    failure::{Failure, Problem},
    operation::Operation,
    target::Target,
};
use leo_config::AccountId;
use leo_data::{Kind, RecoveryWindow, Scope};
use leo_deploy::{Finished, Run, Sink, Step, Stopped};
use leo_release::Artifacts;
use report::Done;

/// Having the environment for this run alone.
const TURN: Step = Step("turn");
/// The generators that run.
const RUNS: Step = Step("runs");
/// The buckets.
const BUCKET: Step = Step("bucket");
/// The repositories.
const REPOSITORIES: Step = Step("repositories");

/// What is taken away, all of it decided before the first step.
pub(crate) struct Plan<'a> {
    pub(crate) target: &'a Target,
    /// One for the whole run: it paces the calls.
    pub(crate) engine: leo_deploy::Stacks,
    pub(crate) account: AccountId,
    pub(crate) region: String,
    pub(crate) subject: Subject,
    /// What there was before the first step.
    pub(crate) survey: Survey,
    pub(crate) artifacts: Artifacts,
    /// The data goes too, and for so long its secrets can be restored; `None`: it stays.
    pub(crate) data: Option<RecoveryWindow>,
}

impl Plan<'_> {
    /// Whether nothing is left to do.
    pub(crate) fn is_done(&self) -> bool {
        let inventory = &self.survey.inventory;
        let of_subject = |kind| self.subject.names(kind).next().is_some();
        let data = !inventory.buckets.is_empty()
            || inventory.secrets.iter().any(|secret| !secret.scheduled_for_deletion)
            || (of_subject(Kind::Repository) && !inventory.repositories.is_empty());
        self.survey.stacks.is_empty() && !(self.data.is_some() && data)
    }
}

/// Runs all steps.
pub(crate) async fn run(
    plan: &Plan<'_>,
    operation: &Operation,
    session: &Session,
    sink: Sink,
) -> Result<Destroyed, Failure> {
    let mut steps = vec![];
    if plan.subject.cluster.is_some() {
        steps.extend([TURN, RUNS]);
    }
    steps.extend(plan.subject.stacks.iter().map(|(step, _)| *step));
    if plan.data.is_some() {
        steps.extend(plan.subject.data_steps());
    }
    let sink = operation.sink(plan.subject.stacks.iter().cloned().collect(), sink);
    let run: Run<Problem> = Run::new(sink, &steps);
    // On the heap: it holds the state of every step.
    let result = Box::pin(all(plan, operation, session, &run)).await;
    let done = run.finish(result).map_err(|problems| {
        let sent = |(step, problem): (Step, Problem)| (Some(step), problem.after_sending());
        Failure::Problems(problems.into_iter().map(sent).collect())
    })?;
    Ok(report::destroyed(plan, done).await?)
}

/// What is left of something that was gone before.
pub(crate) async fn nothing(plan: &Plan<'_>) -> Result<Destroyed, Problem> {
    report::destroyed(plan, Done::default()).await
}

async fn all(
    plan: &Plan<'_>,
    operation: &Operation,
    session: &Session,
    run: &Run<Problem>,
) -> Result<Done, Stopped> {
    let mut done = Done::default();
    if plan.subject.cluster.is_some() {
        run.step(TURN, async |reporter| {
            if plan.has_turns().await? {
                session.take_for(&plan.artifacts, operation, &plan.subject.word, &reporter).await?;
            }
            plan.refuse_new_stacks().await?;
            Ok(Finished::new((), false))
        })
        .await?;
        done.stopped = run
            .step(RUNS, async |reporter| {
                session.alone(Box::pin(runs::stop(plan, Scope::Runs, &reporter))).await
            })
            .await?;
    }
    for (step, stack) in &plan.subject.stacks {
        run.step(*step, async |reporter| {
            if *step == Step::REGISTRY {
                plan.refuse_new_stacks().await?;
            }
            Box::pin(plan.refuse_use()).await?;
            let deleted = stacks::delete(plan, session, (*step, stack), &mut done, &reporter);
            session.alone(Box::pin(deleted)).await
        })
        .await?;
    }
    let Some(window) = plan.data else { return Ok(done) };
    for step in plan.subject.data_steps() {
        run.step(step, async |reporter| {
            Box::pin(plan.refuse_use()).await?;
            let deleted = async {
                match step {
                    BUCKET => data::buckets(plan, session, &mut done, &reporter).await,
                    REPOSITORIES => data::repositories(plan, &reporter).await,
                    _ => data::secrets(plan, window, &mut done, &reporter).await,
                }
            };
            session.alone(Box::pin(deleted)).await
        })
        .await?;
    }
    Ok(done)
}
