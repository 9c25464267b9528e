use std::time::SystemTime;

use aws_sdk_secretsmanager::Client;

use crate::history::History;
use crate::look::{Found, Seen, look_at_all};
use crate::object::Object;
use crate::{KeyAction, KeyName, Record, SecretsError, Wanted};

/// How the secrets compare with what is here.
#[derive(Debug)]
pub struct Status {
    /// Every secret, in the order of the configuration.
    pub secrets: Vec<SecretStatus>,
    /// What was seen to be equal: to be kept.
    pub seen: Record,
}

/// How a secret compares with what is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretStatus {
    /// Its name.
    pub name: String,
    /// What it is like as a whole.
    pub state: SecretState,
    /// The id of the version that tasks get; `None` without a value.
    pub version: Option<String>,
    /// When that version was made, where it could be read.
    pub created: Option<SystemTime>,
    /// When the secret was last changed in any way (also a label or a tag), where AWS says so.
    pub last_changed: Option<SystemTime>,
    /// Each key: the declared ones in their order, then the others; none where it is scheduled for deletion, so that its
    /// value can't be read.
    pub keys: Vec<KeyStatus>,
}

/// What a secret is like as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretState {
    /// There is none: its stack was not deployed.
    Absent,
    /// It was deleted and can still be restored.
    ScheduledForDeletion,
    /// It has no value.
    Empty,
    /// Its value is no JSON object: no container can be given a key of it.
    NotAnObject,
    /// It has a value that this role may not read.
    Unread,
    /// It has a value with keys.
    Valued,
}

/// How a key compares with what is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// Its name in the environment files; `None` of a key that nothing declares.
    pub variable: Option<String>,
    /// Its name in the JSON object.
    pub json_key: KeyName,
    /// How it compares.
    pub state: KeyState,
}

/// How a key's value compares with the one here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is the same.
    InSync,
    /// It is another one: it was changed here.
    Differs,
    /// It is another one, or was taken out: elsewhere.
    ChangedElsewhere,
    /// It is another one, and this machine knows of no version in which it was the same.
    Unseen,
    /// There is no value for it here.
    MissingHere,
    /// There is one here only.
    MissingThere,
    /// There is none in either place: a task that is given it can't start.
    Missing,
    /// Nothing declares it.
    Undeclared,
    /// This role may not read it.
    Unread,
}

/// Which value a task that started at some time has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The one that is current now.
    Current,
    /// Perhaps an older one: the secret was changed in some way after the task was created, and it can't be told whether
    /// that was its value.
    PerhapsOlder,
    /// An older one.
    Older,
}

/// How every secret compares with what is here. Values are compared in memory and dropped. What may not be read is said
/// so, key by key, and is no error.
///
/// # Errors
/// [`SecretsError::Service`] where AWS refuses or does not answer.
pub async fn status(client: &Client, wanted: Vec<Wanted>, known: Record) -> Result<Status, SecretsError> {
    let looked = look_at_all(client, &wanted, &known).await?;
    let secrets: Vec<_> = wanted.iter().zip(&looked).map(|(wanted, seen)| of(wanted, seen)).collect();
    let mut equal = Record::default();
    for (secret, seen) in secrets.iter().zip(&looked) {
        let Some(version) = &secret.version else { continue };
        for key in secret.keys.iter().filter(|key| key.state == KeyState::InSync) {
            equal.set(seen.arn.as_deref(), key.json_key.raw(), version);
        }
    }
    Ok(Status { secrets, seen: equal })
}

impl SecretStatus {
    /// Whether every value that is here is the one that is there, and none is missing there.
    pub fn is_in_sync(&self) -> bool {
        let fine = |state| matches!(state, KeyState::InSync | KeyState::MissingHere | KeyState::Undeclared);
        self.state == SecretState::Valued && self.keys.iter().all(|key| fine(key.state))
    }

    /// Which value a task has that was created then (`createdAt` of the task: it reads its secrets after that).
    pub fn holds(&self, task_created: SystemTime) -> Holds {
        if self.created.is_some_and(|created| task_created < created) {
            Holds::Older
        } else if self.last_changed.is_some_and(|changed| task_created < changed) {
            Holds::PerhapsOlder
        } else {
            Holds::Current
        }
    }
}

fn of(wanted: &Wanted, seen: &Seen) -> SecretStatus {
    let uniform = |there: KeyState, nowhere: KeyState| {
        let states = wanted.keys.iter().map(|key| KeyStatus {
            variable: Some(key.variable.clone()),
            json_key: KeyName::declared(key.json_key.as_str()),
            state: if key.value.is_some() { there } else { nowhere },
        });
        states.collect::<Vec<_>>()
    };
    let nothing = || uniform(KeyState::MissingThere, KeyState::Missing);
    let unread = || uniform(KeyState::Unread, KeyState::Unread);
    let (state, version, created, keys) = match &seen.found {
        Found::Absent => (SecretState::Absent, None, None, nothing()),
        Found::ScheduledForDeletion => (SecretState::ScheduledForDeletion, None, None, Vec::new()),
        Found::Empty { version } => (SecretState::Empty, version.as_ref(), None, nothing()),
        Found::Denied { version, .. } => (SecretState::Unread, Some(version), None, unread()),
        Found::NotAnObject { version, created } => {
            (SecretState::NotAnObject, Some(version), *created, nothing())
        }
        Found::Object { version, created, object, history } => {
            (SecretState::Valued, Some(version), *created, keys(wanted, object, history))
        }
    };
    let name = wanted.name.clone();
    SecretStatus { name, state, version: version.cloned(), created, last_changed: seen.last_changed, keys }
}

fn keys(wanted: &Wanted, object: &Object, history: &History) -> Vec<KeyStatus> {
    let mut keys: Vec<_> = wanted
        .keys
        .iter()
        .map(|key| {
            let name = key.json_key.as_str();
            let state = match &key.value {
                Some(value) => match history.action(key, value, object) {
                    KeyAction::Same => KeyState::InSync,
                    KeyAction::Add => KeyState::MissingThere,
                    KeyAction::ChangedElsewhere => KeyState::ChangedElsewhere,
                    KeyAction::Unseen => KeyState::Unseen,
                    _ => KeyState::Differs,
                },
                None if object.has(name) => KeyState::MissingHere,
                None => KeyState::Missing,
            };
            KeyStatus { variable: Some(key.variable.clone()), json_key: KeyName::declared(name), state }
        })
        .collect();
    for name in object.keys() {
        if keys.iter().all(|key| key.json_key.raw() != name) {
            let json_key = KeyName::found(name);
            keys.push(KeyStatus { variable: None, json_key, state: KeyState::Undeclared });
        }
    }
    keys
}
