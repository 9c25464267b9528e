//! A secret as it is, and what a push would do with it.

use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_secretsmanager::Client;

use crate::all::each;
use crate::history::{History, look_back};
use crate::object::Object;
use crate::service::{self, Reading, State};
use crate::{
    Change, KeyAction, KeyName, Overwrite, PlannedKey, PlannedSecret, Problem, Record, SecretsError,
    Undeclared, Wanted, WantedKey,
};

/// The longest value that Secrets Manager takes, in bytes (PutSecretValue, "SecretString").
pub(crate) const LONGEST: usize = 65_536;

/// A secret as it is, with its value.
#[derive(Debug)]
pub(crate) struct Seen {
    /// `None` of one that is not there.
    pub(crate) arn: Option<String>,
    pub(crate) last_changed: Option<SystemTime>,
    pub(crate) found: Found,
}

/// What was found where a secret should be.
#[derive(Debug)]
pub(crate) enum Found {
    Absent,
    ScheduledForDeletion,
    /// No value, whether or not there is a version.
    Empty {
        version: Option<String>,
    },
    /// For want of this right.
    Denied {
        version: String,
        permission: &'static str,
    },
    NotAnObject {
        version: String,
        created: Option<SystemTime>,
    },
    Object {
        version: String,
        created: Option<SystemTime>,
        object: Object,
        history: History,
    },
}

/// Looks at every secret, all at once.
///
/// # Errors
/// Of the first one that could not be looked at.
pub(crate) async fn look_at_all(
    client: &Client,
    wanted: &[Wanted],
    known: &Record,
) -> Result<Vec<Seen>, SecretsError> {
    let known = Arc::new(known.clone());
    let looked = each(wanted.iter().cloned(), |wanted| {
        let (client, known) = (client.clone(), known.clone());
        async move { look(&client, &wanted, &known).await }
    });
    looked.await.into_iter().collect()
}

/// Looks at a secret, and with what is known at how it came about.
pub(crate) async fn look(client: &Client, wanted: &Wanted, known: &Record) -> Result<Seen, SecretsError> {
    let facts = service::facts(client, &wanted.name).await?;
    let found = match facts.state {
        State::Absent => Found::Absent,
        State::ScheduledForDeletion => Found::ScheduledForDeletion,
        State::Empty => Found::Empty { version: None },
        State::Valued { version } => read(client, wanted, facts.arn.as_deref(), version, known).await?,
    };
    Ok(Seen { arn: facts.arn, last_changed: facts.last_changed, found })
}

async fn read(
    client: &Client,
    wanted: &Wanted,
    arn: Option<&str>,
    version: String,
    known: &Record,
) -> Result<Found, SecretsError> {
    let (text, created) = match service::read_current(client, &wanted.name, &version).await? {
        Reading::Denied(permission) => return Ok(Found::Denied { version, permission }),
        Reading::Empty => return Ok(Found::Empty { version: Some(version) }),
        // The label has gone elsewhere since.
        Reading::Gone => return Err(SecretsError::ChangedMeanwhile { secret: wanted.name.clone() }),
        Reading::Binary { created } => return Ok(Found::NotAnObject { version, created }),
        Reading::Text { text, created } => (text, created),
    };
    let Some(object) = Object::parse(text) else { return Ok(Found::NotAnObject { version, created }) };
    let history = look_back(client, wanted, arn, &version, &object, known).await?;
    Ok(Found::Object { version, created, object, history })
}

/// Pure: what a push would do, or everything that is wrong.
pub(crate) fn decide(
    wanted: &Wanted,
    seen: &Seen,
    undeclared: Undeclared,
    overwrite: Overwrite,
) -> Result<PlannedSecret, Vec<Problem>> {
    let secret = || wanted.name.clone();
    let (change, version, keys) = match &seen.found {
        Found::Absent => return Err(vec![Problem::NoSecret { secret: secret() }]),
        Found::Denied { permission, .. } => {
            return Err(vec![Problem::MayNotRead { secret: secret(), permission }]);
        }
        Found::ScheduledForDeletion => (Change::Restore, None, Vec::new()),
        Found::Empty { version } => {
            fits(wanted, &whole(wanted)?)?;
            (Change::Create, version.clone(), all(wanted, KeyAction::Add))
        }
        Found::NotAnObject { version, .. } => {
            if overwrite == Overwrite::Yes {
                fits(wanted, &whole(wanted)?)?;
            }
            (Change::Replace, Some(version.clone()), all(wanted, KeyAction::ChangedElsewhere))
        }
        Found::Object { version, object, history, .. } => {
            let keys = compare(wanted, object, history, undeclared)?;
            fits(wanted, &edited(object, wanted, &keys, overwrite))?;
            let changes = |key: &PlannedKey| key.action.writes(Overwrite::Yes);
            let change = if keys.iter().any(changes) { Change::Update } else { Change::Unchanged };
            (change, Some(version.clone()), keys)
        }
    };
    let (arn, last_changed) = (seen.arn.clone(), seen.last_changed);
    Ok(PlannedSecret { name: secret(), arn, change, keys, version, last_changed })
}

/// What would happen to each key of an object.
///
/// # Errors
/// A problem for each declared key that has a value neither here nor there.
fn compare(
    wanted: &Wanted,
    there: &Object,
    history: &History,
    undeclared: Undeclared,
) -> Result<Vec<PlannedKey>, Vec<Problem>> {
    let mut keys = Vec::new();
    let mut problems = Vec::new();
    for key in &wanted.keys {
        let name = key.json_key.as_str();
        let action = match &key.value {
            Some(value) => history.action(key, value, there),
            None if there.has(name) => KeyAction::NotHere,
            None => {
                problems.push(Problem::NoValue { secret: wanted.name.clone(), key: key.variable.clone() });
                continue;
            }
        };
        keys.push(planned(key, action));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let action = match undeclared {
        Undeclared::Keep => KeyAction::Undeclared,
        Undeclared::Remove => KeyAction::Remove,
    };
    for name in there.keys() {
        if keys.iter().all(|key| key.json_key.raw() != name) {
            keys.push(PlannedKey { variable: None, json_key: KeyName::found(name), action });
        }
    }
    Ok(keys)
}

/// An object with the changes of a plan.
pub(crate) fn edited(there: &Object, wanted: &Wanted, keys: &[PlannedKey], overwrite: Overwrite) -> Object {
    let changes = keys.iter().filter(|key| key.action.writes(overwrite));
    there.edited(changes.map(|key| {
        let value = wanted.key(key.json_key.raw()).and_then(|wanted| wanted.value.as_ref());
        (key.json_key.raw(), value)
    }))
}

/// The object that has exactly the declared keys.
///
/// # Errors
/// A problem for each that has no value here.
pub(crate) fn whole(wanted: &Wanted) -> Result<Object, Vec<Problem>> {
    let missing = wanted.keys.iter().filter(|key| key.value.is_none());
    let problems: Vec<_> = missing
        .map(|key| Problem::NoValue { secret: wanted.name.clone(), key: key.variable.clone() })
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(edited(&Object::empty(), wanted, &all(wanted, KeyAction::Add), Overwrite::No))
}

/// # Errors
/// The problem of a value that is too long.
pub(crate) fn fits(wanted: &Wanted, object: &Object) -> Result<(), Vec<Problem>> {
    if object.bytes() <= LONGEST {
        return Ok(());
    }
    Err(vec![Problem::TooLong { secret: wanted.name.clone(), bytes: object.bytes() }])
}

fn all(wanted: &Wanted, action: KeyAction) -> Vec<PlannedKey> {
    wanted.keys.iter().map(|key| planned(key, action)).collect()
}

fn planned(key: &WantedKey, action: KeyAction) -> PlannedKey {
    let json_key = KeyName::declared(key.json_key.as_str());
    PlannedKey { variable: Some(key.variable.clone()), json_key, action }
}

/// Notes at which version the keys are equal to what is here that have, or would have, one of these actions.
pub(crate) fn note(
    record: &mut Record,
    planned: &PlannedSecret,
    version: Option<&str>,
    is_equal: impl Fn(KeyAction) -> bool,
) {
    let Some(version) = version else { return };
    for key in planned.keys.iter().filter(|key| is_equal(key.action)) {
        record.set(planned.arn.as_deref(), key.json_key.raw(), version);
    }
}
