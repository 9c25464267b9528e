//! A deploy: what its steps are, what each needs of the others, and what comes out.
//!
//! The environment is taken for this run alone. Then `registry → images` and `foundation → secrets` go side by side, the
//! platform follows, then the health gate, and what passed it is recorded as a release. Every step leaves what is already
//! right as it is, so running a deploy again continues where it stopped.

pub(crate) mod access;
mod adopt;
pub(crate) mod choice;
pub(crate) mod fitting;
mod footing;
mod gate;
pub(crate) mod image_build;
pub(crate) mod image_events;
pub(crate) mod images;
mod parameters;
mod plan;
mod prepare;
pub(crate) mod preview;
mod promotion;
pub(crate) mod recovery;
pub(crate) mod release;
mod report;
pub(crate) mod rollback;
mod secrets;
mod session;
mod stacks;
mod watch;

pub(crate) use plan::{Before, Consent, Plan, Settings, Templates};
pub(crate) use report::Deployed;
pub(crate) use secrets::check_first as check_first_secrets;
pub(crate) use session::{Session, WAIT_AT_MOST};

use crate::failure::{Failure, Problem};
use images::Images;
use leo_aws::FailureKind;
use leo_deploy::{Finished, Run, Sink, StackOutcome, Step, Stopped};
use leo_stack::StackError;
use report::Passed;
use stacks::Platform;
use std::collections::BTreeMap;
use watch::Watch;

/// Having the environment for this run alone.
const TURN: Step = Step("turn");
/// The record of what passed the gate.
const RELEASE: Step = Step("release");

/// A run whose turn it is.
struct Turn<'a> {
    plan: &'a Plan<'a>,
    session: &'a Session,
    /// The stacks as they were found when the turn came: nobody else's deploy has changed them since.
    before: Before,
}

/// What the first half of a deploy gives the platform.
struct Ground<'a> {
    turn: Turn<'a>,
    registry: StackOutcome,
    images: Images,
    foundation: StackOutcome,
    revision: secrets::Revision,
}

/// Runs all steps.
pub(crate) async fn run(plan: &Plan<'_>, session: &Session, sink: Sink) -> Result<Deployed, Failure> {
    // A first deploy makes the bucket first that tells deploys apart.
    let first = if plan.before.has_registry() { [TURN, Step::REGISTRY] } else { [Step::REGISTRY, TURN] };
    let then = [Step::FOUNDATION, Step::IMAGES, Step::SECRETS, Step::PLATFORM, Step::GATE, RELEASE];
    let stacks = [
        (Step::REGISTRY, plan.stacks.registry.name.to_string()),
        (Step::FOUNDATION, plan.stacks.foundation.name.to_string()),
        (Step::PLATFORM, plan.stacks.platform.name.to_string()),
    ];
    let sink = plan.operation.sink(stacks.into(), sink);
    let run: Run<Problem> = Run::new(sink, &[&first[..], &then[..]].concat());
    // On the heap: it holds the state of every step.
    let result = Box::pin(steps(plan, session, &run)).await;
    run.finish(result).map_err(|problems| {
        let sent = |(step, problem): (Step, Problem)| (Some(step), problem.after_sending());
        Failure::Problems(problems.into_iter().map(sent).collect())
    })
}

async fn steps(plan: &Plan<'_>, session: &Session, run: &Run<Problem>) -> Result<Deployed, Stopped> {
    let Ground { turn, registry, images, foundation, revision } =
        Box::pin(ground(plan, session, run)).await?;
    let watch = Watch::default();
    let mut parameters = BTreeMap::new();
    let platform: Platform = run
        .step(Step::PLATFORM, async |reporter| {
            session.confirm().await?;
            parameters = parameters::of_platform(plan, &foundation, &images, &revision.id)?;
            match stacks::platform(&turn, &parameters, &watch, &reporter).await {
                Ok(finished) => Ok(finished),
                Err(problem) if watch.has_begun() => Err(watch.explain(plan, problem).await),
                Err(problem) => Err(problem),
            }
        })
        .await?;
    let gate = run
        .step(Step::GATE, async |reporter| {
            match gate::run(plan, &platform.outcome, &images, &watch, &reporter).await {
                Ok(finished) => Ok(finished),
                Err(gate::NotPassed { problem, differs }) => {
                    let problem = watch.explain(plan, problem).await;
                    // What may well run is not deleted because a call was throttled.
                    if !differs {
                        return Err(problem);
                    }
                    Err(stacks::take_back(&turn, &platform, problem, &reporter).await)
                }
            }
        })
        .await?;
    watch.discard();
    let release = match gate {
        Some(_) => Some(
            run.step(RELEASE, async |reporter| {
                session.confirm().await?;
                let recorded = release::run(plan, &images, &parameters, &reporter).await?;
                promotion::is_deployed(plan, &recorded.value, &reporter).await;
                Ok(recorded)
            })
            .await?,
        ),
        None => run.step(RELEASE, async |_| Ok(Finished::new(None, false))).await?,
    };
    Ok(report::deployed(
        plan,
        [registry, foundation, platform.outcome],
        images,
        Passed { gate, release, secrets_changed: revision.rolls },
    ))
}

/// Everything that the platform stands on.
async fn ground<'a>(
    plan: &'a Plan<'a>,
    session: &'a Session,
    run: &Run<Problem>,
) -> Result<Ground<'a>, Stopped> {
    let registry = async |turn: &Turn<'_>| {
        run.step(Step::REGISTRY, async |reporter| stacks::registry(turn, &reporter).await).await
    };
    let mut turn = Turn { plan, session, before: plan.before.clone() };
    let made = if turn.before.has_registry() { None } else { Some(registry(&turn).await?) };
    turn.before = run.step(TURN, async |reporter| session.take(plan, &reporter).await).await?;
    let (left, right) = tokio::join!(
        async {
            let registry = match made {
                Some(registry) => registry,
                None => registry(&turn).await?,
            };
            let images = run
                .step(Step::IMAGES, async |reporter| {
                    images::run(plan, &turn.before, &registry, &reporter).await
                })
                .await?;
            Ok((registry, images))
        },
        async {
            let foundation = run
                .step(Step::FOUNDATION, async |reporter| stacks::foundation(&turn, &reporter).await)
                .await?;
            let revision = run
                .step(Step::SECRETS, async |reporter| {
                    secrets::run(plan, &turn.before, &foundation, &reporter).await
                })
                .await?;
            Ok((foundation, revision))
        },
    );
    let (registry, images) = left?;
    let (foundation, revision) = right?;
    Ok(Ground { turn, registry, images, foundation, revision })
}

/// An output of a stack, which is there once the stack is deployed.
fn output<'a>(stack: &'a StackOutcome, key: &str) -> Result<&'a str, Problem> {
    stack.outputs.get(key).map(String::as_str).ok_or_else(|| {
        Problem::new(
            FailureKind::Failed,
            format!("read output `{key}` of {}: it has none of that name", stack.name),
        )
        .hint("another version of this tool may have deployed it since: run the command again")
    })
}

/// A configuration that is valid and yet does not compose is a defect of ours; it is named, and nothing is sent.
pub(crate) fn not_composed(errors: Vec<StackError>) -> Failure {
    Failure::Problems(
        errors.into_iter().map(|error| (None, Problem::new(FailureKind::Usage, error.to_string()))).collect(),
    )
}
