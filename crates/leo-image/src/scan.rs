//! What ECR's scanner found in an image.

mod findings;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use aws_sdk_ecr::operation::describe_image_scan_findings::{
    DescribeImageScanFindingsError, DescribeImageScanFindingsOutput,
};
use aws_sdk_ecr::types::{ImageIdentifier, ScanStatus};
use tokio::time::Instant;

pub use findings::{Finding, Severity};

use crate::{Catalog, ImageDigest, ImageError, ImageName, Repository};

/// Findings of one page: the most that ECR gives.
const PAGE: i32 = 1000;
/// Between two looks at a scan that goes on.
const PAUSE: Duration = Duration::from_secs(5);
/// How long a scan may take: those of large images take some minutes.
const LONGEST_SCAN: Duration = Duration::from_mins(10);
/// How long after a push a scan may be unknown: it is begun by the push, not with it.
const SCAN_BEGINS: Duration = Duration::from_mins(1);

/// What is known of an image's scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan {
    /// It is done; these were found, the worst first.
    Done(Vec<Finding>),
    /// It goes on.
    Running,
    /// There is none.
    Missing,
    /// There will be none.
    Impossible {
        /// Why, in ECR's words.
        reason: String,
    },
}

/// The least severity that fails a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailOn(Severity);

impl FailOn {
    /// The words that are taken, the worst first.
    pub const WORDS: [&'static str; 4] = ["critical", "high", "medium", "low"];
}

/// What is wrong with a word that should be a severity to fail on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read `{word}` as a severity: wanted one of {}", FailOn::WORDS.join(", "))]
pub struct FailOnError {
    /// The word as it was given.
    pub word: String,
}

impl FromStr for FailOn {
    type Err = FailOnError;

    fn from_str(word: &str) -> Result<Self, FailOnError> {
        match word {
            "critical" => Ok(Self(Severity::Critical)),
            "high" => Ok(Self(Severity::High)),
            "medium" => Ok(Self(Severity::Medium)),
            "low" => Ok(Self(Severity::Low)),
            _ => Err(FailOnError { word: word.to_owned() }),
        }
    }
}

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Catalog {
    /// What is known now of the scan of this image. An index has none: ask for the image that a task will run.
    ///
    /// # Errors
    /// [`ImageError::DigestMissing`] where the repository has no such image.
    pub async fn scan(&self, repository: &Repository, digest: &ImageDigest) -> Result<Scan, ImageError> {
        let mut findings = Vec::new();
        let mut next = None;
        loop {
            let call = self
                .client
                .describe_image_scan_findings()
                .repository_name(&repository.name)
                .image_id(ImageIdentifier::builder().image_digest(digest.as_str()).build())
                .max_results(PAGE)
                .set_next_token(next)
                .send();
            let page = match call.await {
                Ok(page) => page,
                Err(error) => match error.as_service_error() {
                    Some(DescribeImageScanFindingsError::ScanNotFoundException(_)) => {
                        return Ok(Scan::Missing);
                    }
                    Some(DescribeImageScanFindingsError::ImageNotFoundException(_)) => {
                        let (repository, digest) = (repository.name.clone(), digest.clone());
                        return Err(ImageError::DigestMissing { repository, digest });
                    }
                    _ => return Err(ImageError::ecr("DescribeImageScanFindings", &repository.name, &error)),
                },
            };
            if let Some(unfinished) = unfinished(&page) {
                return Ok(unfinished);
            }
            findings.extend(page.image_scan_findings().map(Finding::all).unwrap_or_default());
            match page.next_token() {
                Some(token) => next = Some(token.to_owned()),
                None => break,
            }
        }
        findings.sort();
        Ok(Scan::Done(findings))
    }

    /// Waits for the scan of this image, and refuses the image where it found something this bad: also where there is
    /// no scan to go by.
    ///
    /// # Errors
    /// [`ImageError::Findings`], [`ImageError::NotScanned`].
    pub async fn pass_scan(
        &self,
        image: ImageName,
        repository: &Repository,
        digest: &ImageDigest,
        fail_on: FailOn,
    ) -> Result<Vec<Finding>, ImageError> {
        let not_scanned = |reason: String| ImageError::NotScanned { image, digest: digest.clone(), reason };
        let started = Instant::now();
        let findings = loop {
            let waited = started.elapsed();
            match self.scan(repository, digest).await? {
                Scan::Done(findings) => break findings,
                Scan::Impossible { reason } => return Err(not_scanned(reason)),
                Scan::Missing if waited >= SCAN_BEGINS => {
                    return Err(not_scanned("the registry has not scanned it".to_owned()));
                }
                Scan::Running if waited >= LONGEST_SCAN => {
                    let minutes = LONGEST_SCAN.as_secs() / 60;
                    return Err(not_scanned(format!("its scan is not done after {minutes} minutes")));
                }
                Scan::Missing | Scan::Running => tokio::time::sleep(PAUSE).await,
            }
        };
        let (bad, rest): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| finding.severity >= fail_on.0);
        if bad.is_empty() {
            return Ok(rest);
        }
        Err(ImageError::Findings { image, digest: digest.clone(), fail_on, findings: bad })
    }
}

/// What a page says of a scan that has no findings to read.
fn unfinished(page: &DescribeImageScanFindingsOutput) -> Option<Scan> {
    let status = page.image_scan_status();
    let reason = |what: &str| {
        let words = status.and_then(|status| status.description()).filter(|words| !words.is_empty());
        let reason = words.map_or_else(|| what.to_owned(), |words| format!("{what}: {words}"));
        Some(Scan::Impossible { reason })
    };
    match status.and_then(|status| status.status()) {
        // Findings are there, if only none, once there were any to look for.
        Some(ScanStatus::Complete | ScanStatus::Active) if page.image_scan_findings().is_none() => {
            Some(Scan::Running)
        }
        // `ACTIVE` is enhanced scanning, which goes on for as long as the image is there; what it found until now counts.
        Some(ScanStatus::Complete | ScanStatus::Active) => None,
        Some(ScanStatus::InProgress | ScanStatus::Pending) => Some(Scan::Running),
        Some(ScanStatus::Failed) => reason("its scan failed"),
        Some(ScanStatus::UnsupportedImage) => reason("the scanner does not support it"),
        Some(ScanStatus::ScanEligibilityExpired) => reason("it is too old to be scanned"),
        Some(ScanStatus::LimitExceeded) => reason("the limit of scans is reached"),
        Some(other) => reason(&format!("its scan is {other}")),
        None => reason("the registry does not say how its scan stands"),
    }
}
