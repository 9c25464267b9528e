//! A secret as it is, and what a push would do with it.

use std::time::SystemTime;

use aws_sdk_secretsmanager::Client;
use leo_aws::ErrorClass;

use crate::all::each;
use crate::first::is_first;
use crate::object::{Held, Object};
use crate::service::{self, Reading, State};
use crate::{
    Change, KeyAction, Overwrite, PlannedKey, PlannedSecret, Problem, Record, SecretsError, Undeclared,
    Wanted,
};

/// The longest value that Secrets Manager takes, in bytes (PutSecretValue, "SecretString").
pub(crate) const LONGEST: usize = 65_536;

/// A secret as it is, with its value.
#[derive(Debug)]
pub(crate) struct Seen {
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
    Denied {
        version: String,
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

/// What is known of how a value came about.
#[derive(Debug)]
pub(crate) enum History {
    /// It is the one that this machine last saw equal to its file, or the first one, which a deploy made.
    Ours,
    /// This machine last saw that one equal to its file.
    Since(Object),
    /// Nothing.
    Unknown,
}

/// Looks at every secret, all at once.
///
/// # Errors
/// Of the first one that could not be looked at.
pub(crate) async fn look_at_all(
    client: &Client,
    wanted: &[Wanted],
    record: &Record,
) -> Result<Vec<Seen>, SecretsError> {
    let looked = each(wanted, |wanted| {
        let (client, name) = (client.clone(), wanted.name.clone());
        let recorded = record.version(&name).map(str::to_owned);
        async move { look(&client, &name, recorded.as_deref()).await }
    });
    looked.await.into_iter().collect()
}

/// Looks at a secret. `recorded` is the version that this machine last saw equal to its file.
pub(crate) async fn look(client: &Client, name: &str, recorded: Option<&str>) -> Result<Seen, SecretsError> {
    let facts = service::facts(client, name).await?;
    let found = match facts.state {
        State::Absent => Found::Absent,
        State::ScheduledForDeletion => Found::ScheduledForDeletion,
        State::Empty => Found::Empty { version: None },
        State::Valued { version } => read(client, name, version, recorded).await?,
    };
    Ok(Seen { last_changed: facts.last_changed, found })
}

async fn read(
    client: &Client,
    name: &str,
    version: String,
    recorded: Option<&str>,
) -> Result<Found, SecretsError> {
    let (text, created) = match service::read_current(client, name, &version).await? {
        Reading::Denied => return Ok(Found::Denied { version }),
        Reading::Empty => return Ok(Found::Empty { version: Some(version) }),
        // The label has gone elsewhere since.
        Reading::Gone => return Err(SecretsError::ChangedMeanwhile { secret: name.to_owned() }),
        Reading::Binary { created } => return Ok(Found::NotAnObject { version, created }),
        Reading::Text { text, created } => (text, created),
    };
    let Some(object) = Object::parse(text) else { return Ok(Found::NotAnObject { version, created }) };
    let history = history(client, name, &version, recorded).await?;
    Ok(Found::Object { version, created, object, history })
}

async fn history(
    client: &Client,
    name: &str,
    version: &str,
    recorded: Option<&str>,
) -> Result<History, SecretsError> {
    if let Some(recorded) = recorded {
        if recorded == version {
            return Ok(History::Ours);
        }
        if let Some(object) = recorded_object(client, name, recorded).await? {
            return Ok(History::Since(object));
        }
    }
    Ok(if is_first(version) { History::Ours } else { History::Unknown })
}

/// The value that was equal to the file, as long as Secrets Manager has it.
async fn recorded_object(client: &Client, name: &str, version: &str) -> Result<Option<Object>, SecretsError> {
    match service::read(client, name, version).await {
        Ok(Reading::Text { text, .. }) => Ok(Object::parse(text)),
        Ok(_) => Ok(None),
        // What is recorded is no id of a version.
        Err(SecretsError::Service { source, .. }) if source.class == ErrorClass::Final => Ok(None),
        Err(error) => Err(error),
    }
}

/// Pure: what a push would do, or everything that is wrong.
pub(crate) fn decide(
    wanted: &Wanted,
    seen: &Seen,
    undeclared: Undeclared,
) -> Result<PlannedSecret, Vec<Problem>> {
    let secret = || wanted.name.clone();
    let (change, version, keys) = match &seen.found {
        Found::Absent => return Err(vec![Problem::NoSecret { secret: secret() }]),
        Found::Denied { .. } => return Err(vec![Problem::MayNotRead { secret: secret() }]),
        Found::ScheduledForDeletion => (Change::Restore, None, Vec::new()),
        Found::Empty { version } => {
            fits(wanted, &whole(wanted)?)?;
            (Change::Create, version.clone(), all(wanted, KeyAction::Add))
        }
        Found::NotAnObject { version, .. } => {
            (Change::Replace, Some(version.clone()), all(wanted, KeyAction::ChangedElsewhere))
        }
        Found::Object { version, object, history, .. } => {
            let keys = compare(wanted, object, history, undeclared)?;
            fits(wanted, &edited(object, wanted, &keys, Overwrite::No))?;
            let changes = |key: &PlannedKey| key.action.writes(Overwrite::Yes);
            let change = if keys.iter().any(changes) { Change::Update } else { Change::Unchanged };
            (change, Some(version.clone()), keys)
        }
    };
    Ok(PlannedSecret { name: secret(), change, keys, version, last_changed: seen.last_changed })
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
            Some(value) => action(there.compare(name, value), name, there, history),
            None if there.has(name) => KeyAction::NotHere,
            None => {
                problems.push(Problem::NoValue { secret: wanted.name.clone(), key: key.variable.clone() });
                continue;
            }
        };
        keys.push(PlannedKey { variable: Some(key.variable.clone()), json_key: name.to_owned(), action });
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let action = match undeclared {
        Undeclared::Keep => KeyAction::Undeclared,
        Undeclared::Remove => KeyAction::Remove,
    };
    for name in there.keys() {
        if keys.iter().all(|key| key.json_key != name) {
            keys.push(PlannedKey { variable: None, json_key: name.to_owned(), action });
        }
    }
    Ok(keys)
}

/// What would happen to a key that has a value here.
pub(crate) fn action(held: Held, key: &str, there: &Object, history: &History) -> KeyAction {
    match (held, history) {
        (Held::Same, _) => KeyAction::Same,
        (Held::Absent, History::Since(then)) if then.has(key) => KeyAction::ChangedElsewhere,
        (Held::Absent, _) => KeyAction::Add,
        (Held::Other, History::Ours) => KeyAction::Update,
        (Held::Other, History::Since(then)) if there.agrees(then, key) => KeyAction::Update,
        (Held::Other, History::Since(_) | History::Unknown) => KeyAction::ChangedElsewhere,
    }
}

/// An object with the changes of a plan.
pub(crate) fn edited(there: &Object, wanted: &Wanted, keys: &[PlannedKey], overwrite: Overwrite) -> Object {
    let changes = keys.iter().filter(|key| key.action.writes(overwrite));
    there.edited(changes.map(|key| {
        let value = wanted.key(&key.json_key).and_then(|wanted| wanted.value.as_ref());
        (key.json_key.as_str(), value)
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
    let planned = wanted.keys.iter().map(|key| PlannedKey {
        variable: Some(key.variable.clone()),
        json_key: key.json_key.clone(),
        action,
    });
    planned.collect()
}

/// Notes the versions that are equal to what is here.
pub(crate) fn note_equal(record: &mut Record, planned: &PlannedSecret) {
    if let (Change::Unchanged, Some(version)) = (planned.change, &planned.version) {
        record.set(&planned.name, version);
    }
}
