//! A deploy: what its steps are, what each needs of the others, and what comes out.
//!
//! `registry → images` and `foundation → secrets` go side by side; then the platform, then the health gate. Every step
//! leaves what is already right as it is, so running a deploy again continues where it stopped.

pub(crate) mod choice;
mod gate;
pub(crate) mod images;
mod report;
mod secrets;
mod stacks;

pub(crate) use report::Deployed;
pub(crate) use secrets::check_first as check_first_secrets;

use crate::{
    failure::{Failure, Problem},
    target::Target,
};
use choice::ImagePlan;
use leo_aws::FailureKind;
use leo_deploy::{Run, Sink, StackOutcome, Step};
use leo_project::Project;
use leo_stack::{StackError, Stacks};

/// What a deploy is made from, all of it decided before the first step.
pub(crate) struct Plan<'a> {
    pub(crate) project: &'a Project,
    pub(crate) target: &'a Target,
    pub(crate) stacks: &'a Stacks,
    /// One for the whole run: it paces the calls.
    pub(crate) engine: leo_deploy::Stacks,
    /// The account that it goes to.
    pub(crate) account: String,
    /// Where the images come from.
    pub(crate) images: ImagePlan,
    /// The secrets that the environment files give; marked dummies otherwise.
    pub(crate) with_secrets: bool,
    /// The platform as it was before.
    pub(crate) platform: Option<leo_deploy::Stack>,
    /// A WebSocket only has to open; nothing waits to see whether it stays open.
    pub(crate) quick: bool,
}

/// Runs all steps.
pub(crate) async fn run(plan: &Plan<'_>, sink: Sink) -> Result<Deployed, Failure> {
    let steps = [Step::REGISTRY, Step::FOUNDATION, Step::IMAGES, Step::SECRETS, Step::PLATFORM, Step::GATE];
    let run: Run<Problem> = Run::new(sink, &steps);
    // On the heap: it holds the state of every step.
    let result = Box::pin(async {
        let (left, right) = tokio::join!(
            async {
                let registry = run
                    .step(Step::REGISTRY, async |reporter| stacks::registry(plan, &reporter).await)
                    .await?;
                let images = run
                    .step(Step::IMAGES, async |reporter| images::run(plan, &registry, &reporter).await)
                    .await?;
                Ok((registry, images))
            },
            async {
                let foundation = run
                    .step(Step::FOUNDATION, async |reporter| stacks::foundation(plan, &reporter).await)
                    .await?;
                let secrets =
                    run.step(Step::SECRETS, async |reporter| secrets::run(plan, &reporter).await).await?;
                Ok((foundation, secrets))
            },
        );
        let (registry, images) = left?;
        let (foundation, revision) = right?;
        let platform: StackOutcome = run
            .step(Step::PLATFORM, async |reporter| {
                let parameters = stacks::platform_parameters(plan, &foundation, &images, &revision)?;
                stacks::platform(plan, parameters, &reporter).await
            })
            .await?;
        let gate = run
            .step(Step::GATE, async |reporter| gate::run(plan, &platform, &images, &reporter).await)
            .await?;
        Ok(report::deployed(plan, [registry, foundation, platform], images, gate))
    });
    let result = result.await;
    run.finish(result).map_err(|problems| {
        let sent = |(step, problem): (Step, Problem)| (Some(step), problem.after_sending());
        Failure::Problems(problems.into_iter().map(sent).collect())
    })
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
