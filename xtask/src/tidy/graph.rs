//! The dependency graph: what is pure reaches no I/O, and an offline command never compiles the AWS SDK.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use leo_diagnostic::Diagnostic;
use serde_json::Value;

use crate::repository::{Repository, output};

/// A fragment's crate: two direct dependencies of ours and no more, so that no crate knows another fragment's.
const DOMAIN: [&str; 4] = ["leo-networking", "leo-storage", "leo-identity", "leo-compute"];
const DOMAIN_MAY_USE: [&str; 2] = ["leo-cfn", "leo-config"];

/// Crates without I/O, and `leo-env`, whose one reader is of files alone.
const PURE: [&str; 9] = [
    "leo-cfn",
    "leo-compute",
    "leo-config",
    "leo-diagnostic",
    "leo-env",
    "leo-identity",
    "leo-networking",
    "leo-stack",
    "leo-storage",
];
const SHELL: [&str; 8] = [
    "leo-data",
    "leo-deploy",
    "leo-evidence",
    "leo-image",
    "leo-infra",
    "leo-local",
    "leo-release",
    "leo-secrets",
];
const OUTSIDE_WORLD: [&str; 5] = ["tokio", "hyper", "rustls", "indicatif", "aws-*"];
const AWS_LINKED: [&str; 4] = ["tokio", "hyper", "rustls", "aws-*"];

pub(super) fn check(repository: &Repository) -> Result<Vec<Diagnostic>> {
    // Of this platform alone: for the others cargo would fetch packages that nothing here compiles.
    let host = output(repository.command("rustc").args(["--print", "host-tuple"]))?;
    let metadata = output(repository.cargo().args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        &host,
    ]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("failed to read cargo's metadata")?;
    Ok(findings(&Graph::read(&metadata).context("cargo's metadata has another form than was expected")?))
}

fn findings(graph: &Graph) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for package in PURE {
        findings.extend(graph.reaches(package, &SHELL, "a pure crate knows no shell crate"));
        findings.extend(graph.reaches(package, &OUTSIDE_WORLD, "a pure crate has no I/O"));
    }
    findings.extend(graph.reaches(
        "xtask",
        &AWS_LINKED,
        "an offline command must answer in seconds from a clean clone: such a command belongs in leo-infra",
    ));
    for package in DOMAIN {
        for name in graph.direct(package) {
            if (name.starts_with("leo-") || name == "xtask") && !DOMAIN_MAY_USE.contains(&name) {
                findings
                    .push(Diagnostic::error(format!("`{package}` depends on `{name}`")).hint(
                        "what it needs of another fragment reaches it as an input, wired in leo-stack",
                    ));
            }
        }
    }
    findings
}

/// What each package needs to be compiled, by name: normal and build dependencies.
struct Graph {
    needs: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn read(metadata: &Value) -> Option<Self> {
        let mut names = BTreeMap::new();
        for package in metadata.get("packages")?.as_array()? {
            names.insert(package.get("id")?.as_str()?, package.get("name")?.as_str()?);
        }
        let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in metadata.pointer("/resolve/nodes")?.as_array()? {
            let of = needs.entry((*names.get(node.get("id")?.as_str()?)?).to_owned()).or_default();
            for dependency in node.get("deps")?.as_array()? {
                let kinds = dependency.get("dep_kinds")?.as_array()?;
                if kinds.iter().any(|kind| kind.get("kind").and_then(Value::as_str) != Some("dev")) {
                    of.insert((*names.get(dependency.get("pkg")?.as_str()?)?).to_owned());
                }
            }
        }
        Some(Self { needs })
    }

    fn direct<'a>(&'a self, package: &str) -> impl Iterator<Item = &'a str> {
        self.needs.get(package).into_iter().flatten().map(String::as_str)
    }

    /// A finding for each banned package that a package reaches, with the way there. A name that ends in `*` bans all that
    /// start so.
    fn reaches(&self, package: &str, banned: &[&str], why: &str) -> Vec<Diagnostic> {
        if !self.needs.contains_key(package) {
            return vec![
                Diagnostic::error(format!("no crate `{package}`, of which a rule speaks"))
                    .hint("correct the rule"),
            ];
        }
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open = vec![package];
        let mut findings = Vec::new();
        while let Some(here) = open.pop() {
            for next in self.direct(here) {
                if next == package || came_from.contains_key(next) {
                    continue;
                }
                came_from.insert(next, here);
                if banned.iter().any(|ban| matches(ban, next)) {
                    let message = format!("`{package}` reaches `{next}`: {}", way(package, next, &came_from));
                    findings.push(Diagnostic::error(message).hint(why));
                } else {
                    open.push(next);
                }
            }
        }
        findings
    }
}

fn matches(ban: &str, name: &str) -> bool {
    ban.strip_suffix('*').map_or(ban == name, |start| name.starts_with(start))
}

fn way(from: &str, to: &str, came_from: &BTreeMap<&str, &str>) -> String {
    let mut way = vec![to];
    while let Some(before) = way.last().and_then(|here| came_from.get(here)) {
        way.push(before);
        if *before == from {
            break;
        }
    }
    way.reverse();
    way.join(" → ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> Graph {
        let needs = edges
            .iter()
            .map(|(name, needs)| ((*name).to_owned(), needs.iter().map(|need| (*need).to_owned()).collect()));
        Graph { needs: needs.collect() }
    }

    #[test]
    fn a_banned_package_is_found_with_the_way_to_it() {
        let graph = graph(&[
            ("xtask", &["a", "b"]),
            ("a", &["c"]),
            ("b", &[]),
            ("c", &["aws-config"]),
            ("aws-config", &["tokio"]),
        ]);
        let messages: Vec<String> = graph
            .reaches("xtask", &["aws-*", "tokio"], "")
            .into_iter()
            .map(|finding| finding.message)
            .collect();
        assert_eq!(messages, ["`xtask` reaches `aws-config`: xtask → a → c → aws-config"]);
        assert_eq!(graph.reaches("b", &["aws-*"], ""), []);
    }

    #[test]
    fn a_circle_ends() {
        assert_eq!(graph(&[("a", &["b"]), ("b", &["a", "b"])]).reaches("a", &["x"], ""), []);
    }

    #[test]
    fn a_rule_about_no_crate_is_a_finding() {
        assert_eq!(graph(&[]).reaches("gone", &[], "").len(), 1);
    }

    #[test]
    fn dev_dependencies_do_not_count() {
        let metadata = json!({
            "packages": [{"id": "1", "name": "leo-a"}, {"id": "2", "name": "tokio"}, {"id": "3", "name": "cc"}],
            "resolve": {"nodes": [
                {"id": "1", "deps": [
                    {"pkg": "2", "dep_kinds": [{"kind": "dev"}]},
                    {"pkg": "3", "dep_kinds": [{"kind": "build"}]},
                ]},
                {"id": "2", "deps": []},
                {"id": "3", "deps": []},
            ]},
        });
        let graph = Graph::read(&metadata).unwrap();
        assert_eq!(graph.direct("leo-a").collect::<Vec<_>>(), ["cc"]);
    }
}
