use std::{fs, process::ExitCode};

use anyhow::{Context, Result, bail};
use leo_env::Schema;
use serde_json::json;

use crate::{project, repository::Repository, stdout};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write nothing; exit 3 where a file is stale
    #[arg(long)]
    check: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(repository: &Repository, args: &Args) -> Result<ExitCode> {
    let schema = match Schema::load(repository.root()) {
        Ok(schema) => schema,
        Err(findings) => return Ok(project::refuse(&findings)),
    };
    let mut files = Vec::new();
    for (path, text) in texts(repository, &schema)? {
        let stale = fs::read(repository.path(path)).map_or(true, |current| current != text.as_bytes());
        if stale && !args.check {
            leo_env::replace_file(&repository.path(path), &text)
                .with_context(|| format!("failed to write {path}"))?;
        }
        files.push((path, stale));
    }
    if args.json {
        let files: Vec<_> = files.iter().map(|(path, stale)| json!({"path": path, "stale": stale})).collect();
        stdout::line(format_args!("{:#}", json!({"files": files, "written": !args.check})))?;
    } else {
        for (path, stale) in &files {
            let state = match (stale, args.check) {
                (false, _) => "unchanged",
                (true, false) => "written",
                (true, true) => "stale: `cargo xtask env-generate` writes it",
            };
            stdout::line(format_args!("{path}  {state}"))?;
        }
    }
    let differs = args.check && files.iter().any(|(_, stale)| *stale);
    Ok(if differs { ExitCode::from(3) } else { ExitCode::SUCCESS })
}

/// What the schema makes of each file.
fn texts(repository: &Repository, schema: &Schema) -> Result<[(&'static str, String); 2]> {
    let page = fs::read_to_string(repository.path(Schema::PAGE))
        .with_context(|| format!("failed to read {}", Schema::PAGE))?;
    let Some(page) = schema.page(&page) else {
        bail!(
            "failed to find the tables in {}: each is between a line `<!-- …: made from infra/env.toml … -->` and a line \
             `<!-- end of … -->`",
            Schema::PAGE
        );
    };
    Ok([(Schema::EXAMPLE, schema.example()), (Schema::PAGE, page)])
}
