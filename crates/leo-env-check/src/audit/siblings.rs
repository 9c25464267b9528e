//! The sibling repositories: there, on the right branch, and without a secret that a build would see.

use leo_diagnostic::Diagnostic;

use super::about_file;
use crate::{Finding, Kind, Sibling, facts::Facts, git::Head, sibling::SiblingFacts};

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    facts.siblings.iter().flat_map(of_sibling).collect()
}

fn of_sibling(sibling: &SiblingFacts) -> Vec<Finding> {
    let context = sibling.context.display().to_string();
    let image = sibling.image;
    let mut findings = Vec::new();
    let mut add = |kind, path: &str, diagnostic| findings.push(about_file(kind, path, diagnostic));
    if !sibling.there {
        let finding = Diagnostic::warning(format!("`{context}` is missing, so no {image} can be built here")).hint(format!(
            "clone it there, or set `images.{image}.context` in infra/leo.toml; a deploy uses what is pushed already with \
             `--images current`"
        ));
        add(Kind::SiblingMissing, &context, finding);
        return findings;
    }
    if let Some(wanted) = &sibling.branch {
        let problem = match &sibling.head {
            Some(Head::Branch(branch)) if branch == wanted => None,
            Some(Head::Branch(branch)) => Some(format!("the branch `{branch}`")),
            Some(Head::Detached) => Some("a commit without a branch".to_owned()),
            None => Some("no git repository".to_owned()),
        };
        if let Some(problem) = problem {
            let finding = Diagnostic::error(format!("`{context}` is not on the branch `{wanted}`")).found(problem).hint(format!(
                "git -C {context} switch {wanted}; or set `images.{image}.branch` in infra/leo.toml to what is meant"
            ));
            add(Kind::OtherBranch, &context, finding);
        }
    }
    for leak in &sibling.leaks {
        let path = leak.path.display().to_string();
        let mut finding =
            Diagnostic::error(format!("a build of the {image} would see `{path}`")).found(&*leak.what);
        if let Some((list, line)) = &leak.ignore {
            finding = finding.hint(format!("add `{line}` to {}", list.display()));
        }
        add(Kind::InContext, &path, finding);
    }
    if let Some((why, hint)) = &sibling.unreadable {
        let mut finding = Diagnostic::error(format!("failed to {why}"));
        finding.hint.clone_from(hint);
        add(Kind::Unknown, &context, finding);
    }
    findings
}

pub(super) fn reports(facts: &Facts) -> Vec<Sibling> {
    let report = |sibling: &SiblingFacts| Sibling {
        image: sibling.image,
        context: sibling.context.display().to_string(),
        there: sibling.there,
        branch: match &sibling.head {
            Some(Head::Branch(branch)) => Some(branch.clone()),
            Some(Head::Detached) | None => None,
        },
        wanted_branch: sibling.branch.clone(),
    };
    facts.siblings.iter().map(report).collect()
}
