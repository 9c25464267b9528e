use std::process::ExitCode;

use anyhow::Result;
use leo_local::Engine;

use crate::{
    nextest, python,
    repository::{Repository, run as run_to_end},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run the long versions of the tests that have one
    #[arg(long)]
    full: bool,
}

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<ExitCode> {
    nextest::ensure(repository)?;
    python::tools(repository)?;
    let mut doc_tests = repository.cargo();
    doc_tests.args(["test", "--doc", "--workspace"]);
    let mut tests = repository.cargo();
    tests.args(["nextest", "run", "--workspace"]);
    if let Some((filter, why)) = nextest::left_out(&Engine::detect()) {
        eprintln!("{why}");
        tests.args(["--filterset", filter]);
    }
    if args.full {
        tests.args(["--profile", "full"]).env("LEO_FULL", "1");
    }
    // The tests last: what they say is what is looked for.
    run_to_end(&mut doc_tests)?;
    run_to_end(&mut tests)?;
    Ok(ExitCode::SUCCESS)
}
