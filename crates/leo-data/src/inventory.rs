use std::fmt;

use aws_sdk_ecr::operation::describe_images::DescribeImagesError;
use leo_aws::ServiceError;
use serde::Serialize;

use crate::bucket::{Marker, VersionPage};
use crate::each::each;
use crate::runs::{Task, running_tasks};
use crate::secrets::{Life, life};
use crate::{Bucket, Clients, DataError};

/// Object versions that are counted in a bucket; a count that has come so far says "at least". At a thousand a call that
/// is about half a minute.
pub const COUNTED_AT_MOST: u64 = 200_000;

/// What is counted, by name.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// Buckets.
    pub buckets: Vec<Bucket>,
    /// Secrets.
    pub secrets: Vec<String>,
    /// Repositories.
    pub repositories: Vec<String>,
    /// The cluster whose tasks are listed.
    pub cluster: Option<String>,
}

/// What there is. What does not exist is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Inventory {
    /// What is in the buckets.
    pub buckets: Vec<BucketContents>,
    /// The secrets.
    pub secrets: Vec<SecretFound>,
    /// The images in the repositories.
    pub repositories: Vec<Images>,
    /// The tasks of the cluster that have not stopped.
    pub tasks: Vec<Task>,
}

/// What is in a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BucketContents {
    /// Its name.
    pub name: String,
    /// Objects that can be read by their key.
    pub objects: u64,
    /// Versions that a newer one or a delete marker hides.
    pub old_versions: u64,
    /// Delete markers.
    pub delete_markers: u64,
    /// What all versions hold, in bytes.
    pub bytes: u64,
    /// Whether there is more than what was counted, see [`COUNTED_AT_MOST`].
    pub more: bool,
}

/// A secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretFound {
    /// Its name.
    pub name: String,
    /// Whether it was deleted already and only waits for the end of its time.
    pub scheduled_for_deletion: bool,
}

/// The images in a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Images {
    /// The repository's name.
    pub repository: String,
    /// How many.
    pub images: u64,
    /// What they hold together, in bytes; layers that two of them share count twice.
    pub bytes: u64,
}

/// Counts everything, all at once.
///
/// # Errors
/// [`DataError::Service`] where AWS refuses or does not answer; that something does not exist is no error.
pub async fn take(clients: &Clients, subject: &Subject) -> Result<Inventory, DataError> {
    let (buckets, secrets, repositories, tasks) = tokio::try_join!(
        each(subject.buckets.iter().cloned(), |bucket| contents(clients.s3.clone(), bucket)),
        each(subject.secrets.iter().cloned(), |name| secret(clients.secrets.clone(), name)),
        each(subject.repositories.iter().cloned(), |name| images(clients.ecr.clone(), name)),
        async {
            match &subject.cluster {
                Some(cluster) => running_tasks(&clients.ecs, cluster).await,
                None => Ok(Vec::new()),
            }
        },
    )?;
    Ok(Inventory {
        buckets: buckets.into_iter().flatten().collect(),
        secrets: secrets.into_iter().flatten().collect(),
        repositories: repositories.into_iter().flatten().collect(),
        tasks,
    })
}

async fn contents(s3: aws_sdk_s3::Client, bucket: Bucket) -> Result<Option<BucketContents>, DataError> {
    let mut contents = BucketContents { name: bucket.name.clone(), ..BucketContents::default() };
    let mut marker = Some(Marker::default());
    while let Some(at) = marker.take() {
        let Some(page) = VersionPage::at(&s3, &bucket, &at).await? else { return Ok(None) };
        for version in page.versions {
            match version.size {
                None => contents.delete_markers += 1,
                Some(size) => {
                    contents.bytes += size;
                    if version.latest {
                        contents.objects += 1;
                    } else {
                        contents.old_versions += 1;
                    }
                }
            }
        }
        marker = page.next;
        let counted = contents.objects + contents.old_versions + contents.delete_markers;
        if marker.is_some() && counted >= COUNTED_AT_MOST {
            contents.more = true;
            break;
        }
    }
    Ok(Some(contents))
}

async fn secret(
    client: aws_sdk_secretsmanager::Client,
    name: String,
) -> Result<Option<SecretFound>, DataError> {
    Ok(match life(&client, &name).await? {
        Life::Absent => None,
        life => Some(SecretFound { name, scheduled_for_deletion: life == Life::Scheduled }),
    })
}

async fn images(ecr: aws_sdk_ecr::Client, repository: String) -> Result<Option<Images>, DataError> {
    let mut images = Images { repository, ..Images::default() };
    let mut pages = ecr.describe_images().repository_name(&images.repository).into_paginator().send();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => {
                for image in page.image_details() {
                    images.images += 1;
                    let bytes = image.image_size_in_bytes().unwrap_or_default();
                    images.bytes += u64::try_from(bytes).unwrap_or_default();
                }
            }
            Err(error) => {
                return match error.as_service_error() {
                    Some(DescribeImagesError::RepositoryNotFoundException(_)) => Ok(None),
                    _ => Err(DataError::Service {
                        subject: format!("repository {}", images.repository),
                        source: ServiceError::of("DescribeImages", &error),
                    }),
                };
            }
        }
    }
    Ok(Some(images))
}

impl Inventory {
    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
            && self.secrets.is_empty()
            && self.repositories.is_empty()
            && self.tasks.is_empty()
    }
}

impl fmt::Display for BucketContents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = if self.more { "at least " } else { "" };
        write!(f, "{}: {least}{}", self.name, count(self.objects, "object"))?;
        for (number, what) in [(self.old_versions, "old version"), (self.delete_markers, "delete marker")] {
            if number > 0 {
                write!(f, ", {}", count(number, what))?;
            }
        }
        write!(f, ", {}", size(self.bytes))
    }
}

impl fmt::Display for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {}", self.repository, count(self.images, "image"), size(self.bytes))
    }
}

impl fmt::Display for SecretFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.scheduled_for_deletion { f.write_str(" (scheduled for deletion)") } else { Ok(()) }
    }
}

/// So many of something, as people say it.
pub fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Bytes as people read them, in decimal units as S3 is billed.
pub fn size(bytes: u64) -> String {
    let mut tenths = bytes.saturating_mul(10);
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let mut unit = "bytes";
    for next in ["kB", "MB", "GB", "TB", "PB"] {
        if tenths < 10_000 {
            break;
        }
        tenths /= 1000;
        unit = next;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        let table = [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (999_999, "999.9 kB"),
            (1_000_000, "1.0 MB"),
            (2_560_000_000, "2.5 GB"),
            (u64::MAX, "1844.6 PB"),
        ];
        for (bytes, text) in table {
            assert_eq!(size(bytes), text);
        }
    }
}
