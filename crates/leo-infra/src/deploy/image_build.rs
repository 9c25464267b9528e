//! Images from their sources: planned, looked at, built where the registry does not have them.

use super::{
    image_events,
    images::{Repositories, join_errors, repositories},
};
use crate::{
    failure::{Failure, Problem},
    keep,
    target::Target,
};
use leo_aws::FailureKind;
use leo_deploy::Reporter;
use leo_image::{
    BuildPlan, CacheUse, Checked, GitHead, ImageError, ImageName, LazyEngine, Looked, PlanInput,
    PublishOptions, PublishedImage, Publisher, Repository, Selection, Sink, SourceChoice, SourcePair,
    Sources, Verdict, plan,
};
use leo_project::Project;
use leo_stack::Stacks;
use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

/// What is built, and how.
#[derive(Clone)]
pub(crate) struct ImageBuild {
    pub(crate) choice: SourceChoice,
    pub(crate) selection: Selection,
    pub(crate) engine: LazyEngine,
    pub(crate) wishes: Wishes,
}

/// What a person asks for beside what is configured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// Build what the registry has as well.
    pub(crate) force: bool,
    /// Files of the contexts that look like secrets and are none.
    pub(crate) allowed: Vec<PathBuf>,
    /// Where layers are kept between builds; `None`: what suits the target.
    pub(crate) cache: Option<CacheUse>,
}

impl ImageBuild {
    /// Both images, as they are configured.
    pub(crate) fn of_both(choice: SourceChoice) -> Self {
        Self {
            choice,
            selection: Selection::Both,
            engine: LazyEngine::of_this_machine(),
            wishes: Wishes::default(),
        }
    }

    /// What has to be right before anything is sent: the build contexts hold no secrets, and there is an engine if
    /// something has to be built.
    pub(super) async fn preflight(
        &self,
        project: &Project,
        target: &Target,
        stacks: &Stacks,
    ) -> Result<(), Failure> {
        // Asked side by side: an engine far away may take its time.
        let (missing, existing) =
            tokio::join!(async { self.engine.get().await.err() }, repositories(target, stacks));
        let sources = match (&self.choice.sources, &missing) {
            (Sources::Siblings(siblings), _) => (**siblings).clone(),
            // They hold nothing of the user's, and compiling them is a step of its own.
            (Sources::Demo, None) => return Ok(()),
            (Sources::Demo, Some(_)) => compile_demo(project, |_| {}).await.map_err(Problem::from)?,
        };
        let looked = self.look_at(project, target.local.is_some(), sources, &no_sink()).await?;
        let Some(missing) = missing else { return Ok(()) };
        // Before a first deploy there are none, and nothing that could be in them.
        if let Some(repositories) = existing? {
            let publisher = self.publisher(project, target, &repositories, no_sink());
            let checked = publisher.check_looked(at(looked, &repositories)).await.map_err(join_errors)?;
            if checked.iter().all(|image| matches!(image.verdict, Verdict::Present(_))) {
                return Ok(());
            }
        }
        Err(Problem::from(missing).into())
    }

    /// Looks at what the builds of the siblings would see, which needs no one to answer; what there is to say about it
    /// goes to `sink`. `None` where these are not built from.
    pub(crate) async fn look_at_siblings(
        &self,
        project: &Project,
        local: bool,
        sink: &Sink,
    ) -> Option<Result<Vec<Looked>, Problem>> {
        let Sources::Siblings(siblings) = &self.choice.sources else { return None };
        Some(self.look_at(project, local, (**siblings).clone(), sink).await)
    }

    /// Looks at what the builds would see. The demo programs, if it is these, are compiled before.
    pub(crate) async fn look(
        &self,
        project: &Project,
        local: bool,
        reporter: &Reporter,
    ) -> Result<Vec<Looked>, Problem> {
        let sources = self.sources(project, reporter).await?;
        self.look_at(project, local, sources, &image_events::sink(reporter)).await
    }

    /// Builds those of the images that the registry does not have, pushes them, and gives all in the order orchestrator,
    /// generator.
    pub(crate) async fn run(
        &self,
        project: &Project,
        target: &Target,
        repositories: &Repositories,
        looked: Vec<Looked>,
        reporter: &Reporter,
    ) -> Result<Vec<PublishedImage>, Problem> {
        let publisher = self.publisher(project, target, repositories, image_events::sink(reporter));
        publisher.publish_looked(at(looked, repositories)).await.map_err(join_errors)
    }

    /// Finds out what would become of the images, and changes nothing.
    pub(crate) async fn check(
        &self,
        project: &Project,
        target: &Target,
        repositories: &Repositories,
        looked: Vec<Looked>,
        reporter: &Reporter,
    ) -> Result<Vec<Checked>, Problem> {
        let publisher = self.publisher(project, target, repositories, image_events::sink(reporter));
        publisher.check_looked(at(looked, repositories)).await.map_err(join_errors)
    }

    async fn sources(&self, project: &Project, reporter: &Reporter) -> Result<SourcePair, ImageError> {
        match &self.choice.sources {
            Sources::Siblings(siblings) => Ok((**siblings).clone()),
            Sources::Demo => {
                reporter.note("compiling the demo programs");
                compile_demo(project, |line| reporter.line(line)).await
            }
        }
    }

    async fn look_at(
        &self,
        project: &Project,
        local: bool,
        sources: SourcePair,
        sink: &Sink,
    ) -> Result<Vec<Looked>, Problem> {
        let plans = self.plans(project, local, sources)?;
        // Git reads the same folders in its own time.
        let asked: Vec<_> = plans
            .iter()
            .map(|plan| plan.source.context.clone())
            .map(|context| tokio::spawn(async move { GitHead::read(&context).await }))
            .collect();
        let looked = leo_image::look(plans, &self.options(project), sink).await.map_err(join_errors)?;
        let mut answers = vec![];
        for git in asked {
            answers.push(git.await.ok().flatten());
        }
        let with_git =
            |(Looked { plan, source }, git): (Looked, _)| Looked { plan: plan.with_git(git), source };
        Ok(looked.into_iter().zip(answers).map(with_git).collect())
    }

    /// How the images are built, in the order orchestrator, generator. Where they go and what git says are left open.
    fn plans(&self, project: &Project, local: bool, sources: SourcePair) -> Result<Vec<BuildPlan>, Problem> {
        let config = &project.config;
        let images = &config.images;
        let suits = if local { CacheUse::EngineOnly } else { CacheUse::Registry };
        let parts = [
            (
                ImageName::Orchestrator,
                sources.orchestrator,
                &images.orchestrator,
                config.orchestrator.architecture,
            ),
            (ImageName::Generator, sources.generator, &images.generator, config.generator.architecture),
        ];
        let parts: Vec<_> = parts.into_iter().filter(|(image, ..)| self.selection.has(*image)).collect();
        let here = std::env::current_dir().unwrap_or_default();
        let contexts: Vec<&Path> = parts.iter().map(|(_, source, ..)| source.context.as_path()).collect();
        let allowed = allowed_in(&contexts, &here, &self.wishes.allowed)?;
        let plans =
            parts.into_iter().zip(allowed).map(|((image, source, settings, architecture), allowed)| {
                plan(PlanInput {
                    image,
                    source,
                    architecture,
                    repository: Repository { name: String::new(), uri: String::new() },
                    git: None,
                    attestations: images.attestations,
                    cache: self.wishes.cache.unwrap_or(suits),
                    budget_mb: settings.budget_mb,
                    allowed: settings.allow_in_context.iter().cloned().chain(allowed).collect(),
                    max_age_days: images.max_age_days,
                })
            });
        Ok(plans.collect())
    }

    fn publisher(
        &self,
        project: &Project,
        target: &Target,
        repositories: &Repositories,
        sink: Sink,
    ) -> Publisher {
        let registry = target.registry(repositories.of(ImageName::Orchestrator));
        Publisher::new(self.engine.clone(), registry, target.catalog(), self.options(project), sink)
    }

    fn options(&self, project: &Project) -> PublishOptions {
        PublishOptions {
            force: self.wishes.force,
            hash_cache: Some(keep::hashes(&project.root)),
            own_root: Some(project.root.clone()),
            ..PublishOptions::default()
        }
    }
}

/// The images, bound for their repositories.
fn at(looked: Vec<Looked>, repositories: &Repositories) -> Vec<Looked> {
    let at = |looked: Looked| {
        let repository = repositories.of(looked.plan.image).clone();
        looked.at(repository)
    };
    looked.into_iter().map(at).collect()
}

fn no_sink() -> Sink {
    Arc::new(|_| {})
}

async fn compile_demo(project: &Project, on_line: impl Fn(&str)) -> Result<SourcePair, ImageError> {
    let config = &project.config;
    let architectures = (config.orchestrator.architecture, config.generator.architecture);
    leo_image::demo::build(&project.root, architectures.0, architectures.1, on_line).await
}

/// What is allowed in each context: a path of `--allow-in-context` is one in a context, or one from where the person
/// stands that leads into it.
///
/// # Errors
/// Where it is in no context: a typing error must not leave somebody thinking that it was allowed.
fn allowed_in(contexts: &[&Path], here: &Path, wanted: &[PathBuf]) -> Result<Vec<Vec<PathBuf>>, Problem> {
    let within = |context: &Path, path: &Path| {
        let there = std::path::absolute(here.join(path)).ok().and_then(|path| path.canonicalize().ok());
        let from_here =
            there.and_then(|there| Some(there.strip_prefix(context.canonicalize().ok()?).ok()?.to_owned()));
        let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        from_here.or_else(|| (plain && context.join(path).exists()).then(|| path.to_owned()))
    };
    if let Some(nowhere) =
        wanted.iter().find(|path| contexts.iter().all(|context| within(context, path).is_none()))
    {
        let contexts: Vec<String> = contexts.iter().map(|context| context.display().to_string()).collect();
        return Err(Problem::new(
            FailureKind::Usage,
            format!("find {} in a build context: it is not in {}", nowhere.display(), contexts.join(" or ")),
        )
        .hint("give it as the message about it does: relative to the build context"));
    }
    let in_context = |context: &&Path| wanted.iter().filter_map(|path| within(context, path)).collect();
    Ok(contexts.iter().map(in_context).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_allowed_is_found_from_the_context_and_from_here() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let root = folder.path();
        for context in ["one", "two"] {
            fs::create_dir_all(root.join(context).join("test")).expect("makes a folder");
        }
        fs::write(root.join("one/test/key.pem"), "x").expect("writes");
        fs::write(root.join("two/both"), "x").expect("writes");
        fs::write(root.join("one/both"), "x").expect("writes");
        let contexts = [root.join("one"), root.join("two")];
        let contexts = [contexts[0].as_path(), contexts[1].as_path()];
        let allowed = |path: &str| allowed_in(&contexts, &root.join("two"), &[path.into()]);
        let key = || vec![PathBuf::from("test/key.pem")];
        assert_eq!(allowed("test/key.pem").expect("is there"), [key(), vec![]]);
        assert_eq!(allowed("../one/test/key.pem").expect("is there"), [key(), vec![]]);
        assert_eq!(
            allowed("both").expect("is there"),
            [vec![PathBuf::from("both")], vec![PathBuf::from("both")]]
        );
        let problem = allowed("key.pem").expect_err("is nowhere");
        assert_eq!(problem.kind, FailureKind::Usage);
        assert!(problem.message.starts_with("find key.pem in a build context"), "{}", problem.message);
    }
}
