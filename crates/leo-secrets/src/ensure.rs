use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;

use crate::all::each;
use crate::look::{fits, whole};
use crate::object::Object;
use crate::push::write;
use crate::service::{self, Label, Reading, Sent, State};
use crate::{Problem, Revision, SecretPlan, SecretsError, Values, Wanted};

/// What [`ensure`] found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The names of the secrets that got their first value.
    pub created: Vec<String>,
    /// The names of those that had one, which was left alone.
    pub kept: Vec<String>,
    /// The id of each secret's current version, by name.
    pub versions: BTreeMap<String, String>,
}

impl Report {
    /// Which versions the tasks get that are given these secrets.
    pub fn revision<'a>(&self, secrets: impl IntoIterator<Item = &'a str>) -> Revision {
        Revision::of(secrets.into_iter().filter_map(|secret| {
            let (name, version) = self.versions.get_key_value(secret)?;
            Some((name.as_str(), version.as_str()))
        }))
    }
}

/// Whether a value that is an empty text counts as none.
///
/// AWS takes no such value (PutSecretValue: at least one character). The emulator gives one to every secret that a stack
/// creates, and only reading tells it from a real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blank {
    /// Values are read, and an empty one counts as none: for the emulator. Needs GetSecretValue.
    IsNone,
    /// No value is read: for AWS.
    Unread,
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
    blank: Blank,
) -> Result<Report, SecretsError> {
    let states = each(plans, |plan| {
        let (client, name) = (client.clone(), plan.name.clone());
        async move { state(&client, &name, blank).await }
    });
    let states = states.await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let (decisions, problems) = decide(plans, states, values);
    if !problems.is_empty() {
        return Err(SecretsError::Blocked { problems });
    }
    let outcomes = each(decisions, |decision| carry_out(client.clone(), decision)).await;
    let outcomes = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;

    let (created, kept): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.created);
    let names = |outcomes: Vec<&Outcome>| outcomes.into_iter().map(|outcome| outcome.name.clone()).collect();
    let (created, kept) = (names(created), names(kept));
    let versions = outcomes.into_iter().map(|outcome| (outcome.name, outcome.version)).collect();
    Ok(Report { created, kept, versions })
}

/// Whether every key of every secret has a value: what [`ensure`] will need where no secret has one yet. Asks nobody.
///
/// # Errors
/// [`SecretsError::Blocked`] with every key that has none.
pub fn check_values(plans: &[SecretPlan], values: Values<'_>) -> Result<(), SecretsError> {
    let problems: Vec<Problem> =
        plans.iter().filter_map(|plan| first(plan, values).err()).flatten().collect();
    if problems.is_empty() { Ok(()) } else { Err(SecretsError::Blocked { problems }) }
}

/// What is to be done with a secret.
enum Decision {
    /// `blank`: there is a version with an empty text.
    Create {
        wanted: Wanted,
        value: Object,
        blank: bool,
    },
    Keep {
        name: String,
        version: String,
    },
}

/// A secret that has a value.
struct Outcome {
    name: String,
    version: String,
    created: bool,
}

/// What a secret is like, and whether that is because its value is an empty text.
async fn state(client: &Client, name: &str, blank: Blank) -> Result<(State, bool), SecretsError> {
    let state = service::facts(client, name).await?.state;
    if let (State::Valued { version }, Blank::IsNone) = (&state, blank)
        && let Reading::Empty = service::read(client, name, version).await?
    {
        return Ok((State::Empty, true));
    }
    Ok((state, false))
}

/// Pure: what to do, and everything that is wrong.
fn decide(
    plans: &[SecretPlan],
    states: Vec<(State, bool)>,
    values: Values<'_>,
) -> (Vec<Decision>, Vec<Problem>) {
    let mut decisions = Vec::new();
    let mut problems = Vec::new();
    for (plan, (state, blank)) in plans.iter().zip(states) {
        let name = plan.name.clone();
        match state {
            State::Absent => problems.push(Problem::NoSecret { secret: name }),
            State::ScheduledForDeletion => problems.push(Problem::ScheduledForDeletion { secret: name }),
            State::Empty => match first(plan, values) {
                Ok((wanted, value)) => decisions.push(Decision::Create { wanted, value, blank }),
                Err(missing) => problems.extend(missing),
            },
            State::Valued { version } => decisions.push(Decision::Keep { name, version }),
        }
    }
    (decisions, problems)
}

/// A secret's first value.
fn first(plan: &SecretPlan, values: Values<'_>) -> Result<(Wanted, Object), Vec<Problem>> {
    let wanted = Wanted::of(plan, values);
    let object = whole(&wanted)?;
    fits(&wanted, &object)?;
    Ok((wanted, object))
}

async fn carry_out(client: Client, decision: Decision) -> Result<Outcome, SecretsError> {
    let (wanted, value, blank) = match decision {
        Decision::Keep { name, version } => return Ok(Outcome { name, version, created: false }),
        Decision::Create { wanted, value, blank } => (wanted, value, blank),
    };
    let written = if blank {
        let id = wanted.first_version();
        match service::put(&client, &wanted.name, Some(&id), Label::Current, &value.into_secret()).await? {
            Sent::Version { id, .. } => Some(id),
            Sent::Exists => None,
        }
    } else {
        write(&client, &wanted, None, value).await?
    };
    let name = wanted.name;
    if let Some(version) = written {
        return Ok(Outcome { name, version, created: true });
    }
    match service::facts(&client, &name).await?.state {
        State::Valued { version } => Ok(Outcome { name, version, created: false }),
        State::Absent | State::Empty | State::ScheduledForDeletion => {
            Err(SecretsError::NotCurrent { secret: name })
        }
    }
}
