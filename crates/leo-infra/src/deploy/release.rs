//! The release as a step: what passed the gate is recorded, so that it can be brought back.

use super::{Plan, images::Images};
use crate::failure::Problem;
use leo_deploy::{Finished, Reporter};
use leo_image::{Marked, TagOutcome};
use leo_release::{NewRelease, NewStack, Release, ReleasedImage};
use std::{collections::BTreeMap, time::SystemTime};

/// The role of a stack in a release: the data, the network.
pub(crate) const FOUNDATION: &str = "foundation";
/// The role of a stack in a release: the service.
pub(crate) const PLATFORM: &str = "platform";

/// Records what runs. Where the newest release is the same already, that one comes back.
pub(super) async fn run(
    plan: &Plan<'_>,
    images: &Images,
    parameters: &BTreeMap<String, String>,
    reporter: &Reporter,
) -> Result<Finished<Release>, Problem> {
    let record = plan.operation.record();
    let operation = record.id.clone();
    let stack = |role: &str, name: &leo_config::StackName, template: &str, parameters| NewStack {
        role: role.to_owned(),
        name: name.to_string(),
        template: template.to_owned(),
        parameters,
    };
    let image = |built: &super::images::Built| ReleasedImage {
        container: built.name.as_str().to_owned(),
        repository: built.reference.repository_uri.clone(),
        digest: built.reference.digest.to_string(),
        acceptable: built.acceptable.iter().map(ToString::to_string).collect(),
    };
    let release = plan
        .artifacts
        .record(NewRelease {
            environment: record.environment,
            at: SystemTime::now(),
            by: record.who.user,
            host: record.who.host,
            commit: record.who.commit,
            operation: record.id,
            stacks: vec![
                stack(FOUNDATION, &plan.stacks.foundation.name, &plan.templates.foundation, BTreeMap::new()),
                stack(PLATFORM, &plan.stacks.platform.name, &plan.templates.platform, parameters.clone()),
            ],
            images: vec![image(&images.orchestrator), image(&images.generator)],
            health_path: plan.health_path().to_owned(),
            websocket_path: plan.websocket_path().map(str::to_owned),
            rollback_of: plan.release.as_ref().map(|release| release.number),
        })
        .await?;
    let new = release.operation == operation;
    if new {
        reporter.note(format!("recorded as release {}", release.number));
    }
    for image in [&images.orchestrator, &images.generator] {
        mark(plan, image, release.number, reporter).await;
    }
    Ok(Finished::new(release, new))
}

/// Gives an image the tag of its release, which no lifecycle rule touches; also one that a release before it has left
/// without. What is deployed has another lasting tag already, so a failure is no reason to call the deploy failed.
async fn mark(plan: &Plan<'_>, image: &super::images::Built, number: u64, reporter: &Reporter) {
    let repository = crate::registry::repository(image.name);
    let config = &plan.project.config;
    let environment = config.environment.name.as_str();
    let keep = config.registry.keep_releases;
    let catalog = plan.target.catalog();
    let digest = &image.reference.digest;
    match catalog.mark_released(&repository, digest, (environment, number), keep).await {
        Ok(Marked { tag, outcome: TagOutcome::Taken { by }, .. }) => reporter.warning(format!(
            "{}: {tag} names another image ({by}); {digest} keeps the tags that it has",
            image.name
        )),
        Ok(Marked { tag, outcome: TagOutcome::Set, .. }) => {
            reporter.line(format!("{}: tagged {tag}", image.name));
        }
        Ok(Marked { outcome: TagOutcome::AlreadySet, .. }) => {}
        Err(error) => reporter.warning(format!(
            "{}: release {number} is recorded, but its image got no tag for it: failed to {error}",
            image.name
        )),
    }
}
