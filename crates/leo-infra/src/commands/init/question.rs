//! Questions, of which those for secrets show nothing of the answer.

use super::{fitting::unfit, plan::Plan};
use crate::{ask, failure::Problem};
use leo_aws::FailureKind;
use leo_env::{Schema, Secret, schema::KeySpec};

/// How often a value may be wrong before its question is given up.
const TRIES: usize = 3;

/// Asks for every secret and setting that is missing; an empty answer leaves it so.
pub(super) async fn secrets(schema: &Schema, plan: &mut Plan) -> Result<(), Problem> {
    let missing: Vec<&KeySpec> = plan.missing().filter_map(|name| schema.key(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!(
        "What has no value yet, one after the other; Enter alone leaves one out. Secrets are not shown."
    );
    for spec in missing {
        if let Some(answer) = answer(spec).await? {
            plan.answer(&spec.name, answer);
        }
    }
    Ok(())
}

/// Asks for a setting; an empty answer is none.
pub(super) async fn setting(spec: &KeySpec) -> Result<String, Problem> {
    Ok(answer(spec).await?.map_or_else(String::new, |answer| answer.expose().to_owned()))
}

/// Asks which environment is meant.
pub(super) async fn environment(names: &[String]) -> Result<String, Problem> {
    line(format!("Which environment ({})? ", names.join(", "))).await
}

/// A question that yes or no answers.
pub(super) async fn yes(question: String) -> Result<bool, Problem> {
    blocking(move || ask::yes(&question)).await
}

/// The answer once it is one; `None`: it was left out.
async fn answer(spec: &KeySpec) -> Result<Option<Secret>, Problem> {
    for _ in 0..TRIES {
        let answer = match spec.secret {
            Some(_) => hidden(spec).await?,
            None => Secret::new(line(prompt(spec)).await?),
        };
        if answer.expose().is_empty() {
            return Ok(None);
        }
        match unfit(spec, answer.expose()) {
            None => return Ok(Some(answer)),
            Some(wrong) => eprintln!("  it {}; wanted {}", wrong.what, wrong.wanted),
        }
    }
    eprintln!("  left out: {}", spec.name);
    Ok(None)
}

/// The answer to a question for a secret, without blanks around it.
async fn hidden(spec: &KeySpec) -> Result<Secret, Problem> {
    let answer = ask::hidden(&prompt(spec)).await.map_err(|problem| Problem {
        message: format!("ask for {}: {}; nothing was written", spec.name, problem.message),
        ..problem.hint("without a terminal: cargo xtask init --stdin, with lines KEY=value")
    })?;
    Ok(match answer.expose().trim() {
        trimmed if trimmed.len() == answer.expose().len() => answer,
        trimmed => Secret::new(trimmed),
    })
}

fn prompt(spec: &KeySpec) -> String {
    let get = spec.get.as_ref().map(|get| format!("\n  from {get}")).unwrap_or_default();
    format!("{}: {}{get}\n> ", spec.name, spec.help)
}

async fn line(prompt: String) -> Result<String, Problem> {
    blocking(move || ask::line(&prompt)).await
}

/// On a thread of its own, so that Ctrl-C is heard meanwhile.
async fn blocking<T: Send + 'static>(
    question: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(question)
        .await
        .map_err(|error| Problem::new(FailureKind::Failed, format!("ask: {error}")))?
}
