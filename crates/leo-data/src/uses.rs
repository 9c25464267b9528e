//! Which images ECS runs, or could start at any moment.

mod clusters;
mod definitions;

use aws_sdk_ecs::Client;
use leo_aws::ServiceError;

use crate::DataError;

/// An image that ECS uses, as it names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageUse {
    /// The image's name as it is in the task definition.
    pub image: String,
    /// The digest that was pulled for it, where a task says so: of an index it may be that of a part.
    pub digest: Option<String>,
    /// Who uses it.
    pub by: ImageUser,
}

/// Who uses an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageUser {
    /// A service: one of its deployments, or of its task sets.
    Service {
        /// The cluster's name.
        cluster: String,
        /// The service's name.
        service: String,
        /// The task definition, as family and revision.
        definition: String,
    },
    /// A task that has not stopped.
    Task {
        /// The cluster's name.
        cluster: String,
        /// The task definition, as family and revision.
        definition: String,
        /// The task's id.
        task: String,
    },
    /// A task definition that is active: a run, a schedule or a service can start from it at any moment.
    Definition(String),
}

/// All that ECS uses in an account and region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageUses {
    /// The names of all clusters that were looked into.
    pub clusters: Vec<String>,
    /// The uses, sorted; of any image, from whatever registry.
    pub uses: Vec<ImageUse>,
}

/// Looks into every cluster of the account and region, whoever made it, and at every active task definition, of whatever
/// family: a registry is open to all of them.
///
/// Services count with the task definitions of all their deployments, which a rollback of ECS goes back to, also where
/// those are active no more; tasks with what they really pulled.
///
/// # Errors
/// [`DataError`] where anything at all can't be seen. There is no answer with a gap.
pub async fn image_uses(client: &Client) -> Result<ImageUses, DataError> {
    let (clusters, mut definitions) = tokio::try_join!(clusters::names(client), definitions::active(client))?;
    let seen = clusters::look_into(client, &clusters).await?;
    let mut uses = seen.tasks;
    definitions.extend(seen.services.keys().cloned());
    definitions.extend(seen.unnamed.keys().cloned());
    let images = definitions::images(client, &definitions).await?;
    for (definition, images) in images {
        let in_clusters =
            seen.services.get(&definition.arn).into_iter().chain(seen.unnamed.get(&definition.arn));
        let mut all: Vec<ImageUser> = in_clusters.flatten().cloned().collect();
        if definition.is_active {
            all.push(ImageUser::Definition(name_of(&definition.arn)));
        }
        for by in all {
            let each =
                images.iter().map(|image| ImageUse { image: image.clone(), digest: None, by: by.clone() });
            uses.extend(each);
        }
    }
    uses.sort();
    uses.dedup();
    Ok(ImageUses { clusters, uses })
}

/// The last part of an ARN: a cluster's or a service's name, a task's id, family and revision of a task definition.
fn name_of(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}

fn failed(subject: impl Into<String>, source: ServiceError) -> DataError {
    DataError::Service { subject: subject.into(), source }
}
