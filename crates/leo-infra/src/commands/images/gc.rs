use super::{Place, Registry, words};
use crate::{
    ask,
    deploy::Session,
    failure::{Failure, Problem},
    interrupt, leaving,
    operation::{self, Operation},
    progress::Progress,
    registry::{self, Agreed, Collected, Seen, Wanted, bytes, collect, refuse_others},
    stdout,
    who::Who,
};
use leo_aws::FailureKind;
use leo_image::{ListedImage, Size, retention::FRESH};
use leo_release::rfc3339;
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeSet,
    process::ExitCode,
    time::{Duration, SystemTime},
};

/// Delete the images that nothing uses
///
/// Shows of each image why it stays or goes, and asks. An image stays that a service, a task, an active task definition, a
/// stack, one of each environment's newest releases or a promotion uses; that was pushed in the last 24 hours; that is a
/// build cache; or that has a tag `keep-…`. Refused where anything that may use images can't be seen, and while an
/// environment is being worked on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// Only show what stays and what would go, and why
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short, conflicts_with = "dry_run")]
    yes: bool,
    /// Keep the images of so many of each environment's newest releases that differ in them (default: `registry.keep_releases`)
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(2..=1000))]
    keep: Option<u32>,
    /// Keep what was pushed in the last so many hours, for a deploy that is still to come (default: 24; 0 with --local alone)
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u64).range(..=8760))]
    newer_than: Option<u64>,
    /// An environment that is gone for good: its releases keep no image. Refused while it has a platform or is in infra/leo.toml
    #[arg(long, value_name = "NAME")]
    forget: Vec<String>,
    /// Where a repository's policy lets others in: what they run has a tag `keep-…`, and so stays
    #[arg(long)]
    tagged_elsewhere: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

impl Args {
    fn fresh(&self) -> Duration {
        self.newer_than.map_or(FRESH, Duration::from_hours)
    }

    /// Refuses, before anything is sent, what can't be done.
    fn check(&self) -> Result<(), Problem> {
        if self.newer_than == Some(0) && !self.place.local {
            return Err(Problem::new(
                FailureKind::Usage,
                "delete images that were pushed this very moment: the deploy that they were built for is still to come",
            )
            .hint("give --newer-than an hour at least"));
        }
        if self.dry_run || self.yes || ask::possible() {
            Ok(())
        } else {
            Err(ask::needs_terminal("images gc"))
        }
    }
}

pub(super) async fn run(args: Args) -> ExitCode {
    match Box::pin(gc(&args)).await {
        Ok((seen, collected)) => {
            if args.json {
                stdout::line(format_args!("{:#}", document(&args, &seen, collected.as_ref())));
            } else {
                match &collected {
                    Some(collected) => stdout::line(done(collected)),
                    None => stdout::line(shown(&seen, SystemTime::now())),
                }
            }
            if collected.is_some_and(|collected| !collected.kept.is_empty()) {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            }
        }
        Err(failure) => failure.report(args.json),
    }
}

/// What was seen, and what became of it; `None`: nothing was to be deleted.
async fn gc(args: &Args) -> Result<(Seen, Option<Collected>), Failure> {
    args.check()?;
    let registry = Registry::open(&args.place).await?;
    let forgotten: BTreeSet<String> = args.forget.iter().cloned().collect();
    let wanted = Wanted {
        artifacts: &registry.artifacts,
        account: &registry.account,
        tagged_elsewhere: args.tagged_elsewhere,
        keep: args.keep.unwrap_or(registry.project.config.registry.keep_releases),
        fresh: args.fresh(),
        configured: &registry.configured,
        forgotten: &forgotten,
    };
    refuse_others(&registry.artifacts).await?;
    let seen = Seen::look(&registry.target, &wanted).await?;
    seen.users.refuse_blind()?;
    let agreed: Agreed = seen
        .repositories
        .iter()
        .map(|judged| {
            (judged.repository.name.clone(), judged.going().map(|image| image.digest.clone()).collect())
        })
        .collect();
    let number: usize = agreed.values().map(BTreeSet::len).sum();
    if args.dry_run || number == 0 {
        return Ok((seen, None));
    }
    eprintln!("{}", shown(&seen, SystemTime::now()));
    if !args.yes && !ask::yes(&format!("delete {}?", leo_data::count(number as u64, "image")))? {
        let message = "delete images: it was not confirmed; nothing was deleted";
        return Err(Problem::new(FailureKind::Failed, message).into());
    }
    let who = Who::here(&registry.project.root).await;
    let operation = Operation::begin(&registry.project.root, "images-gc", "registry", args.place.local, who)?;
    let outcome = perform(&registry, &wanted, &agreed, &operation).await;
    match &outcome {
        Ok(_) => operation.end("collected"),
        Err(failure) => operation.end(operation::ended(failure.kind())),
    }
    Ok((seen, Some(outcome?)))
}

async fn perform(
    registry: &Registry,
    wanted: &Wanted<'_>,
    agreed: &Agreed,
    operation: &Operation,
) -> Result<Collected, Failure> {
    let progress = Progress::detect();
    let session = Session::default();
    let collecting =
        Box::pin(collect(&registry.target, wanted, agreed, operation, &session, progress.sink()));
    let outcome = tokio::select! {
        biased;
        () = interrupt::first() => None,
        outcome = collecting => Some(outcome),
    };
    progress.finish();
    let outcome = if let Some(outcome) = outcome {
        outcome
    } else {
        let engine = leo_deploy::Stacks::new(registry.target.cloudformation.clone());
        Err(leaving::leave(&engine, operation, &session).await.into())
    };
    session.give_back().await;
    outcome
}

/// What goes and what stays, and why.
fn shown(seen: &Seen, now: SystemTime) -> String {
    let mut rows = vec![];
    for judged in &seen.repositories {
        for image in &judged.images {
            let Some(verdict) = judged.verdicts.get(&image.digest) else { continue };
            let mut reasons = words::reasons(verdict);
            if !verdict.stays()
                && let Some(at) = image.pulled_at
            {
                let day = rfc3339(at).chars().take(10).collect::<String>();
                reasons.push(format!("last pulled {day}"));
            }
            rows.push((
                verdict.stays(),
                [
                    if verdict.stays() { "stays" } else { "goes" }.to_owned(),
                    judged.name.to_string(),
                    image.digest.short().to_owned(),
                    words::age(image, now),
                    Size(image.bytes).to_string(),
                    reasons.join("; "),
                ],
            ));
        }
    }
    if rows.is_empty() {
        return "the registry has no images".to_owned();
    }
    // What goes is read first.
    rows.sort_by_key(|(stays, _)| *stays);
    let table =
        words::table(["Fate", "Image", "Digest", "Age", "Size", "Why"], rows.into_iter().map(|(_, row)| row));
    let going: Vec<&ListedImage> = seen.repositories.iter().flat_map(registry::Judged::going).collect();
    let sum = if going.is_empty() {
        "nothing to delete".to_owned()
    } else {
        let number = leo_data::count(going.len() as u64, "image");
        format!("{number} may go: {} at most, as images share layers", Size(bytes(going)))
    };
    format!("{table}\n{sum}")
}

fn done(collected: &Collected) -> String {
    let number = leo_data::count(collected.gone.len() as u64, "image");
    let size = Size(bytes(collected.gone.iter().map(|(_, image)| image)));
    let mut lines = vec![format!("deleted {number}: {size} at most, as images share layers")];
    if collected.used_since > 0 {
        let number = leo_data::count(collected.used_since as u64, "image");
        lines.push(format!("{number} stayed: used since it was shown"));
    }
    for (repository, kept) in &collected.kept {
        lines.push(format!("ECR keeps {repository}@{kept}"));
    }
    lines.join("\n")
}

fn document(args: &Args, seen: &Seen, collected: Option<&Collected>) -> Json {
    let images: Vec<Json> = seen
        .repositories
        .iter()
        .flat_map(|judged| judged.images.iter().map(|image| words::image(judged, image)))
        .collect();
    let going = seen.repositories.iter().flat_map(registry::Judged::going).count();
    let status = match collected {
        Some(_) => "collected",
        None if args.dry_run && going > 0 => "dry-run",
        None => "unchanged",
    };
    let gone: Vec<Json> = collected
        .into_iter()
        .flat_map(|collected| &collected.gone)
        .map(|(repository, image)| json!({"repository": repository, "digest": image.digest.as_str()}))
        .collect();
    let kept: Vec<Json> = collected
        .into_iter()
        .flat_map(|collected| &collected.kept)
        .map(|(repository, kept)| {
            let (digest, code) = (kept.digest.as_str(), &kept.code);
            json!({"repository": repository, "digest": digest, "code": code, "reason": kept.reason})
        })
        .collect();
    let bytes = collected.map(|collected| bytes(collected.gone.iter().map(|(_, image)| image)));
    json!({
        "status": status,
        "images": images,
        "environments": words::environments(&seen.users),
        "deleted": gone,
        "kept_by_ecr": kept,
        "bytes_at_most": bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::{words::testing, *};
    use leo_image::KeptByEcr;

    #[test]
    fn it_says_of_each_image_why_it_stays_or_goes() {
        insta::assert_snapshot!(shown(&testing::seen(), testing::now()));
        let mut nothing = testing::seen();
        nothing.repositories.retain(|judged| judged.going().next().is_none());
        assert!(shown(&nothing, testing::now()).ends_with("\nnothing to delete"));
    }

    #[test]
    fn it_says_what_is_gone_and_what_ecr_keeps() {
        let seen = testing::seen();
        let judged = &seen.repositories[0];
        let kept = KeptByEcr {
            digest: judged.images[1].digest.clone(),
            code: "ImageReferencedByManifestList".to_owned(),
            reason: "referenced".to_owned(),
        };
        let collected = Collected {
            gone: judged.going().map(|image| ("leo-saas-app".to_owned(), image.clone())).collect(),
            kept: vec![("leo-saas-app".to_owned(), kept)],
            used_since: 2,
        };
        insta::assert_snapshot!(done(&collected));
    }
}
