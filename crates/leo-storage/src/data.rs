//! An environment's data: the bucket of generated applications, and the secrets.

use crate::bucket::{self, Keeping};
use leo_cfn::{
    Attributes, Fragment, Handle, logical_id,
    types::{s3::Bucket, secretsmanager::Secret},
};
use leo_config::{Config, ProviderName, SecretProvider};
use std::collections::BTreeMap;

/// What an environment's data offers.
#[derive(Debug)]
pub struct Exports {
    /// Jobs' input and the applications that were generated from it.
    pub bucket: Handle<Bucket>,
    /// The secrets, by provider.
    pub secrets: BTreeMap<ProviderName, Handle<Secret>>,
}

/// An environment's data.
#[must_use]
pub fn data(config: &Config) -> (Fragment, Exports) {
    let mut fragment = Fragment::new("storage::data", "data");
    let bucket = bucket::add(
        &mut fragment,
        logical_id!("AppsBucket"),
        &config.environment.name.apps_bucket_prefix(),
        &Keeping::Days(config.storage.object_expiry_days),
        config.storage.incomplete_upload_days,
    );
    let secrets = config
        .secrets
        .iter()
        .map(|provider| (provider.name.clone(), secret(config, &mut fragment, provider)))
        .collect();
    (fragment, Exports { bucket, secrets })
}

fn secret(config: &Config, fragment: &mut Fragment, provider: &SecretProvider) -> Handle<Secret> {
    let keys: Vec<&str> = provider.keys.iter().map(|key| key.json_key.as_str()).collect();
    fragment.add_with(
        logical_id!("Secret").suffixed(provider.name.as_str()),
        Attributes::data(),
        Secret {
            name: config.environment.name.secret(&provider.name),
            description: format!("Leo {}: {}", config.environment.name, keys.join(", ")),
        },
    )
}
