//! Deleting images: with the registry's images for itself, after everything was looked at again.

use super::{Judged, Seen, Wanted};
use crate::{
    deploy::Session,
    failure::{Failure, Problem},
    operation::Operation,
    target::Target,
};
use leo_aws::FailureKind;
use leo_deploy::{Finished, Reporter, Run, Sink, Step, Stopped};
use leo_image::{Catalog, DELETED_AT_ONCE, ImageDigest, KeptByEcr, ListedImage, retention::groups};
use leo_release::{Artifacts, Holder, REGISTRY_IMAGES};
use std::collections::{BTreeMap, BTreeSet};

/// Having the registry's images for this run alone.
const TURN: Step = Step("turn");
/// The deletion.
const IMAGES: Step = Step("images");

/// The images that a person agreed to lose, by repository.
pub(crate) type Agreed = BTreeMap<String, BTreeSet<ImageDigest>>;

/// What became of them.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// Each repository's images that are gone.
    pub(crate) gone: Vec<(String, ListedImage)>,
    /// Those that ECR does not delete.
    pub(crate) kept: Vec<(String, KeptByEcr)>,
    /// Those that were agreed to and are used since.
    pub(crate) used_since: usize,
}

/// Deletes what was agreed to and still may go.
pub(crate) async fn collect(
    target: &Target,
    wanted: &Wanted<'_>,
    agreed: &Agreed,
    operation: &Operation,
    session: &Session,
    sink: Sink,
) -> Result<Collected, Failure> {
    let run: Run<Problem> = Run::new(operation.sink(BTreeMap::new(), sink), &[TURN, IMAGES]);
    let result = Box::pin(steps(target, wanted, agreed, operation, session, &run)).await;
    run.finish(result).map_err(|problems| {
        Failure::Problems(problems.into_iter().map(|(step, problem)| (Some(step), problem)).collect())
    })
}

async fn steps(
    target: &Target,
    wanted: &Wanted<'_>,
    agreed: &Agreed,
    operation: &Operation,
    session: &Session,
    run: &Run<Problem>,
) -> Result<Collected, Stopped> {
    let seen = run
        .step(TURN, async |reporter| {
            session.take_images(wanted.artifacts, operation, &reporter).await?;
            refuse_others(wanted.artifacts).await?;
            // What was agreed to may have become used while the question stood there.
            let seen = Seen::look(target, wanted).await?;
            seen.users.refuse_blind()?;
            Ok(Finished::new(seen, true))
        })
        .await?;
    run.step(IMAGES, async |reporter| {
        let mut collected = Collected::default();
        let catalog = target.catalog();
        let deleting =
            delete_all(&catalog, wanted.artifacts, &seen, agreed, session, &mut collected, &reporter);
        Box::pin(session.alone(Box::pin(deleting))).await?;
        let changed = !collected.gone.is_empty();
        Ok(Finished::new(collected, changed))
    })
    .await
}

async fn delete_all(
    catalog: &Catalog,
    artifacts: &Artifacts,
    seen: &Seen,
    agreed: &Agreed,
    session: &Session,
    collected: &mut Collected,
    reporter: &Reporter,
) -> Result<(), Problem> {
    for judged in &seen.repositories {
        let (going, used_since) = still_going(judged, agreed);
        collected.used_since += used_since;
        for group in groups(&judged.images, &going) {
            for some in group.chunks(DELETED_AT_ONCE) {
                refuse_others(artifacts).await.map_err(|problem| after(problem, collected))?;
                refuse_promoted(artifacts, some).await.map_err(|problem| after(problem, collected))?;
                // Last: whoever took over meanwhile has its word on what goes.
                session.confirm().await.map_err(|problem| after(problem, collected))?;
                let digests: Vec<ImageDigest> = some.iter().map(|image| image.digest.clone()).collect();
                let removal = catalog
                    .delete(&judged.repository, &digests)
                    .await
                    .map_err(|error| after(error.into(), collected))?;
                let name = &judged.repository.name;
                reporter.line(format!("{name}: {} of {} deleted", removal.gone.len(), some.len()));
                let gone = some.iter().filter(|image| removal.gone.contains(&image.digest));
                collected.gone.extend(gone.map(|image| (name.clone(), (*image).clone())));
                collected.kept.extend(removal.kept.into_iter().map(|kept| (name.clone(), kept)));
            }
        }
    }
    Ok(())
}

/// Of what was agreed to, what still may go; and how many are used since.
fn still_going(judged: &Judged, agreed: &Agreed) -> (BTreeSet<ImageDigest>, usize) {
    let Some(agreed) = agreed.get(&judged.repository.name) else { return (BTreeSet::new(), 0) };
    let going: BTreeSet<ImageDigest> =
        judged.going().map(|image| image.digest.clone()).filter(|digest| agreed.contains(digest)).collect();
    let used = agreed
        .iter()
        .filter(|digest| judged.verdicts.get(*digest).is_some_and(leo_image::retention::Verdict::stays));
    let used = used.count();
    (going, used)
}

/// Refuses while somebody works on an environment: what it will run is not decided yet.
pub(crate) async fn refuse_others(artifacts: &Artifacts) -> Result<(), Problem> {
    let holders = artifacts.holders().await?;
    refuse_holders(holders.iter().filter(|holder| holder.environment != REGISTRY_IMAGES))
}

fn refuse_holders<'a>(holders: impl Iterator<Item = &'a Holder>) -> Result<(), Problem> {
    let working: Vec<String> =
        holders.map(|holder| format!("{holder} works on {}", holder.environment)).collect();
    if working.is_empty() {
        return Ok(());
    }
    Err(Problem {
        details: working,
        ..Problem::new(FailureKind::Failed, "know what every environment will run: one is being worked on")
    }
    .hint("wait until that is done, then run the same command again; the claim of a machine that is gone ends by itself within two minutes"))
}

/// Whoever promotes has no turn: an image that was there already may just have been promised.
async fn refuse_promoted(artifacts: &Artifacts, going: &[&ListedImage]) -> Result<(), Problem> {
    for promotion in artifacts.promotions().await? {
        let promised = |image: &&&ListedImage| {
            promotion.images.iter().any(|promised| promised.digest == image.digest.as_str())
        };
        if let Some(image) = going.iter().find(promised) {
            return Err(Problem::new(
                FailureKind::Failed,
                format!("delete {}: it was promoted to {} just now", image.digest, promotion.environment),
            )
            .hint("run the same command again: it shows what may go now"));
        }
    }
    Ok(())
}

/// What ends a deletion says how far it came.
fn after(problem: Problem, collected: &Collected) -> Problem {
    let gone = collected.gone.len();
    Problem { message: format!("{} ({gone} images were deleted before)", problem.message), ..problem }
}
