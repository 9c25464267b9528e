//! Up to a thousand versions go in one call.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use leo_aws::ServiceError;

use super::versions::Version;
use super::{Bucket, Emptied};
use crate::{DataError, Refusal};

/// What came of the versions of a page.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) gone: Emptied,
    pub(super) refusals: Vec<Refusal>,
}

/// Codes of versions that are gone all the same.
const GONE: [&str; 2] = ["NoSuchKey", "NoSuchVersion"];

/// Deletes these versions, a thousand at most ("DeleteObjects", Amazon S3 API Reference). What S3 refuses of them is part
/// of the answer.
pub(super) async fn delete(s3: Client, bucket: Bucket, versions: Vec<Version>) -> Result<Batch, DataError> {
    let (together, alone): (Vec<_>, Vec<_>) =
        versions.into_iter().partition(|version| fits_xml(&version.key));
    let mut batch = Batch::default();
    if !together.is_empty() {
        delete_together(&s3, &bucket, together, &mut batch).await?;
    }
    for version in alone {
        delete_alone(&s3, &bucket, version, &mut batch).await?;
    }
    Ok(batch)
}

async fn delete_together(
    s3: &Client,
    bucket: &Bucket,
    versions: Vec<Version>,
    batch: &mut Batch,
) -> Result<(), DataError> {
    let impossible = |source| bucket.failed(ServiceError::of::<aws_sdk_s3::Error>("DeleteObjects", &source));
    let mut list = Delete::builder().quiet(true);
    for version in &versions {
        let object = ObjectIdentifier::builder().key(&version.key).set_version_id(version.id.clone());
        list =
            list.objects(object.build().map_err(|error| impossible(SdkError::construction_failure(error)))?);
    }
    let list = list.build().map_err(|error| impossible(SdkError::construction_failure(error)))?;
    let call = s3.delete_objects().bucket(&bucket.name).expected_bucket_owner(&bucket.account).delete(list);
    let answer = match call.send().await {
        Ok(answer) => answer,
        Err(error) => return Err(bucket.failed(ServiceError::of("DeleteObjects", &error))),
    };
    let refusals: Vec<Refusal> = answer
        .errors()
        .iter()
        .filter(|error| !error.code().is_some_and(|code| GONE.contains(&code)))
        .map(|error| Refusal {
            key: error.key().unwrap_or_default().to_owned(),
            version: error.version_id().unwrap_or("null").to_owned(),
            code: error.code().unwrap_or_default().to_owned(),
            message: error.message().unwrap_or_default().to_owned(),
        })
        .collect();
    for version in versions {
        let id = version.id.as_deref().unwrap_or("null");
        if !refusals.iter().any(|refusal| refusal.key == version.key && refusal.version == id) {
            batch.gone.add(&version);
        }
    }
    batch.refusals.extend(refusals);
    Ok(())
}

/// For a key that XML can't carry: here it is a part of the address.
async fn delete_alone(
    s3: &Client,
    bucket: &Bucket,
    version: Version,
    batch: &mut Batch,
) -> Result<(), DataError> {
    let call = s3
        .delete_object()
        .bucket(&bucket.name)
        .expected_bucket_owner(&bucket.account)
        .key(&version.key)
        .set_version_id(version.id.clone());
    let Err(error) = call.send().await else {
        batch.gone.add(&version);
        return Ok(());
    };
    let gone = error.code().is_some_and(|code| GONE.contains(&code));
    let source = ServiceError::of("DeleteObject", &error);
    if gone {
        batch.gone.add(&version);
    } else if source.code.as_deref() == Some("AccessDenied") {
        batch.refusals.push(Refusal {
            key: version.key,
            version: version.id.unwrap_or_else(|| "null".to_owned()),
            code: "AccessDenied".to_owned(),
            message: source.message,
        });
    } else {
        return Err(bucket.failed(source));
    }
    Ok(())
}

impl Emptied {
    fn add(&mut self, version: &Version) {
        self.versions += 1;
        self.bytes += version.size.unwrap_or_default();
    }
}

/// Whether XML 1.0 has every character of the key (its production `Char`).
fn fits_xml(key: &str) -> bool {
    key.chars().all(|character| {
        matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
            || character >= '\u{10000}'
    })
}

#[cfg(test)]
mod tests {
    use super::fits_xml;

    #[test]
    fn only_characters_of_xml_go_together() {
        assert!(fits_xml("jobs/\u{e9}\u{1f600}\t"));
        assert!(!fits_xml("jobs/\u{1}"));
        assert!(!fits_xml("jobs/\u{ffff}"));
    }
}
