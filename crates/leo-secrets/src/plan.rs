use leo_config::Config;

/// A secret, and the keys that its value must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPlan {
    /// Its name in Secrets Manager, like `leo/dev/claude`.
    pub name: String,
    /// The keys of the JSON object that is its value.
    pub keys: Vec<PlanKey>,
}

/// A key that a secret's value must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanKey {
    /// Its name in the environment files and in containers.
    pub variable: String,
    /// Its name in the JSON object.
    pub json_key: String,
}

impl SecretPlan {
    /// The plan of every secret of an environment, in the order of its configuration.
    pub fn all(config: &Config) -> Vec<Self> {
        let environment = &config.environment.name;
        let plan = |provider: &leo_config::SecretProvider| Self {
            name: environment.secret(&provider.name),
            keys: provider
                .keys
                .iter()
                .map(|key| PlanKey { variable: key.variable.clone(), json_key: key.json_key.clone() })
                .collect(),
        };
        config.secrets.iter().map(plan).collect()
    }
}
