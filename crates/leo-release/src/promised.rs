//! What the bucket says of environments beside their releases: which there are, and which images are promised to them.

use crate::{artifacts::Artifacts, error::ReleaseError};
use std::collections::{BTreeMap, BTreeSet};

/// Where the releases of all environments are.
const RELEASES: &str = "releases/";
/// Where it is written which images the next deploy of an environment takes.
const PROMOTIONS: &str = "promotions/";
/// How a digest begins, and how many hexadecimal digits follow.
const DIGEST: (&str, usize) = ("sha256:", 64);

impl Artifacts {
    /// The environments that have a record of a release, readable or not, sorted: also those that were destroyed.
    pub async fn environments(&self) -> Result<BTreeSet<String>, ReleaseError> {
        let failed = |source| self.objects.failed("list the environments that have releases", source);
        let keys = self.objects.keys(RELEASES).await.map_err(failed)?;
        let names = keys.iter().filter_map(|key| key.strip_prefix(RELEASES)?.split_once('/'));
        Ok(names.map(|(environment, _)| environment.to_owned()).collect())
    }

    /// The digests of the images that are promoted to an environment, by environment, whatever form the record has: every
    /// digest that it names.
    ///
    /// # Errors
    /// [`ReleaseError::Damaged`] where a record is no JSON, or names no digest: what it promises can't be seen.
    pub async fn promised(&self) -> Result<BTreeMap<String, BTreeSet<String>>, ReleaseError> {
        let failed = |source| self.objects.failed("see what is promoted", source);
        let mut promised = BTreeMap::new();
        for key in self.objects.keys(PROMOTIONS).await.map_err(failed)? {
            // Taken back since it was listed.
            let Some(object) = self.objects.get(&key).await.map_err(failed)? else { continue };
            let damaged = |reason: String| {
                let (key, bucket) = (key.clone(), self.objects.bucket.clone());
                ReleaseError::Damaged { key, bucket, reason }
            };
            let record: serde_json::Value = serde_json::from_slice(&object.body)
                .map_err(|error| damaged(format!("it is no record: {error}")))?;
            let mut digests = BTreeSet::new();
            collect(&record, &mut digests);
            if digests.is_empty() {
                return Err(damaged("it names no image".to_owned()));
            }
            let name = key.strip_prefix(PROMOTIONS).unwrap_or(&key);
            promised.insert(name.strip_suffix(".json").unwrap_or(name).to_owned(), digests);
        }
        Ok(promised)
    }
}

/// Every digest in a document, also in the middle of a text like an image's name.
fn collect(document: &serde_json::Value, digests: &mut BTreeSet<String>) {
    match document {
        serde_json::Value::String(text) => digests.extend(digests_in(text)),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, digests)),
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                digests.extend(digests_in(name));
                collect(field, digests);
            }
        }
        _ => {}
    }
}

fn digests_in(text: &str) -> impl Iterator<Item = String> {
    let (prefix, length) = DIGEST;
    text.match_indices(prefix).filter_map(move |(at, _)| {
        let digest = text.get(at..at + prefix.len() + length)?;
        let hex = digest.strip_prefix(prefix)?;
        hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| digest.to_owned())
    })
}
