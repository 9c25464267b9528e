//! Whether each task's execution role may read exactly the secrets that its containers name: by the templates before
//! anything is sent, and by IAM before the platform changes. A task that may not would stop with
//! `ResourceInitializationError` after minutes.

use super::{Plan, output};
use crate::{
    failure::{Failure, Problem},
    iam::{Decision, Refusal, Verdict},
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
            return Err(refused(&denied));
        }
        left -= 1;
        tokio::time::sleep(PAUSE).await;
    }
}

/// A secret that a role may not read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Denied {
    role: String,
    secret: String,
    why: Refusal,
}

/// What IAM said of one role.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// What it may not read.
    Told(Vec<Denied>),
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
            Some(Decision::Denied(why)) => {
                denied.push(Denied { role: role.to_owned(), secret: (*arn).to_owned(), why: *why });
            }
            Some(Decision::DependsOn(keys)) => {
                return Look::NotAsked(format!("for {role} it depends on {}", keys.join(", ")));
            }
            None => return Look::NotAsked(format!("it said nothing of {arn}")),
        }
    }
    Look::Told(denied)
}

fn refused(denied: &[Denied]) -> Problem {
    let message =
        "start the tasks: their execution roles may not read the secrets that their containers name";
    let line = |denied: &Denied| format!("{} may not read {}: {}", denied.role, denied.secret, denied.why);
    let details = denied.iter().map(line).collect();
    let mut ways: Vec<String> = vec![];
    for way in denied.iter().map(|denied| way_out(denied.why)) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    Problem { details, ..Problem::new(FailureKind::Failed, message) }.hint(ways.join("\n"))
}

/// What has to be changed, and by whom.
fn way_out(why: Refusal) -> String {
    match why {
        Refusal::Forbidden => format!(
            "take the statement that denies {READ} out of the role's policies in IAM, or out of the secret's own: the \
             templates have none; then deploy again"
        ),
        Refusal::Boundary => format!(
            "let the permissions boundary (`identity.permissions_boundary`) allow {READ} on these secrets, then deploy again"
        ),
        Refusal::Organization => format!(
            "let the organization's policies (service and resource control policies) allow {READ} on these secrets, then \
             deploy again"
        ),
        Refusal::NotAllowed => {
            "the role was changed by hand: `cargo xtask drift` shows what, and `cargo xtask deploy \
                                --revert-drift` brings it back"
                .to_owned()
        }
    }
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
        let denied =
            super::Denied { role: ROLE.to_owned(), secret: "arn:two".to_owned(), why: Refusal::NotAllowed };
        assert_eq!(judged(&[two(Denied(Refusal::NotAllowed)), one(Allowed)]), Look::Told(vec![denied]));
        assert_eq!(judged(&[one(Allowed)]), Look::NotAsked("it said nothing of arn:two".to_owned()));
        let depends = format!("for {ROLE} it depends on aws:PrincipalTag/team");
        let tag = DependsOn(vec!["aws:PrincipalTag/team".to_owned()]);
        assert_eq!(judged(&[one(Allowed), two(tag)]), Look::NotAsked(depends));
    }

    #[test]
    fn a_refusal_names_the_role_the_secret_and_who_has_to_change_what() {
        let denied = |secret: &str, why| Denied { role: ROLE.to_owned(), secret: secret.to_owned(), why };
        let hint = |all: &[Denied]| refused(all).hint.unwrap_or_default();
        let boundary = [denied("arn:one", Refusal::Boundary), denied("arn:two", Refusal::Boundary)];
        let problem = refused(&boundary);
        assert_eq!((problem.kind, problem.details.len()), (FailureKind::Failed, 2));
        let line = format!("{ROLE} may not read arn:one: its permissions boundary does not allow it");
        assert_eq!(problem.details.first(), Some(&line));
        assert!(hint(&boundary).contains("identity.permissions_boundary") && !hint(&boundary).contains('\n'));
        let forbidden = hint(&[denied("arn:one", Refusal::Forbidden)]);
        assert!(forbidden.contains("the statement that denies secretsmanager:GetSecretValue"), "{forbidden}");
        assert!(!forbidden.contains("boundary") && !forbidden.contains("organization"), "{forbidden}");
        assert!(hint(&[denied("arn:one", Refusal::Organization)]).contains("organization's policies"));
        assert!(hint(&[denied("arn:one", Refusal::NotAllowed)]).contains("--revert-drift"));
    }

    #[test]
    fn the_templates_of_a_configuration_are_right() {
        let config = leo_config::testing::load("[environments.dev]").expect("is valid");
        let stacks = leo_stack::compose(&config).expect("composes");
        assert!(check(&stacks).is_ok());
    }
}
