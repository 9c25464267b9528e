use std::ffi::OsString;
use std::path::PathBuf;

use leo_config::Architecture;

use crate::{GitHead, ImageName, ImageTag, Source};

/// A repository of images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its name in the registry, like `leo-saas-app`.
    pub name: String,
    /// `<registry host>/<name>`, as it is reached from here and from where images run.
    pub uri: String,
}

/// What a plan is made from.
#[derive(Clone, Debug)]
pub struct PlanInput {
    /// Which image.
    pub image: ImageName,
    /// Where it is built from.
    pub source: Source,
    /// What its task definition runs on.
    pub architecture: Architecture,
    /// Where it goes.
    pub repository: Repository,
    /// The commit on which the context stands; `None` gives no `git-` tag.
    pub git: Option<GitHead>,
    /// Whether the image carries provenance and an SBOM, which give each build a digest of its own.
    pub attestations: bool,
    /// Where layers are kept between builds.
    pub cache: CacheUse,
    /// What it may weigh in the registry, in MB (10⁶ bytes), before there is a warning.
    pub budget_mb: u32,
    /// Files of the context, relative to it, that look like secrets and are none.
    pub allowed: Vec<PathBuf>,
    /// For how many days a result counts whose bases may move.
    pub max_age_days: u32,
}

/// Where a build keeps its layers for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheUse {
    /// In the repository, so that every machine has them.
    Registry,
    /// In the engine alone: right where the registry is on this machine, too.
    EngineOnly,
}

/// How one image is built, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildPlan {
    /// Which image.
    pub image: ImageName,
    /// Context, Dockerfile, target, build arguments, named contexts.
    pub source: Source,
    /// What it is built for.
    pub architecture: Architecture,
    /// Where it goes.
    pub repository: Repository,
    /// The commit on which the context stands.
    pub git: Option<GitHead>,
    /// `git-<commit>-<architecture>`, where the context is all that is built from. An image gets it only where the context
    /// is just that commit's: [`BuildPlan::commit_tag`].
    pub git_tag: Option<ImageTag>,
    /// The registry cache; `None` uses the engine's own.
    pub cache: Option<CachePlan>,
    /// Provenance and SBOM.
    pub attestations: bool,
    /// What it may weigh in the registry, in MB, before there is a warning.
    pub budget_mb: u32,
    /// Files that look like secrets and are none.
    pub allowed: Vec<PathBuf>,
    /// For how many days a result counts whose bases may move.
    pub max_age_days: u32,
}

/// The build cache in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachePlan {
    /// The tag that is written: this branch's.
    pub to: ImageTag,
    /// The tags that are read: this branch's, then that of `main`.
    pub from: Vec<ImageTag>,
}

/// The branch whose cache every other branch may start from.
pub(crate) const MAIN_BRANCH: &str = "main";
/// The date in an image, in seconds since 1970: constant, so that the digest depends on what is in the image and not on
/// which commit or when.
pub(crate) const EPOCH: u32 = 0;
/// The cache's name where no branch is checked out.
const NO_BRANCH: &str = "detached";

/// Decides how an image is built and tagged.
pub fn plan(input: PlanInput) -> BuildPlan {
    let PlanInput {
        image,
        source,
        architecture,
        repository,
        git,
        attestations,
        cache,
        budget_mb,
        allowed,
        max_age_days,
    } = input;
    let cache = match cache {
        CacheUse::EngineOnly => None,
        CacheUse::Registry => Some(CachePlan::of(None, architecture)),
    };
    let plan = BuildPlan {
        image,
        source,
        architecture,
        repository,
        git: None,
        git_tag: None,
        cache,
        attestations,
        budget_mb,
        allowed,
        max_age_days,
    };
    plan.with_git(git)
}

impl CachePlan {
    fn of(branch: Option<&str>, architecture: Architecture) -> Self {
        let branch = branch.unwrap_or(NO_BRANCH);
        let tag = |branch| ImageTag::of_cache(branch, architecture);
        let mut from = vec![tag(branch)];
        if branch != MAIN_BRANCH {
            from.push(tag(MAIN_BRANCH));
        }
        Self { to: tag(branch), from }
    }
}

impl BuildPlan {
    /// The same on a commit: its tag and the names of its caches follow from that.
    #[must_use]
    pub fn with_git(mut self, git: Option<GitHead>) -> Self {
        let architecture = self.architecture;
        self.git_tag = git
            .as_ref()
            // What is in another folder is none of this commit's.
            .filter(|_| self.source.named_contexts.is_empty())
            .map(|head| ImageTag::of_commit(&head.commit, architecture));
        let branch = git.as_ref().and_then(|head| head.branch.as_deref());
        self.cache = self.cache.map(|_| CachePlan::of(branch, architecture));
        self.git = git;
        self
    }

    /// The commit's tag, where the context is at this moment just what the commit has of it.
    pub async fn commit_tag(&self) -> Option<&ImageTag> {
        let (tag, head) = (self.git_tag.as_ref()?, self.git.as_ref()?);
        head.is_all_of(&self.source.context).await.then_some(tag)
    }

    /// A tag as a reference to an image of its repository.
    pub fn reference(&self, tag: &ImageTag) -> String {
        format!("{}:{tag}", self.repository.uri)
    }

    /// How BuildKit is told to read the registry cache.
    pub(crate) fn cache_imports(&self) -> impl Iterator<Item = String> {
        let tags = self.cache.iter().flat_map(|cache| &cache.from);
        tags.map(|tag| format!("type=registry,ref={}", self.reference(tag)))
    }

    /// How BuildKit is told to write it. ECR refuses BuildKit's default cache manifest; `ignore-error` because a build
    /// without a cache is still a build.
    pub(crate) fn cache_export(&self) -> Option<String> {
        let reference = self.reference(&self.cache.as_ref()?.to);
        Some(format!(
            "type=registry,ref={reference},mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true"
        ))
    }

    /// The Dockerfile's path.
    pub fn dockerfile(&self) -> PathBuf {
        self.source.context.join(&self.source.dockerfile)
    }

    /// What changes the result beside the source: part of the source's hash.
    pub(crate) fn recipe(&self) -> String {
        format!("attestations={};epoch={EPOCH};v1", self.attestations)
    }

    /// The arguments of `docker` that build this image, without where the result goes. None of them is secret:
    /// build arguments come from the configuration.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = ["buildx", "build", "--progress=rawjson"].map(Into::into).to_vec();
        let mut push = |argument: String| arguments.push(argument.into());
        // A missing --platform builds for whatever this machine is; Fargate then says "exec format error".
        push(format!("--platform={}", self.architecture.platform()));
        if self.attestations {
            // `min`: the `max` form quotes build arguments and the whole Dockerfile.
            push("--provenance=mode=min".to_owned());
            push("--sbom=true".to_owned());
        } else {
            push("--provenance=false".to_owned());
            push("--sbom=false".to_owned());
        }
        push(format!("--build-arg=SOURCE_DATE_EPOCH={EPOCH}"));
        for (name, value) in &self.source.build_args {
            push(format!("--build-arg={name}={value}"));
        }
        for (name, folder) in &self.source.named_contexts {
            push(format!("--build-context={name}={}", folder.display()));
        }
        if let Some(target) = &self.source.target {
            push(format!("--target={target}"));
        }
        for import in self.cache_imports() {
            push(format!("--cache-from={import}"));
        }
        if let Some(export) = self.cache_export() {
            push(format!("--cache-to={export}"));
        }
        arguments.push("--file".into());
        arguments.push(self.dockerfile().into_os_string());
        arguments
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn input() -> PlanInput {
        PlanInput {
            image: ImageName::Generator,
            source: Source {
                context: "/src/leo-container".into(),
                dockerfile: "docker/Dockerfile".into(),
                target: None,
                build_args: BTreeMap::new(),
                named_contexts: BTreeMap::new(),
            },
            architecture: Architecture::Arm64,
            repository: Repository { name: "leo".into(), uri: "registry.example/leo".into() },
            git: Some(head(Some("main"))),
            attestations: false,
            cache: CacheUse::Registry,
            budget_mb: 1000,
            allowed: Vec::new(),
            max_age_days: 7,
        }
    }

    fn head(branch: Option<&str>) -> GitHead {
        GitHead { commit: "c0ffee".repeat(6), branch: branch.map(str::to_owned) }
    }

    fn arguments(plan: &BuildPlan) -> String {
        let arguments = plan.arguments();
        arguments.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_least_that_is_always_said() {
        insta::assert_snapshot!(arguments(&plan(input())));
    }

    #[test]
    fn everything_that_can_be_said() {
        let mut input = input();
        input.source.target = Some("release".into());
        input.source.build_args = BTreeMap::from([("VERSION".into(), "1 2".into())]);
        input.source.named_contexts = BTreeMap::from([("binary".into(), "/out".into())]);
        input.git = Some(head(Some("feature/a b")));
        input.attestations = true;
        insta::assert_snapshot!(arguments(&plan(input)));
    }

    #[test]
    fn only_what_is_built_from_a_commit_alone_can_get_its_tag() {
        let with = |git| plan(PlanInput { git, ..input() }).git_tag.map(|tag| tag.to_string());
        assert_eq!(with(Some(head(None))), Some(format!("git-{}-arm64", "c0ffee".repeat(6))));
        assert_eq!(with(None), None);
        let mut more = input();
        more.source.named_contexts = BTreeMap::from([("binary".into(), "/out".into())]);
        assert_eq!(plan(more).git_tag, None);
    }

    #[test]
    fn a_branch_writes_its_own_cache_and_reads_that_of_main_as_well() {
        let with = |git| plan(PlanInput { git, ..input() }).cache.unwrap();
        let tag = |tag: &str| tag.parse::<ImageTag>().unwrap();
        let main = CachePlan { to: tag("cache-main-arm64"), from: vec![tag("cache-main-arm64")] };
        assert_eq!(with(Some(head(Some("main")))), main);
        let branch = with(Some(head(Some("x/y"))));
        assert_eq!(branch.to, tag("cache-x-y-arm64"));
        assert_eq!(branch.from, [branch.to.clone(), main.to.clone()]);
        assert_eq!(with(None).to, tag("cache-detached-arm64"));
        assert_eq!(plan(PlanInput { cache: CacheUse::EngineOnly, ..input() }).cache, None);
    }
}
