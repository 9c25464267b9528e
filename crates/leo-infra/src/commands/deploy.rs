use crate::{
    ask,
    commands::load_project,
    deploy::{self, Before, Deployed, Plan, Session, Settings, Templates, choice, recovery},
    failure::{Failure, Problem},
    interrupt, leaving,
    operation::Operation,
    progress::Progress,
    target::Target,
    who::Who,
};
use leo_aws::FailureKind;
use leo_config::AccountId;
use leo_env::SecretsPolicy;
use leo_image::ImagesChoice;
use leo_project::Project;
use std::{collections::BTreeMap, process::ExitCode, time::Duration};

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
    /// `build`, `current` (keep what runs), `promoted` (the default where something is), or
    /// `orchestrator=<digest>,generator=<digest>`; one of the two keeps the other as it runs
    #[arg(long, value_name = "IMAGES")]
    images: Option<ImagesChoice>,
    /// Use the demo images instead of the siblings' (with --local: where a sibling is missing)
    #[arg(long)]
    demo: bool,
    /// With --local: use the secrets of env/.env instead of marked dummies
    #[arg(long, requires = "local")]
    with_secrets: bool,
    /// Also bring a stuck stack back: delete a failed create, continue a failed rollback, repeat a failed delete
    #[arg(long)]
    recover: bool,
    /// For how long the platform may take until it is healthy [default: 900, with --local 90]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    deadline: Option<u64>,
    /// CloudFormation's express mode for the platform, with the health gate as the judge; never where protected
    #[arg(long)]
    express: bool,
    /// Do not hold a WebSocket open to see whether it stays
    #[arg(long)]
    quick: bool,
    /// Bring back what was changed behind CloudFormation's back, not only what differs from the last deploy
    #[arg(long)]
    revert_drift: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
    /// The versions of secrets that were just written.
    #[arg(skip)]
    written: BTreeMap<String, String>,
}

/// What a deploy is told that brings what was just written to Secrets Manager to what runs.
pub(crate) struct OfSecrets {
    pub(crate) environment: Option<String>,
    pub(crate) local: bool,
    pub(crate) with_secrets: bool,
    /// Whether it need not ask.
    pub(crate) yes: bool,
    /// The versions that were written, by the secret's name.
    pub(crate) written: BTreeMap<String, String>,
}

impl From<OfSecrets> for Args {
    /// Everything else as it would be, with the images that run.
    fn from(of: OfSecrets) -> Self {
        Self {
            environment: of.environment,
            local: of.local,
            yes: of.yes,
            images: Some(ImagesChoice::Current),
            demo: false,
            with_secrets: of.with_secrets,
            recover: false,
            deadline: None,
            express: false,
            quick: false,
            revert_drift: false,
            json: false,
            written: of.written,
        }
    }
}

/// How long a platform may take until it is healthy; tasks of a real image take minutes to be pulled and started.
const DEADLINE: Duration = Duration::from_mins(15);
/// The same where containers start in seconds.
const LOCAL_DEADLINE: Duration = Duration::from_secs(90);

pub(crate) async fn run(args: Args) -> ExitCode {
    told(Box::pin(deploy(&args)).await, args.json)
}

/// Prints what became of it.
pub(crate) fn told(outcome: Result<Deployed, Failure>, json: bool) -> ExitCode {
    match outcome {
        Ok(deployed) => {
            if json {
                crate::stdout::line(format_args!("{:#}", deployed.json()));
            } else {
                crate::stdout::line(deployed.text());
            }
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(json),
    }
}

pub(crate) async fn deploy(args: &Args) -> Result<Deployed, Failure> {
    let with_secrets = !args.local || args.with_secrets;
    let policy = if with_secrets { SecretsPolicy::Read } else { SecretsPolicy::Ignore };
    let project = load_project(args.environment.as_deref(), policy, args.local)?;
    refuse_express(args, &project)?;
    let stacks = leo_stack::compose(&project.config).map_err(deploy::not_composed)?;
    deploy::access::check(&stacks)?;
    let demo = choice::demo(args.demo, args.local);
    let may_ask = !args.yes && ask::possible();
    if !args.yes && !may_ask {
        return Err(ask::needs_terminal("deploy").into());
    }
    let target = Target::open(&project, args.local).await?;
    let account = target.check_account(&project.config).await?;
    let engine = leo_deploy::Stacks::new(target.cloudformation.clone());
    let before = Before::look(&engine, &stacks).await?;
    let artifacts = target.artifacts(&project.config, &account);
    let images =
        choice::choose(&project, &target, &stacks, &artifacts, args.images.clone(), demo, &before).await?;
    if with_secrets && before.foundation.is_none() {
        deploy::check_first_secrets(&project)?;
    }
    let recover = recovery::consent(&engine, &before, args.recover, may_ask).await?;
    if may_ask && !confirmed(&project, &account, before.platform.is_some(), args.local)? {
        return Err(
            Problem::new(FailureKind::Failed, "deploy: it was not confirmed; nothing was changed").into()
        );
    }
    let who = Who::here(&project.root).await;
    let environment = &project.config.environment.name;
    let operation = Operation::begin(&project.root, "deploy", environment.as_str(), args.local, who)?;
    let plan = Plan {
        templates: Templates::of(&stacks, &target),
        artifacts,
        project: &project,
        target: &target,
        stacks: &stacks,
        engine,
        account,
        images,
        with_secrets,
        before,
        settings: Settings {
            deadline: args.deadline.map_or(default_deadline(args.local), Duration::from_secs),
            firm: args.deadline.is_some(),
            express: args.express,
            quick: args.quick,
            revert_drift: args.revert_drift,
            recover,
        },
        operation: &operation,
        release: None,
        written: args.written.clone(),
        seen: None,
    };
    perform(&plan).await
}

/// Runs a plan, shows how far it is, and leaves in good order when it is interrupted.
pub(crate) async fn perform(plan: &Plan<'_>) -> Result<Deployed, Failure> {
    let progress = Progress::detect();
    let session = Session::default();
    // Before this an interrupt ends the process at once, as nothing has been sent yet.
    let outcome = tokio::select! {
        // First: a child that the same Ctrl-C has ended is no failure of its own.
        biased;
        () = interrupt::first() => None,
        outcome = deploy::run(plan, &session, progress.sink()) => Some(outcome),
    };
    progress.finish();
    let outcome = match outcome {
        Some(outcome) => outcome,
        None => Err(leaving::leave(&plan.engine, plan.operation, &session).await.into()),
    };
    session.give_back().await;
    match &outcome {
        Ok(deployed) => plan.operation.end(deployed.status()),
        Err(failure) => plan.operation.end(crate::operation::ended(failure.kind())),
    }
    outcome
}

pub(crate) fn default_deadline(local: bool) -> Duration {
    if local { LOCAL_DEADLINE } else { DEADLINE }
}

/// Express mode says done before anything runs: a protected environment takes the slow and safe way.
fn refuse_express(args: &Args, project: &Project) -> Result<(), Problem> {
    let environment = &project.config.environment;
    if args.express && environment.protected {
        return Err(Problem::new(
            FailureKind::Usage,
            format!("deploy `{}` with --express: it is protected", environment.name),
        )
        .hint("deploy it without --express"));
    }
    Ok(())
}

fn confirmed(project: &Project, account: &AccountId, exists: bool, local: bool) -> Result<bool, Problem> {
    let environment = &project.config.environment;
    let verb = if exists { "update" } else { "create" };
    let place = if local {
        "the local target".to_owned()
    } else {
        format!("account {account}, {}", environment.region)
    };
    ask::yes(&format!("{verb} environment `{}` in {place}?", environment.name))
}
