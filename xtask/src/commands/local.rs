use std::{env, process::ExitCode};

use anyhow::{Context, Result, anyhow};
use leo_config::AccountId;
use leo_env::SecretsPolicy;
use leo_local::{Engine, LocalError, LocalOptions, STATE_DIR, Status, forward as forwarder};
use leo_project::Project;

use crate::{project, python, repository::Repository, stdout};

/// The hidden command that the local target starts this executable with.
pub(crate) const FORWARD: &str = "local-forward";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Start it, where it does not run
    Up {
        /// The environment whose account and region it has; without it, LEO_ENVIRONMENT decides
        #[arg(long, short, value_name = "NAME")]
        environment: Option<String>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Stop it, its containers and all that is in it
    Down {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show whether it runs, and its containers
    Status {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<ExitCode> {
    let state_dir = repository.path(STATE_DIR);
    match &args.command {
        Command::Up { environment, json } => {
            let project = match project::load(repository, environment.as_deref(), SecretsPolicy::Unopened) {
                Ok(project) => project,
                Err(code) => return Ok(code),
            };
            leo_local::up(&options(repository, &project)?).map_err(explained)?;
            print(&leo_local::status(&state_dir).map_err(explained)?, *json)?;
        }
        Command::Down { json } => {
            let was_there = leo_local::down(&state_dir).map_err(explained)?;
            match (json, was_there) {
                (true, _) => stdout::line(serde_json::json!({"stopped": was_there}))?,
                (false, true) => stdout::line("stopped")?,
                (false, false) => stdout::line("it was not running")?,
            }
        }
        Command::Status { json } => print(&leo_local::status(&state_dir).map_err(explained)?, *json)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn options(repository: &Repository, project: &Project) -> Result<LocalOptions> {
    let environment = &project.config.environment;
    let executable = env::current_exe().context("failed to find this executable")?;
    Ok(LocalOptions::of_work_tree(
        repository.root(),
        python::tools(repository)?.python(),
        environment.account.as_ref().map(AccountId::as_str),
        environment.region.as_str(),
        vec![executable.into(), FORWARD.into()],
    ))
}

fn print(status: &Status, json: bool) -> Result<()> {
    if json {
        let document = serde_json::to_string_pretty(status).context("failed to write JSON")?;
        return stdout::line(document);
    }
    stdout::line(text(status))
}

fn text(status: &Status) -> String {
    let Some(endpoint) = status.endpoint.as_ref().filter(|_| status.running) else {
        return "it is not running".to_owned();
    };
    let mut lines = vec![format!("endpoint    {endpoint}")];
    let parts = [("account", &status.account_id), ("region", &status.region)];
    lines.extend(
        parts.into_iter().filter_map(|(name, value)| Some(format!("{name:<11} {}", value.as_ref()?))),
    );
    match &status.engine {
        Some(Engine::Docker(engine)) => lines.push(format!("engine      Docker {}", engine.version)),
        Some(Engine::None { reason }) => {
            lines.push(format!("engine      none, so no container runs: {reason}"));
        }
        None => {}
    }
    if status.forwarding == Some(false) {
        lines.push(
            "forwarding  no: containers can't reach it; `cargo xtask local up` starts it again".to_owned(),
        );
    }
    for container in &status.containers {
        lines.push(format!("container   {} ({})", container.name, container.status));
    }
    lines.extend(status.log_file.as_ref().map(|log| format!("log         {}", log.display())));
    lines.join("\n")
}

fn explained(error: LocalError) -> anyhow::Error {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    anyhow!("failed to {:#}{hint}", anyhow::Error::new(error))
}

/// The arguments of the hidden command.
#[derive(Debug, clap::Args)]
pub(crate) struct ForwardArgs {
    #[arg(trailing_var_arg = true)]
    args: Vec<String>,
}

/// Carries the containers' requests to the local target until that ends.
pub(crate) fn forward(args: &ForwardArgs) -> Result<ExitCode> {
    forwarder::run_with_args(&args.args).context("failed to forward to the local target")?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use leo_local::Container;

    use super::*;

    fn running() -> Status {
        Status {
            running: true,
            endpoint: Some("http://127.0.0.1:4566".into()),
            account_id: Some("000000000000".into()),
            region: Some("us-east-1".into()),
            engine: Some(Engine::None { reason: "there is no `docker` command".into() }),
            forwarding: None,
            containers: vec![],
            log_file: Some(".leo/local/log".into()),
        }
    }

    #[test]
    fn without_an_engine_it_says_that_no_container_runs() {
        insta::assert_snapshot!(text(&running()), @r"
        endpoint    http://127.0.0.1:4566
        account     000000000000
        region      us-east-1
        engine      none, so no container runs: there is no `docker` command
        log         .leo/local/log
        ");
    }

    #[test]
    fn what_keeps_containers_from_it_is_said() {
        let container = Container { id: "1".into(), name: "leo-1".into(), status: "Up 2 minutes".into() };
        let status =
            Status { engine: None, forwarding: Some(false), containers: vec![container], ..running() };
        insta::assert_snapshot!(text(&status), @r"
        endpoint    http://127.0.0.1:4566
        account     000000000000
        region      us-east-1
        forwarding  no: containers can't reach it; `cargo xtask local up` starts it again
        container   leo-1 (Up 2 minutes)
        log         .leo/local/log
        ");
    }

    #[test]
    fn one_that_has_ended_is_not_running() {
        assert_eq!(text(&Status { running: false, ..running() }), "it is not running");
    }
}
