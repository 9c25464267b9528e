//! Emptying: pass by pass over everything that is listed, until a pass finds nothing.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use leo_aws::ServiceError;
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use super::batch::{self, Batch};
use super::{Bucket, Emptied, Marker, VersionPage};
use crate::{DataError, Refusal};

/// Calls of DeleteObjects under way at a time. Each is a thousand deletions, of which S3 takes 3,500 a second for a
/// prefix ("Best practices design patterns", Amazon S3 User Guide).
const IN_FLIGHT: usize = 4;
/// Passes that get nothing further, although S3 might.
const FRUITLESS: u32 = 5;
/// Passes in all. The second one of a bucket that nobody writes to finds nothing, unless S3 asked for patience.
const PASSES: u32 = 20;
/// What a pass after a fruitless one waits for.
const PAUSE: Duration = Duration::from_secs(3);
/// How many refusals an error shows.
const SHOWN: usize = 5;

/// Refusals of S3 that pass ("Error responses", Amazon S3 API Reference).
const PASSING: [&str; 4] = ["InternalError", "OperationAborted", "ServiceUnavailable", "SlowDown"];

/// What one look at the whole bucket came to.
#[derive(Default)]
struct Pass {
    gone: Emptied,
    /// How many versions S3 refused to delete.
    refused: usize,
    /// The first of them.
    refusals: Vec<Refusal>,
    /// Whether one of all of them may pass.
    passes: bool,
}

/// Deletes everything in a bucket: all versions of all objects, delete markers, incomplete uploads. A bucket that does not
/// exist is empty.
///
/// `on_progress` gets the sums so far, after every thousand versions at most.
///
/// # Errors
/// [`DataError::KeysLeft`] where S3 goes on refusing some of it: the rest is gone then. [`DataError::NotEmpty`] where
/// something goes on writing to it. [`DataError::Service`] where a call as a whole is refused or not answered. A call
/// after any of them continues.
pub async fn empty_bucket(
    s3: &Client,
    bucket: &Bucket,
    on_progress: &(dyn Fn(Emptied) + Send + Sync),
) -> Result<Emptied, DataError> {
    let mut total = Emptied::default();
    let (mut passes, mut fruitless) = (0, 0);
    loop {
        let pass = pass(s3, bucket, total, on_progress).await?;
        total = total.and(pass.gone);
        if pass.refused == 0 && pass.gone.is_nothing() {
            break;
        }
        passes += 1;
        fruitless = if pass.gone.is_nothing() { fruitless + 1 } else { 0 };
        let hopeless = fruitless > 0 && (!pass.passes || fruitless == FRUITLESS);
        if hopeless || (passes == PASSES && pass.refused > 0) {
            let bucket = bucket.name.clone();
            return Err(DataError::KeysLeft { bucket, left: pass.refused, refusals: pass.refusals });
        }
        if passes == PASSES {
            return Err(DataError::NotEmpty { bucket: bucket.name.clone() });
        }
        if fruitless > 0 {
            sleep(PAUSE).await;
        }
    }
    total.uploads = abort_uploads(s3, bucket).await?;
    if total.uploads > 0 {
        on_progress(total);
    }
    Ok(total)
}

async fn pass(
    s3: &Client,
    bucket: &Bucket,
    before: Emptied,
    on_progress: &(dyn Fn(Emptied) + Send + Sync),
) -> Result<Pass, DataError> {
    let mut pass = Pass::default();
    // Dropped with an error: what is under way then is given up, and found again by the next run.
    let mut batches = JoinSet::new();
    let mut marker = Some(Marker::default());
    while let Some(at) = marker.take() {
        let Some(page) = VersionPage::at(s3, bucket, &at).await? else { break };
        marker = page.next;
        if !page.versions.is_empty() {
            batches.spawn(batch::delete(s3.clone(), bucket.clone(), page.versions));
        }
        let keep = if marker.is_some() { IN_FLIGHT - 1 } else { 0 };
        while batches.len() > keep {
            pass.take(batches.join_next().await)?;
            on_progress(before.and(pass.gone));
        }
    }
    Ok(pass)
}

impl Pass {
    fn take(&mut self, joined: Option<Result<Result<Batch, DataError>, JoinError>>) -> Result<(), DataError> {
        match joined {
            Some(Ok(batch)) => {
                let Batch { gone, refusals } = batch?;
                self.gone = self.gone.and(gone);
                self.refused += refusals.len();
                self.passes |= refusals.iter().any(|refusal| PASSING.contains(&refusal.code.as_str()));
                // A whole bucket may be held: what is shown is all that is kept.
                let room = SHOWN.saturating_sub(self.refusals.len());
                self.refusals.extend(refusals.into_iter().take(room));
            }
            Some(Err(error)) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
            None => {}
        }
        Ok(())
    }
}

/// Aborts every upload in parts that was never completed; how many there were.
async fn abort_uploads(s3: &Client, bucket: &Bucket) -> Result<u64, DataError> {
    let mut aborted = 0;
    for (key, id) in incomplete_uploads(s3, bucket).await? {
        let call = s3
            .abort_multipart_upload()
            .bucket(&bucket.name)
            .expected_bucket_owner(&bucket.account)
            .key(key)
            .upload_id(id);
        match call.send().await {
            Ok(_) => aborted += 1,
            // It was listed and is gone: the answer to a first attempt may have been lost.
            Err(error) if matches!(error.code(), Some("NoSuchUpload" | "NoSuchBucket")) => aborted += 1,
            Err(error) => return Err(bucket.failed(ServiceError::of("AbortMultipartUpload", &error))),
        }
    }
    Ok(aborted)
}

/// Key and id of every upload in parts that was never completed. A bucket that does not exist has none.
pub(crate) async fn incomplete_uploads(
    s3: &Client,
    bucket: &Bucket,
) -> Result<Vec<(String, String)>, DataError> {
    let mut uploads = Vec::new();
    let (mut key_marker, mut id_marker) = (None, None);
    loop {
        let call = s3
            .list_multipart_uploads()
            .bucket(&bucket.name)
            .expected_bucket_owner(&bucket.account)
            .encoding_type(aws_sdk_s3::types::EncodingType::Url)
            .set_key_marker(key_marker)
            .set_upload_id_marker(id_marker);
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("NoSuchBucket") => return Ok(uploads),
            Err(error) => return Err(bucket.failed(ServiceError::of("ListMultipartUploads", &error))),
        };
        let encoded = answer.encoding_type() == Some(&aws_sdk_s3::types::EncodingType::Url);
        let text = |text: &str| if encoded { super::versions::decoded(text) } else { text.to_owned() };
        uploads.extend(
            answer
                .uploads()
                .iter()
                .filter_map(|upload| Some((text(upload.key()?), upload.upload_id()?.to_owned()))),
        );
        if !answer.is_truncated().unwrap_or_default() || answer.next_key_marker().is_none() {
            return Ok(uploads);
        }
        key_marker = answer.next_key_marker().map(text);
        id_marker = answer.next_upload_id_marker().map(str::to_owned);
    }
}

impl Emptied {
    /// Both together.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self {
            versions: self.versions + more.versions,
            bytes: self.bytes + more.bytes,
            uploads: self.uploads + more.uploads,
        }
    }
}
