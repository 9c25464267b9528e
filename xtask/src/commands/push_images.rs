use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;

use crate::{hand_over::hand_over, repository::Repository};

/// All of them are `leo-infra`'s, `--help` too.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// See `cargo xtask push-images --help`
    #[arg(value_name = "OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<OsString>,
}

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<ExitCode> {
    hand_over(repository, "push-images", &args.args)
}
