//! The three stacks as steps.

use super::{Plan, images::Images, output};
use crate::failure::Problem;
use leo_aws::{FailureKind, ServiceError};
use leo_deploy::{
    Capability, Control, Finished, OnCreateFailure, Prepared, Reporter, StackOutcome, StackRequest,
    Stacks as Engine, TemplateSource, replacements_and_removals,
};
use leo_stack::StackTemplate;
use std::collections::BTreeMap;

type Step = Result<Finished<StackOutcome>, Problem>;

pub(super) async fn registry(plan: &Plan<'_>, reporter: &Reporter) -> Step {
    deploy(&plan.engine, request(plan, &plan.stacks.registry, vec![], BTreeMap::new()), reporter).await
}

/// Refuses what would pull the ground from under a running platform.
pub(super) async fn foundation(plan: &Plan<'_>, reporter: &Reporter) -> Step {
    let request = request(plan, &plan.stacks.foundation, vec![Capability::CapabilityIam], BTreeMap::new());
    let prepared = plan.engine.prepare(&request, &|event| reporter.stack(event)).await?;
    let Prepared::Ready(change_set) = prepared else {
        return finish(&plan.engine, prepared, reporter).await;
    };
    let lost: Vec<String> = replacements_and_removals(change_set.changes())
        .into_iter()
        .map(|change| format!("{} ({})", change.logical_id, change.resource_type))
        .collect();
    if plan.platform.is_some() && !lost.is_empty() {
        plan.engine.discard(change_set).await?;
        return Err(Problem {
            details: lost,
            ..Problem::new(
                FailureKind::Failed,
                format!(
                    "update {}: it would replace or remove what the platform uses; nothing was changed",
                    plan.stacks.foundation.name
                ),
            )
            .hint("keep these settings as they are, or build a second environment with the new ones and move to it")
        });
    }
    finish(&plan.engine, Prepared::Ready(change_set), reporter).await
}

pub(super) async fn platform(
    plan: &Plan<'_>,
    parameters: BTreeMap<String, String>,
    reporter: &Reporter,
) -> Step {
    let revision = parameters.get(&plan.stacks.keys.secrets_revision).cloned();
    let finished =
        deploy(&plan.engine, request(plan, &plan.stacks.platform, vec![], parameters), reporter).await?;
    if plan.target.local.is_some() {
        roll_tasks(plan, revision.as_deref(), &finished.value, reporter).await?;
    }
    Ok(finished)
}

/// On AWS a new revision of the secrets rolls the tasks by itself; the local target ignores that property.
async fn roll_tasks(
    plan: &Plan<'_>,
    revision: Option<&str>,
    platform: &StackOutcome,
    reporter: &Reporter,
) -> Result<(), Problem> {
    let key = &plan.stacks.keys.secrets_revision;
    let before = plan.platform.as_ref().and_then(|platform| platform.parameters.get(key));
    if before.is_none_or(|before| Some(before.as_str()) == revision) {
        return Ok(());
    }
    reporter.note("the secrets have changed: starting new tasks");
    plan.target
        .ecs
        .update_service()
        .cluster(plan.project.config.environment.name.cluster())
        .set_service(platform.outputs.get(&plan.stacks.keys.service).cloned())
        .force_new_deployment(true)
        .send()
        .await
        .map_err(|error| ServiceError::of("UpdateService", &error))?;
    Ok(())
}

/// What the platform takes: the foundation's outputs, the images, the revision of the secrets.
pub(super) fn platform_parameters(
    plan: &Plan<'_>,
    foundation: &StackOutcome,
    images: &Images,
    revision: &str,
) -> Result<BTreeMap<String, String>, Problem> {
    let keys = &plan.stacks.keys;
    let mut parameters = BTreeMap::from([
        (keys.orchestrator_image.clone(), images.orchestrator.reference.to_string()),
        (keys.generator_image.clone(), images.generator.reference.to_string()),
        (keys.secrets_revision.clone(), revision.to_owned()),
    ]);
    for link in &plan.stacks.links {
        let value = output(foundation, &link.output)?;
        parameters.insert(link.parameter.clone(), value.to_owned());
    }
    Ok(parameters)
}

fn request(
    plan: &Plan<'_>,
    stack: &StackTemplate,
    capabilities: Vec<Capability>,
    parameters: BTreeMap<String, String>,
) -> StackRequest {
    StackRequest {
        name: stack.name.to_string(),
        template: TemplateSource::Inline(plan.target.template_body(&stack.template)),
        parameters,
        capabilities,
        tags: BTreeMap::new(),
        on_create_failure: OnCreateFailure::Delete,
        express: false,
        revert_drift: false,
        description: Some(who()),
    }
}

/// Who deploys, for those who come upon the change set.
fn who() -> String {
    let user = ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .unwrap_or_else(|| "someone".to_owned());
    format!("leo-infra, by {user} on {}", rustix::system::uname().nodename().to_string_lossy())
}

async fn deploy(engine: &Engine, request: StackRequest, reporter: &Reporter) -> Step {
    let outcome = engine.deploy(&request, &Control::default(), &|event| reporter.stack(event)).await?;
    let changed = outcome.changed;
    Ok(Finished::new(outcome, changed))
}

async fn finish(engine: &Engine, prepared: Prepared, reporter: &Reporter) -> Step {
    let outcome = match prepared {
        Prepared::NoChange(outcome) => outcome,
        Prepared::Ready(change_set) => {
            engine.execute(change_set, &Control::default(), &|event| reporter.stack(event)).await?
        }
    };
    let changed = outcome.changed;
    Ok(Finished::new(outcome, changed))
}
