//! What holds for every valid configuration.

use crate::settings::composed;
use leo_config::testing;
use leo_stack::Stacks;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Configurations to try: few where every minute counts, many with `cargo xtask test --full`.
fn cases() -> u32 {
    if std::env::var_os("LEO_FULL").is_some() { 4096 } else { 96 }
}

fn check(stacks: &Stacks) -> Result<(), TestCaseError> {
    let linked: BTreeSet<&str> = stacks.links.iter().map(|link| link.parameter.as_str()).collect();
    let outputs: BTreeSet<&str> = stacks.foundation.template.outputs().collect();
    for link in &stacks.links {
        prop_assert!(outputs.contains(link.output.as_str()), "{link:?}");
        prop_assert!(
            stacks.consumed.values().flatten().any(|found| found == link),
            "{link:?} rests on nothing"
        );
    }
    let resources: BTreeSet<&str> = stacks.foundation.template.resources().map(|(id, _)| id).collect();
    for resource in stacks.consumed.keys() {
        prop_assert!(resources.contains(resource.as_str()), "{resource}");
    }
    let filled_in = [
        stacks.keys.orchestrator_image.as_str(),
        stacks.keys.generator_image.as_str(),
        stacks.keys.secrets_revision.as_str(),
    ];
    for parameter in stacks.platform.template.parameters() {
        prop_assert!(
            linked.contains(parameter) || filled_in.contains(&parameter),
            "{parameter} comes from nowhere"
        );
    }
    for stack in [&stacks.registry, &stacks.foundation] {
        prop_assert_eq!(stack.template.parameters().count(), 0);
    }
    let access = stacks.secrets_access();
    prop_assert!(access.is_ok(), "{access:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    /// Composing proves references and limits; it fails on none.
    #[test]
    fn every_valid_configuration_composes_to_the_same_bytes_every_time(config in testing::configs()) {
        let first = composed(&config);
        check(&first)?;
        let second = composed(&config);
        for (one, other) in first.all().zip(second.all()) {
            prop_assert_eq!(one.template.to_pretty_json(), other.template.to_pretty_json());
        }
    }
}
