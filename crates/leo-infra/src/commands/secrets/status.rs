use super::{
    Place, Secrets,
    tasks::{self, Task},
    words::when,
};
use crate::{
    commands::DIFFERENCES,
    failure::{Failure, Problem},
    stdout,
};
use leo_release::rfc3339;
use leo_secrets::{Holds, KeyState, KeyStatus, SecretState, SecretStatus, Status, status};
use serde_json::{Value as Json, json};
use std::process::ExitCode;

/// Compare each key of the secrets with the environment files
///
/// Says of each key whether it is the same, when its secret was changed last, and which running tasks still have older
/// values. No value is shown, and none of those that may not be read is an error.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// End with exit code 3 where something differs
    #[arg(long)]
    exit_code: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    match Box::pin(look(&args)).await {
        Ok(told) => {
            if args.json {
                stdout::line(format_args!("{:#}", told.json()));
            } else {
                stdout::line(told.text());
            }
            let differs = args.exit_code && !told.is_in_sync();
            if differs { ExitCode::from(DIFFERENCES) } else { ExitCode::SUCCESS }
        }
        Err(failure) => failure.report(args.json),
    }
}

/// What was found.
struct Told {
    environment: String,
    secrets: Vec<SecretStatus>,
    /// The tasks that run, or why they are not known.
    tasks: Result<Vec<Task>, String>,
}

async fn look(args: &Args) -> Result<Told, Failure> {
    let secrets = Secrets::reach(args.place.load()?, &args.place).await?;
    let known = secrets.known()?;
    let cluster = secrets.project.config.environment.name.cluster();
    let (found, tasks) = tokio::join!(
        status(&secrets.target.secrets, secrets.wanted(), known),
        tasks::running(&secrets.target.ecs, &cluster),
    );
    let Status { secrets: found, seen } = found.map_err(Problem::from)?;
    secrets.keep(&seen)?;
    let tasks = match tasks {
        Ok(tasks) => Ok(tasks),
        // A role that reads secrets need not see tasks.
        Err(error) if error.code.is_some() => Err(error.to_string()),
        Err(error) => return Err(Problem::from(error).into()),
    };
    let environment = secrets.environment().to_owned();
    Ok(Told { environment, secrets: found, tasks })
}

impl Told {
    fn is_in_sync(&self) -> bool {
        self.secrets.iter().all(SecretStatus::is_in_sync)
    }

    /// The tasks that have another value of a secret than its current one, or may have.
    fn outdated<'a>(&'a self, secret: &'a SecretStatus) -> impl Iterator<Item = (&'a Task, Holds)> {
        let tasks = self.tasks.as_deref().unwrap_or_default().iter();
        let using = tasks.filter(|task| task.uses(&secret.name));
        using.map(|task| (task, secret.holds(task.created))).filter(|(_, holds)| *holds != Holds::Current)
    }

    fn text(&self) -> String {
        let mut lines = vec![];
        let width = self.secrets.iter().flat_map(|secret| &secret.keys).map(|key| name(key).len()).max();
        let width = width.unwrap_or_default();
        let mut any = false;
        for secret in &self.secrets {
            lines.push(head(secret));
            lines.extend(
                secret.keys.iter().map(|key| format!("  {:<width$}  {}", name(key), words(key.state))),
            );
            for (task, holds) in self.outdated(secret) {
                any = true;
                let what =
                    if holds == Holds::Older { "has an older value" } else { "may have an older value" };
                lines.push(format!(
                    "  task {} of {}, since {}: {what}",
                    task.id,
                    task.family,
                    when(task.created)
                ));
            }
        }
        match &self.tasks {
            Ok(_) if any => {
                lines.push("`cargo xtask deploy` starts the orchestrator's tasks anew".to_owned());
            }
            Ok(_) => {}
            Err(reason) => lines.push(format!("which values running tasks have is not known: {reason}")),
        }
        if lines.is_empty() {
            lines.push(format!("{}: it has no secrets", self.environment));
        }
        lines.join("\n")
    }

    fn json(&self) -> Json {
        let secrets = self.secrets.iter().map(|secret| {
            let keys = secret
                .keys
                .iter()
                .map(|key| json!({"key": key.variable, "json_key": key.json_key.shown(), "state": word(key.state)}));
            let tasks = self.outdated(secret).map(|(task, holds)| {
                json!({
                    "task": task.id,
                    "family": task.family,
                    "created": rfc3339(task.created),
                    "holds": if holds == Holds::Older { "older" } else { "perhaps-older" },
                })
            });
            json!({
                "name": secret.name,
                "state": state(secret.state),
                "in_sync": secret.is_in_sync(),
                "version": secret.version,
                "created": secret.created.map(rfc3339),
                "last_changed": secret.last_changed.map(rfc3339),
                "keys": keys.collect::<Vec<_>>(),
                "outdated_tasks": tasks.collect::<Vec<_>>(),
            })
        });
        json!({
            "environment": self.environment,
            "in_sync": self.is_in_sync(),
            "secrets": secrets.collect::<Vec<_>>(),
            "tasks_unknown": self.tasks.as_ref().err(),
        })
    }
}

fn head(secret: &SecretStatus) -> String {
    let name = &secret.name;
    match secret.state {
        SecretState::Absent => format!("{name}: does not exist; a deploy creates it"),
        SecretState::ScheduledForDeletion => {
            format!("{name}: scheduled for deletion; `cargo xtask secrets push` restores it")
        }
        SecretState::Empty => format!("{name}: has no value"),
        SecretState::NotAnObject => format!("{name}: its value is no JSON object{}", changed(secret)),
        SecretState::Unread => format!("{name}: may not be read{}", changed(secret)),
        SecretState::Valued => format!("{name}{}", changed(secret)),
    }
}

fn changed(secret: &SecretStatus) -> String {
    match secret.created.or(secret.last_changed) {
        Some(time) => format!(", changed {}", when(time)),
        None => String::new(),
    }
}

fn name(key: &KeyStatus) -> &str {
    key.variable.as_deref().unwrap_or(key.json_key.shown())
}

fn words(state: KeyState) -> &'static str {
    match state {
        KeyState::InSync => "in sync",
        KeyState::Differs => "differs: changed here",
        KeyState::ChangedElsewhere => "differs: changed elsewhere",
        KeyState::Unseen => "differs: here or elsewhere, this machine can't tell",
        KeyState::MissingHere => "missing here",
        KeyState::MissingThere => "missing there",
        KeyState::Missing => "missing in both places: its tasks can't start",
        KeyState::Undeclared => "not declared in infra/env.toml",
        KeyState::Unread => "not compared: may not be read",
    }
}

fn word(state: KeyState) -> &'static str {
    match state {
        KeyState::InSync => "in-sync",
        KeyState::Differs => "differs",
        KeyState::ChangedElsewhere => "changed-elsewhere",
        KeyState::Unseen => "unseen",
        KeyState::MissingHere => "missing-here",
        KeyState::MissingThere => "missing-there",
        KeyState::Missing => "missing",
        KeyState::Undeclared => "undeclared",
        KeyState::Unread => "unread",
    }
}

fn state(state: SecretState) -> &'static str {
    match state {
        SecretState::Absent => "absent",
        SecretState::ScheduledForDeletion => "scheduled-for-deletion",
        SecretState::Empty => "empty",
        SecretState::NotAnObject => "not-an-object",
        SecretState::Unread => "unread",
        SecretState::Valued => "valued",
    }
}
