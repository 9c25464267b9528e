//! Manifests: a crate is named like its folder, lints as the workspace does, and takes its dependencies from there.

use std::ops::Range;

use anyhow::{Context, Result};
use leo_diagnostic::{Diagnostic, SourceFile};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Files, text};
use crate::repository::Repository;

/// What a package takes from `[workspace.package]`.
const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];

pub(super) fn check(repository: &Repository, files: &Files) -> Result<Vec<Diagnostic>> {
    let mut findings = Vec::new();
    for path in files.ending("/Cargo.toml") {
        let text = text(&repository.path(path))?.with_context(|| format!("{path} is no UTF-8"))?;
        findings.extend(manifest(&SourceFile::new(path, text))?);
    }
    Ok(findings)
}

fn manifest(file: &SourceFile) -> Result<Vec<Diagnostic>> {
    let manifest = DeTable::parse(&file.text).with_context(|| format!("failed to parse {}", file.path))?;
    let manifest = manifest.get_ref();
    // A workspace that stands outside has a manifest without a package.
    let Some(package) = manifest.get("package") else { return Ok(Vec::new()) };
    let finding = |span: Range<usize>, message: String| Diagnostic::error(message).at(file.location(span));
    let mut findings = Vec::new();

    let folder = file.path.rsplit('/').nth(1).unwrap_or_default();
    if let Some(name) = package.get_ref().get("name")
        && name.get_ref().as_str() != Some(folder)
    {
        findings.push(
            finding(name.span(), format!("the package in the folder `{folder}` is named otherwise"))
                .hint(format!("name = \"{folder}\"")),
        );
    }
    for key in INHERITED {
        if !package.get_ref().get(key).is_some_and(inherits) {
            let place = package.get_ref().get(key).unwrap_or(package).span();
            findings.push(
                finding(place, format!("`{key}` is not the workspace's"))
                    .hint(format!("{key}.workspace = true")),
            );
        }
    }
    if !manifest.get("lints").is_some_and(inherits) {
        findings.push(
            finding(package.span(), "the workspace's lints are not on".to_owned())
                .hint("add the table [lints] with `workspace = true`"),
        );
    }
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let dependencies = manifest.get(section).and_then(|table| table.get_ref().as_table());
        for (name, dependency) in dependencies.into_iter().flatten() {
            if !inherits(dependency) && !is_itself(dependency) {
                findings.push(
                    finding(name.span(), format!("`{}` is not the workspace's", name.get_ref())).hint(
                        "its version and features stand in [workspace.dependencies]; here `workspace = true`",
                    ),
                );
            }
        }
    }
    Ok(findings)
}

/// Whether a value is a table with `workspace = true`.
fn inherits(value: &Spanned<DeValue<'_>>) -> bool {
    value
        .get_ref()
        .as_table()
        .and_then(|table| table.get("workspace"))
        .is_some_and(|workspace| workspace.get_ref().as_bool() == Some(true))
}

/// Whether it is the package itself, as tests that need one of its features name it.
fn is_itself(dependency: &Spanned<DeValue<'_>>) -> bool {
    let path = dependency.get_ref().as_table().and_then(|table| table.get("path"));
    path.is_some_and(|path| path.get_ref().as_str() == Some("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIDY: &str = "[package]\nname = \"leo-a\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\
        [lints]\nworkspace = true\n[dependencies]\nserde.workspace = true\nclap = { workspace = true, features = [] }\n";

    fn messages(text: &str) -> Vec<String> {
        let findings = manifest(&SourceFile::new("crates/leo-a/Cargo.toml", text)).unwrap();
        findings
            .into_iter()
            .map(|finding| format!("{}: {}", finding.location.unwrap().line, finding.message))
            .collect()
    }

    #[test]
    fn a_tidy_manifest_has_no_findings() {
        assert_eq!(messages(TIDY), [""; 0]);
        assert_eq!(messages("[workspace]\nmembers = []\n"), [""; 0]);
        assert_eq!(messages(&format!("{TIDY}[dev-dependencies]\nleo-a = {{ path = \".\" }}\n")), [""; 0]);
    }

    #[test]
    fn each_deviation_is_found_at_its_line() {
        assert_eq!(
            messages(&TIDY.replace("leo-a", "leo-b")),
            ["2: the package in the folder `leo-a` is named otherwise"]
        );
        assert_eq!(
            messages(&TIDY.replace("edition.workspace = true", "edition = \"2021\"")),
            ["4: `edition` is not the workspace's"]
        );
        assert_eq!(
            messages(&TIDY.replace("[lints]\nworkspace = true\n", "")),
            ["1: the workspace's lints are not on"]
        );
        assert_eq!(
            messages(&TIDY.replace("serde.workspace = true", "serde = \"1\"")),
            ["11: `serde` is not the workspace's"]
        );
    }
}
