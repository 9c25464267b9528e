use crate::{
    ask,
    commands::load_project,
    deploy::{self, Session},
    destroy::{self, Consent, Destroyed, Plan, Subject, Survey},
    failure::{Failure, Problem},
    interrupt, leaving,
    operation::{self, Operation},
    progress::Progress,
    stdout,
    target::Target,
    who::Who,
};
use leo_aws::FailureKind;
use leo_data::RecoveryWindow;
use leo_env::SecretsPolicy;
use std::process::ExitCode;

/// Remove an environment; its data only on explicit word
///
/// Shows what there is, asks, stops the generators that run, and deletes the platform and the foundation, with the logs in
/// it. The bucket of generated applications and the secrets stay, and the next deploy takes them over, unless
/// `--delete-data` is given. Run it again after any failure: it continues where it stopped.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment to remove; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// Remove what the environments of the account and region share instead: the registry. Refused while one has a platform
    #[arg(long)]
    registry: bool,
    /// Delete the data as well: empty and remove the bucket, schedule the secrets for deletion (of the registry: its images,
    /// and every record of a release)
    #[arg(long)]
    delete_data: bool,
    /// With --delete-data and no terminal: the name that would have to be typed, the environment's or `registry`
    #[arg(long, value_name = "NAME", requires = "delete_data")]
    confirm: Option<String>,
    /// For how many days the secrets can be restored after --delete-data
    #[arg(long, value_name = "DAYS", requires = "delete_data", default_value_t = RecoveryWindow::default().days(),
          value_parser = clap::value_parser!(u8).range(7..=30))]
    recovery_days: u8,
    /// Do not ask; does not stand for the name that --delete-data wants
    #[arg(long, short)]
    yes: bool,
    /// On the local target
    #[arg(long)]
    local: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    let json = args.json;
    match destroy(&args).await {
        Ok(destroyed) => {
            if json {
                stdout::line(format_args!("{:#}", destroyed.json()));
            } else {
                stdout::line(destroyed.text());
            }
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(json),
    }
}

async fn destroy(args: &Args) -> Result<Destroyed, Failure> {
    let project = load_project(args.environment.as_deref(), SecretsPolicy::Ignore, args.local)?;
    let word = if args.registry { "registry" } else { project.config.environment.name.as_str() };
    if !args.registry {
        destroy::refuse_protected(&project.config)?;
    }
    let consent = Consent {
        word,
        delete_data: args.delete_data,
        confirmed: args.confirm.as_deref(),
        yes: args.yes,
        may_ask: ask::possible(),
    };
    consent.check()?;
    let stacks = leo_stack::compose(&project.config).map_err(deploy::not_composed)?;
    let target = Target::open(&project, args.local).await?;
    let account = target.check_account(&project.config).await?;
    let engine = leo_deploy::Stacks::new(target.cloudformation.clone());
    let subject = if args.registry {
        destroy::refuse_used(&target.cloudformation).await?;
        Subject::registry(&stacks, &account, &project.config.environment.region)
    } else {
        Subject::environment(&stacks, &account, &project.config.environment)
    };
    let survey = Survey::look(&engine, &target.data(), &subject).await?;
    destroy::refuse_protected_stacks(&survey.stacks)?;
    let window = RecoveryWindow::of_days(args.recovery_days).unwrap_or_default();
    let plan = Plan {
        artifacts: target.artifacts(&project.config, &account),
        target: &target,
        engine,
        account,
        region: project.config.environment.region.to_string(),
        subject,
        survey,
        data: args.delete_data.then_some(window),
    };
    if plan.is_done() {
        return Ok(destroy::nothing(&plan).await?);
    }
    eprintln!("{}", plan.preview());
    if !consent.given(&plan.subject.title)? {
        let message = format!("destroy {}: it was not confirmed; nothing was changed", plan.subject.title);
        return Err(Problem::new(FailureKind::Failed, message).into());
    }
    let who = Who::here(&project.root).await;
    let operation = Operation::begin(&project.root, "destroy", word, args.local, who)?;
    let outcome = perform(&plan, &operation).await;
    match &outcome {
        Ok(destroyed) => operation.end(destroyed.status()),
        Err(failure) => operation.end(operation::ended(failure.kind())),
    }
    outcome
}

/// Does it, shows how far it is, and leaves in good order when it is interrupted.
async fn perform(plan: &Plan<'_>, operation: &Operation) -> Result<Destroyed, Failure> {
    let progress = Progress::detect();
    let session = Session::default();
    // Before this an interrupt ends the process at once, as nothing has been sent yet.
    let outcome = tokio::select! {
        biased;
        () = interrupt::first() => None,
        outcome = destroy::run(plan, operation, &session, progress.sink()) => Some(outcome),
    };
    progress.finish();
    let outcome = match outcome {
        Some(outcome) => outcome,
        None => Err(leaving::leave(&plan.engine, operation, &session).await.into()),
    };
    session.give_back().await;
    outcome
}
