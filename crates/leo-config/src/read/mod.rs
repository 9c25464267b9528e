//! `leo.toml`, read key by key with every finding collected: one file a table.

mod cidr;
mod containers;
mod environment;
mod images;
mod item;
mod load_balancer;
mod network;
mod outline;
mod report;
mod secrets;
mod section;
mod selection;
mod upkeep;

use leo_diagnostic::{Diagnostic, SourceFile};
use leo_env::{Env, Schema, SecretsPolicy, Setting, Source, schema::FilePlace};
use toml::de::DeTable;

pub use self::outline::{Outline, SettledSetting, outline};
use self::{
    report::{Place, Report},
    section::{Layer, Section, report_unknown},
};
use crate::{Config, Environment, EnvironmentName};

/// Reads the configuration of the environment that `env` was read for; `environment`, where given, has to be the same.
///
/// All findings come at once: those of `leo.toml` (also in the tables of other environments), those of the environment
/// files, and those between the two. A `Config` comes only without any error; what else is worth knowing says [`warnings`].
pub fn load(
    leo_toml: &SourceFile,
    schema: &Schema,
    env: &Env,
    environment: Option<&EnvironmentName>,
) -> Result<Config, Vec<Diagnostic>> {
    let (document, errors) = DeTable::parse_recoverable(&leo_toml.text);
    if !errors.is_empty() {
        // What could be recovered may be half of what is meant, so nothing is concluded from it.
        let mut findings = env.malformed().to_vec();
        findings.extend(leo_env::document::not_toml(leo_toml, &errors, FORM));
        return Err(findings);
    }
    let root = document.get_ref();
    let report = Report::new(leo_toml);
    let selected = selection::select(&report, root, schema, env, environment);
    let config = Reading { report: &report, root, schema, name: selected.as_ref(), env: Some(env) }.config();
    selection::check_names(&report, root);
    let mut findings = report.into_all();
    for other in selection::declared(root).iter().filter(|other| selected.as_ref() != Some(*other)) {
        findings.extend(about(leo_toml, root, schema, other));
    }
    match config {
        Some(config) if !findings.iter().any(Diagnostic::is_error) => Ok(config),
        Some(_) | None => Err(findings),
    }
}

/// The environments that the file declares, whatever else is wrong with it; none where it is no TOML.
pub fn environments(leo_toml: &SourceFile) -> Vec<EnvironmentName> {
    let (document, _) = DeTable::parse_recoverable(&leo_toml.text);
    selection::declared(document.get_ref())
}

/// What the file should look like.
const FORM: &str = "`key = value` lines under `[table]` lines; texts in double quotes";

/// What is worth knowing about a configuration that loaded, and about its environment files.
pub fn warnings(config: &Config, schema: &Schema, env: &Env) -> Vec<Diagnostic> {
    let of_files = env.check(schema).into_iter().filter(|finding| !finding.is_error());
    of_files.chain(short_idle_timeout(config)).collect()
}

/// For how long a deploy leaves a WebSocket open without a word, in seconds.
const QUIET_WEBSOCKET_SECONDS: u32 = 65;

/// The load balancer cuts a WebSocket on which nothing passes, which a deploy will see.
fn short_idle_timeout(config: &Config) -> Option<Diagnostic> {
    let path = config.orchestrator.websocket_path.as_deref()?;
    let idle = config.load_balancer.idle_timeout_seconds;
    (idle <= QUIET_WEBSOCKET_SECONDS).then(|| {
        Diagnostic::warning(format!(
            "`load_balancer.idle_timeout_seconds` is {idle}: only the orchestrator's own pings keep a quiet WebSocket \
             at {path} open for longer"
        ))
        .hint(format!(
            "a deploy holds one open for {QUIET_WEBSOCKET_SECONDS} s without a word and fails where it is cut: set more \
             than that, unless the orchestrator pings its clients"
        ))
    })
}

/// What is wrong in the table of an environment that isn't meant.
fn about(
    leo_toml: &SourceFile,
    root: &DeTable<'_>,
    schema: &Schema,
    name: &EnvironmentName,
) -> Vec<Diagnostic> {
    let report = Report::new(leo_toml);
    Reading { report: &report, root, schema, name: Some(name), env: None }.config();
    report.into_those_under(&format!("environments.{name}"))
}

/// One pass over the file for one environment; without a name only the settings for all are checked.
struct Reading<'a> {
    report: &'a Report<'a>,
    root: &'a DeTable<'a>,
    schema: &'a Schema,
    name: Option<&'a EnvironmentName>,
    /// `None`: the variables are another environment's.
    env: Option<&'a Env>,
}

impl Reading<'_> {
    /// `None`: something is missing or wrong, which was reported.
    fn config(&self) -> Option<Config> {
        let own = self.name.and_then(|name| selection::own_table(self.root, name));
        let base = Layer { path: String::new(), table: self.root };
        let all = Section::new(self.report, [base.clone()].into_iter().chain(own.clone()).collect());
        let own_section = Section::new(self.report, own.iter().cloned().collect());
        let settled = environment::settle(&own_section, self.schema, self.env);
        self.check_region(&settled);
        self.check_required(&settled);

        let region = settled.region.value.as_ref();
        let endpoint = environment::endpoint(self.report, &settled);
        let network = all.table("network", |section| network::read(section, region));
        let load_balancer = all.table("load_balancer", |section| load_balancer::read(section, endpoint));
        let storage = all.table("storage", upkeep::storage);
        let logs = all.table("logs", upkeep::logs);
        let identity = all.table("identity", upkeep::identity);
        let cluster = all.table("cluster", upkeep::cluster);
        let orchestrator = all.table("orchestrator", |section| {
            containers::orchestrator(section, self.schema, settled.protected)
        });
        let generator = all.table("generator", |section| containers::generator(section, self.schema));
        let images = all.table("images", |section| images::read(section, self.schema));
        let mut known = all.into_known();
        if let Some(own) = &own {
            self.close_own(own, &known);
        }
        let shared = Section::new(self.report, vec![base.clone()]);
        let registry = shared.table("registry", upkeep::registry);
        known.extend(["registry", "environments"]);
        self.close_base(&base, known);
        self.check_env(settled.protected);

        Some(Config {
            environment: Environment {
                name: self.name?.clone(),
                account: settled.account.value,
                region: settled.region.value?,
                profile: settled.profile.value,
                secrets_profile: settled.secrets_profile,
                protected: settled.protected,
            },
            network: network?,
            load_balancer: load_balancer?,
            registry,
            storage,
            logs,
            identity,
            cluster,
            orchestrator: orchestrator?,
            generator: generator?,
            secrets: secrets::providers(self.schema),
            images,
        })
    }

    fn check_region(&self, settled: &environment::Settled) {
        let (Some(name), Some(_)) = (self.name, self.env) else { return };
        if settled.region.value.is_none() && !settled.region.wrong {
            let finding = Diagnostic::error(format!("the environment `{name}` has no region")).hint(format!(
                "`AWS_REGION=us-east-1` in env/.env.defaults, or `region` under `[environments.{name}]`"
            ));
            self.report.add(None, finding);
        }
    }

    /// Reports every setting that the schema wants a value of and that has none.
    fn check_required(&self, settled: &environment::Settled) {
        let (Some(name), Some(_)) = (self.name, self.env) else { return };
        for spec in self.schema.settings().filter(|spec| spec.required) {
            let Some(setting) = Setting::of_key(&spec.name) else { continue };
            // Without a region or a name nothing works anyhow, so that is said whatever the schema wants.
            if matches!(setting, Setting::Region | Setting::Environment) || settled.is_given(setting) {
                continue;
            }
            let own = match setting.in_leo_toml() {
                Some(own) => format!(", or `{own}` under `[environments.{name}]`"),
                None => String::new(),
            };
            let file = if spec.file == FilePlace::Env { "env/.env" } else { "env/.env.defaults" };
            let finding = Diagnostic::error(format!(
                "`{setting}` has no value, and {} requires one",
                self.schema.path()
            ))
            .hint(format!("`{setting}=…` in {file}{own}: {}", spec.help));
            self.report.add_elsewhere(finding);
        }
    }

    /// Reports what nobody knows in the environment's own table.
    fn close_own(&self, own: &Layer<'_>, tables: &[&'static str]) {
        let mut known: Vec<&'static str> = tables.iter().copied().chain(environment::KEYS).collect();
        if let Some((key, _)) = own.table.get_key_value("registry") {
            let place = Place::Toml { path: format!("{}.registry", own.path), span: key.span() };
            let finding = Diagnostic::error("the registry can't be set per environment")
                .hint("all environments of an account and region share it: set it in `[registry]`");
            self.report.add(Some(&place), finding);
            known.push("registry");
        }
        report_unknown(self.report, own, &known);
    }

    /// Reports what nobody knows at the top of the file. What only an environment can say is often written there.
    fn close_base(&self, base: &Layer<'_>, mut known: Vec<&'static str>) {
        for name in environment::KEYS {
            let Some((key, _)) = base.table.get_key_value(name) else { continue };
            let place = Place::Toml { path: name.to_owned(), span: key.span() };
            let finding = Diagnostic::error(format!("`{name}` is a setting of one environment"))
                .hint("write it under `[environments.<name>]`");
            self.report.add(Some(&place), finding);
            known.push(name);
        }
        report_unknown(self.report, base, &known);
    }

    /// Reports what is wrong with the environment files, now that the secrets' keys are known.
    fn check_env(&self, protected: bool) {
        let Some(env) = self.env else { return };
        for finding in env.check(self.schema).into_iter().filter(Diagnostic::is_error) {
            self.report.add_elsewhere(finding);
        }
        let from_process =
            |key: &str| env.secret(key).is_some_and(|secret| secret.origin.source == Source::Process);
        let all_from_process = || self.schema.secrets().all(|(key, _)| from_process(&key.name));
        let needs_file = protected && env.policy() == SecretsPolicy::Read && !all_from_process();
        if let Some(name) = self.name.filter(|_| needs_file && !env.has_environment_file()) {
            let finding = Diagnostic::error(format!(
                "`env/.env.{name}` is missing, and `{name}` is protected"
            ))
            .hint(format!(
                "its secrets are in a file of its own, so that no other's reach it: `cargo xtask init --environment \
                 {name}` makes it; a CI sets `LEO_SECRET_<KEY>` for every key instead"
            ));
            self.report.add_elsewhere(finding);
        }
    }
}
