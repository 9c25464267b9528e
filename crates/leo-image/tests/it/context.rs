//! A build context in a git repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use leo_config::Architecture;
use leo_image::{BuildPlan, CacheUse, GitHead, ImageName, PlanInput, Repository, Source, plan};
use tempfile::TempDir;

/// The context.
pub(crate) struct Context {
    folder: TempDir,
    name: ImageName,
}

impl Context {
    /// A committed context whose image holds one file with this content.
    pub(crate) fn new(name: ImageName, text: &str) -> Self {
        let context = Self { folder: tempfile::tempdir().unwrap(), name };
        context.git(&["init", "--quiet", "--initial-branch=main"]);
        context.write(
            "Dockerfile",
            "FROM scratch\nARG COLOUR=blue\nLABEL colour=$COLOUR\nCOPY content /content\n",
        );
        context.write(".dockerignore", ".git\nREADME.md\n");
        context.write("content", text);
        context.commit();
        context
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "x"]);
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        assert!(Command::new("git").arg("-C").arg(self.path()).args(arguments).status().unwrap().success());
    }

    /// How it is built for this machine and pushed to `host`.
    pub(crate) async fn plan(&self, host: &str) -> BuildPlan {
        let name = match self.name {
            ImageName::Orchestrator => "leo-saas-app",
            ImageName::Generator => "leo",
        };
        plan(PlanInput {
            image: self.name,
            source: Source {
                context: self.path().to_owned(),
                dockerfile: PathBuf::from("Dockerfile"),
                target: None,
                build_args: BTreeMap::new(),
                named_contexts: BTreeMap::new(),
            },
            architecture: match std::env::consts::ARCH {
                "aarch64" => Architecture::Arm64,
                _ => Architecture::X86_64,
            },
            repository: Repository { name: name.to_owned(), uri: format!("{host}/{name}") },
            git: GitHead::read(self.path()).await,
            attestations: false,
            cache: CacheUse::Registry,
            budget_mb: 1000,
            allowed: Vec::new(),
            max_age_days: 7,
        })
    }
}
