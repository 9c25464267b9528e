//! The tasks of the cluster, which have to be gone before what they use can go.

use super::Plan;
use crate::failure::Problem;
use leo_data::{Interfaces, Scope, stop_runs};
use leo_deploy::{Finished, Reporter};

/// Stops what runs and waits until it is gone; how many were told to.
pub(super) async fn stop(
    plan: &Plan<'_>,
    scope: Scope,
    reporter: &Reporter,
) -> Result<Finished<usize>, Problem> {
    let Some(cluster) = &plan.subject.cluster else { return Ok(Finished::new(0, false)) };
    // The emulator leaves the interface of a stopped task attached for ever.
    let interfaces = if plan.target.local.is_some() { Interfaces::Ignored } else { Interfaces::WaitedFor };
    let on_progress = |progress: leo_data::StopProgress| reporter.line(progress.to_string());
    let stopped = stop_runs(&plan.target.ecs, cluster, scope, interfaces, &on_progress).await?;
    Ok(Finished::new(stopped, stopped > 0))
}
