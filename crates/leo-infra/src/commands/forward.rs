use crate::failure::{Code, Failure, Problem};
use leo_local::{LocalOptions, LocalTarget, PythonTools, forward};
use leo_project::Project;
use std::{process::ExitCode, time::Duration};

/// The hidden subcommand that the local target starts this executable with.
pub(crate) const COMMAND: &str = "local-forward";

/// The account of the local target where the configuration names none.
const NO_ACCOUNT: &str = "000000000000";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(trailing_var_arg = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match forward::run_with_args(&args.args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: failed to forward to the local target: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The local target of this work tree, started where it does not run.
pub(crate) async fn start(project: &Project) -> Result<LocalTarget, Failure> {
    let root = project.root.clone();
    let environment = &project.config.environment;
    let account_id = environment.account.as_ref().map_or_else(|| NO_ACCOUNT.to_owned(), ToString::to_string);
    let region = environment.region.to_string();
    let started = tokio::task::spawn_blocking(move || {
        let tools = PythonTools::ensure(&root.join("target"), &root.join("ci/requirements.txt"), |message| {
            eprintln!("{message}");
        })
        .map_err(|error| {
            let hint = error.hint();
            Problem { hint, ..Problem::new(Code::Failed, error.to_string()) }
        })?;
        let executable = std::env::current_exe()
            .map_err(|error| Problem::new(Code::Failed, format!("find this executable: {error}")))?;
        let options = LocalOptions {
            state_dir: root.join(".leo/local"),
            python: tools.python(),
            account_id,
            region,
            forwarder_command: vec![executable.into(), COMMAND.into()],
            ready_within: Duration::from_secs(60),
        };
        leo_local::up(&options).map_err(Problem::from)
    })
    .await
    .map_err(|error| Problem::new(Code::Failed, format!("start the local target: {error}")))??;
    Ok(started)
}
