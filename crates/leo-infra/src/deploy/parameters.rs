//! What the platform's template is given.

use super::{Plan, images::Images, output, release::PLATFORM};
use crate::failure::Problem;
use leo_deploy::StackOutcome;
use leo_release::ReleasedStack;
use leo_stack::Stacks;
use std::collections::BTreeMap;

/// What the platform takes: the foundation's outputs, the images, the revision of the secrets. A release that is brought
/// back keeps its other parameters.
pub(super) fn of_platform(
    plan: &Plan<'_>,
    foundation: &StackOutcome,
    images: &Images,
    revision: &str,
) -> Result<BTreeMap<String, String>, Problem> {
    let released = plan.release.as_ref().and_then(|release| release.stack(PLATFORM));
    of(plan.stacks, released, foundation, images, revision)
}

fn of(
    stacks: &Stacks,
    released: Option<&ReleasedStack>,
    foundation: &StackOutcome,
    images: &Images,
    revision: &str,
) -> Result<BTreeMap<String, String>, Problem> {
    let keys = &stacks.keys;
    let mut parameters = released.map(|stack| stack.parameters.clone()).unwrap_or_default();
    // What today's templates don't link any more: the release's foundation has its outputs back by now, and what they
    // name may have been made anew.
    for (name, value) in &mut parameters {
        if let Some(output) = foundation.outputs.get(name) {
            value.clone_from(output);
        }
    }
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
    for link in stacks.links.iter().filter(|link| wants(&link.parameter)) {
        let value = output(foundation, &link.output)?;
        parameters.insert(link.parameter.clone(), value.to_owned());
    }
    Ok(parameters)
}
