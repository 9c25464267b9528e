//! The one kind of bucket: private, owned by us, encrypted, reachable by TLS only.

use leo_cfn::{
    Attributes, Fragment, Handle, LogicalId, PolicyDocument, Principal, Statement, join, pseudo,
    types::s3::{
        AbortIncompleteMultipartUpload, Bucket, BucketEncryption, BucketPolicy, LifecycleConfiguration,
        LifecycleRule, OwnershipControls, OwnershipRule, PublicAccessBlockConfiguration,
        ServerSideEncryptionByDefault, ServerSideEncryptionRule, VersioningConfiguration,
    },
};

/// What becomes of what is written to a bucket.
pub(crate) enum Keeping {
    /// Objects are deleted after so many days.
    Days(u32),
    /// Every version is kept.
    EveryVersion,
}

/// Adds a bucket called `<prefix>-<account>-<region>` and its policy.
pub(crate) fn add(
    fragment: &mut Fragment,
    id: LogicalId,
    prefix: &str,
    keeping: &Keeping,
    incomplete_upload_days: u32,
) -> Handle<Bucket> {
    let policy_id = id.suffixed("Policy");
    let bucket =
        fragment.add_with(id, Attributes::data(), properties(prefix, keeping, incomplete_upload_days));
    let everything = [bucket.arn().text(), join("/", [bucket.arn().text(), "*".into()])];
    fragment.add(
        policy_id,
        BucketPolicy {
            bucket: bucket.reference(),
            policy_document: PolicyDocument::new([Statement::deny("TlsOnly", ["s3:*"])
                .by(Principal::Any)
                .on(everything)
                .when("Bool", "aws:SecureTransport", "false".into())]),
        },
    );
    bucket
}

fn properties(prefix: &str, keeping: &Keeping, incomplete_upload_days: u32) -> Bucket {
    let expiry = match keeping {
        Keeping::Days(days) => Some(LifecycleRule {
            id: "expire-objects",
            status: "Enabled",
            expiration_in_days: Some(*days),
            abort_incomplete_multipart_upload: None,
        }),
        Keeping::EveryVersion => None,
    };
    let uploads = LifecycleRule {
        id: "abort-incomplete-uploads",
        status: "Enabled",
        expiration_in_days: None,
        abort_incomplete_multipart_upload: Some(AbortIncompleteMultipartUpload {
            days_after_initiation: incomplete_upload_days,
        }),
    };
    Bucket {
        bucket_name: join("-", [prefix.into(), pseudo::account_id(), pseudo::region()]),
        bucket_encryption: BucketEncryption {
            server_side_encryption_configuration: [ServerSideEncryptionRule {
                server_side_encryption_by_default: ServerSideEncryptionByDefault { sse_algorithm: "AES256" },
            }],
        },
        lifecycle_configuration: LifecycleConfiguration {
            rules: expiry.into_iter().chain([uploads]).collect(),
        },
        ownership_controls: OwnershipControls {
            rules: [OwnershipRule { object_ownership: "BucketOwnerEnforced" }],
        },
        public_access_block_configuration: PublicAccessBlockConfiguration {
            block_public_acls: true,
            block_public_policy: true,
            ignore_public_acls: true,
            restrict_public_buckets: true,
        },
        versioning_configuration: matches!(keeping, Keeping::EveryVersion)
            .then_some(VersioningConfiguration { status: "Enabled" }),
    }
}
