//! The commands that speak to AWS. `cargo xtask` builds and runs this binary, so that everything else answers without
//! compiling an AWS SDK.
//!
//! One file a command under `commands/`; what a deploy consists of is under `deploy/`, one file a step.

#![allow(clippy::print_stderr, reason = "a command's result goes to stdout, the rest to stderr")]

mod ask;
mod commands;
mod deploy;
mod destroy;
mod failure;
mod fixed_names;
mod iam;
mod interrupt;
mod keep;
mod leaving;
mod local;
mod operation;
mod progress;
mod promote;
mod registry;
mod scanning;
mod standing;
mod stdout;
mod target;
mod watched;
mod who;

use clap::{Parser, Subcommand};
use commands::{
    deploy as deploy_command, destroy as destroy_command, diagnose, drift, env_sync, forward, images, init,
    push_images, releases, rollback, secrets,
};
use std::{process::ExitCode, time::Duration};

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "The commands of leo-infra that speak to AWS"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring everything up, to a checked running URL
    Deploy(deploy_command::Args),
    /// Remove an environment; its data only on explicit word
    Destroy(destroy_command::Args),
    /// Build the images, push them and print their digests
    PushImages(push_images::Args),
    /// List the images in the registry, or delete those that nothing uses
    Images(images::Args),
    /// Bring the environment files' secrets to Secrets Manager, compare them, or give one a new value
    Secrets(secrets::Args),
    /// Show what was changed behind CloudFormation's back
    Drift(drift::Args),
    /// Say why the last deploy failed
    Diagnose(diagnose::Args),
    /// Deploy an earlier release again
    Rollback(rollback::Args),
    /// List what was deployed, newest first
    Releases(releases::Args),
    /// Ask for what env/.env lacks, find the rest, and write it for its owner alone
    Init(init::Args),
    /// Write the deployed stacks' outputs into env/.env.defaults
    EnvSync(env_sync::Args),
    /// Carry our own containers' requests to the local target
    #[command(name = forward::COMMAND, hide = true)]
    Forward(forward::Args),
}

/// How long what was left in the middle has to clear away what it holds.
const LEAVING: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    leo_env::hide_values_in_panics();
    match Cli::try_parse() {
        Ok(cli) => stdout::exit_code(run(cli.command)),
        Err(error) => misused(&error),
    }
}

/// What is wrong with the command line; of an argument that looks like a secret not what it is.
fn misused(error: &clap::Error) -> ExitCode {
    match leo_env::refused_argument(&error.to_string()) {
        Some(finding) => {
            eprint!("{}", leo_diagnostic::render(&finding, failure::colours()));
            ExitCode::from(2)
        }
        None => error.exit(),
    }
}

fn run(command: Command) -> ExitCode {
    match command {
        Command::Deploy(args) => in_runtime(deploy_command::run(args)),
        Command::Destroy(args) => in_runtime(destroy_command::run(args)),
        Command::PushImages(args) => in_runtime(push_images::run(args)),
        Command::Images(args) => in_runtime(images::run(args)),
        Command::Secrets(args) => in_runtime(secrets::run(args)),
        Command::Drift(args) => in_runtime(drift::run(args)),
        Command::Diagnose(args) => in_runtime(diagnose::run(args)),
        Command::Rollback(args) => in_runtime(rollback::run(args)),
        Command::Releases(args) => in_runtime(releases::run(args)),
        Command::Init(args) => in_runtime(init::run(args)),
        Command::EnvSync(args) => in_runtime(env_sync::run(args)),
        Command::Forward(args) => forward::run(&args),
    }
}

fn in_runtime(command: impl Future<Output = ExitCode>) -> ExitCode {
    // All that speak to AWS have somebody's credentials in memory, some also secrets.
    if let Err(error) = leo_env::keep_memory_private() {
        eprintln!("warning: core dumps could not be turned off: {error}");
    }
    match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(command);
            // What was left in the middle ends its children and removes its logins. Whatever still waits for the network
            // must not keep the command from ending.
            runtime.shutdown_timeout(LEAVING);
            code
        }
        Err(error) => {
            eprintln!("error: start the async runtime: {error}");
            ExitCode::FAILURE
        }
    }
}
