//! What the schema's secrets are to the containers.

use std::collections::{BTreeMap, BTreeSet};

use leo_env::schema::{Consumer, Schema};

use crate::{ProviderName, SecretKey, SecretProvider, SecretRef};

/// The providers, sorted by name; the keys of each in the order of the schema.
pub(crate) fn providers(schema: &Schema) -> Vec<SecretProvider> {
    grouped(schema, |_| true).map(|(name, keys)| SecretProvider { name, keys }).collect()
}

/// What a container gets, sorted by provider.
pub(crate) fn given(schema: &Schema, consumer: Consumer) -> Vec<SecretRef> {
    grouped(schema, |consumers| consumers.contains(&consumer))
        .map(|(provider, keys)| SecretRef { provider, keys })
        .collect()
}

fn grouped(
    schema: &Schema,
    wanted: impl Fn(&BTreeSet<Consumer>) -> bool,
) -> impl Iterator<Item = (ProviderName, Vec<SecretKey>)> {
    let mut providers: BTreeMap<ProviderName, Vec<SecretKey>> = BTreeMap::new();
    for (key, secret) in schema.secrets().filter(|(_, secret)| wanted(&secret.consumers)) {
        // A schema has checked its providers' names.
        let Ok(provider) = ProviderName::parse(&secret.provider) else { continue };
        let key = SecretKey { variable: key.name.clone(), json_key: secret.json_key.clone() };
        providers.entry(provider).or_default().push(key);
    }
    providers.into_iter()
}
