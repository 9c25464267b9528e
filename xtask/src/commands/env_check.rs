use std::{
    env,
    io::{self, IsTerminal},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Result;
use leo_diagnostic::Colours;
use leo_env_check::{Request, audit, fix, look};
use serde_json::json;

use crate::{repository::Repository, stdout};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Make files with secrets readable by their owner alone
    #[arg(long)]
    fix: bool,
    /// Open no file that may hold a secret, and show what anyone may see
    #[arg(long)]
    public: bool,
}

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<ExitCode> {
    let request = Request {
        root: repository.root(),
        environment: args.environment.as_deref(),
        public: args.public,
        process: env::vars_os().collect(),
        home: env::var_os("HOME").map(PathBuf::from),
    };
    let mut report = audit(&look(&request));
    let mut fixed = Vec::new();
    if args.fix {
        let mut refused = Vec::new();
        for (path, done) in fix(repository.root(), &report) {
            match done {
                Ok(()) => fixed.push(path),
                Err(error) => refused.push((path, error)),
            }
        }
        if !fixed.is_empty() {
            report = audit(&look(&request));
        }
        for (path, error) in &refused {
            report.not_fixed(path, error);
        }
    }
    if args.json {
        let mut document = report.to_json();
        if let Some(document) = document.as_object_mut() {
            document.insert("fixed".to_owned(), json!(fixed));
        }
        stdout::line(format_args!("{document:#}"))?;
    } else {
        for path in &fixed {
            stdout::line(format_args!("fixed: {path} is its owner's alone"))?;
        }
        let coloured = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
        let colours = if coloured { Colours::Ansi } else { Colours::Plain };
        stdout::line(report.to_text(colours).trim_end())?;
    }
    Ok(if report.errors() > 0 { ExitCode::from(2) } else { ExitCode::SUCCESS })
}
