use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{self, ExitCode},
};

use anyhow::{Context, Result};
use leo_diagnostic::Diagnostic;
use leo_env::SecretsPolicy;
use leo_project::Project;
use leo_stack::StackTemplate;
use serde_json::json;

use crate::{project, repository::Repository, stdout};

const DEFAULT_OUT: &str = "target/templates";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder to write to [default: target/templates in the repository]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The environment; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// Open no file that may hold a secret: what they override does not count
    #[arg(long)]
    public: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<ExitCode> {
    let policy = if args.public { SecretsPolicy::Unopened } else { SecretsPolicy::Ignore };
    let project = match project::load(repository, args.environment.as_deref(), policy) {
        Ok(project) => project,
        Err(code) => return Ok(code),
    };
    if args.public {
        note_unopened(repository, &project);
    }
    let stacks = match leo_stack::compose(&project.config) {
        Ok(stacks) => stacks,
        Err(errors) => {
            let findings = errors.iter().map(|error| Diagnostic::error(format!("failed to {error}")));
            return Ok(project::refuse(&findings.collect::<Vec<_>>()));
        }
    };
    let out = args.out.clone().unwrap_or_else(|| repository.path(DEFAULT_OUT));
    fs::create_dir_all(&out).with_context(|| format!("failed to make the folder {}", out.display()))?;
    let written: Vec<Written> = stacks.all().map(|stack| write(stack, &out)).collect::<Result<_>>()?;
    if args.json {
        let environment = project.config.environment.name.as_str();
        let templates: Vec<_> = written.iter().map(Written::to_json).collect();
        stdout::line(format_args!(
            "{:#}",
            json!({
                "environment": environment,
                "public": args.public,
                "templates": templates,
            })
        ))?;
    } else {
        for template in &written {
            stdout::line(template.path.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says which files may make a deploy another one than these templates are.
fn note_unopened(repository: &Repository, project: &Project) {
    let own = format!("env/.env.{}", project.config.environment.name);
    let there: Vec<_> = ["env/.env", &own]
        .into_iter()
        .filter(|file| repository.path(file).symlink_metadata().is_ok())
        .collect();
    if !there.is_empty() {
        eprintln!(
            "note: not opened: {}; settings that it overrides are not in these templates",
            there.join(", ")
        );
    }
}

/// A template's file.
struct Written {
    stack: String,
    path: PathBuf,
    changed: bool,
}

impl Written {
    fn to_json(&self) -> serde_json::Value {
        json!({"stack": self.stack, "path": self.path, "changed": self.changed})
    }
}

/// Writes a template as a whole or not at all; a file that already holds it is left alone, and so is its time.
fn write(stack: &StackTemplate, out: &Path) -> Result<Written> {
    let path = out.join(format!("{}.template.json", stack.name));
    let text = stack.template.to_pretty_json();
    let changed = fs::read(&path).map_or(true, |current| current != text.as_bytes());
    if changed {
        replace(&path, out, &text).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(Written { stack: stack.name.to_string(), path, changed })
}

fn replace(path: &Path, folder: &Path, text: &str) -> io::Result<()> {
    let unfinished = folder.join(format!(".{}.unfinished", process::id()));
    let replaced = fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, path));
    if replaced.is_err() {
        // The first error is the one to report; the file may not even be there.
        drop(fs::remove_file(&unfinished));
    }
    replaced
}
