//! Questions, of which those for secrets show nothing of the answer.

use super::plan::Plan;
use crate::{ask, failure::Problem};
use leo_aws::FailureKind;
use leo_env::{Schema, Secret, schema::KeySpec};

/// How often a value may be wrong before its question is given up.
const TRIES: usize = 3;

/// Asks for every secret and setting that is missing; an empty answer leaves it so.
pub(super) async fn secrets(schema: &Schema, plan: &mut Plan) -> Result<(), Problem> {
    let missing: Vec<KeySpec> = plan.missing().filter_map(|name| schema.key(name)).cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!(
        "What has no value yet, one after the other; Enter alone leaves one out. Secrets are not shown."
    );
    for spec in missing {
        let answer = if spec.secret.is_some() {
            blocking({
                let spec = spec.clone();
                move || checked(&spec, || hidden(&spec))
            })
            .await?
        } else {
            Some(Secret::new(setting(&spec).await?))
        };
        if let Some(answer) = answer.filter(|answer| !answer.expose().is_empty()) {
            plan.answer(&spec.name, answer);
        }
    }
    Ok(())
}

/// Asks for a setting; an empty answer is none.
pub(super) async fn setting(spec: &KeySpec) -> Result<String, Problem> {
    let spec = spec.clone();
    let answer = blocking(move || checked(&spec, || ask::line(&prompt(&spec)).map(Secret::new))).await?;
    Ok(answer.map_or_else(String::new, |answer| answer.expose().to_owned()))
}

/// A question that yes or no answers.
pub(super) async fn yes(question: String) -> Result<bool, Problem> {
    blocking(move || ask::yes(&question)).await
}

/// The answer once it is one; `None`: it was left out.
fn checked(
    spec: &KeySpec,
    mut ask: impl FnMut() -> Result<Secret, Problem>,
) -> Result<Option<Secret>, Problem> {
    for _ in 0..TRIES {
        let answer = ask()?;
        if answer.expose().is_empty() {
            return Ok(None);
        }
        match spec.check(answer.expose()) {
            Ok(()) => return Ok(Some(answer)),
            Err(wrong) => eprintln!("  it {}; wanted {}", wrong.what, wrong.wanted),
        }
    }
    eprintln!("  left out: {}", spec.name);
    Ok(None)
}

/// The answer to a question for a secret, without blanks around it.
fn hidden(spec: &KeySpec) -> Result<Secret, Problem> {
    let answer = rpassword::prompt_password(prompt(spec)).map_err(|error| {
        Problem::new(
            FailureKind::Failed,
            format!("read {} from the terminal: {error}; nothing was written", spec.name),
        )
        .hint("without a terminal: cargo xtask init --stdin, with lines KEY=value")
    })?;
    // Takes the text and overwrites it.
    let answer = Secret::new(answer);
    Ok(match answer.expose().trim() {
        trimmed if trimmed.len() == answer.expose().len() => answer,
        trimmed => Secret::new(trimmed),
    })
}

fn prompt(spec: &KeySpec) -> String {
    let get = spec.get.as_ref().map(|get| format!("\n  from {get}")).unwrap_or_default();
    format!("{}: {}{get}\n> ", spec.name, spec.help)
}

/// On a thread of its own, so that Ctrl-C is heard meanwhile.
async fn blocking<T: Send + 'static>(
    question: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(question)
        .await
        .map_err(|error| Problem::new(FailureKind::Failed, format!("ask: {error}")))?
}
