use std::process::ExitCode;

use anyhow::Result;

use crate::repository::{Repository, run as run_to_end};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only benchmarks whose name contains this
    filter: Option<String>,
}

/// Where the benchmarks are.
const PACKAGE: &str = "leo-stack";

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<ExitCode> {
    run_to_end(
        repository.cargo().args(["bench", "--package", PACKAGE, "--benches", "--"]).args(&args.filter),
    )?;
    Ok(ExitCode::SUCCESS)
}
