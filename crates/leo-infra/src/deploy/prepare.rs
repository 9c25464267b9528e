//! From what a stack should be to what CloudFormation has made of it.

use super::{Turn, adopt, stacks::Wanted};
use crate::failure::Problem;
use leo_deploy::{
    Action, Block, Control, DeployError, Finished, Prepared, Reporter, Stack, StackOutcome, action,
};

/// How often a stack is recovered in one run: continuing a rollback can end in a state that allows more.
const RECOVERIES: usize = 2;

/// A change set of the stack; what stands in the way of one is removed first, as far as that was agreed to, and what an
/// earlier stack left under its names becomes part of it.
pub(super) async fn prepare(
    turn: &Turn<'_>,
    wanted: &Wanted<'_>,
    before: Option<&Stack>,
    reporter: &Reporter,
) -> Result<Prepared, Problem> {
    let plan = turn.plan;
    let request = &wanted.request;
    let on_event = |event| reporter.stack(event);
    let adopt = async || adopt::existing(plan, request, wanted.template, reporter).await;
    // Whether it was looked for what an earlier stack left.
    let mut looked = false;
    if is_new(before) && is_new(plan.engine.describe(&request.name).await?.as_ref()) {
        adopt().await?;
        looked = true;
    }
    let mut seen = turn.before.just_seen(before);
    if let Some(stack) = before
        && plan.engine.is_left_by_failed_import(stack).await?
    {
        reporter.note("an import that failed left an empty stack: deleting it");
        turn.session.confirm().await?;
        plan.engine.delete(&stack.id, &[], &on_event).await?;
        adopt().await?;
        (looked, seen) = (true, None);
    }
    let mut recoveries = RECOVERIES;
    loop {
        let error = match plan.engine.prepare_seen(request, seen.take(), &on_event).await {
            // The stack was there, and went while it was followed: someone's destroy ended, or a failed create.
            Ok(Prepared::Ready(change_set)) if change_set.creates_stack() && !looked => {
                looked = true;
                if !adopt::is_anything_left(plan, wanted.template).await? {
                    return Ok(Prepared::Ready(change_set));
                }
                plan.engine.discard(change_set).await?;
                adopt().await?;
                continue;
            }
            Ok(prepared) => return Ok(prepared),
            Err(error) => error,
        };
        let blocked = matches!(error, DeployError::Blocked { .. });
        if !blocked || recoveries == 0 || !plan.settings.recover.is_about(&request.name) {
            return Err(error.into());
        }
        recoveries -= 1;
        let Some(stack) = plan.engine.describe(&request.name).await? else { continue };
        let Some(recovery) = plan.engine.recovery(&stack).await? else { return Err(error.into()) };
        if !plan.settings.recover.covers(&request.name, &recovery) {
            return Err(error.into());
        }
        reporter.note(recovery.to_string());
        turn.session.confirm().await?;
        plan.engine.recover(&stack, &recovery, &on_event).await?;
        let gone = matches!(
            action(Some(&stack.status)),
            Action::Blocked(Block::CreateRolledBack | Block::DeleteFailed)
        );
        if gone {
            adopt().await?;
            looked = true;
        }
    }
}

/// Whether the stack has yet to be created, so that names could be taken.
pub(super) fn is_new(before: Option<&Stack>) -> bool {
    matches!(action(before.map(|stack| &stack.status)), Action::Create | Action::Reuse)
}

/// Executes what was prepared, where the environment still is this run's alone: what was followed until here may have
/// taken hours.
pub(super) async fn execute(
    turn: &Turn<'_>,
    prepared: Prepared,
    reporter: &Reporter,
) -> Result<Finished<StackOutcome>, Problem> {
    let outcome = match prepared {
        Prepared::NoChange(outcome) => outcome,
        Prepared::Ready(change_set) => {
            turn.session.confirm().await?;
            let on_event = |event| reporter.stack(event);
            turn.plan.engine.execute(change_set, &Control::default(), &on_event).await?
        }
    };
    let changed = outcome.changed;
    Ok(Finished::new(outcome, changed))
}
