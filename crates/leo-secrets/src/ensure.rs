use std::future::Future;

use aws_sdk_secretsmanager::Client;
use leo_env::Secret;
use tokio::task::JoinSet;

use crate::service::{self, Keys, State};
use crate::{Problem, Revision, SecretPlan, SecretsError, Values};

/// What [`ensure`] found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The names of the secrets that got their first value.
    pub created: Vec<String>,
    /// The names of those that had one, which was left alone.
    pub kept: Vec<String>,
    /// The names of those among `kept` whose keys could not be looked at: GetSecretValue is denied to this role.
    pub unchecked: Vec<String>,
    /// Which versions the tasks get.
    pub revision: Revision,
}

/// Gives every secret that has no value its first one, and never overwrites one.
///
/// First every secret is looked at; only when nothing is wrong with any of them is a value sent. Run again after a
/// failure, it continues: what was created counts as existing.
///
/// # Errors
/// [`SecretsError::Blocked`] with all problems at once, before anything is sent; [`SecretsError::Service`] where AWS
/// refuses or does not answer.
pub async fn ensure(
    client: &Client,
    plans: &[SecretPlan],
    values: Values<'_>,
) -> Result<Report, SecretsError> {
    let findings = each(plans.iter().cloned(), |plan| inspect(client.clone(), plan)).await?;
    let (decisions, problems) = decide(findings, values);
    if !problems.is_empty() {
        return Err(SecretsError::Blocked { problems });
    }
    let outcomes = each(decisions, |decision| carry_out(client.clone(), decision)).await?;

    let names = |wanted: fn(&Outcome) -> bool| {
        outcomes.iter().filter(|outcome| wanted(outcome)).map(|outcome| outcome.name.clone()).collect()
    };
    Ok(Report {
        created: names(|outcome| outcome.created),
        kept: names(|outcome| !outcome.created),
        unchecked: names(|outcome| outcome.unchecked),
        revision: Revision::of(
            outcomes.iter().map(|outcome| (outcome.name.as_str(), outcome.version.as_str())),
        ),
    })
}

/// Whether every key of every secret has a value: what [`ensure`] will need where no secret has one yet. Asks nobody.
///
/// # Errors
/// [`SecretsError::Blocked`] with every key that has none.
pub fn check_values(plans: &[SecretPlan], values: Values<'_>) -> Result<(), SecretsError> {
    let problems: Vec<Problem> =
        plans.iter().filter_map(|plan| values.object(plan).err()).flatten().collect();
    if problems.is_empty() { Ok(()) } else { Err(SecretsError::Blocked { problems }) }
}

/// A secret as it is.
struct Finding {
    plan: SecretPlan,
    state: State,
    /// Of a value that exists.
    keys: Option<Keys>,
}

/// What is to be done with a secret.
enum Decision {
    Create { plan: SecretPlan, value: Secret },
    Keep { name: String, version: String, unchecked: bool },
}

/// A secret that has a value.
struct Outcome {
    name: String,
    version: String,
    created: bool,
    unchecked: bool,
}

async fn inspect(client: Client, plan: SecretPlan) -> Result<Finding, SecretsError> {
    let state = service::state(&client, &plan.name).await?;
    let keys = match state {
        State::Valued { .. } => Some(service::keys(&client, &plan.name).await?),
        State::Absent | State::ScheduledForDeletion | State::Empty => None,
    };
    Ok(Finding { plan, state, keys })
}

/// Pure: what to do, and everything that is wrong.
fn decide(findings: Vec<Finding>, values: Values<'_>) -> (Vec<Decision>, Vec<Problem>) {
    let mut decisions = Vec::new();
    let mut problems = Vec::new();
    for Finding { plan, state, keys } in findings {
        let secret = plan.name.clone();
        match state {
            State::Absent => problems.push(Problem::NoSecret { secret }),
            State::ScheduledForDeletion => problems.push(Problem::ScheduledForDeletion { secret }),
            State::Empty => create(plan, values, &mut decisions, &mut problems),
            State::Valued { .. } if keys == Some(Keys::Blank) => {
                create(plan, values, &mut decisions, &mut problems);
            }
            State::Valued { version } => {
                match &keys {
                    Some(Keys::Of(there)) => {
                        problems.extend(
                            plan.keys
                                .iter()
                                .filter(|key| !there.contains(key))
                                .map(|key| Problem::KeyNotThere { secret: secret.clone(), key: key.clone() }),
                        );
                    }
                    Some(Keys::NotAnObject) => problems.push(Problem::NotAnObject { secret: secret.clone() }),
                    Some(Keys::Denied | Keys::Blank) | None => {}
                }
                let unchecked = matches!(keys, Some(Keys::Denied));
                decisions.push(Decision::Keep { name: secret, version, unchecked });
            }
        }
    }
    (decisions, problems)
}

fn create(plan: SecretPlan, values: Values<'_>, decisions: &mut Vec<Decision>, problems: &mut Vec<Problem>) {
    match values.object(&plan) {
        Ok(value) => decisions.push(Decision::Create { plan, value }),
        Err(missing) => problems.extend(missing),
    }
}

async fn carry_out(client: Client, decision: Decision) -> Result<Outcome, SecretsError> {
    let (plan, value) = match decision {
        Decision::Keep { name, version, unchecked } => {
            return Ok(Outcome { name, version, created: false, unchecked });
        }
        Decision::Create { plan, value } => (plan, value),
    };
    if let Some(version) = service::create_value(&client, &plan.name, &plan.keys, &value).await? {
        return Ok(Outcome { name: plan.name, version, created: true, unchecked: false });
    }
    match service::state(&client, &plan.name).await? {
        State::Valued { version } => {
            Ok(Outcome { name: plan.name, version, created: false, unchecked: true })
        }
        State::Absent | State::Empty | State::ScheduledForDeletion => {
            Err(SecretsError::NotCurrent { secret: plan.name })
        }
    }
}

/// Does the same with each item, all at once, and answers in their order. Where several fail, the first one's error
/// is the answer; the others are finished all the same.
async fn each<I, T, F>(
    items: impl IntoIterator<Item = I>,
    act: impl Fn(I) -> F,
) -> Result<Vec<T>, SecretsError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, SecretsError>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (place, item) in items.into_iter().enumerate() {
        let future = act(item);
        tasks.spawn(async move { (place, future.await) });
    }
    let mut results = tasks.join_all().await;
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}
