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
        let mut denied = vec![];
        for access in &wanted {
            match look(plan, foundation, access).await? {
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
    let message =
        "start the tasks: their execution roles may not read the secrets that their containers name";
    Problem { details, ..Problem::new(FailureKind::Failed, message) }.hint(format!(
        "let the permissions boundary (`identity.permissions_boundary`) and the organization's policies allow {READ} on \
         these secrets, then deploy again"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/leo-dev-Execution";

    fn judged(decisions: &[(&str, Decision)]) -> Look {
        let secrets = BTreeMap::from([("arn:one", "SecretArnOne"), ("arn:two", "SecretArnTwo")]);
        let verdict = |(resource, decision): &(&str, Decision)| Verdict {
            resource: (*resource).to_owned(),
            decision: decision.clone(),
        };
        judge(ROLE, &secrets, &decisions.iter().map(verdict).collect::<Vec<_>>())
    }

    #[test]
    fn only_what_iam_says_for_certain_stops_a_deploy() {
        use Decision::{Allowed, Denied, DependsOn};
        let one = |decision| ("arn:one", decision);
        let two = |decision| ("arn:two", decision);
        assert_eq!(judged(&[one(Allowed), two(Allowed)]), Look::Told(vec![]));
        let line = format!("{ROLE} may not read arn:two: no policy allows it");
        assert_eq!(judged(&[two(Denied("no policy allows it")), one(Allowed)]), Look::Told(vec![line]));
        assert_eq!(judged(&[one(Allowed)]), Look::NotAsked("it said nothing of arn:two".to_owned()));
        let depends = format!("for {ROLE} it depends on aws:PrincipalTag/team");
        let tag = DependsOn(vec!["aws:PrincipalTag/team".to_owned()]);
        assert_eq!(judged(&[one(Allowed), two(tag)]), Look::NotAsked(depends));
    }

    #[test]
    fn a_refusal_names_the_role_and_the_secret() {
        let problem =
            refused(vec!["role may not read secret: its permissions boundary does not allow it".to_owned()]);
        assert_eq!(problem.kind, FailureKind::Failed);
        assert_eq!(problem.details.len(), 1);
        assert!(
            problem.hint.is_some_and(|hint| hint.contains(READ) && hint.contains("permissions_boundary"))
        );
    }

    #[test]
    fn the_templates_of_a_configuration_are_right() {
        let config = leo_config::testing::load("[environments.dev]").expect("is valid");
        let stacks = leo_stack::compose(&config).expect("composes");
        assert!(check(&stacks).is_ok());
    }
}
