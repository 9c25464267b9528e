//! One end of a promotion: an environment with its own account, region and credentials.

use crate::{
    deploy::{
        Before,
        images::{Repositories, existing_repositories},
    },
    failure::{Failure, Problem},
    target::Target,
    who::Who,
};
use leo_config::{AccountId, EnvironmentName};
use leo_image::{ImageError, ImageName};
use leo_oci::Connection;
use leo_project::Project;
use leo_release::Artifacts;
use leo_stack::Stacks;

pub(super) struct Side {
    pub(super) project: Project,
    pub(super) target: Target,
    pub(super) stacks: Stacks,
    pub(super) account: AccountId,
    pub(super) artifacts: Artifacts,
    pub(super) repositories: Repositories,
    pub(super) before: Before,
    pub(super) who: Who,
}

impl Side {
    /// Whoever runs this has to be let in at both ends: each environment's own profile is used for it.
    pub(super) async fn open(project: Project, local: bool) -> Result<Self, Failure> {
        let stacks = leo_stack::compose(&project.config).map_err(crate::deploy::not_composed)?;
        let target = Target::open(&project, local).await?;
        let account = target.check_account(&project.config).await?;
        let engine = leo_deploy::Stacks::new(target.cloudformation.clone());
        let before = Before::look(&engine, &stacks).await?;
        let repositories = existing_repositories(&target, &stacks)
            .await
            .map_err(|failure| in_environment(failure, &project.config.environment.name))?;
        let artifacts = target.artifacts(&project.config, &account);
        let who = Who::here(&project.root).await;
        Ok(Self { project, target, stacks, account, artifacts, repositories, before, who })
    }

    pub(super) fn environment(&self) -> &str {
        self.project.config.environment.name.as_str()
    }

    /// The registry, spoken to in its own protocol.
    pub(super) async fn connection(&self, image: ImageName) -> Result<Connection, ImageError> {
        let registry = self.target.registry(self.repositories.of(image));
        registry.at_endpoint().await?.connect()
    }

    /// Whether both have their images in one registry.
    pub(super) fn shares_registry_with(&self, other: &Self) -> bool {
        ImageName::BOTH
            .into_iter()
            .all(|image| self.repositories.of(image).uri == other.repositories.of(image).uri)
    }
}

/// Two environments are looked at, so that a problem has to say whose it is.
fn in_environment(failure: Failure, environment: &EnvironmentName) -> Failure {
    match failure {
        Failure::Problems(problems) => Failure::Problems(
            problems
                .into_iter()
                .map(|(step, problem)| {
                    let message = format!("reach `{environment}`: {}", problem.message);
                    (step, Problem { message, ..problem })
                })
                .collect(),
        ),
        configuration @ Failure::Configuration(_) => configuration,
    }
}
