//! The deploy engine beside `aws cloudformation deploy`: the foundation of the default configuration as a stack, against
//! two emulators that know nothing else, in turns.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use leo_local::{LocalOptions, LocalTarget, PythonTools, adapt_template, down, up};
use serde_json::Value;

use super::measure::{Cost, measured, median};
use crate::{
    commands::local,
    project, python,
    repository::{Repository, output, run as run_to_end},
    stdout,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often each is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    runs: u16,
    /// Build the engine optimized, which compiles the AWS SDK once more
    #[arg(long)]
    release: bool,
}

/// The AWS CLI is pinned here, and installed for this alone.
const REQUIREMENTS: &str = "ci/bench-requirements.txt";
const STACK: &str = "leo-bench";
/// The one property that an update changes: after how many days generated applications expire.
const CHANGED: &str = "/Resources/AppsBucket/Properties/LifecycleConfiguration/Rules/0/ExpirationInDays";
const READY: Duration = Duration::from_mins(1);

/// What is asked of both.
const TASKS: [&str; 3] = ["create", "no change", "one property"];

/// Where everything of a run is.
struct Bench<'a> {
    repository: &'a Repository,
    python: PathBuf,
    engine: PathBuf,
    aws: PathBuf,
    /// Templates and emulators.
    folder: PathBuf,
    account: String,
    region: String,
}

/// Who deploys.
#[derive(Clone, Copy)]
enum Tool {
    Engine,
    Aws,
}

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<()> {
    let bench = prepare(repository, args.release)?;
    let mut costs: [[Vec<Cost>; 3]; 2] = Default::default();
    for run in 1..=args.runs {
        eprintln!("run {run} of {}", args.runs);
        // Each has an emulator of its own, both the same, so that neither meets what the other made.
        for (tool, costs) in [Tool::Engine, Tool::Aws].into_iter().zip(&mut costs) {
            for (cost, all) in bench.round(tool)?.into_iter().zip(costs) {
                all.push(cost);
            }
        }
    }
    let profile = if args.release { "release" } else { "dev" };
    stdout::line(format_args!(
        "leo-deploy ({profile} build) beside {}, medians of {} runs, seconds of wall and of CPU",
        output(&mut bench.aws_version())?,
        args.runs
    ))?;
    table(&costs)
}

fn prepare(repository: &Repository, release: bool) -> Result<Bench<'_>> {
    let Ok(project) = project::load(repository, None, leo_env::SecretsPolicy::Unopened) else {
        bail!("the configuration is not valid")
    };
    let python = python::tools(repository)?.python();
    let aws =
        PythonTools::ensure(&repository.path("target/bench"), &repository.path(REQUIREMENTS), |message| {
            eprintln!("{message}");
        })
        .map_err(|error| anyhow!("failed to {error}"))?
        .bin("aws");
    let mut build = repository.cargo();
    // With the binary, whose features the SDK is compiled with: it is not compiled again for this one.
    build.args([
        "build",
        "-p",
        "leo-infra",
        "--bin",
        "leo-infra",
        "-p",
        "leo-deploy",
        "--example",
        "deploy_template",
    ]);
    run_to_end(build.args(release.then_some("--release")))?;
    let profile = if release { "release" } else { "debug" };
    let folder = repository.path("target/bench/deploy");
    fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let stacks = leo_stack::compose(&project.config).map_err(|errors| {
        anyhow!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })?;
    let mut template = stacks.foundation.template.json().clone();
    adapt_template(&mut template);
    write(&folder, "first.json", &template)?;
    let days = template.pointer_mut(CHANGED).context("the template has no such property any more")?;
    *days = Value::from(days.as_u64().context("it is no number")? + 1);
    write(&folder, "changed.json", &template)?;
    Ok(Bench {
        repository,
        python,
        engine: repository.path("target").join(profile).join("examples/deploy_template"),
        aws,
        folder,
        account: "000000000000".to_owned(),
        region: project.config.environment.region.to_string(),
    })
}

fn write(folder: &Path, name: &str, template: &Value) -> Result<()> {
    let path = folder.join(name);
    // Minified, as the engine is given them: pretty, the CLI would refuse what is too long in the call.
    fs::write(&path, template.to_string()).with_context(|| format!("failed to write {}", path.display()))
}

impl Bench<'_> {
    /// One tool, from nothing: what each task costs.
    fn round(&self, tool: Tool) -> Result<[Cost; 3]> {
        let state_dir = self.folder.join("local");
        let started = self.start(&state_dir);
        let costs = started.and_then(|target| self.tasks(tool, &target));
        // Whatever happened, no emulator stays.
        let stopped = down(&state_dir).map_err(|error| anyhow!("failed to {error}"));
        let costs = costs?;
        stopped?;
        Ok(costs)
    }

    fn start(&self, state_dir: &Path) -> Result<LocalTarget> {
        let executable = env::current_exe().context("failed to find this executable")?;
        let options = LocalOptions {
            state_dir: state_dir.to_owned(),
            python: self.python.clone(),
            account_id: self.account.clone(),
            region: self.region.clone(),
            forwarder_command: vec![executable.into(), local::FORWARD.into()],
            ready_within: READY,
        };
        up(&options).map_err(|error| anyhow!("failed to {error}"))
    }

    fn tasks(&self, tool: Tool, target: &LocalTarget) -> Result<[Cost; 3]> {
        let measure = |template: &str, changes: bool| {
            let command = self.deploy(tool, target, &self.folder.join(template));
            let (cost, printed) = measured(self.repository, &self.python, &command)?;
            let changed = match tool {
                Tool::Engine => printed.trim() == "changed",
                Tool::Aws => !printed.contains("No changes to deploy"),
            };
            if changed != changes {
                bail!("changed: {changed}, wanted: {changes}: {printed}");
            }
            Ok(cost)
        };
        Ok([measure("first.json", true)?, measure("first.json", false)?, measure("changed.json", true)?])
    }

    fn deploy(&self, tool: Tool, target: &LocalTarget, template: &Path) -> Command {
        let mut command = match tool {
            Tool::Engine => {
                let mut command = Command::new(&self.engine);
                command.arg(STACK).arg(template);
                command
            }
            Tool::Aws => {
                let mut command = Command::new(&self.aws);
                command
                    .args(["cloudformation", "deploy", "--stack-name", STACK, "--template-file"])
                    .arg(template)
                    .args(["--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset"]);
                command
            }
        };
        command
            .env("AWS_ENDPOINT_URL", &target.endpoint)
            .env("AWS_REGION", &target.region)
            .env("AWS_DEFAULT_REGION", &target.region)
            .env("AWS_ACCESS_KEY_ID", &target.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", target.secret_access_key.expose())
            .env_remove("AWS_SESSION_TOKEN")
            .env_remove("AWS_PROFILE")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("NO_PROXY", "127.0.0.1");
        command
    }

    fn aws_version(&self) -> Command {
        let mut command = self.repository.command(&self.aws);
        command.arg("--version");
        command
    }
}

fn table(costs: &[[Vec<Cost>; 3]; 2]) -> Result<()> {
    let [engine, aws] = costs;
    stdout::line(format_args!(
        "{:<14} {:>12} {:>12} {:>12} {:>12} {:>12}",
        "", "engine wall", "engine CPU", "aws wall", "aws CPU", "CPU, share"
    ))?;
    for ((task, engine), aws) in TASKS.into_iter().zip(engine).zip(aws) {
        let wall = |costs: &[Cost]| median(costs.iter().map(|cost| cost.wall));
        let cpu = |costs: &[Cost]| median(costs.iter().map(|cost| cost.cpu));
        stdout::line(format_args!(
            "{task:<14} {:>12.3} {:>12.3} {:>12.3} {:>12.3} {:>12.2}",
            wall(engine),
            cpu(engine),
            wall(aws),
            cpu(aws),
            cpu(engine) / cpu(aws)
        ))?;
    }
    Ok(())
}
