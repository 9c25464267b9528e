//! Documents: a relative link leads somewhere.

use std::path::Path;

use anyhow::{Context, Result};
use leo_diagnostic::{Diagnostic, SourceFile};

use super::{Files, text};
use crate::repository::Repository;

pub(super) fn check(repository: &Repository, files: &Files) -> Result<Vec<Diagnostic>> {
    let mut findings = Vec::new();
    for path in files.ending(".md") {
        let text = text(&repository.path(path))?.with_context(|| format!("{path} is no UTF-8"))?;
        let file = SourceFile::new(path, text);
        for (start, target) in links(&file.text) {
            let problem = broken(repository, path, target);
            findings.extend(problem.map(|problem| problem.at(file.location(start..start + target.len()))));
        }
    }
    Ok(findings)
}

/// What is wrong with a link's target in the document `path`.
fn broken(repository: &Repository, path: &str, target: &str) -> Option<Diagnostic> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let document = repository.path(path);
    let linked =
        if file.is_empty() { document } else { document.parent().unwrap_or(Path::new("")).join(file) };
    if !linked.exists() {
        return Some(
            Diagnostic::error(format!("the link `{target}` leads nowhere"))
                .hint("a path relative to this document"),
        );
    }
    let headings = text(&linked).ok().flatten().map(|text| anchors(&text)).unwrap_or_default();
    (!heading.is_empty() && !headings.iter().any(|anchor| anchor == heading)).then(|| {
        Diagnostic::error(format!("no heading `#{heading}` in the linked document"))
            .found(headings.iter().map(|anchor| format!("#{anchor}")).collect::<Vec<_>>().join(", "))
    })
}

/// The targets of `[text](target)` outside code, each with the byte that it starts at.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (start, line) in prose(text) {
        let mut code = false;
        for (at, character) in line.char_indices() {
            code ^= character == '`';
            let Some(rest) = line.get(at..).filter(|_| !code).and_then(|rest| rest.strip_prefix("](")) else {
                continue;
            };
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            found.push((start + at + 2, target));
        }
    }
    found
}

/// The anchors of a document's headings, as forges make them: lower case, blanks as hyphens, other signs left out.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).into_iter().filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len()).then(|| title.trim())
    });
    headings
        .map(|title| {
            let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        })
        .collect()
}

/// The lines outside fenced blocks, each with the byte that it starts at.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut fenced = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push((start, line.trim_end()));
        }
        start += line.len();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# The `first` heading, here\nSee [a](../a.md#x) and `[not](b.md)` and ![p](p.png \"title\").\n\
        ```console run\n$ cargo xtask synth --out 'a b' # where\n[no](c.md)\nleo-registry\n```\n## Two-words_\n```\ncargo xtask\ncargo xtasks\n```\n";

    #[test]
    fn links_outside_code_are_found() {
        let targets: Vec<&str> = links(DOCUMENT).iter().map(|(_, target)| *target).collect();
        assert_eq!(targets, ["../a.md#x", "p.png"]);
        for (at, target) in links(DOCUMENT) {
            assert!(DOCUMENT[at..].starts_with(target));
        }
    }

    #[test]
    fn headings_become_anchors() {
        assert_eq!(anchors(DOCUMENT), ["the-first-heading-here", "two-words_"]);
    }

    #[test]
    fn a_link_leads_to_a_file_and_a_heading() {
        let repository = Repository::find().unwrap();
        let message = |target| broken(&repository, "xtask/Cargo.toml", target).map(|finding| finding.message);
        assert_eq!(message("src/main.rs"), None);
        assert_eq!(message("../Cargo.toml"), None);
        assert_eq!(message("https://example.com/x"), None);
        assert_eq!(message("src/gone.rs").unwrap(), "the link `src/gone.rs` leads nowhere");
        assert_eq!(message("src/main.rs#gone").unwrap(), "no heading `#gone` in the linked document");
    }
}
