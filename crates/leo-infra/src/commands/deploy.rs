use crate::{
    commands::load_project,
    deploy::{self, Deployed, Plan, choice},
    failure::{Failure, Problem},
    progress::Progress,
    target::Target,
};
use leo_aws::FailureKind;
use leo_env::SecretsPolicy;
use leo_image::ImagesChoice;
use leo_project::Project;
use std::{
    io::{self, BufRead, IsTerminal, Write},
    process::ExitCode,
};

/// Bring everything up, to a checked running URL
///
/// Deploys the registry, the foundation and the platform, builds and pushes the images, gives missing secrets their first
/// values, and checks what runs. Run it again after any failure: it continues where it stopped.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment to deploy; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// Deploy to the local target: an AWS emulator and this machine's Docker engine
    #[arg(long)]
    local: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// `build`, `current` (keep what runs), or `orchestrator=<digest>,generator=<digest>`
    #[arg(long, value_name = "IMAGES")]
    images: Option<ImagesChoice>,
    /// Use the demo images instead of the siblings' (with --local: where a sibling is missing)
    #[arg(long)]
    demo: bool,
    /// With --local: use the secrets of env/.env instead of marked dummies
    #[arg(long, requires = "local")]
    with_secrets: bool,
    /// Do not wait a minute to see that a WebSocket stays open: opening one is enough
    #[arg(long)]
    quick: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    let json = args.json;
    match deploy(&args).await {
        Ok(deployed) => {
            if json {
                println!("{:#}", deployed.json());
            } else {
                println!("{}", deployed.text());
            }
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(json),
    }
}

async fn deploy(args: &Args) -> Result<Deployed, Failure> {
    let with_secrets = !args.local || args.with_secrets;
    let policy = if with_secrets { SecretsPolicy::Read } else { SecretsPolicy::Ignore };
    let project = load_project(args.environment.as_deref(), policy, args.local)?;
    let stacks = leo_stack::compose(&project.config).map_err(deploy::not_composed)?;
    let demo = choice::demo(args.demo, args.local);
    if !args.yes && !io::stdin().is_terminal() {
        return Err(unasked().into());
    }
    let target = Target::open(&project, args.local).await?;
    let account = target.check_account(&project.config).await?;
    let engine = leo_deploy::Stacks::new(target.cloudformation.clone());
    let (foundation, platform) = tokio::try_join!(
        engine.describe(stacks.foundation.name.as_str()),
        engine.describe(stacks.platform.name.as_str()),
    )
    .map_err(Problem::from)?;
    let images =
        choice::choose(&project, &target, &stacks, args.images.clone(), demo, platform.as_ref()).await?;
    if with_secrets && foundation.is_none() {
        deploy::check_first_secrets(&project)?;
    }
    if !args.yes && !confirmed(&project, &account, platform.is_some(), args.local)? {
        return Err(
            Problem::new(FailureKind::Failed, "deploy: it was not confirmed; nothing was changed").into()
        );
    }
    let plan = Plan {
        project: &project,
        target: &target,
        stacks: &stacks,
        engine,
        account,
        images,
        with_secrets,
        platform,
        quick: args.quick,
    };
    let progress = Progress::detect();
    // Before this an interrupt ends the process at once, as nothing has been sent yet.
    let outcome = tokio::select! {
        // First: a child that the same Ctrl-C has ended is no failure of its own.
        biased;
        () = interrupted() => Err(left().into()),
        outcome = deploy::run(&plan, progress.sink()) => outcome,
    };
    progress.finish();
    outcome
}

/// Asks on the terminal. Anything but yes, and the end of input, is no.
fn confirmed(project: &Project, account: &str, exists: bool, local: bool) -> Result<bool, Failure> {
    let environment = &project.config.environment;
    let verb = if exists { "update" } else { "create" };
    let place = if local {
        "the local target".to_owned()
    } else {
        format!("account {account}, {}", environment.region)
    };
    eprint!("{verb} environment `{}` in {place}? [y/N] ", environment.name);
    let mut answer = String::new();
    io::stderr()
        .flush()
        .and_then(|()| io::stdin().lock().read_line(&mut answer))
        .map_err(|error| Problem::new(FailureKind::Failed, format!("read the answer: {error}")))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn unasked() -> Problem {
    Problem::new(FailureKind::Failed, "deploy: there is no terminal to ask on; nothing was changed")
        .hint("add --yes to deploy without a question")
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the signal ends the process by itself.
        std::future::pending::<()>().await;
    }
}

fn left() -> Problem {
    Problem::new(
        FailureKind::Detached,
        "follow the deploy to its end: it was interrupted, and what it started goes on",
    )
    .hint("run the same command again: it continues where this one stopped")
}
