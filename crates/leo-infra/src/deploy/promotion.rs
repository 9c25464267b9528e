//! What was promoted to the environment: whether a deploy takes it, and that it was deployed.

use super::{Before, Plan, choice};
use crate::failure::Problem;
use leo_aws::FailureKind;
use leo_deploy::Reporter;
use leo_image::ImageDigest;
use leo_release::{Artifacts, PendingPromotion, Promotion, Release};
use std::num::NonZeroUsize;

/// So many of the newest releases are looked at for what became of a promotion.
const LOOKED_AT: NonZeroUsize = NonZeroUsize::new(20).unwrap();

/// What was promoted and is a deploy's default. A release since then that has it, also one that was undone again, ends
/// that; one that has other images makes it a question that only a person can answer.
pub(super) async fn pending(
    artifacts: &Artifacts,
    environment: &str,
) -> Result<Option<PendingPromotion>, Problem> {
    let Some(found) = artifacts.promotion(environment).await? else { return Ok(None) };
    let history = artifacts.releases(environment, Some(LOOKED_AT)).await?;
    match since(&history.releases, &found.promotion) {
        Since::Nothing => Ok(Some(found)),
        Since::Deployed => Ok(None),
        Since::Others(newer) => Err(Problem::new(
            FailureKind::Usage,
            format!(
                "choose the images of `{environment}`: {} is older than release {}, which has others",
                found.promotion, newer.number
            ),
        )
        .hint("say which: `--images promoted`, `--images current` or `--images build`")),
    }
}

/// What was released since something was promoted.
#[derive(Debug, PartialEq)]
enum Since<'a> {
    Nothing,
    Deployed,
    Others(&'a Release),
}

/// Both times are written by the same program, in one form.
fn since<'a>(releases: &'a [Release], promotion: &Promotion) -> Since<'a> {
    let newer = || releases.iter().filter(|release| release.at > promotion.at);
    if newer().any(|release| has_all(release, promotion)) {
        return Since::Deployed;
    }
    newer().max_by_key(|release| release.number).map_or(Since::Nothing, Since::Others)
}

/// Refuses where something else was promoted, or this was deployed and undone, while the deploy waited for its turn.
pub(super) async fn refuse_another(
    plan: &Plan<'_>,
    before: &Before,
    promotion: &Promotion,
    digests: &[ImageDigest; 2],
) -> Result<(), Problem> {
    let environment = plan.project.config.environment.name.as_str();
    let now = plan.artifacts.promotion(environment).await?;
    if now.is_some_and(|now| now.promotion == *promotion) {
        return Ok(());
    }
    let runs = choice::current(plan.stacks, before.platform.as_ref());
    if runs.is_ok_and(|(orchestrator, generator)| [orchestrator, generator] == *digests) {
        return Ok(());
    }
    Err(Problem::new(
        FailureKind::Failed,
        format!("use what was promoted to `{environment}`: it changed while this deploy waited"),
    )
    .hint("run the same command again: it says what it would use now"))
}

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
    fn a_release_since_then_ends_a_promotion_or_makes_it_a_question() {
        let promoted =
            Promotion { at: "2026-11-20T12:00:00Z".to_owned(), ..promotion(&[("generator", 'b')]) };
        let others = Promotion { at: promoted.at.clone(), ..promotion(&[("generator", 'c')]) };
        let at = |number, at: &str| Release { at: at.to_owned(), ..release(number, "x", &[]) };
        let (older, newer) = (at(3, "2026-11-20T11:59:59Z"), at(4, "2026-11-20T12:00:01Z"));
        assert_eq!(since(&[], &promoted), Since::Nothing);
        assert_eq!(since(std::slice::from_ref(&older), &promoted), Since::Nothing);
        assert_eq!(since(&[newer.clone(), older.clone()], &promoted), Since::Deployed);
        let releases = [at(5, "2026-11-20T13:00:00Z"), newer, older];
        assert_eq!(since(&releases, &promoted), Since::Deployed);
        assert_eq!(since(&releases, &others), Since::Others(&releases[0]));
    }

    #[test]
    fn a_promotion_is_deployed_once_all_of_its_images_are() {
        let release = release(3, "x", &[]);
        assert!(has_all(&release, &promotion(&[("orchestrator", 'a'), ("generator", 'b')])));
        assert!(has_all(&release, &promotion(&[("generator", 'b')])));
        assert!(!has_all(&release, &promotion(&[("orchestrator", 'a'), ("generator", 'c')])));
        assert!(!has_all(&release, &promotion(&[("orchestrator", 'b'), ("generator", 'a')])));
    }
}
