//! A bucket goes in two steps, since S3 deletes empty buckets only.

mod batch;
mod empty;
mod versions;

use std::fmt;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use leo_aws::ServiceError;
use tokio::time::sleep;

use crate::DataError;
use crate::inventory::{count, size};

pub use empty::empty_bucket;
pub(crate) use versions::{Marker, VersionPage};

/// A bucket, and whose it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// The account that owns it. S3 refuses every call where another one does, so that nobody else's bucket of this
    /// name is emptied.
    pub account: String,
}

/// What is gone from a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Emptied {
    /// Object versions and delete markers.
    pub versions: u64,
    /// What the versions held, in bytes.
    pub bytes: u64,
    /// Uploads in parts that were never completed; their parts cost money and are in no listing of objects.
    pub uploads: u64,
}

impl Emptied {
    /// Whether nothing had to go.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for Emptied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", count(self.versions, "object version"), size(self.bytes))?;
        if self.uploads > 0 {
            write!(f, ", {}", count(self.uploads, "incomplete upload"))?;
        }
        Ok(())
    }
}

/// How often a bucket that is not empty yet is emptied again.
const TRIES: u32 = 5;
/// What lies between two tries; S3 says that a bucket is empty a moment after it is.
const BETWEEN_TRIES: Duration = Duration::from_secs(2);

/// Deletes an empty bucket. What is found in it, because it was written since or is still listed, is deleted as
/// [`empty_bucket`] does, and comes back; `None`: there was no bucket, or its deletion was the first call and S3's answer
/// to it was lost, which look alike.
///
/// # Errors
/// [`DataError::NotEmpty`] where something goes on writing to it; what [`empty_bucket`] fails with;
/// [`DataError::Service`].
pub async fn delete_bucket(s3: &Client, bucket: &Bucket) -> Result<Option<Emptied>, DataError> {
    let mut found = None;
    for _ in 0..TRIES {
        let call = s3.delete_bucket().bucket(&bucket.name).expected_bucket_owner(&bucket.account);
        let Err(error) = call.send().await else { return Ok(Some(found.unwrap_or_default())) };
        match error.code() {
            Some("NoSuchBucket") => return Ok(found),
            Some("BucketNotEmpty") => {
                let late = empty_bucket(s3, bucket, &|_| {}).await?;
                found = Some(found.unwrap_or_default().and(late));
            }
            // Another operation on the bucket is not over.
            Some("OperationAborted") => {}
            _ => return Err(bucket.failed(ServiceError::of("DeleteBucket", &error))),
        }
        sleep(BETWEEN_TRIES).await;
    }
    Err(DataError::NotEmpty { bucket: bucket.name.clone() })
}

impl Bucket {
    pub(crate) fn failed(&self, source: ServiceError) -> DataError {
        DataError::Service { subject: format!("bucket {}", self.name), source }
    }
}
