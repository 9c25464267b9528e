//! What CloudFormation itself says that a plan would do, before anyone agrees to it: change sets that are computed, read
//! and thrown away.

use super::{
    Plan,
    images::{Built, Images},
    parameters,
    plan::unchanged,
    rollback::Foreseen,
    stacks,
};
use crate::failure::Problem;
use leo_aws::FailureKind;
use leo_deploy::{Action, DeployError, Prepared, Stack, StackRequest, action};
use leo_image::{ImageName, ImageReference};
use leo_release::Release;

/// Of the foundation and the platform, for a release that is to be brought back.
pub(crate) async fn of_release(
    plan: &Plan<'_>,
    release: &Release,
) -> Result<Vec<(String, Foreseen)>, Problem> {
    let before = &plan.before;
    let foundation = async {
        let wanted = stacks::wanted_foundation(plan).await?;
        foreseen(plan, before.foundation.as_ref(), &wanted.request).await
    };
    let platform = async {
        let Some(foundation) = &before.foundation else {
            return Ok(Foreseen::Unknown("it takes what the foundation will be".to_owned()));
        };
        let key = &plan.stacks.keys.secrets_revision;
        let revision = before.platform.as_ref().and_then(|platform| platform.parameters.get(key));
        let parameters = parameters::of_platform(
            plan,
            &unchanged(foundation),
            &images(release)?,
            revision.map_or("", String::as_str),
        )?;
        let wanted = stacks::wanted_platform(plan, &parameters).await?;
        foreseen(plan, before.platform.as_ref(), &wanted.request).await
    };
    let (foundation, platform) = tokio::try_join!(foundation, platform)?;
    let names = [&plan.stacks.foundation.name, &plan.stacks.platform.name].map(ToString::to_string);
    Ok(names.into_iter().zip([foundation, platform]).collect())
}

async fn foreseen(
    plan: &Plan<'_>,
    before: Option<&Stack>,
    request: &StackRequest,
) -> Result<Foreseen, Problem> {
    match action(before.map(|stack| &stack.status)) {
        Action::Create | Action::Reuse => return Ok(Foreseen::Created),
        Action::Update | Action::RetryForward => {}
        // To follow an operation, or to bring the stack back, is part of the run, not of a look at what it would do.
        Action::Attach | Action::Blocked(_) => {
            let status = before.map(|stack| stack.status.to_string()).unwrap_or_default();
            return Ok(Foreseen::Unknown(format!("it is {status}")));
        }
    }
    match plan.engine.prepare(request, &|_| {}).await {
        Ok(Prepared::NoChange(_)) => Ok(Foreseen::Nothing),
        Ok(Prepared::Ready(change_set)) => {
            let changes = change_set.changes().to_vec();
            plan.engine.discard(change_set).await?;
            Ok(Foreseen::Changes(changes))
        }
        Err(error @ DeployError::Blocked { .. }) => Ok(Foreseen::Unknown(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// A release's images, without asking the registry for them.
fn images(release: &Release) -> Result<Images, Problem> {
    let built = |name: ImageName| {
        let image = release.images.iter().find(|image| image.container == name.as_str());
        image
            .and_then(|image| {
                let digest = image.digest.parse().ok()?;
                Some(ImageReference { repository_uri: image.repository.clone(), digest })
            })
            .map(|reference| Built { name, reference, acceptable: [].into() })
            .ok_or_else(|| no_image(release, name))
    };
    Ok(Images { orchestrator: built(ImageName::Orchestrator)?, generator: built(ImageName::Generator)? })
}

/// A record that names no image, or nothing that is one.
pub(crate) fn no_image(release: &Release, name: ImageName) -> Problem {
    Problem::new(
        FailureKind::Failed,
        format!("read the {name}'s image of release {}: its record has none", release.number),
    )
    .hint("name another release with `--to`; `cargo xtask releases` lists them")
}
