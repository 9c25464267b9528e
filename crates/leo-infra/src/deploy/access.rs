//! Whether each task's execution role may read exactly the secrets that its containers name: by the templates before
//! anything is sent, and by IAM before the platform changes. A task that may not would stop with
//! `ResourceInitializationError` after minutes.

use super::{Plan, output};
use crate::{
    failure::{Failure, Problem},
    iam::{Decision, Verdict},
};
use leo_aws::FailureKind;
use leo_deploy::{Reporter, StackOutcome};
use leo_stack::{SecretsAccess, Stacks};
use std::{collections::BTreeMap, time::Duration};

const READ: &str = "secretsmanager:GetSecretValue";
/// How often a refusal is asked about again where the roles have just been made or changed: IAM is eventually consistent.
const AGAIN: u32 = 8;
/// The pause between two such questions.
const PAUSE: Duration = Duration::from_secs(2);

/// Refuses templates by which a role may read less or more.
pub(crate) fn check(stacks: &Stacks) -> Result<(), Failure> {
    let Err(errors) = stacks.secrets_access() else { return Ok(()) };
    let problem = |error: leo_stack::AccessError| {
        let problem = Problem::new(FailureKind::Usage, error.to_string());
        (None, problem.hint("the templates contradict themselves (`cargo xtask synth` writes them): a defect of this tool"))
    };
    Err(Failure::Problems(errors.into_iter().map(problem).collect()))
}

/// Asks IAM, where these credentials may: a permissions boundary or a policy of the organization can forbid what the
/// templates allow. What could not be asked is said, and holds nothing up.
pub(super) async fn ask(
    plan: &Plan<'_>,
    foundation: &StackOutcome,
    reporter: &Reporter,
) -> Result<(), Problem> {
    let wanted = plan.stacks.secrets_access().unwrap_or_default();
    // A release that is brought back has templates of its own.
    if plan.release.is_some() || wanted.is_empty() {
        return Ok(());
    }
    let mut left = if foundation.changed { AGAIN } else { 0 };
    loop {
        let looks = wanted.iter().map(|access| look(plan, foundation, access));
        let mut denied = vec![];
        for look in futures(looks).await {
            match look? {
                Look::Told(refusals) => denied.extend(refusals),
                Look::NotAsked(why) => {
                    reporter.note(format!("IAM was not asked whether tasks may read their secrets: {why}"));
                    return Ok(());
                }
            }
        }
        if denied.is_empty() {
            return Ok(());
        }
        if left == 0 {
            return Err(refused(denied));
        }
        left -= 1;
        tokio::time::sleep(PAUSE).await;
    }
}

/// What IAM said of one role.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// What it may not read, a line each.
    Told(Vec<String>),
    /// For this reason.
    NotAsked(String),
}

async fn look(plan: &Plan<'_>, foundation: &StackOutcome, access: &SecretsAccess) -> Result<Look, Problem> {
    let role = output(foundation, &access.execution_role)?;
    let mut secrets = BTreeMap::new();
    for key in &access.secrets {
        secrets.insert(output(foundation, key)?, key.as_str());
    }
    let arns: Vec<&str> = secrets.keys().copied().collect();
    Ok(match plan.target.iam.simulate(role, READ, &arns).await {
        Ok(verdicts) => judge(role, &secrets, &verdicts),
        Err(error) => Look::NotAsked(error.to_string()),
    })
}

fn judge(role: &str, secrets: &BTreeMap<&str, &str>, verdicts: &[Verdict]) -> Look {
    let mut denied = vec![];
    for arn in secrets.keys() {
        match verdicts.iter().find(|verdict| verdict.resource == *arn).map(|verdict| &verdict.decision) {
            Some(Decision::Allowed) => {}
            Some(Decision::Denied(why)) => denied.push(format!("{role} may not read {arn}: {why}")),
            Some(Decision::DependsOn(keys)) => {
                return Look::NotAsked(format!("for {role} it depends on {}", keys.join(", ")));
            }
            None => return Look::NotAsked(format!("it said nothing of {arn}")),
        }
    }
    Look::Told(denied)
}

fn refused(details: Vec<String>) -> Problem {
    let message = "start the tasks: their execution roles may not read the secrets that their containers name";
    Problem { details, ..Problem::new(FailureKind::Failed, message) }.hint(format!(
        "let the permissions boundary (`identity.permissions_boundary`) and the organization's policies allow {READ} on \
         these secrets, then deploy again"
    ))
}

/// All at once, in their order.
async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut answers = vec![];
    let mut waiting: Vec<_> = all.map(Box::pin).collect();
    // Two roles: one after the other would be twice as long.
    match (waiting.pop(), waiting.pop()) {
        (Some(last), Some(first)) => {
            let (first, last) = tokio::join!(first, last);
            answers.extend([first, last]);
        }
        (Some(only), None) => answers.push(only.await),
        _ => {}
    }
    for more in waiting {
        answers.push(more.await);
    }
    answers
}
