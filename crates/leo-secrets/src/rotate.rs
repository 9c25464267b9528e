use aws_sdk_secretsmanager::Client;
use leo_env::Secret;

use crate::look::{Found, fits, look};
use crate::object::{Held, Object};
use crate::push::write;
use crate::{Problem, SecretPlan, SecretsError, Wanted, WantedKey};

/// What rotating a key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The secret's name.
    pub name: String,
    /// Whether its value changed: `false` where the key had this value already.
    pub changed: bool,
    /// The id of the version that tasks get now.
    pub version: String,
}

/// How often a value is put again over another key that someone else changes at the same time.
const ATTEMPTS: usize = 5;

/// Gives one key of a secret a new value and leaves everything else as it is, byte for byte.
///
/// It asks for no record and keeps none: as long as the environment file has the old value, the next push finds that this
/// key was changed elsewhere, and does not put the old value back.
///
/// # Errors
/// [`SecretsError::Blocked`] where the secret has no value with keys, or the new one is too long;
/// [`SecretsError::ChangedMeanwhile`] where someone else changed the same key at the same time;
/// [`SecretsError::ReadDenied`] and [`SecretsError::Service`] as a push.
pub async fn rotate(
    client: &Client,
    plan: &SecretPlan,
    json_key: &str,
    value: &Secret,
) -> Result<Rotated, SecretsError> {
    let name = plan.name.clone();
    let wanted = wanted(plan, json_key, value);
    let mut first: Option<Object> = None;
    for _ in 0..ATTEMPTS {
        let (base, there) = current(client, &wanted, json_key).await?;
        if there.compare(json_key, value) == Held::Same
            && let Some(version) = base
        {
            return Ok(Rotated { name, changed: first.is_some(), version });
        }
        if first.as_ref().is_some_and(|first| !there.agrees(first, json_key)) {
            break;
        }
        let new = there.edited([(json_key, Some(value))]);
        fits(&wanted, &new).map_err(SecretsError::of)?;
        if let Some(version) = write(client, &wanted, base.as_deref(), new).await? {
            return Ok(Rotated { name, changed: true, version });
        }
        first.get_or_insert(there);
    }
    Err(SecretsError::ChangedMeanwhile { secret: name })
}

/// The secret's current version and value. One that has none yet starts empty, if this is its only key.
async fn current(
    client: &Client,
    wanted: &Wanted,
    json_key: &str,
) -> Result<(Option<String>, Object), SecretsError> {
    let secret = wanted.name.clone();
    let problem = match look(client, &secret, None).await?.found {
        Found::Object { version, object, .. } => {
            return Ok((Some(version), object));
        }
        Found::Empty { version } => {
            let missing: Vec<_> = wanted
                .keys
                .iter()
                .filter(|key| key.json_key != json_key)
                .map(|key| Problem::NoValueYet { secret: secret.clone(), key: key.variable.clone() })
                .collect();
            if missing.is_empty() {
                return Ok((version, Object::empty()));
            }
            return Err(SecretsError::of(missing));
        }
        Found::Absent => Problem::NoSecret { secret },
        Found::ScheduledForDeletion => Problem::ScheduledForDeletion { secret },
        Found::Denied { .. } => Problem::MayNotRead { secret },
        Found::NotAnObject { .. } => Problem::NotAnObject { secret },
    };
    Err(SecretsError::of(vec![problem]))
}

fn wanted(plan: &SecretPlan, json_key: &str, value: &Secret) -> Wanted {
    let keys = plan.keys.iter().map(|key| WantedKey {
        variable: key.variable.clone(),
        json_key: key.json_key.clone(),
        value: (key.json_key == json_key).then(|| value.clone()),
    });
    Wanted { name: plan.name.clone(), keys: keys.collect() }
}
