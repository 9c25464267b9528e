//! The three stacks as steps.

use super::{
    Plan, Turn,
    footing::{self, Footing},
    prepare::{execute, is_new, prepare},
    watch::Watch,
};
use crate::failure::Problem;
use leo_aws::{FailureKind, ServiceError};
use leo_config::StackName;
use leo_deploy::{
    Capability, Change, Finished, INLINE_TEMPLATE_LIMIT, OnCreateFailure, Prepared, Replacement, Reporter,
    Stack, StackOutcome, StackRequest, TemplateSource,
};
use std::collections::BTreeMap;

type Step = Result<Finished<StackOutcome>, Problem>;

/// How often another first deploy may be quicker with the registry.
const RACES: usize = 3;

/// What is asked for, and the template's text.
pub(super) struct Wanted<'a> {
    pub(super) request: StackRequest,
    pub(super) template: &'a str,
}

/// The platform as its step left it.
pub(super) struct Platform {
    pub(super) outcome: StackOutcome,
    /// Whether this very run created it.
    pub(super) created: bool,
}

pub(super) async fn registry(turn: &Turn<'_>, reporter: &Reporter) -> Step {
    let plan = turn.plan;
    let Some(template) = &plan.templates.registry else {
        return turn.before.registry_outcome().map(|outcome| Finished::new(outcome, false)).ok_or_else(
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
    let mut before = turn.before.registry.clone();
    let mut races = RACES;
    loop {
        let done = match prepare(turn, &wanted, before.as_ref(), reporter).await {
            Ok(prepared) => execute(turn, prepared, reporter).await,
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
pub(super) async fn foundation(turn: &Turn<'_>, reporter: &Reporter) -> Step {
    let plan = turn.plan;
    let before = turn.before.foundation.as_ref();
    let wanted = wanted_foundation(plan).await?;
    let prepared = prepare(turn, &wanted, before, reporter).await?;
    if let (Prepared::Ready(change_set), Some(platform)) = (&prepared, &turn.before.platform) {
        let Footing { lost, kept } =
            footing::judge(&known(plan, change_set.changes()), &plan.stacks.consumed, &platform.parameters);
        if !lost.is_empty() {
            if let Prepared::Ready(change_set) = prepared {
                plan.engine.discard(change_set).await?;
            }
            return Err(footing::refused(&plan.stacks.foundation.name, lost));
        }
        for line in kept {
            reporter.warning(line);
        }
    }
    let finished = execute(turn, prepared, reporter).await?;
    protect(plan, before, &plan.stacks.foundation.name, reporter).await?;
    Ok(finished)
}

/// The changes by which the footing is judged. The local target says "perhaps replaced" of every property that it has no
/// rule for, so there only what is said for certain counts.
fn known(plan: &Plan<'_>, changes: &[Change]) -> Vec<Change> {
    let certain = |change: &&Change| change.replacement != Replacement::Maybe;
    changes.iter().filter(|change| plan.target.local.is_none() || certain(change)).cloned().collect()
}

/// While it runs, what its containers do is watched: `watch` keeps it, and ends a deploy that can't succeed.
pub(super) async fn platform(
    turn: &Turn<'_>,
    parameters: &BTreeMap<String, String>,
    watch: &Watch,
    reporter: &Reporter,
) -> Result<Finished<Platform>, Problem> {
    let plan = turn.plan;
    let before = turn.before.platform.as_ref();
    let revision = parameters.get(&plan.stacks.keys.secrets_revision).cloned();
    let wanted = wanted_platform(plan, parameters).await?;
    let (outcome, created) = match prepare(turn, &wanted, before, reporter).await? {
        Prepared::NoChange(outcome) => (outcome, false),
        Prepared::Ready(change_set) => {
            turn.session.confirm().await?;
            let created = change_set.creates_stack();
            let control = watch.start(plan);
            let on_event = |event| {
                watch.on_stack_event(&event);
                reporter.stack(event);
            };
            let executed = plan.engine.execute(change_set, &control, &on_event).await;
            (executed.inspect_err(|error| watch.on_error(error))?, created)
        }
    };
    protect(plan, before, &plan.stacks.platform.name, reporter).await?;
    if plan.target.local.is_some() {
        roll_tasks(turn, revision.as_deref(), &outcome, reporter).await?;
    }
    let changed = outcome.changed;
    Ok(Finished::new(Platform { outcome, created }, changed))
}

/// After a gate that saw another thing run than was planned: a platform that this run created is deleted again where nothing else ends it. In
/// express mode CloudFormation has gone by then, and the local target knows no failed create; elsewhere the failed
/// create has been deleted already. The platform holds no data.
pub(super) async fn take_back(
    turn: &Turn<'_>,
    platform: &Platform,
    mut problem: Problem,
    reporter: &Reporter,
) -> Problem {
    let plan = turn.plan;
    let stays = !plan.settings.express && plan.target.local.is_none();
    if !platform.created || stays || problem.kind != FailureKind::Failed {
        return problem;
    }
    let StackOutcome { name, stack_id, .. } = &platform.outcome;
    let delete = async || {
        turn.session.confirm().await?;
        reporter.note(format!("deleting {name} again, which holds no data"));
        // By its id: never another one that took its name.
        plan.engine.delete(stack_id, &[], &|event| reporter.stack(event)).await?;
        Ok::<_, Problem>(())
    };
    problem.details.push(match delete().await {
        Ok(()) => format!("{name} was deleted again; the data stays"),
        Err(error) => format!("{name} is still there: failed to {}", error.message),
    });
    problem
}

/// A protected environment's stacks refuse to be deleted by anyone, whether anything else had to change or not; those of
/// one that is no longer protected don't.
async fn protect(
    plan: &Plan<'_>,
    before: Option<&Stack>,
    stack: &StackName,
    reporter: &Reporter,
) -> Result<(), Problem> {
    let protected = plan.project.config.environment.protected;
    let is_so = before.is_some_and(|before| before.termination_protection) == protected;
    if is_so || plan.target.local.is_some() {
        return Ok(());
    }
    plan.engine.protect(stack.as_str(), protected).await?;
    if !protected {
        reporter.note("termination protection is off: the environment is not marked `protected`");
    }
    Ok(())
}

/// On AWS a new revision of the secrets rolls the tasks by itself; the local target ignores that property.
async fn roll_tasks(
    turn: &Turn<'_>,
    revision: Option<&str>,
    platform: &StackOutcome,
    reporter: &Reporter,
) -> Result<(), Problem> {
    let plan = turn.plan;
    let key = &plan.stacks.keys.secrets_revision;
    let before = turn.before.platform.as_ref().and_then(|platform| platform.parameters.get(key));
    if before.is_none_or(|before| Some(before.as_str()) == revision) {
        return Ok(());
    }
    reporter.note("starting new tasks");
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
