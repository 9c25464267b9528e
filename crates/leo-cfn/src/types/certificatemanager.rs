//! AWS Certificate Manager.

use super::{identifiers, resource};
use crate::Value;
use serde::Serialize;

identifiers! {
    /// The ARN of a certificate.
    CertificateArn,
}

impl Value<CertificateArn> {
    /// A certificate that exists already.
    #[must_use]
    pub fn existing(arn: &str) -> Self {
        Self::from_json(arn.into())
    }
}

/// `AWS::CertificateManager::Certificate`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Certificate {
    /// The name that it proves.
    pub domain_name: String,
    /// `DNS`.
    pub validation_method: &'static str,
    /// Where the proof is put.
    pub domain_validation_options: [DomainValidationOption; 1],
}
resource!(Certificate = "AWS::CertificateManager::Certificate", List, Ref = CertificateArn);

/// Where the proof of a name is put.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DomainValidationOption {
    /// The name.
    pub domain_name: String,
    /// The hosted zone that answers for it.
    pub hosted_zone_id: String,
}
