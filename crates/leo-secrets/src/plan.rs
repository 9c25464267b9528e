use leo_config::{Config, SecretKey};

/// A secret, and the keys that its value must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPlan {
    /// Its name in Secrets Manager, like `leo/dev/claude`.
    pub name: String,
    /// The keys of the JSON object that is its value.
    pub keys: Vec<SecretKey>,
}

impl SecretPlan {
    /// The plan of every secret of an environment, in the order of its configuration.
    pub fn all(config: &Config) -> Vec<Self> {
        let environment = &config.environment.name;
        let plan = |provider: &leo_config::SecretProvider| Self {
            name: environment.secret(&provider.name),
            keys: provider.keys.clone(),
        };
        config.secrets.iter().map(plan).collect()
    }
}
