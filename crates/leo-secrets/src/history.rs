//! How a value came about, as far as this machine knows.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use leo_aws::ErrorClass;

use crate::object::{Held, Object};
use crate::service::{self, Reading};
use crate::values::dummy_of;
use crate::{KeyAction, Record, SecretsError, Wanted, WantedKey};

/// What is known of the keys that have another value here. Of all others it isn't asked.
#[derive(Debug, Default)]
pub(crate) struct History {
    then: BTreeMap<String, Then>,
}

/// What a key was when this machine last saw it equal to its file.
#[derive(Debug)]
enum Then {
    /// What it is now.
    Same,
    /// Another value, or none.
    Other,
}

/// Finds out about the keys of an object that have another value here, or are missing in it.
pub(crate) async fn look_back(
    client: &Client,
    wanted: &Wanted,
    arn: Option<&str>,
    version: &str,
    there: &Object,
    record: &Record,
) -> Result<History, SecretsError> {
    let mut history = History::default();
    let mut objects: BTreeMap<&str, Option<Object>> = BTreeMap::new();
    for key in &wanted.keys {
        let name = key.json_key.as_str();
        let differs = key.value.as_ref().is_some_and(|value| there.compare(name, value) != Held::Same);
        let Some(recorded) = arn.filter(|_| differs).and_then(|arn| record.version(arn, name)) else {
            continue;
        };
        let then = if recorded == version {
            Then::Same
        } else {
            if !objects.contains_key(recorded) {
                let object = recorded_object(client, &wanted.name, recorded).await?;
                objects.insert(recorded, object);
            }
            match objects.get(recorded).and_then(Option::as_ref) {
                Some(object) if there.agrees(object, name) => Then::Same,
                Some(_) => Then::Other,
                None => continue,
            }
        };
        history.then.insert(name.to_owned(), then);
    }
    Ok(history)
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

impl History {
    /// What would happen to a key that has this value here.
    pub(crate) fn action(&self, key: &WantedKey, value: &leo_env::Secret, there: &Object) -> KeyAction {
        let name = key.json_key.as_str();
        match (there.compare(name, value), self.then.get(name)) {
            (Held::Same, _) => KeyAction::Same,
            (Held::Absent | Held::Other, Some(Then::Other)) => KeyAction::ChangedElsewhere,
            (Held::Absent, _) => KeyAction::Add,
            (Held::Other, Some(Then::Same)) => KeyAction::Update,
            (Held::Other, None) if there.compare(name, &dummy_of(&key.variable)) == Held::Same => {
                KeyAction::Update
            }
            (Held::Other, None) => KeyAction::Unseen,
        }
    }
}
