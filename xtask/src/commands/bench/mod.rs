mod deploy;
mod measure;
mod push_images;

use std::process::ExitCode;

use anyhow::Result;

use crate::repository::{Repository, run as run_to_end};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Only benchmarks of the pipeline whose name contains this
    filter: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The deploy engine beside the AWS CLI: the same template, created, deployed again and changed
    Deploy(deploy::Args),
    /// push-images beside plain `docker buildx build --push`: nothing there yet, nothing changed, one file changed, both
    PushImages(push_images::Args),
}

/// Where the benchmarks of the pipeline are.
const PACKAGE: &str = "leo-stack";

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<ExitCode> {
    match &args.what {
        Some(What::Deploy(args)) => deploy::run(repository, args)?,
        Some(What::PushImages(args)) => push_images::run(repository, args)?,
        None => run_to_end(
            repository.cargo().args(["bench", "--package", PACKAGE, "--benches", "--"]).args(&args.filter),
        )?,
    }
    Ok(ExitCode::SUCCESS)
}
