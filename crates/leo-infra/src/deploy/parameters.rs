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

#[cfg(test)]
mod tests {
    use super::{
        super::{
            images::Built,
            plan::{
                testing::{map, stack},
                unchanged,
            },
        },
        *,
    };
    use leo_image::{ImageName, ImageReference};

    fn stacks() -> Stacks {
        let config = leo_config::testing::load("[environments.dev]").expect("is valid");
        leo_stack::compose(&config).expect("composes")
    }

    fn images() -> Images {
        let built = |name, digit: &str| Built {
            name,
            reference: ImageReference {
                repository_uri: "r".to_owned(),
                digest: format!("sha256:{}", digit.repeat(64)).parse().expect("is a digest"),
            },
            acceptable: [].into(),
        };
        Images {
            orchestrator: built(ImageName::Orchestrator, "a"),
            generator: built(ImageName::Generator, "b"),
        }
    }

    /// A foundation with these outputs beside one for each link of today.
    fn foundation(stacks: &Stacks, more: &[(&str, &str)]) -> StackOutcome {
        let mut outcome = unchanged(&stack("CREATE_COMPLETE", more, &[]));
        for link in &stacks.links {
            outcome.outputs.insert(link.output.clone(), format!("today's {}", link.output));
        }
        outcome
    }

    fn released(parameters: &[(&str, &str)]) -> ReleasedStack {
        ReleasedStack {
            role: PLATFORM.to_owned(),
            name: "leo-dev-platform".to_owned(),
            template_sha256: "x".to_owned(),
            parameters: map(parameters),
        }
    }

    #[test]
    fn a_deploy_gives_every_parameter_of_todays_template() {
        let stacks = stacks();
        let given = of(&stacks, None, &foundation(&stacks, &[]), &images(), "r2").expect("is complete");
        let template = stacks.platform.template.json();
        let wanted: Vec<_> = template["Parameters"].as_object().expect("has some").keys().cloned().collect();
        for name in &wanted {
            let has_default = template["Parameters"][name].get("Default").is_some();
            assert!(given.contains_key(name) || has_default, "{name}");
        }
        assert!(given.keys().all(|name| wanted.contains(name)), "{given:?}");
        assert_eq!(given[&stacks.keys.secrets_revision], "r2");
        assert!(given[&stacks.keys.orchestrator_image].ends_with(&"a".repeat(64)));
    }

    #[test]
    fn an_output_that_is_missing_is_named() {
        let stacks = stacks();
        let mut foundation = foundation(&stacks, &[]);
        foundation.outputs.remove("VpcId");
        let problem = of(&stacks, None, &foundation, &images(), "r2").expect_err("is not there");
        assert_eq!(problem.message, "read output `VpcId` of leo-dev-platform: it has none of that name");
    }

    #[test]
    fn a_release_gets_what_its_own_template_knows() {
        let stacks = stacks();
        let foundation = foundation(&stacks, &[("FormerGroupId", "sg-2")]);
        let revision = stacks.keys.secrets_revision.as_str();
        // It knows fewer parameters than today's template, and others.
        let released = released(&[
            ("VpcId", "vpc-of-then"),
            (revision, "r1"),
            ("FormerGroupId", "sg-1"),
            ("FormerSize", "512"),
        ]);
        let given = of(&stacks, Some(&released), &foundation, &images(), "r2").expect("is complete");
        let expected = map(&[
            ("VpcId", "today's VpcId"),
            (revision, "r2"),
            ("FormerGroupId", "sg-2"),
            ("FormerSize", "512"),
        ]);
        assert_eq!(given, expected);
    }
}
