//! The data as steps: only on explicit word, and after everything that could still need it.
//!
//! What was there when it was shown and then is gone counts as deleted, whatever AWS says of the deletion itself: the
//! answer to a first attempt may have been lost, and then the second one finds nothing.

use super::{Plan, report::Done};
use crate::{deploy::Session, failure::Problem};
use leo_data::{
    Emptied, Inventory, Kind, RecoveryWindow, Scheduled, delete_bucket, delete_repositories, empty_bucket,
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
    session: &Session,
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
        // That may have taken hours.
        session.confirm().await?;
        let deleted = delete_bucket(s3, &bucket).await?;
        let emptied = emptied.and(deleted.unwrap_or_default());
        let seen = plan.survey.inventory.buckets.iter().any(|seen| seen.name == bucket.name);
        if seen || deleted.is_some() {
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
    let deleted = repositories_gone(names, &deleted, &plan.survey.inventory);
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
    let scheduled = schedule_secrets(&plan.target.secrets, &names, window).await?;
    done.secrets = secrets_scheduled(scheduled, &plan.survey.inventory);
    let new: Vec<&str> =
        done.secrets.iter().filter(|secret| secret.newly).map(|secret| secret.name.as_str()).collect();
    if !new.is_empty() {
        reporter.note(format!("scheduled for deletion: {}", new.join(", ")));
    }
    Ok(Finished::new((), !new.is_empty()))
}

/// Which of these repositories, none of which is there any more, went in this run.
fn repositories_gone(names: Vec<String>, deleted: &[String], before: &Inventory) -> Vec<String> {
    let seen = |name: &str| before.repositories.iter().any(|seen| seen.repository == name);
    names.into_iter().filter(|name| deleted.contains(name) || seen(name)).collect()
}

/// With what was scheduled in this run marked as such.
fn secrets_scheduled(mut scheduled: Vec<Scheduled>, before: &Inventory) -> Vec<Scheduled> {
    for secret in &mut scheduled {
        let seen = before.secrets.iter().find(|seen| seen.name == secret.name);
        secret.newly |= seen.is_some_and(|seen| !seen.scheduled_for_deletion);
    }
    scheduled
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_data::{Images, SecretFound};

    #[test]
    fn what_was_shown_and_is_gone_was_deleted() {
        let secret = |name: &str, scheduled_for_deletion| SecretFound {
            name: name.to_owned(),
            scheduled_for_deletion,
        };
        let before = Inventory {
            secrets: vec![secret("lost", false), secret("before", true)],
            repositories: vec![
                Images { repository: "lost".to_owned(), ..Images::default() },
                Images { repository: "of others".to_owned(), ..Images::default() },
            ],
            ..Inventory::default()
        };
        let scheduled = |name: &str, newly| Scheduled { name: name.to_owned(), until: None, newly };
        let told = vec![scheduled("lost", false), scheduled("before", false), scheduled("new", true)];
        let newly: Vec<bool> = secrets_scheduled(told, &before).iter().map(|secret| secret.newly).collect();
        assert_eq!(newly, [true, false, true]);

        let names = ["absent", "lost", "told"].map(str::to_owned).into();
        assert_eq!(repositories_gone(names, &["told".to_owned()], &before), ["lost", "told"]);
    }
}
