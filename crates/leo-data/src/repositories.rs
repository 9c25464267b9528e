use aws_sdk_ecr::Client;
use aws_sdk_ecr::operation::delete_repository::DeleteRepositoryError;
use leo_aws::ServiceError;

use crate::DataError;
use crate::each::each;

/// Deletes these repositories with all their images, and answers with the names of those that there were.
///
/// # Errors
/// [`DataError::Service`]: the first refusal; the other repositories are deleted all the same.
pub async fn delete_repositories(client: &Client, names: &[String]) -> Result<Vec<String>, DataError> {
    let deleted = each(names.iter().cloned(), |name| delete(client.clone(), name));
    Ok(deleted.await?.into_iter().flatten().collect())
}

async fn delete(client: Client, name: String) -> Result<Option<String>, DataError> {
    match client.delete_repository().repository_name(&name).force(true).send().await {
        Ok(_) => Ok(Some(name)),
        Err(error) => match error.as_service_error() {
            Some(DeleteRepositoryError::RepositoryNotFoundException(_)) => Ok(None),
            _ => Err(DataError::Service {
                subject: format!("repository {name}"),
                source: ServiceError::of("DeleteRepository", &error),
            }),
        },
    }
}
