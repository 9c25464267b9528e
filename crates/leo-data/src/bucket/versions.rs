//! Everything that a bucket holds, a page at a time.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::EncodingType;
use leo_aws::ServiceError;

use super::Bucket;
use crate::DataError;

/// An object version or a delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) key: String,
    /// `null` in a bucket without versions.
    pub(crate) id: Option<String>,
    /// In bytes; a delete marker has none.
    pub(crate) size: Option<u64>,
    /// Whether it is what a reader of the key gets.
    pub(crate) latest: bool,
}

/// Where the next page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marker {
    key: Option<String>,
    version: Option<String>,
}

/// Up to a thousand versions.
pub(crate) struct VersionPage {
    pub(crate) versions: Vec<Version>,
    /// `None` after the last page.
    pub(crate) next: Option<Marker>,
}

impl VersionPage {
    /// The page at `marker`; `None` where there is no such bucket.
    pub(crate) async fn at(s3: &Client, bucket: &Bucket, marker: &Marker) -> Result<Option<Self>, DataError> {
        let call = s3
            .list_object_versions()
            .bucket(&bucket.name)
            .expected_bucket_owner(&bucket.account)
            // A key may have characters that no XML can carry.
            .encoding_type(EncodingType::Url)
            .set_key_marker(marker.key.clone())
            .set_version_id_marker(marker.version.clone());
        match call.send().await {
            Ok(answer) => Ok(Some(Self::of(&answer))),
            Err(error) if error.code() == Some("NoSuchBucket") => Ok(None),
            Err(error) => Err(bucket.failed(ServiceError::of("ListObjectVersions", &error))),
        }
    }

    fn of(answer: &ListObjectVersionsOutput) -> Self {
        let encoded = answer.encoding_type() == Some(&EncodingType::Url);
        let text = |text: &str| if encoded { decoded(text) } else { text.to_owned() };
        let objects = answer.versions().iter().map(|version| Version {
            key: text(version.key().unwrap_or_default()),
            id: version.version_id().map(str::to_owned),
            size: Some(u64::try_from(version.size().unwrap_or_default()).unwrap_or_default()),
            latest: version.is_latest().unwrap_or_default(),
        });
        let markers = answer.delete_markers().iter().map(|marker| Version {
            key: text(marker.key().unwrap_or_default()),
            id: marker.version_id().map(str::to_owned),
            size: None,
            latest: marker.is_latest().unwrap_or_default(),
        });
        let truncated = answer.is_truncated().unwrap_or_default();
        Self {
            versions: objects.chain(markers).collect(),
            next: (truncated && answer.next_key_marker().is_some()).then(|| Marker {
                key: answer.next_key_marker().map(text),
                version: answer.next_version_id_marker().map(str::to_owned),
            }),
        }
    }
}

/// A key as it was before S3 encoded it for its answer ("ListObjectVersions", `EncodingType`): a form's encoding, in which a
/// blank is a plus.
pub(crate) fn decoded(text: &str) -> String {
    let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let escaped = match (first, after) {
            (b'%', [high, low, after @ ..]) => hex(*high).zip(hex(*low)).map(|byte| (byte, after)),
            _ => None,
        };
        bytes.push(match escaped {
            Some(((high, low), after)) => {
                rest = after;
                high * 16 + low
            }
            None if *first == b'+' => b' ',
            None => *first,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn keys_come_back_as_they_were_written() {
        let table = [
            ("jobs/a/index.html", "jobs/a/index.html"),
            ("a+b%2Bc", "a b+c"),
            ("%C3%A9%01%0A", "\u{e9}\u{1}\n"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("", ""),
        ];
        for (sent, key) in table {
            assert_eq!(decoded(sent), key);
        }
    }
}
