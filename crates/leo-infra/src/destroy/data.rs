//! The data as steps: only on explicit word, and after everything that could still need it.

use super::{Plan, report::Done};
use crate::failure::Problem;
use leo_data::{
    Emptied, Kind, Named, RecoveryWindow, delete_bucket, delete_repositories, empty_bucket, find,
    schedule_secrets,
};
use leo_deploy::{Finished, Reporter};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often it is said how far the emptying is.
const SAID_EVERY: Duration = Duration::from_secs(2);

/// Empties and deletes the buckets.
pub(super) async fn buckets(
    plan: &Plan<'_>,
    done: &mut Done,
    reporter: &Reporter,
) -> Result<Finished<()>, Problem> {
    let s3 = &plan.target.s3;
    let mut changed = false;
    for bucket in plan.subject.buckets() {
        let said = Mutex::new(None::<Instant>);
        let on_progress = |sum: Emptied| {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.is_none_or(|last| last.elapsed() >= SAID_EVERY) {
                *said = Some(Instant::now());
                reporter.line(format!("{sum} deleted from {}", bucket.name));
            }
        };
        let emptied = empty_bucket(s3, &bucket, &on_progress).await?;
        if delete_bucket(s3, &bucket).await? {
            changed = true;
            reporter.note(format!("{} deleted, with {emptied}", bucket.name));
            done.buckets.push((bucket.name, emptied));
        }
    }
    Ok(Finished::new((), changed))
}

/// Deletes the repositories with their images.
pub(super) async fn repositories(plan: &Plan<'_>, reporter: &Reporter) -> Result<Finished<()>, Problem> {
    let names: Vec<String> = plan.subject.names(Kind::Repository).collect();
    let deleted = delete_repositories(&plan.target.ecr, &names).await?;
    if !deleted.is_empty() {
        reporter.note(format!("deleted with their images: {}", deleted.join(", ")));
    }
    Ok(Finished::new((), !deleted.is_empty()))
}

/// Schedules the secrets for deletion.
pub(super) async fn secrets(
    plan: &Plan<'_>,
    window: RecoveryWindow,
    done: &mut Done,
    reporter: &Reporter,
) -> Result<Finished<()>, Problem> {
    let names: Vec<String> = plan.subject.names(Kind::Secret).collect();
    done.secrets = schedule_secrets(&plan.target.secrets, &names, window).await?;
    let new: Vec<&str> =
        done.secrets.iter().filter(|secret| secret.newly).map(|secret| secret.name.as_str()).collect();
    if !new.is_empty() {
        reporter.note(format!("scheduled for deletion: {}", new.join(", ")));
    }
    Ok(Finished::new((), !new.is_empty()))
}

impl Plan<'_> {
    /// Whether there is the bucket in which runs take turns.
    pub(super) async fn has_artifacts(&self) -> Result<bool, Problem> {
        let bucket =
            Named { logical_id: String::new(), kind: Kind::Bucket, name: self.artifacts.bucket().to_owned() };
        let found = find(&self.target.data(), self.account.as_str(), &[bucket]).await?;
        Ok(found.iter().any(|existing| existing.state == leo_data::State::Present))
    }
}
