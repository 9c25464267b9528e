use leo_image::{BuildPlan, ImageTag, Looked, Size, SourceFacts, Verdict};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// How the images would be built, and whether they have to be.
pub(super) struct DryRun {
    pub(super) images: Vec<Planned>,
}

/// One image that was looked at.
pub(super) struct Planned {
    pub(super) plan: BuildPlan,
    pub(super) source: SourceFacts,
    /// What becomes of it; `None` where there is no registry yet.
    pub(super) verdict: Option<Verdict>,
    /// The commit's tag, where the context is just what the commit has of it.
    commit_tag: Option<ImageTag>,
}

impl Planned {
    pub(super) async fn new(Looked { plan, source }: Looked, verdict: Option<Verdict>) -> Self {
        Self { commit_tag: plan.commit_tag().await.cloned(), plan, source, verdict }
    }
}

impl DryRun {
    pub(super) fn text(&self) -> String {
        self.images.iter().map(Planned::text).collect::<Vec<_>>().join("\n\n")
    }

    pub(super) fn json(&self) -> Json {
        json!({"dry_run": true, "images": self.images.iter().map(Planned::json).collect::<Vec<_>>()})
    }
}

impl Planned {
    fn text(&self) -> String {
        let Self { plan, source, .. } = self;
        let files = format!(
            "{}: {} {}, {} ({} of them read, {} ms)",
            plan.source.context.display(),
            source.files,
            if source.files == 1 { "file" } else { "files" },
            Size(source.bytes),
            source.read,
            milliseconds(source.took)
        );
        let mut lines = vec![format!("{}: {}", plan.image, self.becomes()), line("context", files)];
        let named = plan.source.named_contexts.iter();
        lines.extend(named.map(|(name, folder)| line("context", format!("{name} = {}", folder.display()))));
        lines.push(line("Dockerfile", plan.source.dockerfile.display()));
        lines.push(line("target", plan.source.target.as_deref().unwrap_or("the last stage")));
        lines.extend(
            plan.source.build_args.iter().map(|(name, value)| line("argument", format!("{name}={value}"))),
        );
        lines.push(line("platform", plan.architecture.platform()));
        lines.push(line("repository", &plan.repository.uri));
        lines.extend(self.tags().map(|tag| line("tag", tag)));
        if self.commit_tag.is_none() {
            lines.push(line("", "no git- tag: what is built is not one commit alone"));
        }
        match &plan.cache {
            Some(cache) => {
                lines.push(line("cache", format!("written to {}", plan.reference(&cache.to))));
                let read = |from| line("", format!("read from {}", plan.reference(from)));
                lines.extend(cache.from.iter().map(read));
            }
            None => lines.push(line("cache", "the builder's own")),
        }
        for moving in &source.moving {
            lines.push(line(
                "may move",
                format!("{} (line {}): {}", moving.reference, moving.line, moving.why),
            ));
        }
        if !source.moving.is_empty() {
            lines.push(line("", format!("so a result counts for {} days", plan.max_age_days)));
        }
        lines.join("\n")
    }

    fn becomes(&self) -> String {
        match &self.verdict {
            None => "would be built: there is no registry yet, `cargo xtask deploy` makes it".to_owned(),
            Some(Verdict::Present(present)) => {
                format!("nothing to build: {} ({})", present.digest(), present.tag)
            }
            Some(Verdict::Build(reason)) => format!("would be built: {}", reason.as_str()),
        }
    }

    /// What a build would be tagged with, where that is absent.
    fn tags(&self) -> impl Iterator<Item = &ImageTag> {
        std::iter::once(&self.source.tags.new).chain(&self.commit_tag)
    }

    fn json(&self) -> Json {
        let Self { plan, source, verdict, .. } = self;
        let (build, reason, digest) = match verdict {
            None => (true, Some("there is no registry yet"), None),
            Some(Verdict::Build(reason)) => (true, Some(reason.as_str()), None),
            Some(Verdict::Present(present)) => (false, None, Some(present.digest().as_str())),
        };
        let moving = source.moving.iter().map(|moving| {
            json!({"reference": moving.reference, "line": moving.line, "why": moving.why.to_string()})
        });
        json!({
            "name": plan.image.as_str(),
            "build": build,
            "reason": reason,
            "digest": digest,
            "context": plan.source.context,
            "named_contexts": plan.source.named_contexts,
            "dockerfile": plan.source.dockerfile,
            "target": plan.source.target,
            "build_args": plan.source.build_args,
            "platform": plan.architecture.platform(),
            "repository": plan.repository.uri,
            "tags": self.tags().map(ImageTag::as_str).collect::<Vec<_>>(),
            "cache": plan.cache.as_ref().map(|cache| json!({
                "to": plan.reference(&cache.to),
                "from": cache.from.iter().map(|tag| plan.reference(tag)).collect::<Vec<_>>(),
            })),
            "source": {
                "hash": source.hash,
                "files": source.files,
                "bytes": source.bytes,
                "read": source.read,
                "milliseconds": milliseconds(source.took),
                "moving": moving.collect::<Vec<_>>(),
            },
        })
    }
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn line(name: &str, value: impl std::fmt::Display) -> String {
    format!("  {name:<11} {value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_config::Architecture;
    use leo_context::{MovingBase, MovingReason};
    use leo_image::{
        BuildReason, CacheUse, GitHead, ImageName, PlanInput, Repository, Source, SourceTags, plan,
    };

    fn planned(git: Option<GitHead>, cache: CacheUse, verdict: Option<Verdict>) -> Planned {
        let plan = plan(PlanInput {
            image: ImageName::Generator,
            source: Source {
                context: "/src/leo-container".into(),
                dockerfile: "docker/Dockerfile".into(),
                target: git.is_some().then(|| "release".to_owned()),
                build_args: [("VERSION".to_owned(), "1 2".to_owned())].into(),
                // With one there is no tag of the commit.
                named_contexts: match &git {
                    Some(_) => std::collections::BTreeMap::new(),
                    None => [("binary".to_owned(), "/out".into())].into(),
                },
            },
            architecture: Architecture::Arm64,
            repository: Repository { name: "leo".to_owned(), uri: "registry.example/leo".to_owned() },
            git,
            attestations: false,
            cache,
            budget_mb: 1000,
            allowed: vec![],
            max_age_days: 7,
        });
        let tag: ImageTag = format!("src-{}-20261122", "0a".repeat(20)).parse().expect("is a tag");
        let source = SourceFacts {
            hash: "0a".repeat(32),
            stamps: String::new(),
            tags: SourceTags { new: tag.clone(), accepted: vec![tag] },
            files: 10_000,
            bytes: 1_000_000_000,
            read: 3,
            took: Duration::from_millis(120),
            repository: false,
            moving: vec![MovingBase { reference: "rust:1".to_owned(), line: 3, why: MovingReason::Tag }],
            unused_allowed: vec![],
        };
        Planned { commit_tag: plan.git_tag.clone(), plan, source, verdict }
    }

    #[test]
    fn a_plan_says_all_that_a_build_is_told_and_whether_there_is_one() {
        let git = GitHead { commit: "c0ffee".repeat(6), branch: Some("x/y".to_owned()) };
        let absent = Some(Verdict::Build(BuildReason::AbsentOrOld));
        let dry_run = DryRun {
            images: vec![
                planned(Some(git), CacheUse::Registry, absent),
                planned(None, CacheUse::EngineOnly, None),
            ],
        };
        insta::assert_snapshot!(dry_run.text());
        insta::assert_snapshot!(format!("{:#}", dry_run.json()));
    }
}
