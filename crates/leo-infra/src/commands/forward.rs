use leo_local::forward;
use std::process::ExitCode;

/// The hidden subcommand that the local target starts this executable with.
pub(crate) const COMMAND: &str = "local-forward";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(trailing_var_arg = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match forward::run_with_args(&args.args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: failed to forward to the local target: {error}");
            ExitCode::FAILURE
        }
    }
}
