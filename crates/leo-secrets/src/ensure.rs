use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;

use crate::all::each;
use crate::look::{fits, whole};
use crate::object::Object;
use crate::push::write;
use crate::service::{self, Label, Reading, Sent, State};
use crate::{Problem, Purpose, Record, Revision, SecretPlan, SecretsError, Values, Wanted};

/// What [`ensure`] found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The names of the secrets that got their first value.
    pub created: Vec<String>,
    /// The names of those that had one, which was left alone.
    pub kept: Vec<String>,
    /// The id of each secret's current version, by name.
    pub versions: BTreeMap<String, String>,
    /// The names of the secrets whose current version is not the one that was waited for.
    pub unexpected: Vec<String>,
    /// That what was written is equal to what is here: to be kept. Nothing of dummies.
    pub seen: Record,
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
/// `expected` are versions that were just made the current ones, by secret: what AWS says is asked for again until it is
/// of these, for as long as a change takes to be seen.
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
    expected: &BTreeMap<String, String>,
) -> Result<Report, SecretsError> {
    let found = each(plans, |plan| {
        let (client, name) = (client.clone(), plan.name.clone());
        let expected = expected.get(&name).cloned();
        async move { look(&client, &name, blank, expected.as_deref()).await }
    });
    let found = found.await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let (decisions, problems) = decide(plans, found, values);
    if !problems.is_empty() {
        return Err(SecretsError::Blocked { purpose: Purpose::Ensure, problems });
    }
    let outcomes = each(decisions, |decision| carry_out(client.clone(), decision)).await;
    let outcomes = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;

    let unexpected =
        outcomes.iter().filter(|outcome| !outcome.is_expected).map(|outcome| outcome.name.clone());
    let unexpected = unexpected.collect();
    let mut seen = Record::default();
    for outcome in outcomes.iter().filter(|_| matches!(values, Values::Environment(_))) {
        for json_key in &outcome.written {
            seen.set(outcome.arn.as_deref(), json_key, &outcome.version);
        }
    }
    let (created, kept): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.created);
    let names = |outcomes: Vec<&Outcome>| outcomes.into_iter().map(|outcome| outcome.name.clone()).collect();
    let (created, kept) = (names(created), names(kept));
    let versions = outcomes.into_iter().map(|outcome| (outcome.name, outcome.version)).collect();
    Ok(Report { created, kept, versions, unexpected, seen })
}

/// Whether every key of every secret has a value: what [`ensure`] will need where no secret has one yet. Asks nobody.
///
/// # Errors
/// [`SecretsError::Blocked`] with every key that has none.
pub fn check_values(plans: &[SecretPlan], values: Values<'_>) -> Result<(), SecretsError> {
    let problems: Vec<Problem> =
        plans.iter().filter_map(|plan| first(plan, values).err()).flatten().collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(SecretsError::Blocked { purpose: Purpose::Ensure, problems })
    }
}

/// What is to be done with a secret.
enum Decision {
    Create { found: Found, wanted: Wanted, value: Object },
    Keep { found: Found, name: String, version: String },
}

/// What a secret was found to be like.
struct Found {
    arn: Option<String>,
    state: State,
    /// It counts as empty because its value is an empty text.
    blank: bool,
    /// Its current version is the one that was waited for, if one was.
    is_expected: bool,
}

/// A secret that has a value.
struct Outcome {
    name: String,
    arn: Option<String>,
    version: String,
    created: bool,
    /// The JSON keys that were written.
    written: Vec<String>,
    is_expected: bool,
}

/// What a secret is like.
async fn look(
    client: &Client,
    name: &str,
    blank: Blank,
    expected: Option<&str>,
) -> Result<Found, SecretsError> {
    let (facts, is_expected) = match expected {
        Some(version) => service::facts_with(client, name, version).await?,
        None => (service::facts(client, name).await?, true),
    };
    let mut found = Found { arn: facts.arn, state: facts.state, blank: false, is_expected };
    if let (State::Valued { version }, Blank::IsNone) = (&found.state, blank)
        && let Reading::Empty = service::read(client, name, version).await?
    {
        found.blank = true;
    }
    Ok(found)
}

/// Pure: what to do, and everything that is wrong.
fn decide(plans: &[SecretPlan], found: Vec<Found>, values: Values<'_>) -> (Vec<Decision>, Vec<Problem>) {
    let mut decisions = Vec::new();
    let mut problems = Vec::new();
    for (plan, found) in plans.iter().zip(found) {
        let name = plan.name.clone();
        match &found.state {
            State::Absent => problems.push(Problem::NoSecret { secret: name }),
            State::ScheduledForDeletion => problems.push(Problem::ScheduledForDeletion { secret: name }),
            State::Valued { version } if !found.blank => {
                let version = version.clone();
                decisions.push(Decision::Keep { found, name, version });
            }
            State::Empty | State::Valued { .. } => match first(plan, values) {
                Ok((wanted, value)) => decisions.push(Decision::Create { found, wanted, value }),
                Err(missing) => problems.extend(missing),
            },
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
    let (found, wanted, value) = match decision {
        Decision::Keep { found: Found { arn, is_expected, .. }, name, version } => {
            return Ok(Outcome { name, arn, version, created: false, written: vec![], is_expected });
        }
        Decision::Create { found, wanted, value } => (found, wanted, value),
    };
    let Found { arn, is_expected, .. } = found;
    let version = if found.blank {
        let id = wanted.first_version();
        match service::put(&client, &wanted.name, Some(&id), Label::Current, &value.into_secret()).await? {
            Sent::Version { id, .. } => Some(id),
            Sent::Exists => None,
        }
    } else {
        write(&client, &wanted, None, value).await?
    };
    let name = wanted.name;
    if let Some(version) = version {
        let written = wanted.keys.into_iter().map(|key| key.json_key).collect();
        return Ok(Outcome { name, arn, version, created: true, written, is_expected });
    }
    match service::facts(&client, &name).await?.state {
        State::Valued { version } => {
            Ok(Outcome { name, arn, version, created: false, written: vec![], is_expected })
        }
        State::Absent | State::Empty | State::ScheduledForDeletion => {
            Err(SecretsError::NotCurrent { secret: name })
        }
    }
}
