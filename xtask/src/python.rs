//! The pinned Python tools.

use anyhow::{Result, anyhow};
use leo_local::PythonTools;

use crate::repository::Repository;

/// The pinned Python tools, installed where they are missing.
pub(crate) fn tools(repository: &Repository) -> Result<PythonTools> {
    let requirements = repository.path("ci/requirements.txt");
    PythonTools::ensure(&repository.path("target"), &requirements, |message| eprintln!("{message}")).map_err(
        |error| {
            let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            anyhow!("failed to {:#}{hint}", anyhow::Error::new(error))
        },
    )
}
