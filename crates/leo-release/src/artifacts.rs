//! Templates in the artifacts bucket.

use crate::{
    error::ReleaseError,
    objects::{Condition, Objects, Written},
};
use aws_sdk_s3::Client;
use sha2::{Digest, Sha256};

/// The largest template that CloudFormation takes from S3, in bytes ("CloudFormation quotas": 1 MB, which the service
/// counts as a million).
pub const TEMPLATE_LIMIT: usize = 1_000_000;

/// The artifacts bucket of one account and region.
#[derive(Clone, Debug)]
pub struct Artifacts {
    pub(crate) objects: Objects,
    address: Address,
}

/// How CloudFormation finds an object of the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `https://<bucket>.s3.<region>.<suffix>/<key>` (S3 User Guide, "Virtual hosting of buckets").
    Aws {
        /// The bucket's region.
        region: String,
    },
    /// `<endpoint>/<bucket>/<key>`: the local target's own address, without a slash at its end.
    Endpoint(String),
}

/// A template that CloudFormation can be pointed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedTemplate {
    /// The SHA-256 of its body, in hexadecimal.
    pub sha256: String,
    /// What `TemplateURL` takes.
    pub url: String,
}

impl Artifacts {
    /// The bucket of this name, as `s3` reaches it. The client needs path-style addresses where the bucket's name can't
    /// be part of the host's.
    pub fn new(s3: Client, bucket: impl Into<String>, address: Address) -> Self {
        Self { objects: Objects::new(s3, bucket.into()), address }
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.objects.bucket
    }

    /// Makes sure that a template is in the bucket. It is sent only where it is absent; one that is there is compared.
    pub async fn stage(&self, body: &str) -> Result<StagedTemplate, ReleaseError> {
        if body.len() > TEMPLATE_LIMIT {
            return Err(ReleaseError::TemplateTooLarge { bytes: body.len() });
        }
        let sha256 = template_sha256(body);
        let key = key(&sha256);
        let written = self
            .objects
            .put(&key, body, Condition::Absent)
            .await
            .map_err(|source| self.objects.failed(format!("stage template {sha256}"), source))?;
        if !matches!(written, Written::Done(_)) {
            self.template(&sha256).await?;
        }
        Ok(StagedTemplate { url: self.url(&key), sha256 })
    }

    /// The body of a staged template, which really has this SHA-256.
    pub async fn template(&self, sha256: &str) -> Result<String, ReleaseError> {
        let key = key(sha256);
        let object = self
            .objects
            .get(&key)
            .await
            .map_err(|source| self.objects.failed(format!("read template {sha256}"), source))?;
        let bucket = self.objects.bucket.clone();
        let Some(object) = object else {
            return Err(ReleaseError::NoTemplate { sha256: sha256.to_owned(), key, bucket });
        };
        match String::from_utf8(object.body) {
            Ok(body) if template_sha256(&body) == sha256 => Ok(body),
            _ => {
                let reason = "its contents do not have the SHA-256 of its name".to_owned();
                Err(ReleaseError::Damaged { key, bucket, reason })
            }
        }
    }

    /// What `TemplateURL` takes for a template that is staged.
    pub fn template_url(&self, sha256: &str) -> String {
        self.url(&key(sha256))
    }

    fn url(&self, key: &str) -> String {
        let bucket = &self.objects.bucket;
        match &self.address {
            Address::Aws { region } => format!("https://{bucket}.s3.{region}.{}/{key}", url_suffix(region)),
            Address::Endpoint(endpoint) => format!("{endpoint}/{bucket}/{key}"),
        }
    }
}

fn key(sha256: &str) -> String {
    format!("templates/{sha256}.json")
}

/// The SHA-256 of a template's body, in hexadecimal: its name in the bucket.
pub fn template_sha256(body: &str) -> String {
    Sha256::digest(body.as_bytes()).iter().fold(String::with_capacity(64), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The DNS suffix of a region's partition (the SDKs' own `partitions.json`, November 2026).
fn url_suffix(region: &str) -> &'static str {
    const SUFFIXES: [(&str, &str); 7] = [
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("us-isof-", "csp.hci.ic.gov"),
        ("us-iso-", "c2s.ic.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-gov-", "amazonaws.com"),
    ];
    SUFFIXES
        .iter()
        .find_map(|(prefix, suffix)| region.starts_with(prefix).then_some(*suffix))
        .unwrap_or("amazonaws.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_its_own_suffix() {
        let table = [
            ("eu-central-1", "amazonaws.com"),
            ("us-gov-west-1", "amazonaws.com"),
            ("cn-north-1", "amazonaws.com.cn"),
            ("eusc-de-east-1", "amazonaws.eu"),
            ("us-iso-east-1", "c2s.ic.gov"),
            ("us-isob-east-1", "sc2s.sgov.gov"),
        ];
        for (region, suffix) in table {
            assert_eq!(url_suffix(region), suffix, "{region}");
        }
    }

    #[test]
    fn a_template_is_named_by_its_sha256() {
        assert_eq!(template_sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
