use super::{Place, Secrets, malformed, rolled, tell, words};
use crate::{
    ask,
    failure::{Failure, Problem},
};
use leo_aws::FailureKind;
use leo_secrets::{Overwrite, PushPlan, PushReport, SecretsError, Undeclared, plan_push, push};
use serde_json::Value as Json;
use std::process::ExitCode;

/// Bring the environment files' secrets to Secrets Manager
///
/// Compares each key in memory, shows what would change without any value, asks, and changes what differs: nothing else. A
/// secret that is scheduled for deletion is restored first. Run it again after any failure: it continues.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// Only show the plan
    #[arg(long, conflicts_with_all = ["yes", "deploy"])]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Also what was changed elsewhere since this machine last saw it equal to its file
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

/// What a push came to.
struct Told {
    text: String,
    document: Json,
    /// What it could not do.
    failure: Option<Failure>,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    let told = match Box::pin(push_them(&args)).await {
        Ok(told) => told,
        Err(failure) => return failure.report(args.json),
    };
    if let Some(failure) = told.failure {
        eprintln!("{}", told.text);
        // One document: with what was done.
        let code = failure.report(false);
        if args.json {
            println!("{:#}", failure.with(told.document));
        }
        return code;
    }
    match Box::pin(rolled(&args.place, args.deploy)).await {
        Ok(deployed) => {
            tell(args.json, &told.text, told.document, deployed.as_ref());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{}", told.text);
            let code = failure.report(false);
            if args.json {
                println!("{:#}", failure.with(told.document));
            }
            code
        }
    }
}

async fn push_them(args: &Args) -> Result<Told, Failure> {
    let project = args.place.load()?;
    let findings = malformed(&project);
    if !findings.is_empty() {
        return Err(Failure::Configuration(findings));
    }
    let secrets = Secrets::reach(project, &args.place).await?;
    let undeclared = if args.prune { Undeclared::Remove } else { Undeclared::Keep };
    let overwrite = if args.overwrite { Overwrite::Yes } else { Overwrite::No };
    let plan = plan_push(&secrets.target.secrets, secrets.wanted(), secrets.record()?, undeclared)
        .await
        .map_err(Problem::from)?;
    let text = words::plan(secrets.environment(), &plan, overwrite);
    if args.dry_run {
        return Ok(Told { text, document: words::plan_json(&plan, overwrite), failure: None });
    }
    if !plan.has_work(overwrite) {
        plan.record().save(&secrets.record_path()).map_err(Problem::from)?;
        let document = words::unchanged_json(secrets.environment());
        return Ok(Told { text, document, failure: left_alone(&plan) });
    }
    eprintln!("{text}");
    if !args.yes {
        if !ask::possible() {
            return Err(ask::needs_terminal("push the secrets").into());
        }
        if !ask::yes(&format!("change the secrets of `{}` in {}?", secrets.environment(), secrets.place()))? {
            let message = "push the secrets: it was not confirmed; nothing was changed";
            return Err(Problem::new(FailureKind::Failed, message).into());
        }
    }
    let report = secrets
        .operation("secrets-push", async { Ok(push(&secrets.target.secrets, plan, overwrite).await) })
        .await?;
    report.record.save(&secrets.record_path()).map_err(Problem::from)?;
    let text = words::report(secrets.environment(), &report, &consumers(&secrets));
    let document = words::pushed_json(secrets.environment(), &report);
    Ok(Told { text, document, failure: not_done(report) })
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

/// What differs and was left as it is, where there was nothing else to do.
fn left_alone(plan: &PushPlan) -> Option<Failure> {
    let names: Vec<&str> = plan.changed_elsewhere().map(|secret| secret.name.as_str()).collect();
    (!names.is_empty()).then(|| kept_back(&names).into())
}

fn kept_back(names: &[&str]) -> Problem {
    Problem::new(
        FailureKind::Failed,
        format!("push {}: what differs was changed elsewhere, and stays as it is", names.join(", ")),
    )
    .hint("take the new value over into env/.env, or put the old one back with --overwrite")
}

/// What a push did not do.
fn not_done(report: PushReport) -> Option<Failure> {
    let kept: Vec<&str> = report.kept_back().map(|pushed| pushed.name.as_str()).collect();
    let kept = (!kept.is_empty()).then(|| kept_back(&kept));
    let failed = report.failed.into_iter().map(|error: SecretsError| Problem::from(error).after_sending());
    let problems: Vec<_> = failed.chain(kept).map(|problem| (None, problem)).collect();
    (!problems.is_empty()).then_some(Failure::Problems(problems))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_left_alone_is_a_failure_with_a_way_out() {
        let problem = kept_back(&["leo/dev/github", "leo/dev/flyio"]);
        assert_eq!(
            problem.message,
            "push leo/dev/github, leo/dev/flyio: what differs was changed elsewhere, and stays as it is"
        );
        assert!(problem.hint.is_some_and(|hint| hint.contains("--overwrite")));
        let record = leo_secrets::Record::default();
        assert!(not_done(PushReport { done: vec![], failed: vec![], record: record.clone() }).is_none());
        let failed = vec![SecretsError::ChangedMeanwhile { secret: "leo/dev/github".to_owned() }];
        let failure = not_done(PushReport { done: vec![], failed, record }).expect("is one");
        assert_eq!(failure.kind(), FailureKind::Failed);
        assert_eq!(json!({"status": "failed"})["status"], failure.with(json!({}))["status"]);
    }
}
