use super::{
    Place, Secrets, malformed,
    then::{Then, Told, finish},
    words,
};
use crate::{
    ask,
    failure::{Failure, Problem},
};
use leo_aws::FailureKind;
use leo_secrets::{KeyAction, Overwrite, PlannedKey, PushPlan, PushReport, Undeclared, plan_push, push};
use std::{collections::BTreeMap, process::ExitCode};

/// Bring the environment files' secrets to Secrets Manager
///
/// Compares each key in memory, shows what would change without any value, asks, and changes what differs: nothing else. A
/// secret that is scheduled for deletion is restored first; one that can't be pushed holds no other one up. Run it again
/// after any failure: it continues.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// Only show the plan
    #[arg(long, conflicts_with_all = ["yes", "deploy"])]
    dry_run: bool,
    /// Do not ask, before a deploy either
    #[arg(long, short)]
    yes: bool,
    /// Also what was changed elsewhere since this machine last saw it equal to its file, or may have been
    #[arg(long)]
    overwrite: bool,
    /// Take keys that infra/env.toml does not declare out of the secrets
    #[arg(long)]
    prune: bool,
    /// Then deploy, with the images that run: tasks that have old values are started anew
    #[arg(long)]
    deploy: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    let told = Box::pin(push_them(&args)).await;
    finish(told, &args.place, args.then(), args.json).await
}

impl Args {
    fn then(&self) -> Then {
        Then { deploy: self.deploy, yes: self.yes }
    }
}

async fn push_them(args: &Args) -> Result<Told, Failure> {
    args.then().check("secrets push")?;
    let project = args.place.load()?;
    let findings = malformed(&project);
    if !findings.is_empty() {
        return Err(Failure::Configuration(findings));
    }
    let secrets = Secrets::reach(project, &args.place).await?;
    let undeclared = if args.prune { Undeclared::Remove } else { Undeclared::Keep };
    let overwrite = if args.overwrite { Overwrite::Yes } else { Overwrite::No };
    let plan =
        plan_push(&secrets.target.secrets, secrets.wanted(), secrets.known()?, undeclared, overwrite).await;
    let plan = plan.map_err(Problem::from)?;
    if plan.secrets.is_empty() && !plan.blocked.is_empty() {
        return Err(Failure::Problems(blocked(&plan).map(|problem| (None, problem)).collect()));
    }
    let environment = secrets.environment();
    let text = words::plan(environment, &plan);
    if args.dry_run {
        let document = words::plan_json(environment, &plan);
        return Ok(Told { text, document, failure: failure(blocked(&plan)), written: BTreeMap::new() });
    }
    if !plan.has_work() {
        secrets.keep(plan.seen())?;
        let document = words::plan_json(environment, &plan);
        let problems = blocked(&plan).chain(kept_back(plan.kept_back()));
        return Ok(Told { text, document, failure: failure(problems), written: BTreeMap::new() });
    }
    eprintln!("{text}");
    if !args.yes {
        if !ask::possible() {
            return Err(ask::needs_terminal("push the secrets").into());
        }
        if !ask::yes(&format!("change the secrets of `{environment}` in {}?", secrets.place()))? {
            let message = "push the secrets: it was not confirmed; nothing was changed";
            return Err(Problem::new(FailureKind::Failed, message).into());
        }
    }
    let is_done = |report: &PushReport| report.failed.is_empty() && report.kept_back().next().is_none();
    let work = async { Ok(push(&secrets.target.secrets, plan).await) };
    let report = secrets.operation("secrets-push", is_done, work).await?;
    let kept = secrets.keep(&report.seen);
    let text = words::report(environment, &report, &consumers(&secrets));
    let document = words::pushed_json(environment, &report);
    let written = report.versions();
    Ok(Told { text, document, failure: failure(not_done(report).chain(kept.err())), written })
}

/// Which containers get something of each secret, by the secret's name.
fn consumers(secrets: &Secrets) -> words::Consumers {
    let config = &secrets.project.config;
    let all = [("orchestrator", &config.orchestrator.secrets), ("generator", &config.generator.secrets)];
    let mut consumers = words::Consumers::new();
    for (container, references) in all {
        for reference in references {
            let name = config.environment.name.secret(&reference.provider);
            consumers.entry(name).or_default().push(container);
        }
    }
    consumers
}

fn failure(problems: impl Iterator<Item = Problem>) -> Option<Failure> {
    let problems: Vec<_> = problems.map(|problem| (None, problem)).collect();
    (!problems.is_empty()).then_some(Failure::Problems(problems))
}

/// What a plan leaves out.
fn blocked(plan: &PushPlan) -> impl Iterator<Item = Problem> {
    plan.blocked.iter().cloned().map(Problem::from)
}

/// What differs and was left as it is: of each key the name of its secret, and itself.
fn kept_back<'a>(keys: impl Iterator<Item = (&'a str, &'a PlannedKey)>) -> Vec<Problem> {
    let mut of: BTreeMap<Kept, BTreeMap<&str, Vec<&PlannedKey>>> = BTreeMap::new();
    for (secret, key) in keys {
        of.entry(Kept::of(key.action)).or_default().entry(secret).or_default().push(key);
    }
    let problem = |(kept, secrets): (Kept, BTreeMap<&str, Vec<&PlannedKey>>)| {
        let names: Vec<&str> = secrets.keys().copied().collect();
        let line =
            |(secret, keys): (&str, Vec<&PlannedKey>)| format!("{secret}: {}", words::keys(keys.into_iter()));
        let message = format!("push {}: {}", names.join(", "), kept.reason());
        let details = secrets.into_iter().map(line).collect();
        Problem { details, ..Problem::new(FailureKind::Failed, message) }.hint(kept.way_out())
    };
    of.into_iter().map(problem).collect()
}

/// Why something was left as it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kept {
    Elsewhere,
    Unseen,
    Undeclared,
}

impl Kept {
    fn of(action: KeyAction) -> Self {
        match action {
            KeyAction::Unseen => Self::Unseen,
            KeyAction::Undeclared => Self::Undeclared,
            _ => Self::Elsewhere,
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Elsewhere => "what differs was changed elsewhere, and stays as it is",
            Self::Unseen => {
                "what differs may have been changed elsewhere, since this machine has not seen it equal, and stays as it is"
            }
            Self::Undeclared => {
                "what is not declared was in no plan before it was restored, and stays as it is"
            }
        }
    }

    fn way_out(self) -> &'static str {
        match self {
            Self::Elsewhere => {
                "take the new value over into env/.env, or put the old one back with --overwrite"
            }
            Self::Unseen => {
                "ask who else has these values, or look at them in the console; where the file is right, push with \
                 --overwrite"
            }
            Self::Undeclared => "run it again: its plan shows them",
        }
    }
}

/// What a push did not do.
fn not_done(report: PushReport) -> impl Iterator<Item = Problem> {
    let keys =
        report.kept_back().flat_map(|pushed| pushed.kept_back.iter().map(|key| (pushed.name.as_str(), key)));
    let kept = kept_back(keys);
    report.failed.into_iter().map(|error| Problem::from(error).after_sending()).chain(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_secrets::{KeyName, SecretsError};
    use serde_json::json;

    fn key(name: &str, action: KeyAction) -> PlannedKey {
        PlannedKey { variable: Some(name.to_owned()), json_key: KeyName::declared(name), action }
    }

    #[test]
    fn what_was_left_alone_is_a_failure_with_a_way_out() {
        let keys = [
            ("leo/dev/github", key("GITHUB_TOKEN", KeyAction::ChangedElsewhere)),
            ("leo/dev/flyio", key("FLY_API_TOKEN", KeyAction::ChangedElsewhere)),
            ("leo/dev/supabase", key("SUPABASE_URL", KeyAction::Unseen)),
            ("leo/dev/supabase", key("SUPABASE_ANON_KEY", KeyAction::Unseen)),
            ("leo/dev/supabase", key("OLD", KeyAction::Undeclared)),
        ];
        let problems = kept_back(keys.iter().map(|(secret, key)| (*secret, key)));
        insta::assert_snapshot!(problems.iter().map(Problem::text).collect::<String>());
    }

    #[test]
    fn what_failed_after_something_was_sent_is_no_wrong_usage() {
        let seen = leo_secrets::Record::default();
        let report = |failed| PushReport { done: vec![], failed, seen: seen.clone() };
        assert!(failure(not_done(report(vec![]))).is_none());
        let failed = vec![SecretsError::ChangedMeanwhile { secret: "leo/dev/github".to_owned() }];
        let failure = failure(not_done(report(failed))).expect("is one");
        assert_eq!(failure.kind(), FailureKind::Failed);
        assert_eq!(json!({"status": "failed"})["status"], failure.with(json!({}))["status"]);
    }
}
