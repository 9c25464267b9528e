mod dry_run;
mod outcome;

use crate::{
    commands::load_project,
    deploy::{
        choice,
        image_build::{ImageBuild, Wishes},
        image_events,
        images::{self, Repositories},
    },
    failure::{Failure, Problem},
    interrupt,
    progress::Progress,
    promote::{self, Route},
    scanning::Scans,
    stdout,
    target::Target,
};
use dry_run::{DryRun, Planned};
use leo_aws::FailureKind;
use leo_deploy::{Finished, Reporter, Run, Step};
use leo_env::SecretsPolicy;
use leo_image::{CacheUse, Checked, FailOn, ImageName, LazyEngine, Looked, Sink, Verdict};
use leo_project::Project;
use leo_stack::Stacks;
use outcome::Pushed;
use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

/// Build the images that the registry does not have, push them and print their digests
///
/// What was built from the same sources is not built again. With `--promote` nothing is built: the images of an
/// environment's newest release become those of another one's next deploy; where that is in another account or region they
/// are copied.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `orchestrator` or `generator` alone; without it, both
    #[arg(value_name = "IMAGE")]
    image: Option<ImageName>,
    /// The build context of that image instead of the configured one
    #[arg(long, value_name = "FOLDER", requires = "image", conflicts_with = "demo")]
    context: Option<PathBuf>,
    /// Take the images of one environment's newest release for another one's next deploy: `staging:prod`
    #[arg(long, value_name = "FROM:TO", conflicts_with_all = ["image", "context", "environment", "demo", "force", "cache", "allow_in_context"])]
    promote: Option<Route>,
    /// The environment whose settings are used; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// Push to the local target's registry
    #[arg(long)]
    local: bool,
    /// Build the demo images instead of the siblings' (with --local: where a sibling is missing)
    #[arg(long)]
    demo: bool,
    /// Show how each image would be built and whether it has to be (with --promote: what would be promoted and copied), and
    /// change nothing
    #[arg(long)]
    dry_run: bool,
    /// Build even what the registry has
    #[arg(long)]
    force: bool,
    /// A file in a build context that looks like a secret and is none; can be given more than once
    #[arg(long, value_name = "PATH")]
    allow_in_context: Vec<PathBuf>,
    /// Where layers are kept between builds [default: registry, with --local engine]
    #[arg(long, value_enum, value_name = "WHERE")]
    cache: Option<Cache>,
    /// Wait for the registry's scan, and fail where it found something this bad, or where there is none to go by
    #[arg(long, value_name = "critical|high|medium|low", conflicts_with_all = ["local", "promote", "dry_run"])]
    fail_on: Option<FailOn>,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

/// Where layers are kept between builds.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Cache {
    /// In the repository, for every machine and for the next runner of a workflow
    Registry,
    /// In the builder alone
    Engine,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    let outcome = match &args.promote {
        Some(route) => promote(route, &args).await,
        None => push(&args).await,
    };
    match outcome {
        Ok(said) => {
            stdout::line(said);
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(args.json),
    }
}

async fn promote(route: &Route, args: &Args) -> Result<String, Failure> {
    let progress = Progress::detect();
    if args.dry_run {
        let preview = Box::pin(promote::preview(route, args.local, progress.sink())).await;
        progress.finish();
        let preview = preview?;
        return Ok(if args.json { format!("{:#}", preview.json()) } else { preview.text() });
    }
    let promoted = Box::pin(promote::run(route, args.local, progress.sink())).await;
    progress.finish();
    let promoted = promoted?;
    Ok(if args.json { format!("{:#}", promoted.json()) } else { promoted.text() })
}

/// Pushes the images, or says what that would do.
async fn push(args: &Args) -> Result<String, Failure> {
    let mut project = load_project(args.environment.as_deref(), SecretsPolicy::Ignore, args.local)?;
    if let (Some(image), Some(context)) = (args.image, &args.context) {
        let source = match image {
            ImageName::Orchestrator => &mut project.config.images.orchestrator,
            ImageName::Generator => &mut project.config.images.generator,
        };
        source.context = std::path::absolute(context).map_err(|error| {
            let message = format!("find the context {}: {error}", context.display());
            Problem::new(FailureKind::Usage, message)
        })?;
    }
    let choice = choice::sources(&project, choice::demo(args.demo, args.local), args.image.into())?;
    let build = ImageBuild {
        choice,
        selection: args.image.into(),
        engine: LazyEngine::of_this_machine(),
        wishes: Wishes {
            force: args.force,
            allowed: args.allow_in_context.clone(),
            cache: args.cache.map(|cache| match cache {
                Cache::Registry => CacheUse::Registry,
                Cache::Engine => CacheUse::EngineOnly,
            }),
        },
    };
    let early = Arc::new(Mutex::new(Vec::new()));
    let sink: Sink = {
        let early = Arc::clone(&early);
        Arc::new(move |event| early.lock().unwrap_or_else(PoisonError::into_inner).push(event))
    };
    // Reading a context takes as long as finding the registry.
    let (looked, there) =
        tokio::join!(build.look_at_siblings(&project, args.local, &sink), reach(&project, args));
    let (target, stacks, repositories) = there?;
    let look = async |reporter: &Reporter| match looked {
        Some(looked) => {
            let sink = image_events::sink(reporter);
            std::mem::take(&mut *early.lock().unwrap_or_else(PoisonError::into_inner))
                .into_iter()
                .for_each(&*sink);
            looked
        }
        None => build.look(&project, args.local, reporter).await,
    };
    if args.dry_run {
        let planned = in_step(async |reporter| {
            let looked = look(reporter).await?;
            let judged: Vec<(Looked, Option<Verdict>)> = match &repositories {
                Some(there) => {
                    let checked = build.check(&project, &target, there, looked, reporter).await?;
                    let apart = |Checked { plan, source, verdict }| (Looked { plan, source }, Some(verdict));
                    checked.into_iter().map(apart).collect()
                }
                None => looked.into_iter().map(|looked| (looked, None)).collect(),
            };
            let mut images = vec![];
            for (looked, verdict) in judged {
                images.push(Planned::new(looked, verdict).await);
            }
            Ok(Finished::new(DryRun { images }, false))
        })
        .await?;
        return Ok(if args.json { format!("{:#}", planned.json()) } else { planned.text() });
    }
    let repositories = repositories.ok_or_else(|| images::no_repositories(&stacks))?;
    let pushed = in_step(async |reporter| {
        let looked = look(reporter).await?;
        let images = build.run(&project, &target, &repositories, looked, reporter).await?;
        let scans = Scans { config: &project.config, target: &target, repositories: &repositories };
        scans.check(&images, args.fail_on, reporter).await?;
        let pushed = Pushed { images };
        Ok(Finished::new(pushed.clone(), pushed.changed()))
    })
    .await?;
    Ok(if args.json { format!("{:#}", pushed.json()) } else { pushed.text() })
}

/// The target and what is deployed there of the registry, if anything is.
async fn reach(project: &Project, args: &Args) -> Result<(Target, Stacks, Option<Repositories>), Failure> {
    let target = Target::open(project, args.local).await?;
    target.check_account(&project.config).await?;
    let stacks = leo_stack::compose(&project.config).map_err(crate::deploy::not_composed)?;
    let repositories = images::repositories(&target, &stacks).await?;
    Ok((target, stacks, repositories))
}

/// Does the work of the one step that there is, and shows how far it is.
async fn in_step<T>(work: impl AsyncFnOnce(&Reporter) -> Result<Finished<T>, Problem>) -> Result<T, Failure> {
    let progress = Progress::detect();
    let run: Run<Problem> = Run::new(progress.sink(), &[Step::IMAGES]);
    let result = tokio::select! {
        // First: a child that the same Ctrl-C has ended is no failure of its own. What is dropped with the work ends its
        // children and removes its login.
        biased;
        () = interrupt::first() => None,
        result = run.step(Step::IMAGES, async |reporter| work(&reporter).await) => Some(result),
    };
    let result = result.map(|result| run.finish(result));
    progress.finish();
    match result {
        Some(Ok(value)) => Ok(value),
        Some(Err(problems)) => Err(Failure::Problems(
            problems.into_iter().map(|(step, problem)| (Some(step), problem)).collect(),
        )),
        None => Err(Problem::new(FailureKind::Failed, "finish the images: it was interrupted")
            .hint("run the command again: what was sent already is not sent twice")
            .into()),
    }
}
