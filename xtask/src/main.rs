//! `cargo xtask`: everything people do with this repository.
//!
//! One command is one file under `commands/`. What answers offline is done in process; what speaks to AWS is listed here and
//! handed over to the binary `leo-infra`, so that a clean clone answers in seconds.
//!
//! What this crate deliberately does not do: link an AWS SDK or an async runtime, or know how anything is deployed.

#![expect(clippy::print_stderr, reason = "a command's progress and errors are for the person in front of it")]

mod commands;
mod counts;
mod hand_over;
mod nextest;
mod project;
mod python;
mod repository;
mod stdout;
mod tidy;
mod watched;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use commands::{bench, ci, env_check, env_generate, local, synth, test};
use hand_over::{HandedOver, hand_over};
use repository::Repository;

/// Exit codes: 0 done, 1 failed, 2 bad usage, configuration or environment, 3 differences found, 4 credentials missing,
/// expired or denied, 5 left while the operation still runs in AWS.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "leo-infra: define, deploy and operate Leo's infrastructure"
)]
#[command(
    after_help = "Exit codes: 0 done · 1 failed · 2 bad usage, configuration or environment, nothing was sent · \
    3 differences found · 4 credentials missing, expired or denied · 5 left while the operation still runs in AWS"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the environment files: what is missing, wrong or in danger, and what each key is set to
    EnvCheck(env_check::Args),
    /// Write what is made from infra/env.toml: env/.env.example and the tables of the page on variables
    EnvGenerate(env_generate::Args),
    /// Write the CloudFormation templates to a folder
    Synth(synth::Args),
    /// Bring everything up, to a checked running URL (`--local`: on this machine)
    Deploy(HandedOver),
    /// Build the images, push them and print their digests
    PushImages(HandedOver),
    /// List the images in the registry, or delete those that nothing uses
    Images(HandedOver),
    /// Bring the environment files' secrets to Secrets Manager, compare them, or give one a new value
    Secrets(HandedOver),
    /// Deploy an earlier release again
    Rollback(HandedOver),
    /// List what was deployed, newest first
    Releases(HandedOver),
    /// Say why the last deploy failed
    Diagnose(HandedOver),
    /// Show what was changed behind CloudFormation's back
    Drift(HandedOver),
    /// Remove an environment; its data only on explicit word
    Destroy(HandedOver),
    /// Ask for what env/.env lacks, find the rest, and write it for its owner alone
    Init(HandedOver),
    /// Write the deployed stacks' outputs into env/.env.defaults
    EnvSync(HandedOver),
    /// The local target: an AWS emulator in front of this machine's Docker engine
    Local(local::Args),
    #[command(name = local::FORWARD, hide = true)]
    LocalForward(local::ForwardArgs),
    /// Run the project's tests
    Test(test::Args),
    /// Run everything that CI runs
    Ci(ci::Args),
    /// Run the benchmarks
    Bench(bench::Args),
}

fn main() -> ExitCode {
    leo_env::hide_values_in_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let repository = match Repository::find() {
        Ok(repository) => repository,
        Err(error) => return failed(&error, ExitCode::from(2)),
    };
    run(&repository, cli).unwrap_or_else(|error| failed(&error, ExitCode::FAILURE))
}

/// What is wrong with the command line; of an argument that looks like a secret not what it is.
fn misused(error: &clap::Error) -> ExitCode {
    match leo_env::refused_argument(&error.to_string()) {
        Some(finding) => project::refuse(&[finding]),
        None => error.exit(),
    }
}

fn failed(error: &anyhow::Error, code: ExitCode) -> ExitCode {
    eprintln!("error: {error:#}");
    code
}

fn run(repository: &Repository, cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::EnvCheck(args) => env_check::run(repository, &args),
        Command::Synth(args) => synth::run(repository, &args),
        Command::EnvGenerate(args) => env_generate::run(repository, &args),
        Command::Deploy(args) => hand_over(repository, "deploy", &args.args),
        Command::PushImages(args) => hand_over(repository, "push-images", &args.args),
        Command::Images(args) => hand_over(repository, "images", &args.args),
        Command::Secrets(args) => hand_over(repository, "secrets", &args.args),
        Command::Rollback(args) => hand_over(repository, "rollback", &args.args),
        Command::Releases(args) => hand_over(repository, "releases", &args.args),
        Command::Diagnose(args) => hand_over(repository, "diagnose", &args.args),
        Command::Drift(args) => hand_over(repository, "drift", &args.args),
        Command::Destroy(args) => hand_over(repository, "destroy", &args.args),
        Command::Init(args) => hand_over(repository, "init", &args.args),
        Command::EnvSync(args) => hand_over(repository, "env-sync", &args.args),
        Command::Local(args) => local::run(repository, &args),
        Command::LocalForward(args) => local::forward(&args),
        Command::Test(args) => test::run(repository, &args),
        Command::Ci(args) => ci::run(repository, &args),
        Command::Bench(args) => bench::run(repository, &args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_of_the_commands_holds() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_what_is_handed_over_is_handed_over() {
        let cli = Cli::try_parse_from(["cargo xtask", "deploy", "--help"]).unwrap();
        let Command::Deploy(args) = cli.command else { panic!("another command") };
        assert_eq!(args.args, ["--help"]);
    }
}
