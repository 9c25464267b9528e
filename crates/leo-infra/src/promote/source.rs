//! What is promoted: the images of the newest release.

use super::side::Side;
use crate::{deploy::choice::running, failure::Problem};
use leo_aws::FailureKind;
use leo_deploy::{Finished, Reporter};
use leo_image::{ImageDigest, ImageName};
use leo_release::{History, Release};
use std::num::NonZeroUsize;

/// A release's images.
pub(super) struct Source {
    /// Its number.
    pub(super) release: u64,
    /// The digests, orchestrator first.
    pub(super) digests: [ImageDigest; 2],
}

/// The newest release of an environment. What it runs beside that (a deploy that failed its gate, a change by hand) is no
/// release and is not promoted; it is said.
pub(super) async fn find(from: &Side, reporter: &Reporter) -> Result<Finished<Source>, Problem> {
    let environment = from.environment();
    let history = from.artifacts.releases(environment, Some(NonZeroUsize::MIN)).await?;
    let release = newest(environment, &history)?;
    let source = Source { release: release.number, digests: digests(release)? };
    reporter.note(format!(
        "release {} of {environment}, by {}@{} on {}",
        release.number, release.by, release.host, release.at
    ));
    let platform = from.before.platform.as_ref();
    let runs = ImageName::BOTH.map(|image| running(&from.stacks, platform, image));
    if let Some(said) = difference(environment, &source, &runs) {
        reporter.warning(said);
    }
    Ok(Finished::new(source, false))
}

/// The newest record. One that can't be read is not stepped over: what is older was replaced for a reason.
fn newest<'a>(environment: &str, history: &'a History) -> Result<&'a Release, Problem> {
    let no_source =
        |why: String| Problem::new(FailureKind::Failed, format!("promote from `{environment}`: {why}"));
    if let Some(unreadable) = history.unreadable.iter().find(|unreadable| unreadable.number.is_some()) {
        return Err(no_source(format!(
            "its newest release can't be read: {}: {}",
            unreadable.key, unreadable.reason
        ))
        .hint(format!("deploy it again: `cargo xtask deploy --environment {environment}`")));
    }
    history.releases.first().ok_or_else(|| {
        no_source("it has no release".to_owned()).hint(format!(
            "a deploy that passes its health gate is one: `cargo xtask deploy --environment {environment}`"
        ))
    })
}

fn digests(release: &Release) -> Result<[ImageDigest; 2], Problem> {
    let digest = |name: ImageName| {
        let image = release.images.iter().find(|image| image.container == name.as_str());
        image.and_then(|image| image.digest.parse().ok()).ok_or_else(|| {
            Problem::new(
                FailureKind::Failed,
                format!(
                    "promote release {} of `{}`: its record names no {name}",
                    release.number, release.environment
                ),
            )
        })
    };
    Ok([digest(ImageName::Orchestrator)?, digest(ImageName::Generator)?])
}

/// What runs there and is not what is promoted.
fn difference(environment: &str, source: &Source, runs: &[Option<ImageDigest>; 2]) -> Option<String> {
    if runs.iter().all(Option::is_none) {
        return Some(format!(
            "nothing runs in {environment} now; promoting its release {} all the same",
            source.release
        ));
    }
    let other: Vec<String> = ImageName::BOTH
        .into_iter()
        .zip(&source.digests)
        .zip(runs)
        .filter(|((_, released), runs)| runs.as_ref() != Some(released))
        .map(|((image, _), runs)| format!("{image} {}", runs.as_ref().map_or("none", ImageDigest::short)))
        .collect();
    (!other.is_empty()).then(|| {
        format!(
            "{environment} runs something else now ({}), which has not passed as a release; promoting release {}",
            other.join(", "),
            source.release
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standing::testing::release;
    use leo_release::Unreadable;

    fn digest(digit: &str) -> ImageDigest {
        format!("sha256:{}", digit.repeat(64)).parse().expect("is a digest")
    }

    #[test]
    fn the_newest_release_is_taken_or_nothing() {
        let history = |releases, unreadable| History { releases, unreadable, older: 3 };
        let good = history(vec![release(7, "x", &[])], vec![]);
        let found = newest("staging", &good).expect("is there");
        assert_eq!(digests(found).expect("has both"), [digest("a"), digest("b")]);
        let damaged = Unreadable {
            key: "releases/staging/00000008.json".to_owned(),
            number: Some(8),
            reason: "it is no record".to_owned(),
        };
        let messages: Vec<String> = [history(vec![], vec![]), history(vec![], vec![damaged])]
            .iter()
            .map(|history| {
                let problem = newest("staging", history).expect_err("is none");
                format!("failed to {}\nhint: {}", problem.message, problem.hint.expect("has one"))
            })
            .collect();
        insta::assert_snapshot!(messages.join("\n"));
    }

    #[test]
    fn what_runs_beside_the_release_is_said() {
        let source = Source { release: 7, digests: [digest("a"), digest("b")] };
        let said = |orchestrator, generator| difference("staging", &source, &[orchestrator, generator]);
        assert_eq!(said(Some(digest("a")), Some(digest("b"))), None);
        let said = [said(Some(digest("a")), Some(digest("c"))), said(None, None)];
        insta::assert_snapshot!(said.map(Option::unwrap_or_default).join("\n"));
    }
}
