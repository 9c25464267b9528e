use crate::{
    ask,
    commands::{
        deploy::{default_deadline, perform, told},
        load_project,
    },
    deploy::{
        self, Before, Deployed, Plan, Settings, Templates,
        choice::ImagePlan,
        preview, recovery,
        release::{FOUNDATION, PLATFORM},
        rollback::{Shown, choose, taken_from_elsewhere},
    },
    failure::{Failure, Problem},
    operation::Operation,
    standing::Standing,
    target::Target,
    who::Who,
};
use leo_aws::FailureKind;
use leo_env::SecretsPolicy;
use leo_image::{ImageDigest, ImageName};
use leo_release::{Artifacts, History, Release};
use std::{collections::BTreeMap, process::ExitCode, time::Duration};

/// Deploy an earlier release again
///
/// Without `--to` it is the newest release before the one that runs whose contents differ; run again, it goes further back.
/// Templates, parameters and images are those of the release. The secrets and the data stay as they are.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// The release to go to, by its number
    #[arg(long, value_name = "NUMBER")]
    to: Option<u64>,
    /// On the local target
    #[arg(long)]
    local: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// With --local: use the secrets of env/.env instead of marked dummies
    #[arg(long, requires = "local")]
    with_secrets: bool,
    /// Also bring a stuck stack back: delete a failed create, continue a failed rollback, repeat a failed delete
    #[arg(long)]
    recover: bool,
    /// For how long the platform may take until it is healthy [default: 900, with --local 90]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    deadline: Option<u64>,
    /// Do not hold a WebSocket open to see whether it stays
    #[arg(long)]
    quick: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    told(Box::pin(roll_back(&args)).await, args.json)
}

async fn roll_back(args: &Args) -> Result<Deployed, Failure> {
    let with_secrets = !args.local || args.with_secrets;
    let policy = if with_secrets { SecretsPolicy::Read } else { SecretsPolicy::Ignore };
    let project = load_project(args.environment.as_deref(), policy, args.local)?;
    let stacks = leo_stack::compose(&project.config).map_err(deploy::not_composed)?;
    let may_ask = !args.yes && ask::possible();
    if !args.yes && !may_ask {
        return Err(ask::needs_terminal("rollback").into());
    }
    let environment = project.config.environment.name.as_str();
    let target = Target::open(&project, args.local).await?;
    let account = target.check_account(&project.config).await?;
    let engine = leo_deploy::Stacks::new(target.cloudformation.clone());
    let artifacts = target.artifacts(&project.config, &account);
    let (before, history) = tokio::try_join!(Before::look(&engine, &stacks), async {
        Ok(artifacts.releases(environment, None).await?)
    })?;
    if before.platform.is_none() && args.to.is_none() {
        return Err(nothing_runs(environment).into());
    }
    let standing = Standing::read(&target, &before).await?;
    let stands = standing.release(&history.releases);
    let ignored = taken_from_elsewhere(&stacks);
    let release = choose(environment, &history, stands.map(|release| release.number), args.to, &ignored)?;
    let templates = templates(&artifacts, release).await?;
    let images = images(release)?;
    let recover = recovery::consent(&engine, &before, args.recover, may_ask).await?;
    let who = Who::here(&project.root).await;
    let operation = Operation::begin(&project.root, "rollback", environment, args.local, who)?;
    let plan = Plan {
        templates,
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
            express: false,
            quick: args.quick,
            revert_drift: false,
            recover,
        },
        operation: &operation,
        release: Some(release.clone()),
        written: BTreeMap::new(),
        seen: newest(&history),
    };
    let agreed = async {
        let foreseen = Box::pin(preview::of_release(&plan, release)).await?;
        let shown = Shown {
            environment,
            to: release,
            from: stands,
            standing: &standing,
            ignored: &ignored,
            foreseen: &foreseen,
        };
        eprint!("{}", shown.text());
        if may_ask && !ask::yes("go back to it?")? {
            let message = "rollback: it was not confirmed; nothing was changed";
            return Err(Problem::new(FailureKind::Failed, message));
        }
        Ok(())
    };
    if let Err(problem) = agreed.await {
        operation.end("refused");
        return Err(problem.into());
    }
    perform(&plan).await
}

/// The number of the newest record, readable or not.
fn newest(history: &History) -> Option<u64> {
    let releases = history.releases.iter().map(|release| release.number);
    releases.chain(history.unreadable.iter().filter_map(|unreadable| unreadable.number)).max()
}

/// A release's templates, as they were sent then. The registry stays as it is: all environments share it.
async fn templates(artifacts: &Artifacts, release: &Release) -> Result<Templates, Problem> {
    let template = async |role: &str| {
        let stack = release.stack(role).ok_or_else(|| {
            Problem::new(
                FailureKind::Failed,
                format!("read the {role} of release {}: its record has none", release.number),
            )
            .hint("name another release with `--to`; `cargo xtask releases` lists them")
        })?;
        Ok::<_, Problem>(artifacts.template(&stack.template_sha256).await?)
    };
    let (foundation, platform) = tokio::try_join!(template(FOUNDATION), template(PLATFORM))?;
    Ok(Templates { registry: None, foundation, platform })
}

fn images(release: &Release) -> Result<ImagePlan, Problem> {
    let digest = |name: ImageName| -> Result<ImageDigest, Problem> {
        let image = release.images.iter().find(|image| image.container == name.as_str());
        image.and_then(|image| image.digest.parse().ok()).ok_or_else(|| preview::no_image(release, name))
    };
    Ok(ImagePlan::Digests {
        orchestrator: Some(digest(ImageName::Orchestrator)?),
        generator: Some(digest(ImageName::Generator)?),
    })
}

fn nothing_runs(environment: &str) -> Problem {
    Problem::new(FailureKind::Failed, format!("roll `{environment}` back: it has no platform"))
        .hint("deploy it, or name the release to build it from: `--to <number>`")
}
