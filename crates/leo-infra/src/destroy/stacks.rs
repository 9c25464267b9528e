//! The stacks as steps.

use super::{Plan, report::Done, runs};
use crate::{deploy::Session, failure::Problem};
use leo_data::Scope;
use leo_deploy::{Finished, Reporter, Step};

/// Deletes a stack.
pub(super) async fn delete(
    plan: &Plan<'_>,
    session: &Session,
    (step, stack): (Step, &str),
    done: &mut Done,
    reporter: &Reporter,
) -> Result<Finished<()>, Problem> {
    if step == Step::FOUNDATION {
        // With the platform went whatever could start generators: those that were started until then are the last.
        done.stopped += runs::stop(plan, Scope::Everything, reporter).await?.value;
        // They may have taken minutes.
        session.confirm().await?;
    }
    let deleted = plan.engine.delete(stack, &[], &|event| reporter.stack(event)).await?;
    done.retained.extend(deleted.retained);
    Ok(Finished::new((), plan.survey.has_stack(stack)))
}
