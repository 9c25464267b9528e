use aws_sdk_secretsmanager::Client;
use leo_env::Secret;

use crate::look::{Found, fits, look};
use crate::object::{Held, Object};
use crate::push::write;
use crate::{Problem, Purpose, Record, SecretPlan, SecretsError, Wanted, WantedKey};

/// What rotating a key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The secret's name.
    pub name: String,
    /// Whether its value changed: `false` where the key had this value already.
    pub changed: bool,
    /// The id of the version that tasks get now.
    pub version: String,
    /// That the key is equal at this version: to be kept where the environment file has the new value, too.
    pub seen: Record,
}

/// How often a value is put again over another key that someone else changes at the same time.
const ATTEMPTS: usize = 5;

/// Gives one key of a secret a new value and leaves everything else as it is, byte for byte.
///
/// It asks for no record: as long as the environment file has the old value, the next push finds that this key was changed
/// elsewhere, and does not put the old value back.
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
    let rotated = |changed: bool, arn: Option<String>, version: String| {
        let mut seen = Record::default();
        seen.set(arn.as_deref(), json_key, &version);
        Rotated { name: name.clone(), changed, version, seen }
    };
    for _ in 0..ATTEMPTS {
        let (arn, base, there) = current(client, &wanted, json_key).await?;
        if there.compare(json_key, value) == Held::Same
            && let Some(version) = base
        {
            return Ok(rotated(first.is_some(), arn, version));
        }
        if first.as_ref().is_some_and(|first| !there.agrees(first, json_key)) {
            break;
        }
        let new = there.edited([(json_key, Some(value))]);
        fits(&wanted, &new).map_err(blocked)?;
        if let Some(version) = write(client, &wanted, base.as_deref(), new).await? {
            return Ok(rotated(true, arn, version));
        }
        first.get_or_insert(there);
    }
    Err(SecretsError::ChangedMeanwhile { secret: name })
}

/// The secret's ARN, current version and value. One that has none yet starts empty, if this is its only key.
async fn current(
    client: &Client,
    wanted: &Wanted,
    json_key: &str,
) -> Result<(Option<String>, Option<String>, Object), SecretsError> {
    let secret = wanted.name.clone();
    let seen = look(client, wanted, &Record::default()).await?;
    let problem = match seen.found {
        Found::Object { version, object, .. } => {
            return Ok((seen.arn, Some(version), object));
        }
        Found::Empty { version } => {
            let missing: Vec<_> = wanted
                .keys
                .iter()
                .filter(|key| key.json_key != json_key)
                .map(|key| Problem::NoValueYet { secret: secret.clone(), key: key.variable.clone() })
                .collect();
            if missing.is_empty() {
                return Ok((seen.arn, version, Object::empty()));
            }
            return Err(blocked(missing));
        }
        Found::Absent => Problem::NoSecret { secret },
        Found::ScheduledForDeletion => Problem::ScheduledForDeletion { secret },
        Found::Denied { permission, .. } => Problem::MayNotRead { secret, permission },
        Found::NotAnObject { .. } => Problem::NotAnObject { secret },
    };
    Err(blocked(vec![problem]))
}

fn blocked(problems: Vec<Problem>) -> SecretsError {
    SecretsError::of(Purpose::Rotate, problems)
}

fn wanted(plan: &SecretPlan, json_key: &str, value: &Secret) -> Wanted {
    let keys = plan.keys.iter().map(|key| WantedKey {
        variable: key.variable.clone(),
        json_key: key.json_key.clone(),
        value: (key.json_key == json_key).then(|| value.clone()),
    });
    Wanted { name: plan.name.clone(), keys: keys.collect() }
}
