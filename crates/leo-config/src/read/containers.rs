use std::collections::BTreeMap;

use leo_diagnostic::Diagnostic;
use leo_env::{
    form::is_reserved,
    schema::{Consumer, Schema},
};

use super::{
    item::Item,
    report::{Field, to_blame},
    secrets,
    section::Section,
    upkeep::capacity,
};
use crate::{Architecture, Capacity, FargateSize, Generator, HealthCheck, InvalidValue, Orchestrator};

/// The tables `[orchestrator]`.
pub(crate) fn orchestrator(section: &Section<'_>, schema: &Schema, protected: bool) -> Option<Orchestrator> {
    let report = section.report();
    let size = size(section, "orchestrator", (1024, 2048));
    let capacity = section.or("capacity", Capacity::OnDemand, capacity);
    let exec = section.flag("exec", false);
    let read_only_root = section.flag("read_only_root", false);
    if protected && capacity.value == Capacity::Spot {
        let finding = Diagnostic::error("the orchestrator of a protected environment can't run on Spot")
            .hint(
                "`capacity = \"on-demand\"`, here or in the environment's own table: Spot takes the machine back with two \
                 minutes' notice",
            );
        report.add(capacity.place.as_ref(), finding);
    }
    if exec.value && read_only_root.value {
        let finding = Diagnostic::error("`exec` and `read_only_root` exclude each other")
            .found("both switched on for the orchestrator")
            .hint("switch one of them off: ECS Exec writes into the container's root filesystem");
        report.add(to_blame(&[exec.place.as_ref(), read_only_root.place.as_ref()]), finding);
    }
    Some(Orchestrator {
        architecture: section.or("architecture", Architecture::X86_64, architecture).value,
        port: section.number("port", 8080, 1..=u16::MAX).value,
        desired_count: section.number("desired_count", 1, 1..=100).value,
        capacity: capacity.value,
        health: section.table("health", health),
        health_command: section.or("health_command", usual_health_command(), health_command).value,
        stop_timeout_seconds: stop_timeout(section, 30),
        read_only_root: read_only_root.value,
        exec: exec.value,
        circuit_breaker_failures: section.number("circuit_breaker_failures", 3, 1..=200).value,
        websocket_path: section.optional("websocket_path", |item| path(item, "/ws")).value,
        environment: environment(section, schema),
        secrets: secrets::given(schema, Consumer::Orchestrator),
        size: size?,
    })
}

/// The tables `[generator]`.
pub(crate) fn generator(section: &Section<'_>, schema: &Schema) -> Option<Generator> {
    let size = size(section, "generator", (4096, 8192));
    Some(Generator {
        architecture: section.or("architecture", Architecture::X86_64, architecture).value,
        // Amazon ECS API, EphemeralStorage: at most 200 GiB; 20 is what a task has anyway.
        ephemeral_storage_gib: section.number("ephemeral_storage_gib", 30, 20..=200).value,
        stop_timeout_seconds: stop_timeout(section, 120),
        read_only_root: section.flag("read_only_root", false).value,
        capacity: section.or("capacity", Capacity::OnDemand, capacity).value,
        environment: environment(section, schema),
        secrets: secrets::given(schema, Consumer::Generator),
        size: size?,
    })
}

/// `vcpu` and `memory_gib`, which go together. The default is in CPU units and MiB.
fn size(section: &Section<'_>, of: &str, default: (u32, u32)) -> Option<FargateSize> {
    let cpu = section.or("vcpu", default.0, Item::thousandths);
    let memory = section.or("memory_gib", default.1, Item::thousandths);
    if cpu.wrong || memory.wrong {
        return None;
    }
    match FargateSize::new(cpu.value, memory.value) {
        Ok(size) => Some(size),
        Err(error) => {
            let mut finding = Diagnostic::error(format!("the size of the {of} {error}"));
            finding.found = error.found_instead().map(str::to_owned);
            finding.hint = error.hint();
            section.report().add(to_blame(&[memory.place.as_ref(), cpu.place.as_ref()]), finding);
            None
        }
    }
}

/// Amazon ECS API, ContainerDefinition, "stopTimeout": 2 to 120 seconds on Fargate.
fn stop_timeout(section: &Section<'_>, default: u32) -> u32 {
    section.number("stop_timeout_seconds", default, 2..=120).value
}

fn architecture(item: &Item<'_>) -> Option<Architecture> {
    item.word(&[("x86_64", Architecture::X86_64), ("arm64", Architecture::Arm64)])
}

/// Elastic Load Balancing, "Target group health checks": the ranges.
fn health(section: &Section<'_>) -> HealthCheck {
    let interval = section.number("interval_seconds", 10, 5..=300);
    let timeout = section.number("timeout_seconds", 5, 2..=120);
    if timeout.value >= interval.value && !timeout.wrong && !interval.wrong {
        let finding = Diagnostic::error("the health check's timeout is not shorter than its interval")
            .found(format!("a timeout of {} s every {} s", timeout.value, interval.value))
            .hint("`timeout_seconds` below `interval_seconds`");
        section.report().add(to_blame(&[timeout.place.as_ref(), interval.place.as_ref()]), finding);
    }
    HealthCheck {
        path: section.or("path", "/healthz".to_owned(), |item| path(item, "/healthz")).value,
        interval_seconds: interval.value,
        timeout_seconds: timeout.value,
        healthy_threshold: section.number("healthy_threshold", 2, 2..=10).value,
        unhealthy_threshold: section.number("unhealthy_threshold", 3, 2..=10).value,
        grace_period_seconds: section.number("grace_period_seconds", 60, 0..=7200).value,
    }
}

/// The path of a URL, at most 1024 characters (Elastic Load Balancing, "HealthCheckPath").
fn path(item: &Item<'_>, example: &str) -> Option<String> {
    let text = item.text()?;
    if text.starts_with('/') && text.len() <= 1024 && text.chars().all(|c| c.is_ascii_graphic() && c != '#') {
        return Some(text.to_owned());
    }
    let error = InvalidValue::new("is not the path of a URL", format!("it begins with `/`: `{example}`"));
    item.wrong(&if text.contains("://") { error.found("a whole URL") } else { error })
}

fn usual_health_command() -> Vec<String> {
    ["CMD", "/leo-saas", "health"].map(str::to_owned).to_vec()
}

fn health_command(item: &Item<'_>) -> Option<Vec<String>> {
    let words: Vec<String> =
        item.list()?.iter().map(|word| word.text().map(str::to_owned)).collect::<Option<_>>()?;
    match words.as_slice() {
        [] => Some(words),
        [first, _, ..] if first == "CMD" => Some(words),
        [first, _] if first == "CMD-SHELL" => Some(words),
        _ => item.wrong(&InvalidValue::new(
            "is not a health check command",
            "`[\"CMD\", \"/program\", \"argument\"]`, `[\"CMD-SHELL\", \"command line\"]`, or `[]` for none",
        )),
    }
}

/// `environment`: plain variables of the container.
fn environment(section: &Section<'_>, schema: &Schema) -> BTreeMap<String, String> {
    let read = |name: &str, item: &Item<'_>| {
        let form = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !form {
            return item.wrong(&InvalidValue::new(
                "is not the name of a variable",
                "letters, digits and `_`: `LOG_LEVEL`",
            ));
        }
        if is_reserved(name) {
            let hint = "`LEO_…`, `AWS_…`, `ECS_…` and `PORT` are what the platform itself gives a container: choose another name";
            return item.wrong(&InvalidValue::new("is reserved", hint));
        }
        if schema.key(name).is_some_and(|key| key.secret.is_some()) {
            let hint = format!(
                "its value belongs into env/.env; `consumers` of `[{name}]` in {} says which containers get it",
                schema.path()
            );
            return item.wrong(&InvalidValue::secret(hint));
        }
        item.text().map(str::to_owned)
    };
    let variables: BTreeMap<String, Field<String>> = section.map("environment", read);
    variables.into_iter().map(|(name, field)| (name, field.value)).collect()
}
