use crate::{
    commands::load_project,
    deploy::{
        build, choice,
        images::{self, Built},
    },
    failure::{Failure, Problem},
    progress::Progress,
    promote::{self, Route},
    target::Target,
};
use leo_deploy::{Run, Step};
use leo_env::SecretsPolicy;
use leo_image::{ImageName, LazyEngine};
use serde_json::json;
use std::process::ExitCode;

/// Build the images, push them and print their digests
///
/// With `--promote` nothing is built: the images of an environment's newest release become those of another one's next
/// deploy; where that is in another account or region they are copied.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `orchestrator` or `generator` alone; without it, both
    #[arg(value_name = "IMAGE")]
    image: Option<ImageName>,
    /// Take the images of one environment's newest release for another one's next deploy: `staging:prod`
    #[arg(long, value_name = "FROM:TO", conflicts_with_all = ["image", "environment", "demo"])]
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
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    if let Some(route) = &args.promote {
        return promote(route, &args).await;
    }
    match push(&args).await {
        Ok(images) => {
            report(&images, args.json);
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(args.json),
    }
}

async fn promote(route: &Route, args: &Args) -> ExitCode {
    let progress = Progress::detect();
    let promoted = Box::pin(promote::run(route, args.local, progress.sink())).await;
    progress.finish();
    match promoted {
        Ok(promoted) => {
            if args.json {
                println!("{:#}", promoted.json());
            } else {
                println!("{}", promoted.text());
            }
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(args.json),
    }
}

async fn push(args: &Args) -> Result<Vec<Built>, Failure> {
    let project = load_project(args.environment.as_deref(), SecretsPolicy::Ignore, args.local)?;
    let choice = choice::sources(&project, choice::demo(args.demo, args.local), args.image.into())?;
    let target = Target::open(&project, args.local).await?;
    target.check_account(&project.config).await?;
    let stacks = leo_stack::compose(&project.config).map_err(crate::deploy::not_composed)?;
    let repositories = images::existing_repositories(&target, &stacks).await?;
    let progress = Progress::detect();
    let run: Run<Problem> = Run::new(progress.sink(), &[Step::IMAGES]);
    let result = run
        .step(Step::IMAGES, async |reporter| {
            let engine = LazyEngine::of_this_machine();
            build::build(&project, &target, choice, args.image.into(), engine, &repositories, &reporter).await
        })
        .await;
    let result = run.finish(result);
    progress.finish();
    result.map_err(|problems| {
        Failure::Problems(problems.into_iter().map(|(step, problem)| (Some(step), problem)).collect())
    })
}

fn report(images: &[Built], json: bool) {
    if json {
        let images: Vec<_> = images.iter().map(Built::json).collect();
        println!("{:#}", json!({ "images": images }));
    } else {
        for image in images {
            println!("{} {}", image.name, image.reference);
        }
    }
}
