//! Containers that end, or never begin.

use super::words::exit_code;
use super::{CauseKind, Diagnosis, line, log, said, stop_where};
use crate::distinct::Counted;
use crate::evidence::{Evidence, Stop};

/// Exit code of a process that was killed with SIGKILL.
const KILLED: i32 = 137;

fn exit_of(stop: &Counted<Stop>) -> Option<i32> {
    let containers = stop.item.tasks.iter().flat_map(|task| &task.containers);
    let codes: Vec<i32> = containers.filter_map(|container| container.exit_code).collect();
    codes.iter().copied().find(|code| *code != 0).or_else(|| codes.first().copied())
}

/// The scheduler killed it: what it exited with then is no word of its own.
fn was_stopped(stop: &Counted<Stop>) -> bool {
    said(stop).contains("health check")
}

/// "OutOfMemoryError: Container killed due to memory usage" ("Troubleshooting Amazon ECS OutOfMemoryError errors", Amazon
/// ECS Developer Guide).
pub(super) fn out_of_memory(evidence: &Evidence) -> Option<Diagnosis> {
    let said = stop_where(evidence, |text| text.contains("outofmemory") || text.contains("oomkilled"));
    let killed = || {
        evidence.failed_stops().into_iter().find(|stop| exit_of(stop) == Some(KILLED) && !was_stopped(stop))
    };
    let certain = said.is_some();
    let stop = said.or_else(killed)?;
    let memory = stop.item.tasks.iter().find_map(|task| task.memory.as_deref()?.parse::<u32>().ok());
    let of = memory.map(|mib| format!(" ({mib} MiB)")).unwrap_or_default();
    Some(Diagnosis {
        cause: CauseKind::OutOfMemory,
        text: if certain {
            format!("the container used more memory than the task has{of}")
        } else {
            format!("the container was killed (exit code {KILLED}), as it is when it uses more memory than the task has{of}")
        },
        evidence: line(stop),
        log: log(evidence, stop),
        fix: "raise `memory_gib` of [orchestrator] in infra/leo.toml, or let the program use less; then `cargo xtask deploy`"
            .to_owned(),
    })
}

/// "Troubleshooting Amazon ECS CannotStartContainerError errors" (Amazon ECS Developer Guide).
pub(super) fn cannot_start(evidence: &Evidence) -> Option<Diagnosis> {
    let stop = stop_where(evidence, |text| {
        text.contains("cannotstartcontainer")
            || text.contains("cannotcreatecontainer")
            || text.contains("executable file not found")
            || text.contains("unable to start container process")
    })?;
    Some(Diagnosis {
        cause: CauseKind::CannotStart,
        text: "the container's program can't be started".to_owned(),
        evidence: line(stop),
        log: log(evidence, stop),
        fix: "correct ENTRYPOINT or CMD in the orchestrator's Dockerfile ([images.orchestrator] in infra/leo.toml says which): \
              the program has to be in the image, and executable; try it with `cargo xtask deploy --local`"
            .to_owned(),
    })
}

/// `EssentialContainerExited` ("Task", field `stopCode`, Amazon ECS API Reference).
pub(super) fn exits(evidence: &Evidence) -> Option<Diagnosis> {
    let exited = |stop: &&Counted<Stop>| {
        let by_code =
            stop.item.tasks.iter().any(|task| task.stop_code.as_deref() == Some("EssentialContainerExited"));
        (by_code || exit_of(stop).is_some()) && !was_stopped(stop)
    };
    let stop = evidence.failed_stops().into_iter().find(exited)?;
    let code = exit_of(stop);
    let with = code.map(|code| format!(" with exit code {code}{}", exit_code(code))).unwrap_or_default();
    let lines = log(evidence, stop);
    let group = &evidence.subject.log_group;
    let fix = if lines.is_empty() && evidence.wrote_nothing(&stop.item.tasks) {
        format!(
            "it wrote nothing to {group}: let it write to stdout or stderr why it ends; `cargo xtask deploy --local` runs the \
             same image here"
        )
    } else if lines.is_empty() {
        format!(
            "its log could not be read: what it wrote is in the log group {group}; `cargo xtask deploy --local` runs the same \
             image here"
        )
    } else {
        "its last lines say why; what it needs comes from `secrets` and [orchestrator.environment] in infra/leo.toml and from \
         env/.env; `cargo xtask deploy --local` runs the same image here"
            .to_owned()
    };
    Some(Diagnosis {
        cause: CauseKind::ContainerExits,
        text: format!("the container exits by itself{with}"),
        evidence: line(stop),
        log: lines,
        fix,
    })
}
