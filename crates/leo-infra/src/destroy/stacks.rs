//! The stacks as steps.

use super::{Plan, runs};
use crate::failure::Problem;
use leo_data::Scope;
use leo_deploy::{Finished, Reporter, Retained, Step};

/// Deletes a stack; what outlives it comes back.
pub(super) async fn delete(
    plan: &Plan<'_>,
    step: Step,
    stack: &str,
    reporter: &Reporter,
) -> Result<Finished<Vec<Retained>>, Problem> {
    if step == Step::FOUNDATION {
        // With the platform went whatever could start generators: those that were started until then are the last.
        runs::stop(plan, Scope::Everything, reporter).await?;
    }
    let deleted = plan.engine.delete(stack, &[], &|event| reporter.stack(event)).await?;
    Ok(Finished::new(deleted.retained, plan.survey.has_stack(stack)))
}
