//! Data that an earlier stack left behind becomes part of the new one, instead of being in its way.

use super::Plan;
use crate::{failure::Problem, fixed_names::named};
use leo_aws::FailureKind;
use leo_data::{Existing, State, find, restore_secrets};
use leo_deploy::{Reporter, StackRequest, TemplateSource, ToImport};
use serde_json::Value as Json;

/// Imports what exists under the names that the template of a new stack fixes. Nothing, where nothing exists.
pub(super) async fn existing(
    plan: &Plan<'_>,
    request: &StackRequest,
    template: &str,
    reporter: &Reporter,
) -> Result<(), Problem> {
    let clients = plan.target.data();
    let found = left(plan, template).await?;
    if found.is_empty() {
        return Ok(());
    }
    refuse_what_is_not_ours(&found, &request.name)?;
    let scheduled: Vec<String> = found
        .iter()
        .filter(|existing| existing.state == State::ScheduledForDeletion)
        .map(|existing| existing.name.clone())
        .collect();
    if !scheduled.is_empty() {
        let restored = restore_secrets(&clients.secrets, &scheduled).await?;
        reporter.note(format!(
            "restored, with the values that they had: {} (scheduled for deletion until now)",
            restored.join(", ")
        ));
    }
    let names: Vec<&str> = found.iter().map(|existing| existing.name.as_str()).collect();
    reporter.note(format!("adopting what an earlier stack left: {}", names.join(", ")));
    let imports: Vec<ToImport> = found.into_iter().map(import).collect();
    let request = StackRequest { template: TemplateSource::Inline(template.to_owned()), ..request.clone() };
    plan.engine.adopt(&request, &imports, &|event| reporter.stack(event)).await?;
    Ok(())
}

/// Whether anything exists under the names that the template fixes.
pub(super) async fn is_anything_left(plan: &Plan<'_>, template: &str) -> Result<bool, Problem> {
    Ok(!left(plan, template).await?.is_empty())
}

async fn left(plan: &Plan<'_>, template: &str) -> Result<Vec<Existing>, Problem> {
    let region = plan.project.config.environment.region.to_string();
    let json: Json = serde_json::from_str(template)
        .map_err(|error| Problem::new(FailureKind::Failed, format!("read a template: {error}")))?;
    let account = plan.account.as_str();
    Ok(find(&plan.target.data(), account, &named(&json, account, &region)).await?)
}

fn import(existing: Existing) -> ToImport {
    ToImport {
        resource_type: existing.kind.resource_type().to_owned(),
        logical_id: existing.logical_id,
        identifier: existing.identifier,
    }
}

fn refuse_what_is_not_ours(found: &[Existing], stack: &str) -> Result<(), Problem> {
    let foreign: Vec<String> = found
        .iter()
        .filter(|existing| matches!(existing.state, State::NotOurs | State::ElsewhereIn { .. }))
        .map(ToString::to_string)
        .collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(Problem {
        details: foreign,
        ..Problem::new(FailureKind::Failed, format!("create {stack}: names that it needs are taken"))
            .hint("deploy under another environment name or in that region, or have the other owner give the name up")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_data::Kind;

    fn existing(state: State) -> Existing {
        Existing {
            logical_id: "AppsBucket".to_owned(),
            kind: Kind::Bucket,
            name: "leo-dev-apps-1-x".to_owned(),
            identifier: [("BucketName".to_owned(), "leo-dev-apps-1-x".to_owned())].into(),
            state,
        }
    }

    #[test]
    fn only_what_is_ours_is_adopted() {
        assert!(refuse_what_is_not_ours(&[existing(State::Present)], "leo-dev-foundation").is_ok());
        let taken = [existing(State::NotOurs), existing(State::ElsewhereIn { region: None })];
        let problem = refuse_what_is_not_ours(&taken, "leo-dev-foundation").expect_err("is refused");
        assert_eq!(problem.message, "create leo-dev-foundation: names that it needs are taken");
        assert_eq!(problem.details.len(), 2);
    }
}
