//! Containers that run, and whose health checks don't pass.

use super::{CauseKind, Diagnosis, line, said, stop_where};
use crate::evidence::{ContainerSeen, Evidence, LogTail, TargetSeen};

/// Words of a line in which a server says where it listens.
const LISTENS: [&str; 9] = [
    "listen",
    "serving",
    "server running",
    "running on",
    "running at",
    "started on",
    "server at",
    "bound to",
    "binding",
];

/// What the load balancer's check met, in plain words, and the line that says so.
struct Met {
    what: String,
    line: String,
    /// Nothing answers at that port.
    silent: bool,
}

/// The reasons of `TargetHealth` (Elastic Load Balancing API Reference), or what ECS says: "is unhealthy in (target-group
/// …) due to (reason …)" ("Amazon ECS service unhealthy event messages", Amazon ECS Developer Guide).
fn met(evidence: &Evidence) -> Option<Met> {
    let path = &evidence.subject.health_path;
    let old: Vec<&str> = {
        let tasks = evidence.running.iter().filter(|task| !evidence.is_new(task));
        tasks.filter_map(|task| task.address.as_deref()).collect()
    };
    let of_old = |target: &TargetSeen| {
        let host = |address: &String| address.split(':').next().unwrap_or_default().to_owned();
        !target.addresses.is_empty()
            && target.addresses.iter().all(|address| old.contains(&host(address).as_str()))
    };
    let target =
        evidence.targets.items().filter(|target| target.state == "unhealthy" && !of_old(target)).last();
    if let Some(target) = target {
        let said = target.description.clone().unwrap_or_default();
        let code = target.code.clone().unwrap_or_default();
        let line = format!("target {} is unhealthy: {said} ({code})", target.addresses.join(", "));
        return Some(Met { silent: is_silent(&code, &said), what: what(path, &code, &said), line });
    }
    let event = evidence.events.items().filter(|text| text.contains("is unhealthy in")).last()?;
    let said =
        event.rsplit_once("due to (reason ").map_or("", |(_, reason)| reason).trim_end_matches(['.', ')']);
    Some(Met { silent: is_silent("", said), what: what(path, "", said), line: event.clone() })
}

fn is_silent(code: &str, said: &str) -> bool {
    !said.contains("with these codes") && (code != "Target.ResponseCodeMismatch")
}

fn what(path: &str, code: &str, said: &str) -> String {
    if let Some(codes) =
        said.split_once("with these codes:").map(|(_, codes)| codes.trim().trim_matches(['[', ']']))
    {
        format!("is answered with {codes} at {path}")
    } else if code == "Target.Timeout" || said.contains("timed out") {
        format!("gets no answer at {path} in time")
    } else {
        format!("can't connect, or gets no HTTP answer, at {path}")
    }
}

/// The container listens, but elsewhere: no line of those that run, or ran until the scheduler stopped them, names the
/// right port.
pub(super) fn port_mismatch(evidence: &Evidence) -> Option<Diagnosis> {
    let met = met(evidence).filter(|met| met.silent)?;
    let port = evidence.subject.port;
    let stayed = stayed_up(evidence);
    let lines = || {
        let tails = evidence.logs.iter().filter(|tail| stayed.contains(&tail.task.as_str()));
        tails.flat_map(|tail| &tail.lines)
    };
    if lines().any(|line| names(line, port)) {
        return None;
    }
    let ports: Vec<(u16, &String)> =
        lines().filter(|line| !is_aside(line)).filter_map(|line| Some((listening(line)?, line))).collect();
    let (other, line) = ports.last()?;
    Some(Diagnosis {
        cause: CauseKind::PortMismatch,
        text: format!("the container listens on port {other}, and the load balancer asks at {port}"),
        evidence: format!("{}\nand the container's log: {}", met.line, line.trim()),
        log: Vec::new(),
        fix: format!(
            "let the program listen on the port in its variable PORT, on all addresses (0.0.0.0), or set `port = {other}` of \
             [orchestrator] in infra/leo.toml; then `cargo xtask deploy`"
        ),
    })
}

/// The operation's own tasks that run, and those that ran until the scheduler stopped them for their health.
fn stayed_up(evidence: &Evidence) -> Vec<&str> {
    let stopped = evidence.failed_stops().into_iter().filter(|stop| said(stop).contains("health check"));
    let stopped = stopped.flat_map(|stop| &stop.item.tasks);
    let running =
        evidence.running.iter().filter(|task| evidence.is_new(task) && task.containers.iter().all(is_up));
    running.chain(stopped).map(|task| task.id.as_str()).collect()
}

fn is_up(container: &ContainerSeen) -> bool {
    container.exit_code.is_none() && container.status != "STOPPED"
}

/// Whether the number stands in the line by itself.
fn names(line: &str, port: u16) -> bool {
    let port = port.to_string();
    line.split(|c: char| !c.is_ascii_digit()).any(|number| number == port)
}

/// Listeners that programs have beside their own.
fn is_aside(line: &str) -> bool {
    let line = line.to_lowercase();
    ["metrics", "prometheus", "admin", "debug", "inspector", "profil"].iter().any(|word| line.contains(word))
}

/// The port of a line like `listening on 0.0.0.0:3000`.
fn listening(line: &str) -> Option<u16> {
    let lower = line.to_lowercase();
    let from = LISTENS.iter().filter_map(|word| lower.find(word)).min()?;
    let rest = lower.get(from..)?;
    let by_colon = rest.match_indices(':').filter_map(|(index, _)| number(rest.get(index + 1..)?));
    let by_word = rest
        .match_indices("port")
        .filter_map(|(index, _)| number(rest.get(index + 4..)?.trim_start_matches(['=', ':', ' ', '"'])));
    by_word.chain(by_colon).find(|port| *port >= 80)
}

fn number(text: &str) -> Option<u16> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// "Task failed ELB health checks in …", "Task failed container health checks" ("Viewing Amazon ECS stopped task errors",
/// Amazon ECS Developer Guide), or a target that stays unhealthy.
pub(super) fn fails(evidence: &Evidence) -> Option<Diagnosis> {
    let stop = stop_where(evidence, |text| text.contains("health check"));
    let log = || {
        let of_stop = stop.and_then(|stop| evidence.log_of(&stop.item.tasks));
        of_stop.or_else(|| evidence.log_of(&evidence.running)).map(LogTail::lines_kept).unwrap_or_default()
    };
    let own = evidence
        .running
        .iter()
        .find(|task| task.health.as_deref() == Some("UNHEALTHY") && evidence.is_new(task));
    if let Some(line) =
        stop.filter(|stop| stop.item.reason.contains("container health check")).map(line).or_else(|| {
            let task = own.filter(|_| stop.is_none())?;
            Some(format!("task {} of {} is UNHEALTHY", task.id, task.definition))
        })
    {
        return Some(Diagnosis {
            cause: CauseKind::HealthCheckFails,
            text: "the container runs, and its own health check fails".to_owned(),
            evidence: line,
            log: log(),
            fix: "`health_command` of [orchestrator] in infra/leo.toml has to be a program of the image that exits with 0 ([] for \
                  none); `grace_period_seconds` of [orchestrator.health] is how long it may fail at first"
                .to_owned(),
        });
    }
    let met = met(evidence);
    let line = match (&met, stop) {
        (Some(met), _) => met.line.clone(),
        (None, Some(stop)) => line(stop),
        (None, None) => return None,
    };
    let what =
        met.map_or_else(|| format!("does not pass at {}", evidence.subject.health_path), |met| met.what);
    Some(Diagnosis {
        cause: CauseKind::HealthCheckFails,
        text: format!("the load balancer's health check {what} (port {})", evidence.subject.port),
        evidence: line,
        log: log(),
        fix: "`path` of [orchestrator.health] in infra/leo.toml has to be answered with a status of 2xx, without signing in; \
              a program that takes long to start needs a longer `grace_period_seconds`"
            .to_owned(),
    })
}

impl LogTail {
    fn lines_kept(&self) -> Vec<String> {
        self.lines.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::listening;

    #[test]
    fn a_line_says_where_a_server_listens() {
        let table = [
            ("listening on 0.0.0.0:3000", Some(3000)),
            ("Server running at http://localhost:5173/", Some(5173)),
            ("2026-11-01T12:00:00Z INFO leo: listening addr=0.0.0.0:8080", Some(8080)),
            ("Tomcat started on port(s): 8081 (http)", None),
            ("started on port 9000", Some(9000)),
            ("Listening on port: 4000", Some(4000)),
            ("uvicorn running on http://127.0.0.1:8000 (Press CTRL+C)", Some(8000)),
            ("GET /healthz took 3000 ms", None),
            ("connecting to db:5432", None),
        ];
        for (line, port) in table {
            assert_eq!(listening(line), port, "{line}");
        }
    }
}
