//! What the deployed stacks put out, written where people, scripts and assistants find it.

mod keys;
mod report;

use crate::{
    commands::{DIFFERENCES, load_project},
    failure::{Failure, Problem},
    stdout,
    target::Target,
};
use keys::Owned;
use leo_aws::FailureKind;
use leo_deploy::{DeployError, Stack};
use leo_env::{Access, Edit, EditError, EnvFile, Place, SecretsPolicy};
use report::{Action, Change, Outcome, StackState};
use std::{collections::BTreeMap, path::Path, process::ExitCode};

/// Where the outputs on AWS go: committed, so that everybody has them.
const COMMITTED: &str = "env/.env.defaults";
/// Where those of the local target go. They hold on this machine and until the target is gone, so never by themselves into
/// a file that is committed.
const LOCAL: &str = ".leo/local/outputs.env";

/// Write the deployed stacks' outputs into env/.env.defaults
///
/// One key an output, like LEO_OUT_DEV_CLUSTER_NAME: cluster, bucket, ARNs, URL of one environment. No command reads
/// them back, so nothing changes what is deployed. Comments, order, quoting and all other lines stay byte for byte.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// The local target's outputs, into .leo/local/outputs.env: they are this machine's alone
    #[arg(long)]
    local: bool,
    /// Write nothing; exit code 3 where something would change
    #[arg(long, visible_alias = "dry-run")]
    check: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    match Box::pin(sync(&args)).await {
        Ok(outcome) => {
            outcome.note();
            if args.json {
                stdout::line(format_args!("{:#}", outcome.json()));
            } else {
                stdout::line(outcome.text());
            }
            if args.check && !outcome.changes.is_empty() {
                ExitCode::from(DIFFERENCES)
            } else {
                ExitCode::SUCCESS
            }
        }
        Err(failure) => failure.report(args.json),
    }
}

async fn sync(args: &Args) -> Result<Outcome, Failure> {
    let project = load_project(args.environment.as_deref(), SecretsPolicy::Ignore, args.local)?;
    let path = if args.local { LOCAL } else { COMMITTED };
    refuse_link(&project.root, path)?;
    let stacks = leo_stack::compose(&project.config).map_err(crate::deploy::not_composed)?;
    let target = Target::open(&project, args.local).await?;
    target.check_account(&project.config).await?;
    let engine = leo_deploy::Stacks::new(target.cloudformation.clone());
    let (registry, foundation, platform) = tokio::try_join!(
        engine.describe(stacks.registry.name.as_str()),
        engine.describe(stacks.foundation.name.as_str()),
        engine.describe(stacks.platform.name.as_str()),
    )
    .map_err(|error| unread(&error))?;
    let names = stacks.all().map(|stack| stack.name.to_string());
    let found: Vec<(String, Option<Stack>)> = names.zip([registry, foundation, platform]).collect();

    let environment = project.config.environment.name.to_string();
    let owned = Owned::new(&environment, &project.environments());
    let (wanted, left_out) = keys::wanted(&owned, found.iter().filter_map(|(_, stack)| stack.as_ref()));
    let mut file = EnvFile::read(&project.root, path).map_err(Problem::from)?;
    if found.iter().all(|(_, stack)| stack.is_none()) && !file.keys().iter().any(|key| owned.has(key)) {
        let message = format!("find a stack of environment `{environment}`: nothing is deployed there");
        return Err(Problem::new(FailureKind::Failed, message).hint("cargo xtask deploy").into());
    }
    let changes = apply(&mut file, &owned, &wanted)?;
    if !args.check {
        let access = if path == LOCAL { Access::Private } else { Access::Kept };
        file.write(&project.root, access).map_err(Problem::from)?;
    }
    let stacks = found
        .into_iter()
        .map(|(name, stack)| StackState { name, status: stack.map(|stack| stack.status) })
        .collect();
    Ok(Outcome { environment, owned, file, written: !args.check, wanted, changes, left_out, stacks })
}

/// Refuses a link in the file's place: what it leads to may be for secrets, is to be opened for less, and is no file that
/// everybody gets.
fn refuse_link(root: &Path, path: &str) -> Result<(), Problem> {
    if !root.join(path).is_symlink() {
        return Ok(());
    }
    let message = format!("write {path}: it is a link to another file; nothing was written");
    Err(Problem::new(FailureKind::Usage, message).hint(format!("let it be a file of its own: {path}")))
}

fn unread(error: &DeployError) -> Problem {
    let message = match error {
        DeployError::Service { stack, source } => format!("read the outputs of {stack}: {source}"),
        other => format!("read the outputs of the stacks: {other}"),
    };
    Problem { hint: error.hint(), ..Problem::new(error.kind(), message) }
}

/// Makes the keys of an environment what they should be; what that changes, in the order of the keys.
///
/// # Errors
/// Every key that can't be written; the file is then not to be written either.
fn apply(
    file: &mut EnvFile,
    owned: &Owned,
    wanted: &BTreeMap<String, String>,
) -> Result<Vec<Change>, Failure> {
    let line = owned.head();
    let head = line.trim_start_matches("# ");
    let mut changes = vec![];
    let mut problems = vec![];
    for key in file.keys().into_iter().filter(|key| owned.has(key) && !wanted.contains_key(key)) {
        let before = file.value(&key).map(|value| (*value).clone());
        if file.remove(&key) {
            changes.push(Change { key, action: Action::Removed, before, after: None });
        }
    }
    let mut last: Option<&str> = None;
    for (key, value) in wanted {
        let before = file.value(key).map(|value| (*value).clone());
        let has_head = file.text().lines().any(|other| other.trim_end() == line);
        let (place, comment): (_, &[&str]) = match last {
            Some(last) => (Place::AfterKey(last), &[]),
            None if has_head => (Place::AfterLine(&line), &[]),
            None => match file.keys().into_iter().find(|key| owned.has(key)) {
                // The head was taken away, so it isn't wanted.
                Some(_) => (Place::End, &[]),
                None => (Place::End, &[head]),
            },
        };
        let edit = file.set_public(key, value, place, comment);
        let change = |action| Change { key: key.clone(), action, before, after: Some(value.clone()) };
        match edit {
            Ok(Edit::Unchanged) => {}
            Ok(Edit::Added) => changes.push(change(Action::Added)),
            Ok(Edit::Changed) => changes.push(change(Action::Changed)),
            Err(error) => problems.push((None, Problem::from(error))),
        }
        last = Some(key);
    }
    if !problems.is_empty() {
        return Err(Failure::Problems(problems));
    }
    changes.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(changes)
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        // A file that can't be read, or has to be put right first, is the environment's fault; nothing was sent.
        let kind = match error {
            EditError::Write { .. } | EditError::ChangedElsewhere { .. } | EditError::LooksSecret { .. } => {
                FailureKind::Failed
            }
            _ => FailureKind::Usage,
        };
        Self { hint: error.hint(), ..Self::new(kind, error.to_string()) }
    }
}

#[cfg(test)]
mod tests;
