//! Amazon ECR: image repositories.

use super::{identifiers, resource};
use crate::{Handle, Value};
use serde::Serialize;

identifiers! {
    /// The name of a repository.
    RepositoryName,
    /// The URI of a repository, without tag or digest.
    RepositoryUri,
    /// An image by digest: `<repository URI>@sha256:<64 hex digits>`.
    ImageUri,
}

impl crate::ParameterType for ImageUri {
    const TYPE: &'static str = "String";
}

/// `AWS::ECR::Repository`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Repository {
    /// Its name.
    pub repository_name: String,
    /// What looks into pushed images.
    pub image_scanning_configuration: ImageScanningConfiguration,
    /// `IMMUTABLE_WITH_EXCLUSION`: tags are set once, but for those that the filters match.
    pub image_tag_mutability: &'static str,
    /// The tags that stay mutable.
    pub image_tag_mutability_exclusion_filters: Vec<MutabilityFilter>,
    /// What expires by itself.
    pub lifecycle_policy: LifecyclePolicy,
}
resource!(Repository = "AWS::ECR::Repository", List, Ref = RepositoryName);

impl Handle<Repository> {
    /// The repository's URI, as images are pushed to.
    #[must_use]
    pub fn repository_uri(&self) -> Value<RepositoryUri> {
        self.attribute("RepositoryUri")
    }
}

/// What looks into pushed images.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageScanningConfiguration {
    /// Whether a push starts a scan.
    pub scan_on_push: bool,
}

/// Tags that stay mutable.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MutabilityFilter {
    /// `WILDCARD`.
    pub image_tag_mutability_exclusion_filter_type: &'static str,
    /// The tags, as `cache-*`.
    pub image_tag_mutability_exclusion_filter_value: &'static str,
}

/// A lifecycle policy: ECR takes it as JSON in a string.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LifecyclePolicy {
    /// The rules, as JSON.
    pub lifecycle_policy_text: String,
}
