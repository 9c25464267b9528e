//! Promotion: what one environment has proved becomes what another one's next deploy uses. Nothing is built.
//!
//! The images of the source's newest release are made sure of in the target's registry (copied where that is another one),
//! and the target's bucket records them. `deploy` takes what is recorded there, until a release has it.

mod copying;
mod outcome;
mod preview;
mod side;
mod source;
mod transfer;

pub(crate) use outcome::Promoted;
pub(crate) use preview::Preview;

use crate::{
    commands::load_project,
    deploy::WAIT_AT_MOST,
    failure::{Failure, Problem},
};
use leo_aws::FailureKind;
use leo_config::EnvironmentName;
use leo_deploy::{Finished, Run, Sink, Step, Stopped};
use leo_env::SecretsPolicy;
use leo_image::{ImageDigest, ImageError, ImageName, ImageReference};
use leo_release::{PromotedFrom, PromotedImage, Promotion, Waiting};
use side::Side;
use source::Source;
use std::str::FromStr;

/// Finding what the source's newest release is.
const SOURCE: Step = Step("source");
/// The record that the target's next deploy goes by.
const PROMOTION: Step = Step("promotion");

/// From which environment to which: `staging:prod`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    from: EnvironmentName,
    to: EnvironmentName,
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, to) = text.split_once(':').ok_or(
            "wanted the environment whose images are taken and the one that gets them: `staging:prod`",
        )?;
        let name = |text: &str| EnvironmentName::parse(text).map_err(|error| error.to_string());
        let (from, to) = (name(from)?, name(to)?);
        if from == to {
            return Err(format!("`{from}` has its own images already: name two environments"));
        }
        Ok(Self { from, to })
    }
}

/// Promotes along a route, on AWS or on the local target.
pub(crate) async fn run(route: &Route, local: bool, sink: Sink) -> Result<Promoted, Failure> {
    let (from, to) = Box::pin(open(route, local)).await?;
    let run: Run<Problem> = Run::new(sink, &[SOURCE, Step::IMAGES, PROMOTION]);
    let result = Box::pin(steps(&from, &to, &run)).await;
    run.finish(result).map_err(|problems| {
        let sent = |(step, problem): (Step, Problem)| (Some(step), problem.after_sending());
        Failure::Problems(problems.into_iter().map(sent).collect())
    })
}

/// Finds out what promoting along a route would do, and changes nothing.
pub(crate) async fn preview(route: &Route, local: bool, sink: Sink) -> Result<Preview, Failure> {
    let (from, to) = Box::pin(open(route, local)).await?;
    let run: Run<Problem> = Run::new(sink, &[SOURCE, Step::IMAGES]);
    let result = Box::pin(foresee(&from, &to, &run)).await;
    run.finish(result).map_err(|problems| {
        Failure::Problems(problems.into_iter().map(|(step, problem)| (Some(step), problem)).collect())
    })
}

/// Both ends of a route.
async fn open(route: &Route, local: bool) -> Result<(Side, Side), Failure> {
    // What is wrong with either configuration is said before anyone is asked for anything.
    let project = |name: &EnvironmentName| load_project(Some(name.as_str()), SecretsPolicy::Ignore, local);
    let (from, to) = (project(&route.from)?, project(&route.to)?);
    let from = Box::pin(Side::open(from, local)).await?;
    let to = Box::pin(Side::open(to, local)).await?;
    refuse_one_account(&from, &to, local)?;
    Ok((from, to))
}

/// Keys in the process environment win over profiles: two profiles that lead to one account are a mistake unless the account
/// is configured.
fn refuse_one_account(from: &Side, to: &Side, local: bool) -> Result<(), Failure> {
    let (source, target) = (&from.project.config.environment, &to.project.config.environment);
    if local || from.account != to.account || source.profile == target.profile || target.account.is_some() {
        return Ok(());
    }
    let message = format!(
        "promote to `{}`: its profile and that of `{}` lead to account {}",
        target.name, source.name, to.account
    );
    Err(Problem::new(FailureKind::Usage, message)
        .hint(format!(
            "unset AWS_ACCESS_KEY_ID, which wins over profiles; or say that it is right: `environments.{}.account` in infra/leo.toml",
            target.name
        ))
        .into())
}

async fn steps(from: &Side, to: &Side, run: &Run<Problem>) -> Result<Promoted, Stopped> {
    let source = run.step(SOURCE, async |reporter| source::find(from, &reporter).await).await?;
    let images =
        run.step(Step::IMAGES, async |reporter| transfer::images(from, to, &source, &reporter).await).await?;
    run.step(PROMOTION, async |reporter| {
        let promotion =
            promotion(from, to, &source, images.iter().map(|image| (image.name, &image.reference)));
        let replaced = to.artifacts.promotion(to.environment()).await;
        to.artifacts.promote(&promotion).await?;
        match replaced {
            Ok(Some(replaced)) if replaced.promotion.images != promotion.images => {
                reporter.note(format!("instead of {}", replaced.promotion));
            }
            // Whatever was there is replaced, readable or not.
            _ => {}
        }
        // Once it is recorded nobody clears the images away; until then somebody may have, or be about to.
        let telling =
            |waiting: &Waiting| reporter.note(format!("images are being deleted by {}", waiting.holder));
        to.artifacts.behind_collection(WAIT_AT_MOST, &telling).await?;
        for image in &images {
            let (repository, digest) = (to.repositories.of(image.name), &image.reference.digest);
            if to.target.catalog().by_digest(repository, digest).await?.is_none() {
                return Err(ImageError::DigestMissing {
                    repository: repository.name.clone(),
                    digest: digest.clone(),
                }
                .into());
            }
        }
        Ok(Finished::new(Promoted::new(promotion, images), true))
    })
    .await
}

async fn foresee(from: &Side, to: &Side, run: &Run<Problem>) -> Result<Preview, Stopped> {
    let source = run.step(SOURCE, async |reporter| source::find(from, &reporter).await).await?;
    run.step(Step::IMAGES, async |reporter| {
        let images = transfer::foresee(from, to, &source, &reporter).await?;
        let promotion =
            promotion(from, to, &source, images.iter().map(|image| (image.name, &image.reference)));
        let replaced = match to.artifacts.promotion(to.environment()).await {
            Ok(recorded) => {
                let recorded = recorded.map(|recorded| recorded.promotion);
                recorded.filter(|recorded| recorded.images != promotion.images)
            }
            Err(error) => {
                reporter.warning(format!("what is recorded there would be replaced: failed to {error}"));
                None
            }
        };
        Ok(Finished::new(Preview { promotion, images, replaced }, false))
    })
    .await
}

/// What is recorded of these images of a release.
fn promotion<'a>(
    from: &Side,
    to: &Side,
    source: &Source,
    images: impl Iterator<Item = (ImageName, &'a ImageReference)>,
) -> Promotion {
    let images = images.map(|(name, reference)| PromotedImage {
        container: name.as_str().to_owned(),
        repository: reference.repository_uri.clone(),
        digest: reference.digest.to_string(),
    });
    let from = PromotedFrom {
        environment: from.environment().to_owned(),
        release: source.release,
        account: from.account.to_string(),
        region: from.project.config.environment.region.to_string(),
    };
    Promotion::new(to.environment(), from, (to.who.user.clone(), to.who.host.clone()), images.collect())
}

/// The digests of a promotion, orchestrator first.
pub(crate) fn digests(promotion: &Promotion) -> Result<[ImageDigest; 2], Problem> {
    let digest = |image: ImageName| -> Result<ImageDigest, Problem> {
        promotion.digest(image.as_str()).and_then(|digest| digest.parse().ok()).ok_or_else(|| {
            Problem::new(
                FailureKind::Failed,
                format!("read the {image}'s image of what was promoted to `{}`", promotion.environment),
            )
            .hint("promote again, or name images with `--images`")
        })
    };
    Ok([digest(ImageName::Orchestrator)?, digest(ImageName::Generator)?])
}

/// That a deploy uses what was promoted.
pub(crate) fn said(promotion: &Promotion, [orchestrator, generator]: &[ImageDigest; 2]) -> String {
    format!(
        "using what was promoted (--images promoted): {promotion}: orchestrator {}, generator {}",
        orchestrator.short(),
        generator.short()
    )
}

/// Why what was promoted can't be deployed.
pub(crate) fn gone(error: ImageError, promotion: &Promotion) -> Problem {
    let missing = matches!(error, ImageError::DigestMissing { .. });
    let problem = Problem::from(error);
    if !missing {
        return problem;
    }
    let Promotion { environment, from, .. } = promotion;
    let message = format!("use what was promoted, {promotion}: {}: it was deleted", problem.message);
    Problem::new(FailureKind::Failed, message).hint(format!(
        "promote again: `cargo xtask push-images --promote {}:{environment}`; or name images with `--images`",
        from.environment
    ))
}

/// That there is nothing to use.
pub(crate) fn nothing_pending(environment: &str) -> Problem {
    Problem::new(
        FailureKind::Usage,
        format!("use what was promoted to `{environment}`: nothing is, or it is deployed already"),
    )
    .hint("promote first: `cargo xtask push-images --promote <environment>:<environment>`")
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A promotion of these images, each with a digest of one digit.
    pub(crate) fn promotion(images: &[(&str, char)]) -> Promotion {
        let image = |(container, digit): &(&str, char)| PromotedImage {
            container: (*container).to_owned(),
            repository: format!("r/{container}"),
            digest: format!("sha256:{}", digit.to_string().repeat(64)),
        };
        Promotion {
            environment: "prod".to_owned(),
            from: PromotedFrom {
                environment: "staging".to_owned(),
                release: 12,
                account: "111122223333".to_owned(),
                region: "eu-central-1".to_owned(),
            },
            at: "2026-11-22T14:03:09Z".to_owned(),
            by: "ada".to_owned(),
            host: "laptop".to_owned(),
            images: images.iter().map(image).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::promotion, *};

    #[test]
    fn a_route_names_two_environments() {
        let route: Route = "staging:prod".parse().expect("is one");
        assert_eq!((route.from.as_str(), route.to.as_str()), ("staging", "prod"));
        for bad in ["staging", "staging:", ":prod", "a:b:c", "Staging:prod"] {
            assert!(bad.parse::<Route>().is_err(), "{bad}");
        }
        let error = "prod:prod".parse::<Route>().expect_err("is none");
        assert_eq!(error, "`prod` has its own images already: name two environments");
    }

    #[test]
    fn what_was_promoted_is_said_with_where_it_comes_from() {
        let promotion = promotion(&[("orchestrator", 'a'), ("generator", 'b')]);
        let digests = digests(&promotion).expect("has both");
        assert_eq!(
            said(&promotion, &digests),
            "using what was promoted (--images promoted): staging's release 12, by ada@laptop on 2026-11-22 14:03 UTC: \
             orchestrator aaaaaaaaaaaaaaaa, generator bbbbbbbbbbbbbbbb"
        );
    }

    #[test]
    fn a_promotion_without_an_image_is_not_guessed() {
        let problem = super::digests(&promotion(&[("orchestrator", 'a')])).expect_err("lacks one");
        assert_eq!(problem.message, "read the generator's image of what was promoted to `prod`");
    }
}
