//! The secrets: `secrets push`, `secrets status`, `secrets rotate`. The only commands that read and compare values, so
//! that all other roles can be denied it.

mod push;
mod rotate;
mod status;
mod tasks;
mod then;
mod words;

use crate::{
    commands::load_project,
    failure::{Failure, Problem},
    keep,
    operation::{self, Operation},
    target::Target,
    who::Who,
};
use leo_aws::FailureKind;
use leo_config::AccountId;
use leo_diagnostic::Diagnostic;
use leo_env::SecretsPolicy;
use leo_project::Project;
use leo_secrets::{Record, SecretPlan, Values, Wanted};
use std::{path::PathBuf, process::ExitCode};

/// Bring the environment files' secrets to Secrets Manager, compare them, or give one a new value
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Bring what differs to Secrets Manager, after a look at the plan
    Push(push::Args),
    /// Compare each key, and say which running tasks still have older values
    Status(status::Args),
    /// Give one key a new value, read from the terminal without echo or from stdin
    Rotate(rotate::Args),
}

/// Whose secrets are meant.
#[derive(Clone, Debug, clap::Args)]
struct Place {
    /// The environment; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// Those of the local target, which has marked dummies
    #[arg(long)]
    local: bool,
    /// With --local: the values of env/.env instead of marked dummies
    #[arg(long, requires = "local")]
    with_secrets: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    match args.command {
        Command::Push(args) => push::run(args).await,
        Command::Status(args) => status::run(args).await,
        Command::Rotate(args) => rotate::run(args).await,
    }
}

/// The secrets of an environment: here, and where they go.
struct Secrets {
    project: Project,
    target: Target,
    account: AccountId,
    /// The values of the environment files; marked dummies otherwise.
    real: bool,
    local: bool,
}

impl Secrets {
    /// Reaches for where they go.
    async fn reach(project: Project, place: &Place) -> Result<Self, Failure> {
        let target = Target::open_for_secrets(&project, place.local).await?;
        let account = target.check_account(&project.config).await?;
        Ok(Self { project, target, account, real: place.with_values(), local: place.local })
    }

    fn environment(&self) -> &str {
        self.project.config.environment.name.as_str()
    }

    /// `account 123456789012, us-east-1`
    fn place(&self) -> String {
        if self.local {
            return "the local target".to_owned();
        }
        format!("account {}, {}", self.account, self.project.config.environment.region)
    }

    fn wanted(&self) -> Vec<Wanted> {
        let values = if self.real { Values::Environment(&self.project.env) } else { Values::Dummies };
        Wanted::all(&SecretPlan::all(&self.project.config), values)
    }

    /// Where it is kept which versions were last equal to what is here.
    fn record_path(&self) -> PathBuf {
        keep::secrets(&self.project.root, self.environment(), self.local)
    }

    /// What is known of the versions.
    fn known(&self) -> Result<Record, Problem> {
        Ok(Record::load(&self.record_path())?)
    }

    /// Keeps what was seen to be equal.
    fn keep(&self, seen: &Record) -> Result<(), Problem> {
        Ok(seen.add_to(&self.record_path())?)
    }

    /// Does what changes something, as an operation that is kept. `is_done`: whether it did all that it was to do.
    async fn operation<T>(
        &self,
        command: &str,
        is_done: impl FnOnce(&T) -> bool,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let who = Who::here(&self.project.root).await;
        let operation = Operation::begin(&self.project.root, command, self.environment(), self.local, who)?;
        let done = work.await;
        operation.end(match &done {
            Ok(done) if is_done(done) => "done",
            Ok(_) => operation::ended(FailureKind::Failed),
            Err(failure) => operation::ended(failure.kind()),
        });
        done
    }
}

impl Place {
    fn with_values(&self) -> bool {
        !self.local || self.with_secrets
    }

    /// The files, as far as they may be opened.
    fn load(&self) -> Result<Project, Failure> {
        let policy = if self.with_values() { SecretsPolicy::Read } else { SecretsPolicy::Ignore };
        load_project(self.environment.as_deref(), policy, self.local)
    }
}

/// The values of secrets that their keys' declarations don't allow.
fn malformed(project: &Project) -> Vec<Diagnostic> {
    let finding = |(key, _): (&leo_env::schema::KeySpec, _)| {
        let value = project.env.secret(&key.name)?;
        let malformed = key.check(value.secret.expose()).err()?;
        let from = value.origin.location.is_none().then(|| value.origin.to_string());
        let finding = Diagnostic::error(format!("`{}` {malformed}", key.name))
            .at(value.origin.location.clone())
            .hint(match &key.get {
                Some(get) => format!("wanted: {}; get one at {get}", malformed.wanted),
                None => format!("wanted: {}", malformed.wanted),
            });
        Some(match from {
            Some(from) => finding.found(format!("a value from {from}")),
            None => finding,
        })
    };
    project.schema.secrets().filter_map(finding).collect()
}
