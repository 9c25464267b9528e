//! Valid configurations for tests: from texts, and generated so that every setting takes every kind of value.

mod schemas;

use std::{ffi::OsString, io};

use ipnet::Ipv4Net;
use leo_diagnostic::{Diagnostic, SourceFile};
use leo_env::{Env, Schema, SecretsPolicy};
use proptest::{
    collection::btree_map,
    option,
    prelude::{BoxedStrategy, Just, Strategy, any},
    prop_oneof,
    sample::{select, subsequence},
};

use crate::{Config, FargateSize, LogRetention};

/// `infra/env.toml` as it is committed.
pub const ENV_TOML: &str = include_str!("../../../infra/env.toml");

/// The schema as it is committed.
///
/// # Panics
/// When it is wrong.
pub fn schema() -> Schema {
    match Schema::parse(Schema::PATH, ENV_TOML) {
        Ok(schema) => schema,
        #[expect(clippy::panic, reason = "a committed schema that is wrong is no test's input")]
        Err(findings) => panic!("{findings:#?}"),
    }
}

/// The texts that make a configuration.
#[derive(Clone, Debug)]
pub struct Sample {
    /// `infra/leo.toml`.
    pub leo_toml: String,
    /// `infra/env.toml`; the committed one unless something else is said.
    pub env_toml: String,
    /// Files by their path, such as `env/.env.defaults`.
    pub files: Vec<(String, String)>,
    /// The process environment.
    pub process: Vec<(String, String)>,
}

impl Sample {
    /// A file and nothing else; no environment is chosen yet.
    pub fn of(leo_toml: &str) -> Self {
        Self {
            leo_toml: leo_toml.to_owned(),
            env_toml: ENV_TOML.to_owned(),
            files: Vec::new(),
            process: Vec::new(),
        }
    }

    /// The same with a schema of its own.
    #[must_use]
    pub fn with_schema(mut self, env_toml: &str) -> Self {
        env_toml.clone_into(&mut self.env_toml);
        self
    }

    /// The same with a variable in the process environment.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.process.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The same with a file of the folder `env`.
    #[must_use]
    pub fn with_file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    /// Reads the environment.
    pub fn env(&self, policy: SecretsPolicy) -> Env {
        let read = |path: &str| {
            let file = self.files.iter().find(|(name, _)| name == path);
            file.map(|(_, text)| text.clone()).ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        let process = self.process.iter().map(|(key, value)| (OsString::from(key), OsString::from(value)));
        Env::from_parts(read, process, None, policy)
    }

    /// Loads the configuration, without secrets.
    pub fn load(&self) -> Result<Config, Vec<Diagnostic>> {
        let leo_toml = SourceFile::new("infra/leo.toml", self.leo_toml.as_str());
        let schema = Schema::parse(Schema::PATH, &self.env_toml)?;
        crate::load(&leo_toml, &schema, &self.env(SecretsPolicy::Ignore), None)
    }
}

/// The configuration of the environment `dev` in us-east-1 that a `leo.toml` gives; an empty one gives all defaults.
pub fn load(leo_toml: &str) -> Result<Config, Vec<Diagnostic>> {
    Sample::of(leo_toml).with("LEO_ENVIRONMENT", "dev").with("AWS_REGION", "us-east-1").load()
}

/// Valid configurations, as texts.
pub fn samples() -> impl Strategy<Value = Sample> {
    let names = vec!["dev", "staging", "prod", "e2e-0123456789ab"];
    (select(names), region(), any::<bool>(), any::<bool>()).prop_flat_map(
        |(name, region, protected, cidrs)| {
            let base = tables("", protected, cidrs);
            let own = option::of(tables(&format!("environments.{name}."), protected, cidrs));
            let place = placed(region);
            (base, own, place, schemas::secrets()).prop_map(move |(base, own, place, secrets)| {
                let own_settings = place.own.join("\n");
                let own = own.unwrap_or_default();
                Sample {
                    leo_toml: format!(
                        "{base}\n[registry]\nexpire_after_days = 9\n\n[environments.{name}]\n\
                         protected = {protected}\n{own_settings}\n\n{own}"
                    ),
                    env_toml: format!("{}{secrets}", schemas::SETTINGS),
                    files: vec![("env/.env.defaults".to_owned(), place.defaults.join("\n"))],
                    process: vec![("LEO_ENVIRONMENT".to_owned(), name.to_owned())],
                }
            })
        },
    )
}

/// Valid configurations.
///
/// # Panics
/// When a sample doesn't load, which is a mistake of this module and not of the tested code.
pub fn configs() -> impl Strategy<Value = Config> {
    samples().prop_map(|sample| match sample.load() {
        Ok(config) => config,
        #[expect(
            clippy::panic,
            reason = "a sample that doesn't load is a mistake here, not of the tested code"
        )]
        Err(findings) => panic!("{findings:#?}\nin\n{}", sample.leo_toml),
    })
}

fn region() -> impl Strategy<Value = &'static str> {
    select(vec!["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1"])
}

/// Lines that say where an environment is: in its own table, and in `env/.env.defaults`.
#[derive(Clone, Debug)]
struct Placed {
    own: Vec<String>,
    defaults: Vec<String>,
}

/// The region, and perhaps account, profile and domain, each either in the environment's own table or in the defaults.
fn placed(region: &'static str) -> impl Strategy<Value = Placed> {
    let account = "123456789012";
    let certificate = format!("arn:aws:acm:{region}:{account}:certificate/0a1b2c3d-4e5f");
    let endpoint = prop_oneof![
        Just((false, false, false)),
        Just((true, true, false)),
        Just((true, false, true)),
        Just((true, true, true)),
    ];
    (endpoint, any::<[bool; 2]>(), any::<[bool; 6]>()).prop_map(move |(endpoint, others, in_own)| {
        let (domain, with_certificate, zone) = endpoint;
        let [with_account, profile] = others;
        let settings = [
            (true, "region", "AWS_REGION", region),
            (with_account, "account", "AWS_ACCOUNT_ID", account),
            (profile, "profile", "AWS_PROFILE", "someone"),
            (domain, "domain", "LEO_DOMAIN_NAME", "leo.example.com"),
            (with_certificate, "certificate_arn", "LEO_CERTIFICATE_ARN", certificate.as_str()),
            (zone, "hosted_zone_id", "LEO_HOSTED_ZONE_ID", "Z0123456789ABCDEFGHIJ"),
        ];
        let mut placed = Placed { own: Vec::new(), defaults: Vec::new() };
        for ((given, key, variable, value), in_own) in settings.into_iter().zip(in_own) {
            match (given, in_own) {
                (true, true) => placed.own.push(format!("{key} = \"{value}\"")),
                (true, false) => placed.defaults.push(format!("{variable}={value}")),
                (false, _) => {}
            }
        }
        placed
    })
}

/// Every table but `[registry]` and `[environments]`, under a path. Settings that go together are written together, so that
/// a table over another one stays valid.
fn tables(under: &str, protected: bool, cidrs: bool) -> BoxedStrategy<String> {
    let path = |name: &str| format!("{under}{name}");
    let tables = vec![
        table(path("network"), vec![network(cidrs)]),
        table(
            path("load_balancer"),
            vec![
                ingress(),
                number("idle_timeout_seconds", 1, 4000),
                number("deregistration_delay_seconds", 0, 3600),
                number("stickiness_seconds", 1, 604_800),
            ],
        ),
        table(
            path("storage"),
            vec![number("object_expiry_days", 1, 3650), number("incomplete_upload_days", 1, 3650)],
        ),
        table(path("logs"), vec![retention()]),
        table(
            path("identity"),
            vec![word("permissions_boundary", &["arn:aws:iam::123456789012:policy/team/edge"])],
        ),
        table(path("cluster"), vec![capacity("default_capacity", true), flag("container_insights")]),
        table(path("orchestrator"), orchestrator(protected)),
        table(path("orchestrator.health"), vec![health()]),
        variables(path("orchestrator.environment")),
        table(path("generator"), generator()),
        variables(path("generator.environment")),
        table(path("images"), vec![flag("attestations"), number("max_age_days", 1, 90)]),
        image(path("images.orchestrator")),
        image(path("images.generator")),
    ];
    tables.prop_map(|tables| tables.concat()).boxed()
}

/// A table with any of the lines.
fn table(path: String, lines: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    let lines: Vec<_> = lines.into_iter().map(option::of).collect();
    lines
        .prop_map(move |lines| {
            let lines: Vec<String> = lines.into_iter().flatten().collect();
            if lines.is_empty() { String::new() } else { format!("[{path}]\n{}\n\n", lines.join("\n")) }
        })
        .boxed()
}

fn number(key: &'static str, from: u32, to: u32) -> BoxedStrategy<String> {
    prop_oneof![Just(from), Just(to), from..=to].prop_map(move |number| format!("{key} = {number}")).boxed()
}

fn flag(key: &'static str) -> BoxedStrategy<String> {
    any::<bool>().prop_map(move |flag| format!("{key} = {flag}")).boxed()
}

fn word(key: &'static str, words: &'static [&'static str]) -> BoxedStrategy<String> {
    select(words).prop_map(move |word| format!("{key} = \"{word}\"")).boxed()
}

fn capacity(key: &'static str, spot: bool) -> BoxedStrategy<String> {
    word(key, if spot { &["on-demand", "spot"] } else { &["on-demand"] })
}

/// A list of texts.
fn quoted(words: &[impl AsRef<str>]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.as_ref())).collect();
    format!("[{}]", words.join(", "))
}

fn network(explicit: bool) -> BoxedStrategy<String> {
    let zones = subsequence(vec!["a", "b", "c", "d", "e", "f"], 2..=3);
    let vpc = (select(vec![0x0a00_0000_u32, 0xac10_0000, 0xc0a8_0000]), any::<u16>(), 16..=25_u8);
    (zones, vpc)
        .prop_map(move |(zones, (range, host, prefix))| {
            let vpc = Ipv4Net::new_assert((range | u32::from(host)).into(), prefix).trunc();
            let mut lines = format!("vpc_cidr = \"{vpc}\"\nzones = {}", quoted(&zones));
            if explicit {
                let cidrs: Vec<String> = vpc
                    .subnets(prefix + 2)
                    .ok()
                    .into_iter()
                    .flatten()
                    .skip(1)
                    .take(zones.len())
                    .map(|subnet| subnet.to_string())
                    .collect();
                lines = format!("{lines}\nsubnet_cidrs = {}", quoted(&cidrs));
            }
            lines
        })
        .boxed()
}

fn ingress() -> BoxedStrategy<String> {
    let disjoint =
        vec!["192.0.2.0/24", "198.51.100.7/32", "203.0.113.128/25", "2001:db8::/32", "2001:db9:1::/48"];
    let some = subsequence(disjoint, 1..=5);
    prop_oneof![Just(vec!["0.0.0.0/0"]), Just(vec!["0.0.0.0/0", "::/0"]), some]
        .prop_map(|ranges| format!("ingress_cidrs = {}", quoted(&ranges)))
        .boxed()
}

fn retention() -> BoxedStrategy<String> {
    select(LogRetention::allowed().collect::<Vec<_>>())
        .prop_map(|days| format!("retention_days = {days}"))
        .boxed()
}

fn size() -> BoxedStrategy<String> {
    select(FargateSize::all().collect::<Vec<_>>())
        .prop_map(|size| {
            let (vcpu, memory) =
                (f64::from(size.cpu_units()) / 1024.0, f64::from(size.memory_mib()) / 1024.0);
            format!("vcpu = {vcpu}\nmemory_gib = {memory}")
        })
        .boxed()
}

fn orchestrator(protected: bool) -> Vec<BoxedStrategy<String>> {
    let exec_or_read_only = select(vec![(false, false), (true, false), (false, true)])
        .prop_map(|(exec, read_only)| format!("exec = {exec}\nread_only_root = {read_only}"));
    let commands = select(vec![
        "[]".to_owned(),
        quoted(&["CMD", "/app", "--check"]),
        quoted(&["CMD-SHELL", "wget -q localhost || exit 1"]),
    ])
    .prop_map(|command| format!("health_command = {command}"));
    vec![
        size(),
        word("architecture", &["x86_64", "arm64"]),
        number("port", 1, 65_535),
        number("desired_count", 1, 100),
        capacity("capacity", !protected),
        exec_or_read_only.boxed(),
        number("stop_timeout_seconds", 2, 120),
        number("circuit_breaker_failures", 1, 200),
        commands.boxed(),
        word("websocket_path", &["/ws", "/socket?version=2"]),
    ]
}

fn health() -> BoxedStrategy<String> {
    (5..=300_u32, 2..=120_u32, 2..=10_u32, 2..=10_u32, 0..=7200_u32)
        .prop_map(|(interval, timeout, healthy, unhealthy, grace)| {
            format!(
                "path = \"/healthz\"\ninterval_seconds = {interval}\ntimeout_seconds = {}\n\
                 healthy_threshold = {healthy}\nunhealthy_threshold = {unhealthy}\ngrace_period_seconds = {grace}",
                timeout.min(interval - 1)
            )
        })
        .boxed()
}

fn generator() -> Vec<BoxedStrategy<String>> {
    vec![
        size(),
        word("architecture", &["x86_64", "arm64"]),
        number("ephemeral_storage_gib", 20, 200),
        number("stop_timeout_seconds", 2, 120),
        flag("read_only_root"),
        capacity("capacity", true),
    ]
}

fn variables(path: String) -> BoxedStrategy<String> {
    let values = "[a-zA-Z0-9 .:/_=${}#-]{0,40}";
    btree_map("[A-Z][A-Z0-9]{3,9}_X", values, 0..4)
        .prop_map(move |variables| {
            let lines: Vec<String> =
                variables.iter().map(|(key, value)| format!("{key} = '{value}'\n")).collect();
            if lines.is_empty() { String::new() } else { format!("[{path}]\n{}\n", lines.concat()) }
        })
        .boxed()
}

fn image(path: String) -> BoxedStrategy<String> {
    let lines = vec![
        word("context", &["../leo-saas", "examples/leo-saas", "/srv/images/leo"]),
        word("dockerfile", &["Dockerfile", "docker/app.Dockerfile"]),
        word("target", &["runtime", "stage-2"]),
        word("branch", &["main", "release/2"]),
        word("env_file", &["../leo-saas/.env", "/srv/leo/.env"]),
        Just("build_args = { VERSION = \"1.0\", with_extras = \"yes\" }".to_owned()).boxed(),
    ];
    table(path, lines)
}
