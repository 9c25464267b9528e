//! What was promoted to the environment, once it is deployed.

use super::Plan;
use leo_deploy::Reporter;
use leo_release::{Promotion, Release};

/// A promotion whose images a release has is not pending any more, however the deploy came to them. Where it can't be said,
/// the next deploy takes the same images again, and says it then.
pub(super) async fn is_deployed(plan: &Plan<'_>, release: &Release, reporter: &Reporter) {
    let said = async {
        let Some(pending) = plan.artifacts.promotion(&release.environment).await? else { return Ok(()) };
        if !has_all(release, &pending.promotion) {
            reporter.note(format!("still to be deployed: {}", pending.promotion));
        } else if plan.artifacts.promotion_deployed(&pending).await? {
            reporter.note(format!("deployed what was promoted: {}", pending.promotion));
        }
        Ok::<_, leo_release::ReleaseError>(())
    };
    if let Err(error) = said.await {
        reporter.warning(format!("failed to {error}"));
    }
}

fn has_all(release: &Release, promotion: &Promotion) -> bool {
    promotion.images.iter().all(|promoted| {
        release
            .images
            .iter()
            .any(|image| (&image.container, &image.digest) == (&promoted.container, &promoted.digest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{promote::testing::promotion, standing::testing::release};

    #[test]
    fn a_promotion_is_deployed_once_all_of_its_images_are() {
        let release = release(3, "x", &[]);
        assert!(has_all(&release, &promotion(&[("orchestrator", 'a'), ("generator", 'b')])));
        assert!(has_all(&release, &promotion(&[("generator", 'b')])));
        assert!(!has_all(&release, &promotion(&[("orchestrator", 'a'), ("generator", 'c')])));
        assert!(!has_all(&release, &promotion(&[("orchestrator", 'b'), ("generator", 'a')])));
    }
}
