//! The three stacks as steps.

use super::{
    Plan, adopt,
    footing::{self, Footing},
    images::Images,
    output,
    watch::Watch,
};
use crate::failure::Problem;
use leo_aws::{FailureKind, ServiceError};
use leo_config::StackName;
use leo_deploy::{
    Action, Block, Capability, Control, DeployError, Finished, INLINE_TEMPLATE_LIMIT, OnCreateFailure,
    Prepared, Reporter, Stack, StackOutcome, StackRequest, TemplateSource, action,
};
use std::collections::BTreeMap;

type Step = Result<Finished<StackOutcome>, Problem>;

/// How often a stack is recovered in one run: continuing a rollback can end in a state that allows more.
const RECOVERIES: usize = 2;
/// How often another first deploy may be quicker with the registry.
const RACES: usize = 3;

/// What is asked for, and the template's text.
pub(super) struct Wanted<'a> {
    pub(super) request: StackRequest,
    template: &'a str,
}

pub(super) async fn registry(plan: &Plan<'_>, reporter: &Reporter) -> Step {
    let Some(template) = &plan.templates.registry else {
        return plan.before.registry_outcome().map(|outcome| Finished::new(outcome, false)).ok_or_else(
            || {
                Problem::new(
                    FailureKind::Failed,
                    format!("find {}: it does not exist", plan.stacks.registry.name),
                )
                .hint("deploy first: `cargo xtask deploy` makes it")
            },
        );
    };
    // Its own bucket is where a large template would go, so this one always goes in the call.
    let wanted = wanted(plan, &plan.stacks.registry.name, TemplateSource::Inline(template.clone()), template);
    let mut before = plan.before.registry.clone();
    let mut races = RACES;
    loop {
        let done = match prepare(plan, &wanted, before.as_ref(), reporter).await {
            Ok(prepared) => execute(plan, prepared, Control::default(), reporter).await,
            Err(problem) => Err(problem),
        };
        // Nothing keeps two first deploys apart before the bucket is there that does. Where the other one was quicker,
        // its stack is what is looked at.
        let Err(problem) = done else { return done };
        let there = plan.engine.describe(&wanted.request.name).await.ok().flatten();
        if races == 0 || !is_new(before.as_ref()) || there.is_none() {
            return Err(problem);
        }
        races -= 1;
        before = there;
    }
}

/// Refuses what would pull the ground from under a running platform.
pub(super) async fn foundation(plan: &Plan<'_>, reporter: &Reporter) -> Step {
    let wanted = wanted_foundation(plan).await?;
    let prepared = prepare(plan, &wanted, plan.before.foundation.as_ref(), reporter).await?;
    let Prepared::Ready(change_set) = prepared else {
        return execute(plan, prepared, Control::default(), reporter).await;
    };
    if let Some(platform) = &plan.before.platform {
        let Footing { lost, kept } =
            footing::judge(change_set.changes(), &plan.stacks.consumed, &platform.parameters);
        if !lost.is_empty() {
            plan.engine.discard(change_set).await?;
            return Err(footing::refused(&plan.stacks.foundation.name, lost));
        }
        for line in kept {
            reporter.warning(line);
        }
    }
    let finished = execute(plan, Prepared::Ready(change_set), Control::default(), reporter).await?;
    protect(plan, &plan.stacks.foundation.name).await?;
    Ok(finished)
}

/// While it runs, what its containers do is watched: `watch` keeps it, and ends a deploy that can't succeed.
pub(super) async fn platform(
    plan: &Plan<'_>,
    parameters: &BTreeMap<String, String>,
    watch: &Watch,
    reporter: &Reporter,
) -> Step {
    let revision = parameters.get(&plan.stacks.keys.secrets_revision).cloned();
    let wanted = wanted_platform(plan, parameters).await?;
    let prepared = prepare(plan, &wanted, plan.before.platform.as_ref(), reporter).await?;
    let finished = match prepared {
        Prepared::NoChange(_) => execute(plan, prepared, Control::default(), reporter).await?,
        Prepared::Ready(change_set) => {
            let control = watch.start(plan);
            let on_event = |event| {
                watch.on_stack_event(&event);
                reporter.stack(event);
            };
            let executed = plan.engine.execute(change_set, &control, &on_event).await;
            let outcome = executed.inspect_err(|error| watch.on_error(error))?;
            Finished::new(outcome, true)
        }
    };
    protect(plan, &plan.stacks.platform.name).await?;
    if plan.target.local.is_some() {
        roll_tasks(plan, revision.as_deref(), &finished.value, reporter).await?;
    }
    Ok(finished)
}

/// A change set of the stack; what stands in the way of one is removed first, as far as that was agreed to.
async fn prepare(
    plan: &Plan<'_>,
    wanted: &Wanted<'_>,
    before: Option<&Stack>,
    reporter: &Reporter,
) -> Result<Prepared, Problem> {
    let request = &wanted.request;
    let on_event = |event| reporter.stack(event);
    // What was seen before another deploy of the environment was waited for may have changed since.
    if is_new(before) && is_new(plan.engine.describe(&request.name).await?.as_ref()) {
        adopt::existing(plan, request, wanted.template, reporter).await?;
    }
    for _ in 0..RECOVERIES {
        let error = match plan.engine.prepare(request, &on_event).await {
            Ok(prepared) => return Ok(prepared),
            Err(error) => error,
        };
        let blocked = matches!(error, DeployError::Blocked { .. });
        if !blocked || !plan.settings.recover.covers(&request.name) {
            return Err(error.into());
        }
        let Some(stack) = plan.engine.describe(&request.name).await? else { continue };
        let Some(recovery) = plan.engine.recovery(&stack).await? else { return Err(error.into()) };
        reporter.note(recovery.to_string());
        plan.engine.recover(&stack, &recovery, &on_event).await?;
        let gone = matches!(
            action(Some(&stack.status)),
            Action::Blocked(Block::CreateRolledBack | Block::DeleteFailed)
        );
        if gone {
            adopt::existing(plan, request, wanted.template, reporter).await?;
        }
    }
    Ok(plan.engine.prepare(request, &on_event).await?)
}

/// Whether the stack has yet to be created, so that names could be taken.
fn is_new(before: Option<&Stack>) -> bool {
    matches!(action(before.map(|stack| &stack.status)), Action::Create | Action::Reuse)
}

async fn execute(plan: &Plan<'_>, prepared: Prepared, control: Control, reporter: &Reporter) -> Step {
    let outcome = match prepared {
        Prepared::NoChange(outcome) => outcome,
        Prepared::Ready(change_set) => {
            plan.engine.execute(change_set, &control, &|event| reporter.stack(event)).await?
        }
    };
    let changed = outcome.changed;
    Ok(Finished::new(outcome, changed))
}

/// After a gate that did not pass: a platform that this run created is deleted again where nothing else ends it. In
/// express mode CloudFormation has gone by then, and the local target knows no failed create; elsewhere the failed
/// create has been deleted already. The platform holds no data.
pub(super) async fn take_back(
    plan: &Plan<'_>,
    platform: &StackOutcome,
    mut problem: Problem,
    reporter: &Reporter,
) -> Problem {
    let stays = !plan.settings.express && plan.target.local.is_none();
    if !is_new(plan.before.platform.as_ref()) || stays || problem.kind != FailureKind::Failed {
        return problem;
    }
    reporter.note(format!("deleting {} again, which holds no data", platform.name));
    match plan.engine.delete(&platform.name, &[], &|event| reporter.stack(event)).await {
        Ok(_) => problem.details.push(format!("{} was deleted again; the data stays", platform.name)),
        Err(error) => problem.details.push(format!("{} is still there: failed to {error}", platform.name)),
    }
    problem
}

/// A protected environment's stacks refuse to be deleted by anyone.
async fn protect(plan: &Plan<'_>, stack: &StackName) -> Result<(), Problem> {
    if plan.project.config.environment.protected && plan.target.local.is_none() {
        plan.engine.protect(stack.as_str(), true).await?;
    }
    Ok(())
}

/// On AWS a new revision of the secrets rolls the tasks by itself; the local target ignores that property.
async fn roll_tasks(
    plan: &Plan<'_>,
    revision: Option<&str>,
    platform: &StackOutcome,
    reporter: &Reporter,
) -> Result<(), Problem> {
    let key = &plan.stacks.keys.secrets_revision;
    let before = plan.before.platform.as_ref().and_then(|platform| platform.parameters.get(key));
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

/// What the platform takes: the foundation's outputs, the images, the revision of the secrets. A release that is brought
/// back keeps its other parameters.
pub(super) fn platform_parameters(
    plan: &Plan<'_>,
    foundation: &StackOutcome,
    images: &Images,
    revision: &str,
) -> Result<BTreeMap<String, String>, Problem> {
    let keys = &plan.stacks.keys;
    let released = plan.release.as_ref().and_then(|release| release.stack(super::release::PLATFORM));
    let mut parameters = released.map(|stack| stack.parameters.clone()).unwrap_or_default();
    // An earlier template may know fewer parameters than today's.
    let wants = |name: &str| released.is_none_or(|stack| stack.parameters.contains_key(name));
    for (key, value) in [
        (&keys.orchestrator_image, images.orchestrator.reference.to_string()),
        (&keys.generator_image, images.generator.reference.to_string()),
        (&keys.secrets_revision, revision.to_owned()),
    ] {
        if wants(key) {
            parameters.insert(key.clone(), value);
        }
    }
    for link in plan.stacks.links.iter().filter(|link| wants(&link.parameter)) {
        let value = output(foundation, &link.output)?;
        parameters.insert(link.parameter.clone(), value.to_owned());
    }
    Ok(parameters)
}

pub(super) async fn wanted_foundation<'a>(plan: &'a Plan<'_>) -> Result<Wanted<'a>, Problem> {
    let template = &plan.templates.foundation;
    let mut wanted = wanted(plan, &plan.stacks.foundation.name, source(plan, template).await?, template);
    wanted.request.capabilities = vec![Capability::CapabilityIam];
    Ok(wanted)
}

pub(super) async fn wanted_platform<'a>(
    plan: &'a Plan<'_>,
    parameters: &BTreeMap<String, String>,
) -> Result<Wanted<'a>, Problem> {
    let template = &plan.templates.platform;
    let mut wanted = wanted(plan, &plan.stacks.platform.name, source(plan, template).await?, template);
    wanted.request.parameters.clone_from(parameters);
    wanted.request.express = plan.settings.express;
    Ok(wanted)
}

/// The template in the call, or in the artifacts bucket where it is too large for that.
async fn source(plan: &Plan<'_>, template: &str) -> Result<TemplateSource, Problem> {
    if template.len() <= INLINE_TEMPLATE_LIMIT {
        return Ok(TemplateSource::Inline(template.to_owned()));
    }
    let staged = plan.artifacts.stage(template).await?;
    Ok(TemplateSource::Stored { url: staged.url })
}

fn wanted<'a>(plan: &Plan<'_>, name: &StackName, source: TemplateSource, template: &'a str) -> Wanted<'a> {
    let request = StackRequest {
        name: name.to_string(),
        template: source,
        parameters: BTreeMap::new(),
        capabilities: vec![],
        tags: BTreeMap::new(),
        on_create_failure: OnCreateFailure::Delete,
        description: Some(plan.operation.description()),
        express: false,
        revert_drift: plan.settings.revert_drift,
    };
    Wanted { request, template }
}
