//! What the registry's scanner says of images that were pushed.

use crate::{
    deploy::{
        fitting::verified,
        images::{Repositories, join_errors},
    },
    failure::Problem,
    target::Target,
};
use leo_config::Config;
use leo_deploy::Reporter;
use leo_image::{FailOn, Finding, ImageError, PublishedImage, Scan, Severity};

/// Where images were pushed to.
pub(crate) struct Scans<'a> {
    pub(crate) config: &'a Config,
    pub(crate) target: &'a Target,
    pub(crate) repositories: &'a Repositories,
}

impl Scans<'_> {
    /// Waits for the scans of these images, and fails where one found something this bad. Without a limit, what is known
    /// already is said, and nothing is waited for.
    pub(crate) async fn check(
        &self,
        images: &[PublishedImage],
        fail_on: Option<FailOn>,
        reporter: &Reporter,
    ) -> Result<(), Problem> {
        let Some(fail_on) = fail_on else {
            self.tell(images, reporter).await;
            return Ok(());
        };
        // The registry scans them side by side, however they are waited for; one run shows what is wrong with each.
        let mut errors = vec![];
        for image in images {
            reporter.note(format!("waiting for the scan of the {}", image.image));
            match self.pass(image, fail_on).await {
                Ok(findings) => reporter.note(format!("{}: {}", image.image, counted(&findings))),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(join_errors(errors)) }
    }

    async fn pass(&self, image: &PublishedImage, fail_on: FailOn) -> Result<Vec<Finding>, ImageError> {
        let repository = self.repositories.of(image.image);
        let digest = &image.reference.digest;
        let runs = verified(self.config, self.target, repository, image.image, digest).await?;
        self.target.catalog().pass_scan(image.image, repository, &runs.digest, fail_on).await
    }

    /// Says what is known; that nothing can be known is no failure of a push.
    async fn tell(&self, images: &[PublishedImage], reporter: &Reporter) {
        // The emulator scans nothing.
        if self.target.local.is_some() {
            return;
        }
        let known = async |place: usize| match images.get(place) {
            Some(image) => Some((image, self.known(image).await)),
            None => None,
        };
        let (first, second) = tokio::join!(known(0), known(1));
        for (image, known) in first.into_iter().chain(second) {
            match known {
                Ok(Scan::Done(findings)) => {
                    reporter.note(format!("{}: {}", image.image, counted(&findings)));
                }
                Ok(Scan::Running) => reporter.note(format!("{}: its scan is not done yet", image.image)),
                Ok(Scan::Missing | Scan::Impossible { .. }) => {}
                Err(error) => reporter.note(format!("{}: no scan is shown: failed to {error}", image.image)),
            }
        }
    }

    async fn known(&self, image: &PublishedImage) -> Result<Scan, ImageError> {
        let repository = self.repositories.of(image.image);
        let digest = &image.reference.digest;
        let runs = verified(self.config, self.target, repository, image.image, digest).await?;
        self.target.catalog().scan(repository, &runs.digest).await
    }
}

/// `the scan found 2 critical, 1 low`.
fn counted(findings: &[Finding]) -> String {
    let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let counts: Vec<_> = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Informational,
        Severity::Unrated,
    ]
    .into_iter()
    .map(|severity| (of(severity), severity))
    .filter(|(count, _)| *count > 0)
    .map(|(count, severity)| format!("{count} {severity}"))
    .collect();
    if counts.is_empty() {
        return "the scan found nothing".to_owned();
    }
    format!("the scan found {}", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_counted_the_worst_first() {
        let finding = |severity| Finding {
            severity,
            name: "CVE-1".to_owned(),
            package: None,
            fixed_in: None,
            url: None,
        };
        assert_eq!(counted(&[]), "the scan found nothing");
        let findings =
            [Severity::Low, Severity::Critical, Severity::Unrated, Severity::Critical].map(finding);
        assert_eq!(counted(&findings), "the scan found 2 critical, 1 low, 1 unrated");
    }
}
