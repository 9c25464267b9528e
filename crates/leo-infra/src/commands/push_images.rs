use crate::{
    commands::load_project,
    deploy::{
        choice,
        images::{self, Built},
    },
    failure::{Failure, Problem},
    progress::Progress,
    target::Target,
};
use leo_deploy::{Run, Step};
use leo_env::SecretsPolicy;
use leo_image::LazyEngine;
use serde_json::json;
use std::process::ExitCode;

/// Build both images, push them and print their digests
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
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
    match push(&args).await {
        Ok(images) => {
            report(&images, args.json);
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(args.json),
    }
}

async fn push(args: &Args) -> Result<Vec<Built>, Failure> {
    let project = load_project(args.environment.as_deref(), SecretsPolicy::Ignore, args.local)?;
    let choice = choice::sources(&project, choice::demo(args.demo, args.local))?;
    let target = Target::open(&project, args.local).await?;
    target.check_account(&project.config).await?;
    let stacks = leo_stack::compose(&project.config).map_err(crate::deploy::not_composed)?;
    let repositories = images::existing_repositories(&target, &stacks).await?;
    let progress = Progress::detect();
    let run: Run<Problem> = Run::new(progress.sink(), &[Step::IMAGES]);
    let result = run
        .step(Step::IMAGES, async |reporter| {
            let engine = LazyEngine::of_this_machine();
            images::build(&project, &target, choice, engine, &repositories, &reporter).await
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
