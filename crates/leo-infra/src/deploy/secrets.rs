//! The secrets as a step: each gets its first value, and none is overwritten.

use super::{Before, Plan};
use crate::failure::Problem;
use leo_deploy::{Finished, Reporter, Stack};
use leo_project::Project;
use leo_secrets::{Blank, SecretPlan, Values, check_values, ensure};

/// Refuses a first deploy without all values, while nothing has been sent yet.
pub(crate) fn check_first(project: &Project) -> Result<(), Problem> {
    Ok(check_values(&SecretPlan::all(&project.config), Values::Environment(&project.env))?)
}

/// The revision of the secrets: another one rolls the tasks.
pub(super) async fn run(
    plan: &Plan<'_>,
    before: &Before,
    reporter: &Reporter,
) -> Result<Finished<String>, Problem> {
    if plan.release.is_some()
        && let Some(revision) = of_platform(before.platform.as_ref(), &plan.stacks.keys.secrets_revision)
    {
        // Today's configuration may want keys and secrets that the release knows nothing of.
        reporter.note("they stay as they are");
        return Ok(Finished::new(revision, false));
    }
    let values = if plan.with_secrets { Values::Environment(&plan.project.env) } else { Values::Dummies };
    // The emulator gives every secret of a stack an empty text.
    let blank = if plan.with_secrets { Blank::Unread } else { Blank::IsNone };
    let secrets = SecretPlan::all(&plan.project.config);
    let report = ensure(&plan.target.secrets, &secrets, values, blank).await?;
    if !report.created.is_empty() {
        let kind = if plan.with_secrets { "values" } else { "dummy values" };
        reporter.note(format!("first {kind} for {}", report.created.join(", ")));
    }
    let revision = report.revision(secrets.iter().map(|secret| secret.name.as_str()));
    Ok(Finished::new(revision.to_string(), !report.created.is_empty()))
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
}
