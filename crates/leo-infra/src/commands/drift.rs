mod values;

use crate::{
    commands::{DIFFERENCES, load_project},
    failure::{Failure, Problem},
    progress::Progress,
    stdout,
    target::Target,
};
use comfy_table::{Table, presets};
use leo_aws::FailureKind;
use leo_deploy::{Difference, Drift, DriftKind, DriftedResource, Finished, Run, Step, Unchecked};
use leo_env::SecretsPolicy;
use leo_stack::StackTemplate;
use serde_json::{Value as Json, json};
use std::{fmt::Write as _, process::ExitCode};
use values::Shown;

/// Characters of a value that a table shows; the document of `--json` has all of them.
const SHOWN: usize = 120;

/// Show what was changed behind CloudFormation's back
///
/// Compares every resource of the environment's three stacks with its template, property by property. Exit code 3
/// when something differs. `deploy --revert-drift` brings it back.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment to look at; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// Look at the local target; it compares a few properties of some resource types only
    #[arg(long)]
    local: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    match Box::pin(drift(&args)).await {
        Ok(found) => {
            if args.json {
                stdout::line(format_args!("{:#}", found.json()));
            } else {
                stdout::line(found.text());
            }
            found.exit_code()
        }
        Err(failure) => failure.report(args.json),
    }
}

/// What was found in an environment.
struct Found {
    environment: String,
    stacks: Vec<(String, Option<Drift>)>,
}

async fn drift(args: &Args) -> Result<Found, Failure> {
    let project = load_project(args.environment.as_deref(), SecretsPolicy::Ignore, args.local)?;
    let stacks = leo_stack::compose(&project.config).map_err(crate::deploy::not_composed)?;
    let target = Target::open(&project, args.local).await?;
    target.check_account(&project.config).await?;
    let engine = leo_deploy::Stacks::new(target.cloudformation.clone());
    let progress = Progress::detect();
    let run: Run<Problem> = Run::new(progress.sink(), &[Step::REGISTRY, Step::FOUNDATION, Step::PLATFORM]);
    let look = async |step: Step, stack: &StackTemplate| {
        run.step(step, async |reporter| {
            let drift = engine.detect_drift(stack.name.as_str(), &|event| reporter.stack(event)).await?;
            Ok(Finished::new(drift, false))
        })
        .await
    };
    let (registry, foundation, platform) = tokio::join!(
        look(Step::REGISTRY, &stacks.registry),
        look(Step::FOUNDATION, &stacks.foundation),
        look(Step::PLATFORM, &stacks.platform),
    );
    let all = registry.and_then(|registry| Ok([registry, foundation?, platform?]));
    let result = run.finish(all);
    progress.finish();
    let drifts = result.map_err(|problems| {
        Failure::Problems(problems.into_iter().map(|(step, problem)| (Some(step), problem)).collect())
    })?;
    let environment = project.config.environment.name.to_string();
    if drifts.iter().all(Option::is_none) {
        let message = format!("find a stack of environment `{environment}`: nothing is deployed there");
        return Err(Problem::new(FailureKind::Failed, message).hint("cargo xtask deploy").into());
    }
    let names = stacks.all().map(|stack| stack.name.to_string());
    Ok(Found { environment, stacks: names.zip(drifts).collect() })
}

impl Found {
    fn drifts(&self) -> impl Iterator<Item = &Drift> {
        self.stacks.iter().filter_map(|(_, drift)| drift.as_ref())
    }

    fn status(&self) -> &'static str {
        ["drifted", "incomplete"]
            .into_iter()
            .find(|status| self.drifts().any(|drift| status_of(drift) == *status))
            .unwrap_or("in-sync")
    }

    /// A detection that failed in part and found nothing says neither yes nor no.
    fn exit_code(&self) -> ExitCode {
        match self.status() {
            "drifted" => ExitCode::from(DIFFERENCES),
            "incomplete" => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        }
    }

    fn json(&self) -> Json {
        let stacks: Vec<Json> = self
            .stacks
            .iter()
            .map(|(name, drift)| match drift {
                None => json!({"name": name, "status": "absent"}),
                Some(drift) => json!({
                    "name": name,
                    "status": status_of(drift),
                    "in_sync": drift.in_sync,
                    "drifted": drift.drifted.iter().map(resource_json).collect::<Vec<_>>(),
                    "unchecked": drift.unchecked,
                    "failure": drift.failure,
                }),
            })
            .collect();
        json!({"status": self.status(), "environment": self.environment, "stacks": stacks})
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (name, drift) in &self.stacks {
            // Writing to a string can't fail.
            let _ = match drift {
                None => writeln!(text, "{name}: not deployed"),
                Some(drift) => writeln!(text, "{}", stack_text(name, drift)),
            };
        }
        text + match self.status() {
            "drifted" => {
                "drifted: what was meant goes into the configuration; cargo xtask deploy --revert-drift brings back the rest"
            }
            "incomplete" => "not known: the detection failed in part",
            _ => "no drift in what can be checked",
        }
    }
}

fn status_of(drift: &Drift) -> &'static str {
    if drift.is_drifted() {
        "drifted"
    } else if drift.failure.is_some() {
        "incomplete"
    } else {
        "in-sync"
    }
}

fn stack_text(name: &str, drift: &Drift) -> String {
    let mut lines = vec![format!(
        "{name}: {} drifted, {} as in the template, {} can't be checked",
        drift.drifted.len(),
        drift.in_sync,
        drift.unchecked.len()
    )];
    if !drift.drifted.is_empty() {
        lines.push(table(&drift.drifted).to_string());
    }
    if !drift.unchecked.is_empty() {
        let names: Vec<String> = drift.unchecked.iter().map(unchecked_text).collect();
        lines.push(format!("  not checked: {}", names.join(", ")));
    }
    lines.extend(drift.failure.as_ref().map(|reason| format!("  the detection failed in part: {reason}")));
    lines.join("\n")
}

fn unchecked_text(one: &Unchecked) -> String {
    match &one.reason {
        Some(reason) => format!("{} ({reason})", one.logical_id),
        None => one.logical_id.clone(),
    }
}

/// A row for every property that differs, and one for every resource that is gone.
fn table(drifted: &[DriftedResource]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["  resource", "property", "template", "there"]);
    for resource in drifted {
        if resource.differences.is_empty() {
            table.add_row([
                format!("  {}", resource.logical_id),
                String::new(),
                String::new(),
                word(&resource.kind),
            ]);
        }
        for difference in &resource.differences {
            let (expected, actual) = values(difference);
            let cell = |value: Option<Shown>| value.map_or("-".to_owned(), |value| value.cut(SHOWN));
            let id = format!("  {}", resource.logical_id);
            table.add_row([id, difference.path.clone(), cell(expected), cell(actual)]);
        }
    }
    table
}

fn resource_json(resource: &DriftedResource) -> Json {
    let differences: Vec<Json> = resource
        .differences
        .iter()
        .map(|difference| {
            let (expected, actual) = values(difference);
            json!({
                "path": difference.path,
                "kind": difference.kind,
                "expected": expected.as_ref().map(Shown::as_str),
                "actual": actual.as_ref().map(Shown::as_str),
            })
        })
        .collect();
    json!({
        "resource": resource.logical_id,
        "type": resource.resource_type,
        "physical_id": resource.physical_id,
        "kind": resource.kind,
        "differences": differences,
    })
}

/// Both sides of a difference, as far as they may be seen.
fn values(difference: &Difference) -> (Option<Shown>, Option<Shown>) {
    let shown =
        |value: &Option<leo_deploy::Observed>| value.as_ref().map(|value| Shown::of(&difference.path, value));
    (shown(&difference.expected), shown(&difference.actual))
}

fn word(kind: &DriftKind) -> String {
    match kind {
        DriftKind::Modified => "changed".to_owned(),
        DriftKind::Deleted => "deleted".to_owned(),
        DriftKind::Added => "added".to_owned(),
        DriftKind::Other(word) => word.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_deploy::Observed;

    fn difference(path: &str, kind: DriftKind, expected: Option<&str>, actual: Option<&str>) -> Difference {
        let value = |value: Option<&str>| value.map(Observed::new);
        Difference { path: path.to_owned(), kind, expected: value(expected), actual: value(actual) }
    }

    fn found() -> Found {
        let resource = |id: &str, kind: DriftKind, differences: Vec<Difference>| DriftedResource {
            logical_id: id.to_owned(),
            resource_type: "AWS::S3::Bucket".to_owned(),
            physical_id: Some("leo-apps".to_owned()),
            kind,
            differences,
        };
        let drift = Drift {
            stack: "leo-dev-foundation".to_owned(),
            drifted: vec![
                resource(
                    "AppsBucket",
                    DriftKind::Modified,
                    vec![
                        difference(
                            "/VersioningConfiguration/Status",
                            DriftKind::Modified,
                            Some("Enabled"),
                            Some("Suspended"),
                        ),
                        difference(
                            "/Tags/3",
                            DriftKind::Added,
                            None,
                            Some("{\"Key\":\"by\",\"Value\":\"hand\"}"),
                        ),
                        difference(
                            "/ContainerDefinitions/0/Environment/1",
                            DriftKind::Added,
                            None,
                            Some("canary"),
                        ),
                    ],
                ),
                resource("LogGroup", DriftKind::Deleted, vec![]),
            ],
            in_sync: 20,
            unchecked: vec![Unchecked {
                logical_id: "Route".to_owned(),
                resource_type: "AWS::EC2::Route".to_owned(),
                reason: None,
            }],
            failure: None,
        };
        let stacks = vec![("leo-registry".to_owned(), None), ("leo-dev-foundation".to_owned(), Some(drift))];
        Found { environment: "dev".to_owned(), stacks }
    }

    #[test]
    fn drift_is_a_table_and_exit_code_3() {
        let found = found();
        assert_eq!(found.exit_code(), ExitCode::from(3));
        assert!(!found.text().contains("canary") && !found.json().to_string().contains("canary"));
        let text = found.text();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let expected = "\
leo-registry: not deployed
leo-dev-foundation: 2 drifted, 20 as in the template, 1 can't be checked
";
        assert!(lines.join("\n").starts_with(expected), "{text}");
        assert_eq!(found.json()["stacks"][1]["drifted"][0]["differences"][0]["actual"], "Suspended");
        assert_eq!(found.json()["stacks"][1]["unchecked"][0]["logical_id"], "Route");
    }

    #[test]
    fn a_detection_that_failed_in_part_is_not_called_in_sync() {
        let mut found = found();
        for (_, drift) in &mut found.stacks {
            if let Some(drift) = drift {
                drift.drifted.clear();
                drift.failure = Some("Role could not be read".to_owned());
            }
        }
        assert_eq!(found.exit_code(), ExitCode::FAILURE);
        assert_eq!(found.json()["status"], "incomplete");
        assert_eq!(found.json()["stacks"][1]["status"], "incomplete");
        for (_, drift) in &mut found.stacks {
            if let Some(drift) = drift {
                drift.failure = None;
            }
        }
        assert_eq!(found.exit_code(), ExitCode::SUCCESS);
        assert_eq!(found.json()["stacks"][1]["status"], "in-sync");
    }
}
