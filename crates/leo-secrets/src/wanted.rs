use leo_env::Secret;

use crate::first::first_version;
use crate::{SecretPlan, Values};

/// A secret as the environment files have it.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name in Secrets Manager.
    pub name: String,
    /// The keys that it is declared to have.
    pub keys: Vec<WantedKey>,
}

/// A key of a secret, and the value that is here for it.
#[derive(Clone, Debug)]
pub struct WantedKey {
    /// Its name in the environment files and in containers.
    pub variable: String,
    /// Its name in the JSON object.
    pub json_key: String,
    /// Its value; `None` where there is none here.
    pub value: Option<Secret>,
}

impl Wanted {
    /// The values of these secrets, as far as there are any.
    pub fn all(plans: &[SecretPlan], values: Values<'_>) -> Vec<Self> {
        plans.iter().map(|plan| Self::of(plan, values)).collect()
    }

    /// The values of one secret, as far as there are any.
    pub fn of(plan: &SecretPlan, values: Values<'_>) -> Self {
        let keys = plan.keys.iter().map(|key| WantedKey {
            variable: key.variable.clone(),
            json_key: key.json_key.clone(),
            value: values.get(&key.variable),
        });
        Self { name: plan.name.clone(), keys: keys.collect() }
    }

    /// The id of its first version.
    pub(crate) fn first_version(&self) -> String {
        first_version(&self.name, self.keys.iter().map(|key| key.json_key.as_str()))
    }

    /// The key with this name in the JSON object.
    pub(crate) fn key(&self, json_key: &str) -> Option<&WantedKey> {
        self.keys.iter().find(|key| key.json_key == json_key)
    }
}
