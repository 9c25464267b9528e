//! Which output has which key.

use leo_deploy::Stack;
use std::collections::BTreeMap;

/// What the keys of all outputs begin with: no command reads them.
const PREFIX: &str = "LEO_OUT_";
/// The longest name of a key.
const LONGEST: usize = 64;

/// The keys of one environment's outputs: every one that begins with its name, but those of an environment whose own name
/// begins with it.
pub(super) struct Owned {
    environment: String,
    prefix: String,
    others: Vec<String>,
}

impl Owned {
    /// Those of an environment, beside all that there are.
    pub(super) fn new(environment: &str, all: &[impl AsRef<str>]) -> Self {
        let prefix = prefix(environment);
        let longer = |other: &String| other.len() > prefix.len() && other.starts_with(&prefix);
        let others = all.iter().map(|other| self::prefix(other.as_ref())).filter(longer).collect();
        Self { environment: environment.to_owned(), prefix, others }
    }

    /// The line of comment above them.
    pub(super) fn head(&self) -> String {
        format!(
            "# Outputs of `{}`: `cargo xtask env-sync` writes them, and no command reads them.",
            self.environment
        )
    }

    /// Whether a key is one of them.
    pub(super) fn has(&self, key: &str) -> bool {
        key.starts_with(&self.prefix) && !self.others.iter().any(|other| key.starts_with(other))
    }
}

fn prefix(environment: &str) -> String {
    format!("{PREFIX}{}_", environment.to_ascii_uppercase().replace('-', "_"))
}

/// The keys of the stacks' outputs with their values, and the outputs that no key can be made of.
pub(super) fn wanted<'a>(
    owned: &Owned,
    stacks: impl IntoIterator<Item = &'a Stack>,
) -> (BTreeMap<String, String>, Vec<String>) {
    let mut wanted = BTreeMap::new();
    let mut left_out = vec![];
    for (name, value) in stacks.into_iter().flat_map(|stack| &stack.outputs) {
        let key = format!("{}{}", owned.prefix, words(name));
        if key.len() > LONGEST || value.is_empty() {
            left_out.push(name.clone());
        } else {
            wanted.insert(key, value.clone());
        }
    }
    (wanted, left_out)
}

/// `PublicSubnetIds` as `PUBLIC_SUBNET_IDS`.
fn words(name: &str) -> String {
    let mut words = String::new();
    let mut before = None;
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        let next_is_small = rest.peek().is_some_and(char::is_ascii_lowercase);
        let begins = before.is_some_and(|before: char| !before.is_ascii_uppercase() || next_is_small);
        if c.is_ascii_uppercase() && begins {
            words.push('_');
        }
        words.push(if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
        before = Some(c);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_written_in_capitals() {
        for (name, key) in [
            ("ClusterName", "CLUSTER_NAME"),
            ("Url", "URL"),
            ("PublicSubnetIds", "PUBLIC_SUBNET_IDS"),
            ("LoadBalancerDNSName", "LOAD_BALANCER_DNS_NAME"),
            ("SecretArnGithub", "SECRET_ARN_GITHUB"),
            ("S3Bucket2Name", "S3_BUCKET2_NAME"),
        ] {
            assert_eq!(words(name), key);
        }
    }

    #[test]
    fn an_environment_does_not_take_anothers_keys() {
        let dev = Owned::new("dev", &["dev", "dev-eu", "prod"]);
        assert!(dev.has("LEO_OUT_DEV_URL"));
        assert!(
            !dev.has("LEO_OUT_DEV_EU_URL") && !dev.has("LEO_OUT_PROD_URL") && !dev.has("LEO_OUT_DEVEL_URL")
        );
        let eu = Owned::new("dev-eu", &["dev", "dev-eu", "prod"]);
        assert!(eu.has("LEO_OUT_DEV_EU_URL") && !eu.has("LEO_OUT_DEV_URL"));
    }

    #[test]
    fn the_keys_of_every_environment_fit() {
        let config = leo_config::testing::load("[environments.dev]").expect("is valid");
        let stacks = leo_stack::compose(&config).expect("composes");
        let longest = prefix("x123456789012345");
        for stack in stacks.all() {
            for name in stack.template.json()["Outputs"].as_object().expect("has outputs").keys() {
                assert!(longest.len() + words(name).len() <= LONGEST, "{name}");
            }
        }
    }
}
