//! What a destroy says at its end: what went, and how to get rid of what stayed.

use super::Plan;
use crate::failure::Problem;
use leo_data::{Emptied, Inventory, Kind, Scheduled, State, find};
use leo_deploy::Retained;
use serde_json::{Value as Json, json};

/// What the steps did.
#[derive(Default)]
pub(super) struct Done {
    /// Tasks that were stopped.
    pub(super) stopped: usize,
    /// What outlived its stack.
    pub(super) retained: Vec<Retained>,
    /// The buckets that are gone, with what was in them.
    pub(super) buckets: Vec<(String, Emptied)>,
    /// The secrets that are scheduled for deletion.
    pub(super) secrets: Vec<Scheduled>,
}

/// What is still there.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    /// What it is, with its name and its state.
    what: String,
    name: String,
    /// How to remove it.
    remove: String,
}

/// Something that was taken away.
pub(crate) struct Destroyed {
    changed: bool,
    title: String,
    account: String,
    region: String,
    stacks: Vec<String>,
    inventory: Inventory,
    done: Done,
    kept: Vec<Kept>,
}

pub(super) async fn destroyed(plan: &Plan<'_>, done: Done) -> Result<Destroyed, Problem> {
    let left = find(&plan.target.data(), plan.account.as_str(), &plan.subject.data).await?;
    let mut kept: Vec<Kept> = left
        .iter()
        // What is not ours was not kept by us.
        .filter(|existing| matches!(existing.state, State::Present | State::ScheduledForDeletion))
        .map(|existing| Kept {
            what: match until(&done, &existing.name) {
                Some(until) => format!("{existing}, and can be restored until {until}"),
                None => existing.to_string(),
            },
            name: existing.name.clone(),
            remove: match existing.state {
                State::ScheduledForDeletion => format!(
                    "goes by itself; a deploy brings it back, and so does: aws secretsmanager restore-secret --secret-id {}",
                    existing.name
                ),
                _ => plan.subject.deletes_data.clone(),
            },
        })
        .collect();
    for retained in &done.retained {
        let Some(id) = retained.physical_id.as_deref() else { continue };
        let known = plan.subject.data.iter().any(|named| named.name == id)
            || left.iter().any(|existing| existing.identifier.values().any(|value| value == id));
        if !known {
            kept.push(by_hand(&retained.resource_type, id));
        }
    }
    if plan.subject.cluster.is_some() && !plan.survey.inventory.repositories.is_empty() {
        kept.push(Kept {
            what: "the registry, with images and releases, is shared by all environments".to_owned(),
            name: leo_config::names::REGISTRY_STACK.to_owned(),
            remove: "cargo xtask destroy --registry".to_owned(),
        });
    }
    let stacks: Vec<String> = plan.survey.stacks.iter().map(|stack| stack.name.clone()).collect();
    Ok(Destroyed {
        changed: !plan.is_done(),
        title: plan.subject.title.clone(),
        account: plan.account.to_string(),
        region: plan.region.clone(),
        stacks,
        inventory: plan.survey.inventory.clone(),
        done,
        kept,
    })
}

/// Until when a secret that was just scheduled for deletion can be restored.
fn until<'a>(done: &'a Done, name: &str) -> Option<&'a str> {
    done.secrets.iter().find(|secret| secret.name == name)?.until.as_deref()
}

/// What an earlier configuration had, and this one does not know.
fn by_hand(resource_type: &str, id: &str) -> Kept {
    let remove = match Kind::of(resource_type) {
        Some(Kind::Bucket) => format!("aws s3 rb s3://{id} --force"),
        Some(Kind::Repository) => format!("aws ecr delete-repository --force --repository-name {id}"),
        Some(Kind::Secret) => format!("aws secretsmanager delete-secret --secret-id {id}"),
        None => format!("delete it by hand: a {resource_type}"),
    };
    let what = Kind::of(resource_type).map_or_else(|| resource_type.to_owned(), |kind| kind.to_string());
    Kept { what: format!("{what} {id} exists"), name: id.to_owned(), remove }
}

impl Destroyed {
    /// How it ended, in a word.
    pub(crate) fn status(&self) -> &'static str {
        if self.changed { "destroyed" } else { "unchanged" }
    }

    /// The document that `--json` prints.
    pub(crate) fn json(&self) -> Json {
        let buckets: Vec<Json> = self
            .done
            .buckets
            .iter()
            .map(|(name, emptied)| {
                json!({
                    "name": name,
                    "versions": emptied.versions,
                    "bytes": emptied.bytes,
                    "uploads": emptied.uploads,
                })
            })
            .collect();
        let kept: Vec<Json> = self
            .kept
            .iter()
            .map(|kept| json!({"name": kept.name, "what": kept.what, "remove": kept.remove}))
            .collect();
        json!({
            "status": self.status(),
            "destroyed": self.title,
            "account": self.account,
            "region": self.region,
            "found": {"stacks": self.stacks, "inventory": self.inventory},
            "stopped_tasks": self.done.stopped,
            "deleted_buckets": buckets,
            "secrets_scheduled_for_deletion": self.done.secrets,
            "kept": kept,
        })
    }

    /// The lines that a person reads.
    pub(crate) fn text(&self) -> String {
        let what = if self.changed { "destroyed" } else { "there is nothing to destroy" };
        let mut lines = vec![format!("{}: {what}", self.title)];
        if !self.kept.is_empty() {
            lines.push("still there:".to_owned());
        }
        for kept in &self.kept {
            lines.push(format!("  {}\n    {}", kept.what, kept.remove));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_configuration_knows_any_more_is_removed_by_hand() {
        let kept = by_hand("AWS::SecretsManager::Secret", "arn:x");
        assert_eq!(kept.what, "secret arn:x exists");
        assert_eq!(kept.remove, "aws secretsmanager delete-secret --secret-id arn:x");
        assert_eq!(by_hand("AWS::EC2::Thing", "t-1").remove, "delete it by hand: a AWS::EC2::Thing");
    }
}
