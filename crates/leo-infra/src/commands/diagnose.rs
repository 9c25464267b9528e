use crate::{
    commands::load_project,
    failure::{Failure, Problem},
    keep, stdout,
    target::Target,
    watched,
};
use leo_aws::{FailureKind, ServiceError};
use leo_config::Config;
use leo_env::SecretsPolicy;
use leo_evidence::{Diagnosis, Evidence, StoreError, diagnose, look, saved_operations};
use leo_project::Project;
use serde_json::{Value as Json, json};
use std::{path::Path, process::ExitCode};

/// Say why the last deploy failed
///
/// Reads what was saved under .leo/evidence/ while it ran; nothing is sent then. Where nothing was saved here, or with
/// --live, it looks at what runs and stopped now.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// The operation, by its id; without it, the environment's newest one that failed
    #[arg(long, value_name = "ID", conflicts_with = "live")]
    operation: Option<String>,
    /// Look at what runs and stopped now
    #[arg(long)]
    live: bool,
    /// Look at the local target
    #[arg(long)]
    local: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    match find(&args).await {
        Ok(found) => {
            if args.json {
                stdout::line(format_args!("{:#}", found.json()));
            } else {
                stdout::line(found.text());
            }
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(args.json),
    }
}

/// A cause, and where it was read from.
struct Found {
    /// `None`: from what is there now.
    operation: Option<String>,
    evidence: Evidence,
    diagnosis: Diagnosis,
}

async fn find(args: &Args) -> Result<Found, Failure> {
    if !args.live {
        let project = load_project(args.environment.as_deref(), SecretsPolicy::Ignore, args.local)?;
        if let Some(found) = saved(&project, args.operation.as_deref(), args.local)? {
            return Ok(found);
        }
        // Starting the local target to look at it would find it empty.
        if args.local {
            return Err(nothing_saved(&project.config).into());
        }
        eprintln!(
            "note: nothing is saved here of `{}`: looking at what runs now",
            project.config.environment.name
        );
    }
    // What a container printed is shown without what it was given.
    let policy = if args.local { SecretsPolicy::Ignore } else { SecretsPolicy::Read };
    let project = load_project(args.environment.as_deref(), policy, args.local)?;
    live(&project, args.local).await
}

/// The cause of an operation, or of the environment's newest one; `None` where nothing was saved.
fn saved(project: &Project, operation: Option<&str>, local: bool) -> Result<Option<Found>, Failure> {
    let folder = keep::evidence(&project.root);
    let operations = saved_operations(&folder).map_err(|error| unreadable(&error))?;
    let chosen = match operation {
        Some(id) => Some(of_operation(&folder, id, &operations)?),
        None => newest(&folder, operations, project, local)?,
    };
    let Some((operation, evidence)) = chosen else { return Ok(None) };
    match diagnose(&evidence) {
        Some(diagnosis) => Ok(Some(Found { operation: Some(operation), evidence, diagnosis })),
        None => Err(no_cause(&format!("{operation}: nothing that went wrong was seen"), &evidence)
            .hint("`cargo xtask diagnose --live` looks at what runs and stopped now")
            .into()),
    }
}

fn of_operation(folder: &Path, id: &str, operations: &[String]) -> Result<(String, Evidence), Problem> {
    // Only a name from the list becomes a path.
    let known = operations.iter().find(|known| *known == id).ok_or_else(|| unknown(id, operations))?;
    let evidence = load(folder, known)?.ok_or_else(|| unknown(id, operations))?;
    Ok((known.clone(), evidence))
}

/// The newest of the environment, in AWS or in the local target. What is of another environment need not be readable.
fn newest(
    folder: &Path,
    operations: Vec<String>,
    project: &Project,
    local: bool,
) -> Result<Option<(String, Evidence)>, Problem> {
    let name = &project.config.environment.name;
    for operation in operations {
        let evidence = match load(folder, &operation) {
            Err(_) if !may_be_of(&operation, name.as_str()) => continue,
            loaded => loaded?,
        };
        let own = |it: &Evidence| it.subject.cluster == name.cluster() && it.subject.local == local;
        if let Some(evidence) = evidence.filter(own) {
            return Ok(Some((operation, evidence)));
        }
    }
    Ok(None)
}

/// Whether an operation's id, `<time>-<environment>-<command>-<number>`, names the environment; evidence is left by
/// commands of one word.
fn may_be_of(operation: &str, environment: &str) -> bool {
    let command = operation
        .split_once('-')
        .and_then(|(_, rest)| rest.rsplit_once('-'))
        .and_then(|(rest, _)| rest.strip_prefix(environment)?.strip_prefix('-'));
    command.is_some_and(|command| !command.contains('-'))
}

fn load(folder: &Path, operation: &str) -> Result<Option<Evidence>, Problem> {
    Evidence::load(&folder.join(operation)).map_err(|error| unreadable(&error))
}

async fn live(project: &Project, local: bool) -> Result<Found, Failure> {
    let target = Target::open(project, local).await?;
    target.check_account(&project.config).await?;
    let redact = watched::redact(project);
    let config = &project.config;
    let name = &config.environment.name;
    let subject = watched::subject(config, &config.orchestrator.health.path, local);
    let asked = |error: ServiceError| Failure::from(Problem::from(error));
    let mut evidence = look(target.evidence(), subject, redact.clone()).await.map_err(asked)?;
    for stack in [name.foundation_stack(), name.platform_stack()] {
        let events = evidence.add_last_operation(&target.cloudformation, stack.as_str(), &redact);
        events.await.map_err(asked)?;
    }
    match diagnose(&evidence) {
        Some(diagnosis) => Ok(Found { operation: None, evidence, diagnosis }),
        None => {
            Err(no_cause(&format!("`{name}`: nothing is wrong with what runs and stopped now"), &evidence)
                .into())
        }
    }
}

fn no_cause(what: &str, evidence: &Evidence) -> Problem {
    let unanswered = evidence.unanswered.iter().map(|text| format!("not seen: {text}"));
    Problem {
        details: unanswered.collect(),
        ..Problem::new(FailureKind::Failed, format!("find a cause for {what}"))
    }
}

fn nothing_saved(config: &Config) -> Problem {
    let name = &config.environment.name;
    Problem::new(FailureKind::Failed, format!("find a cause: nothing is saved here of `{name}`"))
        .hint("a deploy that fails leaves its evidence under .leo/evidence/")
}

fn unknown(operation: &str, operations: &[String]) -> Problem {
    let problem =
        Problem::new(FailureKind::Usage, format!("find the evidence of `{operation}`: there is none"));
    match operations.first() {
        Some(newest) => problem.hint(format!("the newest one here is {newest}; .leo/evidence/ has them all")),
        None => problem.hint("a deploy that fails leaves its evidence under .leo/evidence/"),
    }
}

fn unreadable(error: &StoreError) -> Problem {
    Problem::new(FailureKind::Failed, error.to_string()).hint("`--live` looks at what runs and stopped now")
}

impl Found {
    fn text(&self) -> String {
        let mut lines = vec![match &self.operation {
            Some(operation) => format!("{operation}, {}", state(&self.evidence)),
            None => format!("{}, as it is now", self.evidence.subject.cluster),
        }];
        lines.extend(self.diagnosis.lines());
        if let Some(operation) = &self.operation {
            lines.push(format!("all that was seen: .leo/evidence/{operation}/evidence.json"));
            lines.extend(self.evidence.caution.iter().map(|caution| format!("note: {caution}")));
        }
        lines.join("\n")
    }

    fn json(&self) -> Json {
        json!({
            "operation": self.operation,
            "began": self.evidence.began,
            "ended": self.evidence.ended,
            "diagnosis": self.diagnosis,
            "evidence": self.operation.as_ref().map(|id| format!(".leo/evidence/{id}/evidence.json")),
            "unanswered": self.evidence.unanswered,
            "caution": self.evidence.caution,
        })
    }
}

fn state(evidence: &Evidence) -> String {
    match &evidence.ended {
        Some(_) => format!("begun {}", evidence.began),
        None => format!("begun {}, not ended when it was last seen, {}", evidence.began, evidence.updated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_evidence::Subject;

    /// A project in a folder of its own, with the evidence of these operations.
    fn project(saved: &[(&str, &str, Option<&str>)]) -> (tempfile::TempDir, Project) {
        let root = tempfile::tempdir().expect("a folder");
        let toml =
            "[environments.dev]\nregion = \"us-east-1\"\n[environments.dev-two]\nregion = \"us-east-1\"\n";
        std::fs::create_dir(root.path().join("infra")).expect("a folder");
        std::fs::write(root.path().join("infra/leo.toml"), toml).expect("is written");
        let schema = leo_config::testing::ENV_TOML;
        std::fs::write(root.path().join("infra/env.toml"), schema).expect("is written");
        for (operation, environment, mismatch) in saved {
            let (environment, local) = match environment.strip_suffix(" local") {
                Some(environment) => (environment, true),
                None => (*environment, false),
            };
            let subject = Subject { cluster: format!("leo-{environment}"), local, ..Subject::default() };
            let mismatches = mismatch.iter().map(ToString::to_string).collect();
            let evidence = Evidence {
                subject,
                mismatches,
                began: "2026-11-01T12:00:00Z".to_owned(),
                ..Evidence::default()
            };
            evidence.save(&keep::evidence(root.path()).join(operation)).expect("is saved");
        }
        let project = Project::load(root.path(), Some("dev"), SecretsPolicy::Ignore).expect("is valid");
        (root, project)
    }

    fn line(failure: &Failure) -> String {
        let Failure::Problems(problems) = failure else { panic!("{failure:?}") };
        problems[0].1.message.clone()
    }

    #[test]
    fn the_newest_of_the_environment_is_read_and_no_others() {
        let (_root, project) = project(&[
            ("20261101T120000Z-dev-deploy-0001", "dev", Some("first")),
            ("20261101T130000Z-dev-deploy-0002", "dev", Some("second")),
            ("20261101T140000Z-dev-two-deploy-0003", "dev-two", Some("another's")),
        ]);
        let found = saved(&project, None, false).expect("is read").expect("is there");
        assert_eq!(found.operation.as_deref(), Some("20261101T130000Z-dev-deploy-0002"));
        assert_eq!(found.diagnosis.evidence, "second");
        assert!(
            found
                .text()
                .starts_with("20261101T130000Z-dev-deploy-0002, begun 2026-11-01T12:00:00Z, not ended")
        );
        assert_eq!(found.json()["diagnosis"]["cause"], "mismatch");
        let found = saved(&project, Some("20261101T120000Z-dev-deploy-0001"), false)
            .expect("is read")
            .expect("is there");
        assert_eq!(found.diagnosis.evidence, "first");
    }

    #[test]
    fn aws_and_the_local_target_are_kept_apart() {
        let (_root, project) = project(&[
            ("20261101T120000Z-dev-deploy-0001", "dev", Some("in AWS")),
            ("20261101T130000Z-dev-deploy-0002", "dev local", Some("here")),
        ]);
        for (local, line) in [(false, "in AWS"), (true, "here")] {
            let found = saved(&project, None, local).expect("is read").expect("is there");
            assert_eq!(found.diagnosis.evidence, line);
        }
    }

    #[test]
    fn a_file_of_another_environment_need_not_be_readable_and_an_own_one_must() {
        let (root, project) = project(&[("20261101T120000Z-dev-deploy-0001", "dev", Some("own"))]);
        let breaks = |operation: &str| {
            let folder = keep::evidence(root.path()).join(operation);
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(folder.join("evidence.json"), "{").expect("is written");
        };
        breaks("20261101T130000Z-dev-two-deploy-0002");
        breaks("20261101T130000Z-prod-deploy-0003");
        let found = saved(&project, None, false).expect("is read").expect("is there");
        assert_eq!(found.diagnosis.evidence, "own");
        breaks("20261101T140000Z-dev-deploy-0004");
        assert!(line(&saved(&project, None, false).err().expect("is unreadable")).contains("0004"));
    }

    #[test]
    fn what_is_not_there_or_says_nothing_is_told() {
        let (_root, project) = project(&[("20261101T120000Z-dev-deploy-0001", "dev", None)]);
        let failure = saved(&project, None, false).err().expect("has no cause");
        assert!(line(&failure).ends_with("0001: nothing that went wrong was seen"));
        for id in ["../../secrets", "20261101T120000Z-dev-deploy-9999"] {
            let failure = saved(&project, Some(id), false).err().expect("is unknown");
            assert!(line(&failure).contains("there is none"));
        }
        let (_root, project) = self::project(&[]);
        assert!(saved(&project, None, false).expect("is read").is_none());
    }
}
