use std::time::Instant;

use leo_config::testing::{Sample, samples, schema};
use leo_diagnostic::{Colours, Diagnostic, render_all};
use leo_env::SecretsPolicy;
use proptest::{prelude::*, sample::Index};

/// The findings of whatever comes, rendered, so that rendering is tried as well.
fn rendered(sample: &Sample) -> Result<(), String> {
    match sample.load() {
        Ok(_) => Ok(()),
        Err(findings) => {
            assert!(findings.iter().any(Diagnostic::is_error), "it failed without an error");
            Err(render_all(&findings, Colours::Plain))
        }
    }
}

proptest! {
    #[test]
    fn every_sample_loads(sample in samples()) {
        if let Err(text) = rendered(&sample) {
            prop_assert!(false, "{text}\n{}", sample.leo_toml);
        }
    }

    #[test]
    fn a_loaded_configuration_keeps_its_promises(sample in samples()) {
        let config = sample.load().unwrap();
        let subnets = &config.network.subnets;
        for (index, subnet) in subnets.iter().enumerate() {
            prop_assert!(config.network.vpc_cidr.contains(&subnet.cidr));
            prop_assert!(subnet.cidr.prefix_len() <= 27);
            for other in &subnets[..index] {
                prop_assert!(!other.cidr.contains(&subnet.cidr) && !subnet.cidr.contains(&other.cidr));
                prop_assert!(other.zone != subnet.zone);
            }
        }
        prop_assert!(config.secrets.is_sorted_by(|one, other| one.name < other.name));
        for reference in &config.orchestrator.secrets {
            let provider = config.secrets.iter().find(|provider| provider.name == reference.provider);
            prop_assert!(provider.is_some_and(|provider| reference.keys.iter().all(|key| provider.keys.contains(key))));
        }
        let name = &config.environment.name;
        let longest = leo_config::names::bucket(
            &name.apps_bucket_prefix(),
            &"123456789012".parse().unwrap(),
            &config.environment.region,
        );
        prop_assert!(longest.len() <= 63, "{longest}");
    }

    /// Not one character that is lost, doubled or replaced may do more than give findings.
    #[test]
    fn a_damaged_file_gives_findings_and_no_panic(
        sample in samples(),
        damage in prop::collection::vec((any::<Index>(), any::<Index>(), "\\PC{0,3}|[\\[\\]\"'=\n.,{}]{1,2}"), 1..4),
    ) {
        let mut damaged = sample;
        for (from, length, with) in damage {
            let boundaries: Vec<usize> = damaged.leo_toml.char_indices().map(|(at, _)| at).collect();
            let start = boundaries[from.index(boundaries.len())];
            let end = boundaries.iter().copied().filter(|at| *at >= start).nth(length.index(4)).unwrap_or(start);
            damaged.leo_toml.replace_range(start..end, &with);
        }
        let _ = rendered(&damaged);
    }

    /// The right keys with any values at all.
    #[test]
    fn any_value_of_a_known_key_gives_findings_and_no_panic(
        sample in samples(),
        line in any::<Index>(),
        value in prop_oneof![
            "-?[0-9]{1,25}", "0x[0-9a-f]{1,20}", "-?[0-9]{1,3}\\.[0-9]{1,12}", "nan|inf|-inf|1e400|true|[0-9]{4}-01-01",
            "\"\\PC{0,80}\"", "'[^'\\x00-\\x1f]{0,40}'", "\\[\\]|\\[1, \"a\"\\]|\\[\\[\\]\\]|\\{\\}|\\{ a = 1 \\}",
        ],
    ) {
        let mut sample = sample;
        let mut lines: Vec<String> = sample.leo_toml.lines().map(str::to_owned).collect();
        let settings: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains(" = ")).collect();
        let at = settings[line.index(settings.len())];
        let key = lines[at].split(" = ").next().unwrap().to_owned();
        lines[at] = format!("{key} = {value}");
        sample.leo_toml = lines.join("\n");
        let _ = rendered(&sample);
    }

    #[test]
    fn any_text_gives_findings_and_no_panic(toml in "\\PC{0,200}", env in "(\\PC|\n){0,200}", region in "\\PC{0,30}") {
        let sample = Sample::of(&toml)
            .with("LEO_ENVIRONMENT", "dev")
            .with("AWS_REGION", &region)
            .with_file("env/.env.defaults", &env)
            .with_file("env/.env", &env);
        let _ = rendered(&sample);
        let _ = sample.env(SecretsPolicy::Read).check(&schema());
    }
}

#[test]
fn nesting_without_end_is_a_finding() {
    for deep in ["a = ".to_owned() + &"[".repeat(10_000), "[".to_owned() + &"a.".repeat(10_000) + "a]\nb = 1"]
    {
        let sample = Sample::of(&deep).with("LEO_ENVIRONMENT", "dev").with("AWS_REGION", "us-east-1");
        assert!(rendered(&sample).is_err());
    }
}

/// Not a benchmark: it only notices something quadratic.
#[test]
fn loading_takes_no_noticeable_time() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/leo.toml")).unwrap();
    let sample = Sample::of(&text).with("LEO_ENVIRONMENT", "dev").with("AWS_REGION", "us-east-1");
    let once = |_| {
        let start = Instant::now();
        sample.load().unwrap();
        start.elapsed()
    };
    // The fastest, as the others also waited for whatever else runs here.
    let fastest = (0..20).map(once).min().unwrap();
    println!("{fastest:?} at best");
    assert!(fastest.as_millis() < 50, "{fastest:?}");
}
