//! The first configuration of a clone: what is missing is asked for, found or given, and written where nobody else reads it.

mod account;
mod fitting;
mod given;
mod guard;
mod plan;
mod question;
mod report;

use crate::{
    commands::work_tree,
    failure::{Failure, Problem},
    interrupt, stdout,
};
use account::SignedIn;
use given::Given;
use leo_aws::FailureKind;
use leo_config::Config;
use leo_diagnostic::{Diagnostic, SourceFile};
use leo_env::{Access, EditError, Env, EnvFile, Schema, SecretsPolicy, Setting, Written, read_file};
use plan::{Found, Plan};
use report::{Outcome, Pin};
use std::{ffi::OsString, fs, path::Path, process::ExitCode};

pub(crate) use guard::refuse_published;

const SHARED: &str = "env/.env";

/// How often somebody else may write the file while it is written.
const TRIES: usize = 20;

/// Ask for what env/.env lacks, find the rest, and write it for its owner alone
///
/// Asks for the secrets that infra/env.toml declares, without showing what is typed; finds the siblings, the region and
/// the account of your credentials. What has a value already stays as it is. Without a terminal, settings come from
/// --set and secrets from --stdin. A value that was never filled in (`changeme`) counts as none.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// Write env/.env.<environment>, whose secrets are then that environment's only ones; a protected one always has it
    #[arg(long)]
    own_file: bool,
    /// Give a setting its value (never a secret: other users of the machine see arguments)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Read lines KEY=value from stdin, settings and secrets
    #[arg(long)]
    stdin: bool,
    /// Without a question, write down the account of your credentials as the only one to deploy to
    #[arg(long, conflicts_with = "offline")]
    pin_account: bool,
    /// Ask nothing, also on a terminal
    #[arg(long)]
    no_questions: bool,
    /// Don't ask AWS whose credentials these are
    #[arg(long)]
    offline: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    let (asks, json) = (asks(&args), args.json);
    let outcome = tokio::select! {
        // Before what a question that was left has to say about it.
        biased;
        () = interrupt::first() => {
            Err(Problem::new(FailureKind::Failed, "ask for everything: it was interrupted; nothing was written").into())
        }
        outcome = Box::pin(init(args)) => outcome,
    };
    match outcome {
        Ok(outcome) => {
            if json {
                stdout::line(format_args!("{:#}", outcome.json()));
            } else {
                stdout::line(outcome.text());
            }
            // Who was asked and gave nothing knows it.
            let problems = if asks { vec![] } else { outcome.unanswered() };
            for problem in &problems {
                eprint!("{}", problem.text());
            }
            if problems.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(FailureKind::Usage.exit_code())
            }
        }
        Err(failure) => failure.report(json),
    }
}

/// Whether somebody is asked.
fn asks(args: &Args) -> bool {
    !args.no_questions && !args.stdin && crate::ask::possible()
}

async fn init(args: Args) -> Result<Outcome, Failure> {
    let root = work_tree()?;
    let asks = asks(&args);
    let schema = Schema::load(&root).map_err(Failure::Configuration)?;
    let mut given = Given::read(&schema, &args.set, args.stdin)?;
    let env = Env::load(&root, args.environment.as_deref(), SecretsPolicy::Read);
    let wrong: Vec<Diagnostic> = env.check(&schema).into_iter().filter(Diagnostic::is_error).collect();
    if !wrong.is_empty() {
        return Err(Failure::Configuration(wrong));
    }
    let environment = environment(&root, &args, &env, &schema, &mut given, asks).await?;
    if asks
        && needs_region(&root, &schema, &environment, &given)
        && let Some(region) = schema.key(Setting::Region.key())
    {
        given.add(region, question::setting(region).await?);
    }
    let config = configuration(&root, &schema, &environment, &given).map_err(Failure::Configuration)?;
    let mut env = Env::load(&root, Some(&environment), SecretsPolicy::Read);
    add_siblings(&root, &schema, &config, &mut env);

    let own = args.own_file || config.environment.protected || env.has_environment_file();
    let path = if own { format!("{SHARED}.{environment}") } else { SHARED.to_owned() };
    if own {
        // The file's name says it.
        given.remove(Setting::Environment.key());
    }
    let found = Found { env: &env, starts_own: own && !env.has_environment_file() };
    let file = EnvFile::read(&root, &path).map_err(Problem::from)?;
    let mut plan = plan::plan(&schema, &file, &found, &mut given)?;
    if asks && plan.missing().next().is_some() {
        // Before anybody types what would then be refused.
        refuse_published(&root, &path)?;
    }

    let account = if args.offline {
        SignedIn::NotAsked
    } else {
        account::signed_in(config.environment.region.as_str(), config.environment.profile.as_deref()).await
    };
    let pin = match (&config.environment.account, account.id()) {
        (None, Some(id)) if args.pin_account || asks && question::yes(about_pin(id, &path, own)).await? => {
            plan.find(Setting::Account.key(), id);
            Pin::Written { own }
        }
        (None, Some(_)) => Pin::None,
        (Some(_), _) | (_, None) => Pin::NotNow,
    };
    if asks {
        question::secrets(&schema, &mut plan).await?;
    }
    let written = write(&root, &path, &schema, &mut plan)?;
    let siblings = report::siblings(&root, &config);
    let now = Env::load(&root, None, SecretsPolicy::Ignore);
    let is_default = now.get(Setting::Environment).is_some_and(|value| value.value == environment);
    Ok(Outcome { environment, is_default, path, written, plan, account, pin, config, siblings })
}

/// What is asked before an account is written down.
fn about_pin(id: &str, path: &str, own: bool) -> String {
    let what = if own { "this environment" } else { "every environment that names no account" };
    format!("Your credentials are for account {id}. Let {what} be deployed there alone (in {path})?")
}

/// Puts the answers into the file as it is by now: they took their time, and somebody else may be writing as well.
fn write(root: &Path, path: &str, schema: &Schema, plan: &mut Plan) -> Result<Option<Written>, Problem> {
    let mut tries = 0..TRIES;
    loop {
        let mut file = EnvFile::read(root, path)?;
        plan.apply(schema, &mut file)?;
        if file.is_changed() {
            refuse_published(root, path)?;
        } else if !file.existed() {
            return Ok(None);
        }
        match file.write(root, Access::Private) {
            Err(EditError::ChangedElsewhere { .. }) if tries.next().is_some() => {}
            written => return Ok(Some(written?)),
        }
    }
}

/// The environment that is meant; one of those that `infra/leo.toml` has. One that was asked for is kept as the one that is
/// meant from now on.
async fn environment(
    root: &Path,
    args: &Args,
    env: &Env,
    schema: &Schema,
    given: &mut Given,
    asks: bool,
) -> Result<String, Failure> {
    let file = toml(root).map_err(Failure::Configuration)?;
    let names: Vec<String> = leo_config::environments(&file).iter().map(ToString::to_string).collect();
    let hint = format!("--environment with one of {}", names.join(", "));
    let set = given.setting(Setting::Environment.key());
    let known =
        args.environment.as_deref().or(set).or(env.get(Setting::Environment).map(|value| &*value.value));
    let (name, asked) = match known {
        Some(name) => (name.to_owned(), None),
        None if asks => (question::environment(&names).await?, schema.key(Setting::Environment.key())),
        None => (String::new(), None),
    };
    if name.is_empty() && args.environment.is_none() {
        let problem = Problem::new(FailureKind::Usage, "find out which environment is meant");
        return Err(problem.hint(hint).into());
    }
    if !names.contains(&name) {
        let message = format!("find environment `{name}` in {}", leo_project::LEO_TOML);
        return Err(Problem::new(FailureKind::Usage, message).hint(hint).into());
    }
    if let Some(spec) = asked {
        given.add(spec, name.as_str());
    }
    Ok(name)
}

fn toml(root: &Path) -> Result<SourceFile, Vec<Diagnostic>> {
    let path = leo_project::LEO_TOML;
    let text = fs::read_to_string(root.join(path))
        .map_err(|error| vec![Diagnostic::error(format!("`{path}` can't be read: {error}"))])?;
    Ok(SourceFile::new(path, text))
}

/// The configuration as it would be with what was given.
fn configuration(
    root: &Path,
    schema: &Schema,
    environment: &str,
    given: &Given,
) -> Result<Config, Vec<Diagnostic>> {
    let file = toml(root)?;
    let of_given = given.settings().map(|(key, value)| (OsString::from(key), OsString::from(value)));
    let env = Env::from_parts(
        |path| read_file(&root.join(path)),
        std::env::vars_os().chain(of_given),
        Some(environment),
        SecretsPolicy::Ignore,
    );
    leo_config::load(&file, schema, &env, None)
}

/// Whether nothing but a region is missing.
fn needs_region(root: &Path, schema: &Schema, environment: &str, given: &Given) -> bool {
    let region = Setting::Region.key();
    let with = given.with(region, "us-east-1");
    given.setting(region).is_none()
        && configuration(root, schema, environment, given).is_err()
        && configuration(root, schema, environment, &with).is_ok()
}

/// The siblings' own files, which the configuration may name as a last source of secrets.
fn add_siblings(root: &Path, schema: &Schema, config: &Config, env: &mut Env) {
    let keys: Vec<&str> = schema.secrets().map(|(key, _)| key.name.as_str()).collect();
    for source in [&config.images.orchestrator, &config.images.generator] {
        if let Some(path) = source.env_file.as_ref().filter(|_| env.takes_siblings()) {
            let text = read_file(&root.join(path));
            // `env-check` tells what is wrong with it; here it is merely no source.
            let _ = env.add_sibling(&path.display().to_string(), text, &keys);
        }
    }
}

#[cfg(test)]
mod tests;
