//! What the deployed stacks put out, written where people, scripts and assistants find it.

mod keys;
mod report;

use crate::{
    commands::{DIFFERENCES, load_project},
    failure::{Failure, Problem},
    target::Target,
};
use keys::Owned;
use leo_aws::FailureKind;
use leo_deploy::Stack;
use leo_env::{Access, Edit, EditError, EnvFile, Place, SecretsPolicy};
use leo_project::Project;
use report::{Action, Change, Outcome, StackState};
use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
    process::ExitCode,
};

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
    /// Write this file of the work tree instead
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
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
                println!("{:#}", outcome.json());
            } else {
                println!("{}", outcome.text());
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
    let path = file(&project, args)?;
    let stacks = leo_stack::compose(&project.config).map_err(crate::deploy::not_composed)?;
    let target = Target::open(&project, args.local).await?;
    target.check_account(&project.config).await?;
    let engine = leo_deploy::Stacks::new(target.cloudformation.clone());
    let (registry, foundation, platform) = tokio::try_join!(
        engine.describe(stacks.registry.name.as_str()),
        engine.describe(stacks.foundation.name.as_str()),
        engine.describe(stacks.platform.name.as_str()),
    )
    .map_err(Problem::from)?;
    let names = stacks.all().map(|stack| stack.name.to_string());
    let found: Vec<(String, Option<Stack>)> = names.zip([registry, foundation, platform]).collect();

    let environment = project.config.environment.name.to_string();
    let owned = Owned::new(&environment, &project.environments());
    let (wanted, left_out) = keys::wanted(&owned, found.iter().filter_map(|(_, stack)| stack.as_ref()));
    let mut file = EnvFile::read(&project.root, &path).map_err(Problem::from)?;
    if found.iter().all(|(_, stack)| stack.is_none()) && !file.keys().iter().any(|key| owned.has(key)) {
        let message = format!("find a stack of environment `{environment}`: nothing is deployed there");
        return Err(Problem::new(FailureKind::Failed, message).hint("cargo xtask deploy").into());
    }
    let changes = apply(&mut file, &owned, &environment, &wanted)?;
    if !args.check {
        let access = if path == LOCAL { Access::Private } else { Access::Kept };
        file.write(&project.root, access).map_err(Problem::from)?;
    }
    let stacks = found
        .into_iter()
        .map(|(name, stack)| StackState { name, status: stack.map(|stack| stack.status) })
        .collect();
    Ok(Outcome { environment, file, written: !args.check, wanted, changes, left_out, stacks })
}

/// The file that is written, relative to the work tree's root.
fn file(project: &Project, args: &Args) -> Result<String, Problem> {
    let Some(given) = &args.file else {
        return Ok(if args.local { LOCAL } else { COMMITTED }.to_owned());
    };
    let refused = |why: &str, hint: &str| {
        Err(Problem::new(FailureKind::Usage, format!("write {}: {why}", given.display())).hint(hint))
    };
    let here = std::env::current_dir()
        .map_err(|error| Problem::new(FailureKind::Usage, format!("find the current folder: {error}")))?;
    let inside = plain(&here.join(given)).and_then(|path| {
        let root = project.root.canonicalize().unwrap_or_else(|_| project.root.clone());
        path.strip_prefix(&root).or_else(|_| path.strip_prefix(&project.root)).map(Path::to_owned).ok()
    });
    let Some(inside) = inside.as_deref().and_then(Path::to_str) else {
        return refused("it is outside of the work tree", "name a file inside of it");
    };
    // What is for secrets may be readable by fewer than those who need outputs, and is not to be opened for less.
    if inside.starts_with("env/.env") && inside != COMMITTED {
        return refused("that file is for secrets", "without --file it is env/.env.defaults");
    }
    Ok(inside.to_owned())
}

/// A path without `.` and `..`; `None` where it leads out of everything.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop().then_some(())?;
            }
            part => plain.push(part),
        }
    }
    Some(plain)
}

/// Makes the keys of an environment what they should be; what that changes, in the order of the keys.
///
/// # Errors
/// Every key that can't be written; the file is then not to be written either.
fn apply(
    file: &mut EnvFile,
    owned: &Owned,
    environment: &str,
    wanted: &BTreeMap<String, String>,
) -> Result<Vec<Change>, Failure> {
    let head =
        format!("Outputs of `{environment}`: `cargo xtask env-sync` writes them, and no command reads them.");
    let line = format!("# {head}");
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
                None => (Place::End, &[head.as_str()]),
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
