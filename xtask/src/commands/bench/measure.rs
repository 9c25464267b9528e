//! What a command costs: how long it takes, and how much of the processor it and its children use.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::repository::{Repository, shown};

/// Runs its arguments, and says on the last line what that cost. The standard library of Rust has no `wait4`.
const METER: &str = "import json, os, resource, sys, time\n\
                     start = time.perf_counter()\n\
                     pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)\n\
                     _, status, usage = os.wait4(pid, 0)\n\
                     wall = time.perf_counter() - start\n\
                     print(json.dumps([os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime]))";

/// The cost of one run, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cost {
    pub(super) wall: f64,
    /// User and system time.
    pub(super) cpu: f64,
}

/// Runs a command to its end. Gives what it cost and what it printed.
pub(super) fn measured(repository: &Repository, python: &Path, command: &Command) -> Result<(Cost, String)> {
    let mut meter = repository.command(python);
    meter.args(["-c", METER]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        meter.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => meter.env(name, value),
            None => meter.env_remove(name),
        };
    }
    let shown = shown(command);
    let output = meter.output().with_context(|| format!("failed to start `{shown}`"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let (printed, last) = said.trim_end().rsplit_once('\n').unwrap_or(("", said.trim_end()));
    match read(last) {
        Some((0, cost)) => Ok((cost, printed.to_owned())),
        Some((code, _)) => {
            bail!("`{shown}` exited with {code}: {printed}{}", String::from_utf8_lossy(&output.stderr))
        }
        None => bail!("`{shown}` was not measured: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn read(line: &str) -> Option<(i64, Cost)> {
    let numbers: Value = serde_json::from_str(line).ok()?;
    let number = |at: usize| numbers.get(at)?.as_f64();
    Some((numbers.get(0)?.as_i64()?, Cost { wall: number(1)?, cpu: number(2)? }))
}

/// The middle one; the mean of the two in the middle of an even number.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.get(middle), sorted.len() % 2) {
        (Some(upper), 0) => {
            sorted.get(middle.wrapping_sub(1)).map_or(*upper, |lower| f64::midpoint(*lower, *upper))
        }
        (Some(one), _) => *one,
        (None, _) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median([4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median([]).is_nan());
    }

    #[test]
    fn the_meters_line_is_read() {
        assert_eq!(read("[0, 1.5, 0.25]"), Some((0, Cost { wall: 1.5, cpu: 0.25 })));
        assert_eq!(read("Traceback"), None);
    }
}
