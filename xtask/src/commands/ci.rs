use std::{
    fmt::Write,
    path::PathBuf,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use leo_diagnostic::{Colours, render_all};
use leo_local::STATE_DIR;

use crate::{
    counts::Counts,
    nextest, python,
    repository::{Repository, output, run as run_inheriting},
    stdout, tidy,
    watched::{Failed, watched},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Cheap ones first; the tests last, so that what they print is at the end. All of them run, whatever the others found; why
/// one failed is said again at the end.
const STEPS: [(&str, Step); 12] = [
    ("tools", tools),
    ("format", format),
    ("tidy", tidy_checks),
    ("workflows", workflows),
    ("licences, bans, sources", deny),
    ("unused dependencies", machete),
    ("lints", lints),
    ("lints of the examples", example_lints),
    ("doc tests", doc_tests),
    ("tests of the examples", example_tests),
    ("the platform, locally", platform),
    ("tests", tests),
];

/// Ours, and the one that siblings copy.
const WORKFLOWS: [&str; 4] = [
    ".github/workflows/check.yml",
    ".github/workflows/demo-images.yml",
    ".github/workflows/deploy.yml",
    "ci/push-images/example-sibling.yml",
];

/// `-D warnings` for clippy's driver, its words ended as the driver expects them.
const NO_WARNINGS: &str = "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__";

type Step = fn(&Repository, &mut Counts) -> Result<Outcome>;

/// How a step that did not fail ended.
enum Outcome {
    Passed,
    /// Left out, and why.
    LeftOut(String),
}

pub(crate) fn run(repository: &Repository, _: &Args) -> Result<ExitCode> {
    let mut counts = Counts::default();
    let mut table = String::new();
    let mut reasons = String::new();
    let mut failed = 0_u32;
    let start = Instant::now();
    for (name, step) in STEPS {
        eprintln!("ci: {name}");
        let step_start = Instant::now();
        let ended = step(repository, &mut counts);
        let ended = match ended {
            Ok(Outcome::Passed) => "passed".to_owned(),
            Ok(Outcome::LeftOut(why)) => format!("left out: {why}"),
            Err(error) => {
                failed += 1;
                eprintln!("error: {error:#}");
                for line in error.downcast_ref::<Failed>().into_iter().flat_map(|failed| &failed.last) {
                    let _ = writeln!(reasons, "{name}: {line}");
                }
                format!("FAILED: {error:#}")
            }
        };
        table.push_str(&row(step_start.elapsed(), name, &ended));
    }
    table.push_str(&row(start.elapsed(), "all", if failed == 0 { "passed" } else { "FAILED" }));
    eprint!("\n{reasons}\n{table}\n");
    // Alone on the last line, for whoever reads only that.
    stdout::line(counts)?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(duration: Duration, name: &str, ended: &str) -> String {
    format!("{:>7.1} s  {name:<24} {ended}\n", duration.as_secs_f64())
}

/// Here and not in the first step that needs one, so that what installing costs is seen apart.
fn tools(repository: &Repository, _: &mut Counts) -> Result<Outcome> {
    nextest::ensure(repository)?;
    python::tools(repository)?;
    Ok(Outcome::Passed)
}

fn format(repository: &Repository, _: &mut Counts) -> Result<Outcome> {
    run_to_end(repository.cargo().args(["fmt", "--all", "--check"]))?;
    run_to_end(in_examples(repository, repository.cargo().args(["fmt", "--all", "--check"])))?;
    Ok(Outcome::Passed)
}

fn tidy_checks(repository: &Repository, _: &mut Counts) -> Result<Outcome> {
    let findings = tidy::check(repository)?;
    if findings.is_empty() {
        return Ok(Outcome::Passed);
    }
    eprint!("{}", render_all(&findings, Colours::Plain));
    bail!("{} findings", findings.len())
}

/// The dependencies are compiled as for the tests, once; `cargo clippy` alone would check all of them a second time, and
/// the AWS SDK is most of what there is to compile. This is what it does itself, with `build` for `check`.
fn lints(repository: &Repository, _: &mut Counts) -> Result<Outcome> {
    run_to_end(
        repository
            .cargo()
            .args(["build", "--workspace", "--all-targets", "--keep-going"])
            .envs(clippy(repository)?),
    )?;
    Ok(Outcome::Passed)
}

fn example_lints(repository: &Repository, _: &mut Counts) -> Result<Outcome> {
    let clippy = clippy(repository)?;
    run_to_end(
        in_examples(repository, repository.cargo().args(["build", "--workspace", "--all-targets"]))
            .envs(clippy),
    )?;
    Ok(Outcome::Passed)
}

fn doc_tests(repository: &Repository, counts: &mut Counts) -> Result<Outcome> {
    counted(repository.cargo().args(["test", "--doc", "--workspace"]), counts)
}

fn example_tests(repository: &Repository, counts: &mut Counts) -> Result<Outcome> {
    counted(in_examples(repository, repository.cargo().args(["nextest", "run", "--workspace"])), counts)
}

fn tests(repository: &Repository, counts: &mut Counts) -> Result<Outcome> {
    counted(repository.cargo().args(["nextest", "run", "--workspace", "--profile", "ci"]), counts)
}

/// The README's first command, word for word, in this work tree; then all of it is stopped again.
fn platform(repository: &Repository, _: &mut Counts) -> Result<Outcome> {
    if leo_local::attach(&repository.path(STATE_DIR))?.is_some() {
        return Ok(Outcome::LeftOut("a local target runs in this work tree, and stays".to_owned()));
    }
    // What it starts stays, and may keep a stream open that it was given.
    let deployed = run_inheriting(repository.cargo().args(["xtask", "deploy", "--local", "--yes"]));
    let stopped = run_inheriting(repository.cargo().args(["xtask", "local", "down"]));
    deployed.and(stopped)?;
    Ok(Outcome::Passed)
}

fn workflows(repository: &Repository, _: &mut Counts) -> Result<Outcome> {
    let checker = python::tools(repository)?.bin("check-jsonschema");
    for (schema, files) in [
        ("vendor.github-workflows", &WORKFLOWS[..]),
        ("vendor.github-actions", &["ci/push-images/action.yml"]),
    ] {
        run_to_end(repository.command(&checker).args(["--builtin-schema", schema]).args(files))?;
    }
    Ok(Outcome::Passed)
}

fn deny(repository: &Repository, _: &mut Counts) -> Result<Outcome> {
    const CHECK: [&str; 5] = ["check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    if !repository.has_cargo_subcommand("deny") {
        return Ok(not_installed("cargo-deny"));
    }
    for manifest in ["Cargo.toml", "examples/Cargo.toml"] {
        run_to_end(
            repository
                .cargo()
                .args(["deny", "--workspace", "--config", "deny.toml", "--manifest-path", manifest])
                .args(CHECK),
        )?;
    }
    Ok(Outcome::Passed)
}

fn machete(repository: &Repository, _: &mut Counts) -> Result<Outcome> {
    if !repository.has_cargo_subcommand("machete") {
        return Ok(not_installed("cargo-machete"));
    }
    run_to_end(repository.cargo().args(["machete", "."]))?;
    Ok(Outcome::Passed)
}

/// `cargo deny` and `cargo machete` take minutes to compile, so a bare machine goes without; the workflow installs them.
fn not_installed(program: &str) -> Outcome {
    Outcome::LeftOut(format!("{program} is not installed"))
}

/// The same in the workspace of the demo images, which stands outside ours.
fn in_examples<'a>(repository: &Repository, command: &'a mut Command) -> &'a mut Command {
    command.current_dir(repository.path("examples"))
}

/// What makes cargo compile the workspace's own crates with clippy, every warning an error.
fn clippy(repository: &Repository) -> Result<[(&'static str, PathBuf); 2]> {
    let toolchain = PathBuf::from(output(repository.command("rustc").args(["--print", "sysroot"]))?);
    let driver = toolchain.join("bin").join(format!("clippy-driver{}", std::env::consts::EXE_SUFFIX));
    if !driver.is_file() {
        bail!("clippy is not installed: `rustup component add clippy`");
    }
    Ok([("RUSTC_WORKSPACE_WRAPPER", driver), ("CLIPPY_ARGS", NO_WARNINGS.into())])
}

/// Runs tests with everything that they can need required, and adds up their closing lines.
fn counted(command: &mut Command, counts: &mut Counts) -> Result<Outcome> {
    watched(command.env("LEO_REQUIRE_ALL", "1"), counts)?;
    Ok(Outcome::Passed)
}

/// Runs what has nothing to count.
fn run_to_end(command: &mut Command) -> Result<()> {
    watched(command, &mut Counts::default())
}
