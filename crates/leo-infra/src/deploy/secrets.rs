//! The secrets as a step: each gets its first value, and none is overwritten.

use super::{Before, Plan, access};
use crate::{failure::Problem, keep};
use leo_config::Config;
use leo_deploy::{Finished, Reporter, Stack, StackOutcome};
use leo_project::Project;
use leo_secrets::{Blank, SecretPlan, Values, check_values, ensure};
use std::collections::BTreeSet;

/// Refuses a first deploy without all values, while nothing has been sent yet.
pub(crate) fn check_first(project: &Project) -> Result<(), Problem> {
    Ok(check_values(&SecretPlan::all(&project.config), Values::Environment(&project.env))?)
}

/// What the platform is told of the secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Revision {
    /// Over the versions of the secrets that the orchestrator gets: another one rolls its tasks. Generators start with the
    /// newest values by themselves.
    pub(super) id: String,
    /// Whether the orchestrator that runs has others.
    pub(super) rolls: bool,
}

/// Gives each secret without a value its first one. No value is read on AWS.
pub(super) async fn run(
    plan: &Plan<'_>,
    before: &Before,
    foundation: &StackOutcome,
    reporter: &Reporter,
) -> Result<Finished<Revision>, Problem> {
    let standing = of_platform(before.platform.as_ref(), &plan.stacks.keys.secrets_revision);
    if plan.release.is_some()
        && let Some(id) = standing
    {
        // Today's configuration may want keys and secrets that the release knows nothing of.
        reporter.note("they stay as they are");
        return Ok(Finished::new(Revision { id, rolls: false }, false));
    }
    let config = &plan.project.config;
    let values = if plan.with_secrets { Values::Environment(&plan.project.env) } else { Values::Dummies };
    let blank = if plan.target.local.is_some() { Blank::IsNone } else { Blank::Unread };
    let wanted = SecretPlan::all(config);
    let given = async { Ok(ensure(&plan.target.secrets, &wanted, values, blank, &plan.written).await?) };
    let (report, ()) = tokio::try_join!(given, access::ask(plan, foundation, reporter))?;
    if !report.created.is_empty() {
        let kind = if plan.with_secrets { "values" } else { "dummy values" };
        reporter.note(format!("first {kind} for {}", report.created.join(", ")));
    }
    let local = plan.target.local.is_some();
    let path = keep::secrets(&plan.project.root, config.environment.name.as_str(), local);
    if let Err(error) = report.seen.add_to(&path) {
        // A push will ask whose they are; what was deployed is as good.
        reporter.note(format!("that they are this machine's own was not kept: failed to {error}"));
    }
    for secret in &report.unexpected {
        reporter.note(format!(
            "{secret} has another version than the one that was just written: it was changed again, or the tasks get the \
             new one with the next deploy"
        ));
    }
    let of_orchestrator: Vec<String> = consumed(config);
    let id = report.revision(of_orchestrator.iter().map(String::as_str)).to_string();
    let rolls = standing.is_some_and(|standing| standing != id);
    if rolls {
        reporter.note("secrets changed: orchestrator rolls");
    }
    Ok(Finished::new(Revision { id, rolls }, !report.created.is_empty()))
}

/// The names of the secrets that the orchestrator gets something of.
fn consumed(config: &Config) -> Vec<String> {
    let providers: BTreeSet<_> = config.orchestrator.secrets.iter().map(|secret| &secret.provider).collect();
    providers.into_iter().map(|provider| config.environment.name.secret(provider)).collect()
}

/// The revision that a platform was given last.
fn of_platform(platform: Option<&Stack>, key: &str) -> Option<String> {
    platform?.parameters.get(key).filter(|revision| !revision.is_empty()).cloned()
}

#[cfg(test)]
mod tests {
    use super::{super::plan::testing::stack, *};

    #[test]
    fn the_revision_that_stands_is_the_platforms_own() {
        let key = "SecretsRevision";
        assert_eq!(of_platform(None, key), None);
        assert_eq!(of_platform(Some(&stack("CREATE_COMPLETE", &[], &[(key, "")])), key), None);
        let platform = stack("CREATE_COMPLETE", &[], &[(key, "r1")]);
        assert_eq!(of_platform(Some(&platform), key).as_deref(), Some("r1"));
    }

    #[test]
    fn only_the_secrets_of_the_orchestrator_roll_it() {
        let config = leo_config::testing::load("[environments.dev]").expect("is valid");
        assert_eq!(consumed(&config), ["leo/dev/flyio", "leo/dev/github", "leo/dev/supabase"]);
    }
}
