//! Amazon S3: buckets.

use super::{identifiers, resource};
use crate::{Handle, PolicyDocument, Value};
use serde::Serialize;

identifiers! {
    /// The name of a bucket.
    BucketName,
    /// The ARN of a bucket.
    BucketArn,
    /// The id of a bucket policy: nothing takes it.
    BucketPolicyId,
}

impl crate::ParameterType for BucketName {
    const TYPE: &'static str = "String";
}

/// `AWS::S3::Bucket`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Bucket {
    /// Its name.
    pub bucket_name: Value<String>,
    /// How objects are encrypted.
    pub bucket_encryption: BucketEncryption,
    /// What expires by itself.
    pub lifecycle_configuration: LifecycleConfiguration,
    /// Who owns what others write.
    pub ownership_controls: OwnershipControls,
    /// What can never be public.
    pub public_access_block_configuration: PublicAccessBlockConfiguration,
    /// Whether old versions are kept; unversioned when absent.
    pub versioning_configuration: Option<VersioningConfiguration>,
}
resource!(Bucket = "AWS::S3::Bucket", List, Ref = BucketName);

impl Handle<Bucket> {
    /// The bucket's ARN.
    #[must_use]
    pub fn arn(&self) -> Value<BucketArn> {
        self.attribute("Arn")
    }
}

/// How objects are encrypted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BucketEncryption {
    /// The one rule.
    pub server_side_encryption_configuration: [ServerSideEncryptionRule; 1],
}

/// A rule of encryption.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServerSideEncryptionRule {
    /// What applies to objects whose writer asks for nothing.
    pub server_side_encryption_by_default: ServerSideEncryptionByDefault,
}

/// Encryption by default.
#[derive(Debug, Serialize)]
pub struct ServerSideEncryptionByDefault {
    /// `AES256` for keys that S3 manages.
    #[serde(rename = "SSEAlgorithm")]
    pub sse_algorithm: &'static str,
}

/// What expires by itself.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LifecycleConfiguration {
    /// The rules.
    pub rules: Vec<LifecycleRule>,
}

/// A rule of expiry.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LifecycleRule {
    /// Its name.
    pub id: &'static str,
    /// `Enabled`.
    pub status: &'static str,
    /// Days after which an object is deleted.
    pub expiration_in_days: Option<u32>,
    /// What becomes of uploads that never ended.
    pub abort_incomplete_multipart_upload: Option<AbortIncompleteMultipartUpload>,
}

/// What becomes of uploads that never ended.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AbortIncompleteMultipartUpload {
    /// Days after which their parts are deleted.
    pub days_after_initiation: u32,
}

/// Who owns what others write.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OwnershipControls {
    /// The one rule.
    pub rules: [OwnershipRule; 1],
}

/// A rule of ownership.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OwnershipRule {
    /// `BucketOwnerEnforced`: access lists are off.
    pub object_ownership: &'static str,
}

/// What can never be public.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PublicAccessBlockConfiguration {
    /// Public access lists are refused.
    pub block_public_acls: bool,
    /// Public policies are refused.
    pub block_public_policy: bool,
    /// Public access lists are without effect.
    pub ignore_public_acls: bool,
    /// A public policy works only for the owner's account.
    pub restrict_public_buckets: bool,
}

/// Whether old versions are kept.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersioningConfiguration {
    /// `Enabled`.
    pub status: &'static str,
}

/// `AWS::S3::BucketPolicy`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BucketPolicy {
    /// The bucket.
    pub bucket: Value<BucketName>,
    /// Who may do what with it.
    pub policy_document: PolicyDocument,
}
resource!(BucketPolicy = "AWS::S3::BucketPolicy", None, Ref = BucketPolicyId);
