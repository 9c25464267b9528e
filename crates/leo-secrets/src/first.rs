use crate::fingerprint::fingerprint;

/// The id of a secret's first version: the same for everyone who creates it, so that of two at once the second is
/// refused instead of overwriting the first (`ClientRequestToken` of PutSecretValue: 32 to 64 characters).
pub(crate) fn first_version<'a>(name: &'a str, json_keys: impl IntoIterator<Item = &'a str>) -> String {
    let mut keys: Vec<_> = json_keys.into_iter().collect();
    keys.sort_unstable();
    format!("leo-first-{:032x}", fingerprint(std::iter::once(name).chain(keys)))
}
