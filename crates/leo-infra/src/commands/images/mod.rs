//! The images in the registry: `images ls`, `images gc`.

mod gc;
mod ls;
mod words;

use std::{collections::BTreeSet, process::ExitCode};

use crate::{commands::load_project, failure::Failure, target::Target};
use leo_config::AccountId;
use leo_env::SecretsPolicy;
use leo_project::Project;
use leo_release::Artifacts;

/// List the images in the registry, or delete those that nothing uses
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the images, newest first, with where they run
    Ls(ls::Args),
    /// Delete the images that nothing uses
    Gc(gc::Args),
}

/// Where the registry is.
#[derive(Debug, clap::Args)]
struct Place {
    /// The environment whose account and region are meant; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// The local target's registry
    #[arg(long)]
    local: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    match args.command {
        Command::Ls(args) => ls::run(args).await,
        Command::Gc(args) => gc::run(args).await,
    }
}

/// A registry, and what is configured to use it.
struct Registry {
    project: Project,
    target: Target,
    account: AccountId,
    artifacts: Artifacts,
    /// The environments that the configuration has in this account and region.
    configured: BTreeSet<String>,
}

impl Registry {
    async fn open(place: &Place) -> Result<Self, Failure> {
        let project = load_project(place.environment.as_deref(), SecretsPolicy::Ignore, place.local)?;
        let target = Target::open(&project, place.local).await?;
        let account = target.check_account(&project.config).await?;
        let artifacts = target.artifacts(&project.config, &account);
        let region = &project.config.environment.region;
        let configured = project.environments_in(account.as_str(), region.as_str());
        Ok(Self { project, target, account, artifacts, configured })
    }
}
