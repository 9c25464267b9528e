use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_ecr::operation::describe_repositories::DescribeRepositoriesError;
use aws_sdk_s3::operation::head_bucket::HeadBucketError;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretError;
use leo_aws::ServiceError;
use serde::Serialize;

use crate::each::each;
use crate::{Clients, DataError};

/// What holds data under a name that a template fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A bucket of S3.
    Bucket,
    /// A repository of ECR.
    Repository,
    /// A secret of Secrets Manager.
    Secret,
}

/// A resource of a template that has a fixed name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name in the template.
    pub logical_id: String,
    /// What it is.
    pub kind: Kind,
    /// Its name in the account.
    pub name: String,
}

/// A resource that exists under the name that a template wants to give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Existing {
    /// Its name in the template.
    pub logical_id: String,
    /// What it is.
    pub kind: Kind,
    /// Its name in the account.
    pub name: String,
    /// How CloudFormation wants it named to import it: of a bucket `BucketName`, of a repository `RepositoryName`, of a
    /// secret `Id` with its ARN.
    pub identifier: BTreeMap<String, String>,
    /// What it is like.
    pub state: State,
}

/// What an existing resource is like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A stack can adopt it.
    Present,
    /// A secret that was deleted and still blocks its name: it has to be restored first.
    ScheduledForDeletion,
    /// A bucket in another region, which S3 names where it says so. No stack here can have it.
    ElsewhereIn {
        /// The region.
        region: Option<String>,
    },
    /// A bucket that belongs to another account, or that these credentials may not look at. No stack here can have it.
    NotOurs,
}

impl Kind {
    /// CloudFormation's type.
    pub fn resource_type(self) -> &'static str {
        match self {
            Self::Bucket => "AWS::S3::Bucket",
            Self::Repository => "AWS::ECR::Repository",
            Self::Secret => "AWS::SecretsManager::Secret",
        }
    }

    /// The kind of a CloudFormation type; `None` for a type that holds no data.
    pub fn of(resource_type: &str) -> Option<Self> {
        [Self::Bucket, Self::Repository, Self::Secret]
            .into_iter()
            .find(|kind| kind.resource_type() == resource_type)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bucket => "bucket",
            Self::Repository => "repository",
            Self::Secret => "secret",
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => f.write_str("exists"),
            Self::ScheduledForDeletion => f.write_str("is scheduled for deletion"),
            Self::ElsewhereIn { region: Some(region) } => write!(f, "is in region {region}"),
            Self::ElsewhereIn { region: None } => f.write_str("is in another region"),
            Self::NotOurs => {
                f.write_str("belongs to another account, or these credentials may not look at it")
            }
        }
    }
}

impl fmt::Display for Existing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind, self.name, self.state)
    }
}

/// Which of these exist: what a stack that creates them would fail on. They come back in the order in which they were
/// asked for; what does not exist is left out.
///
/// `account` is the one that a bucket has to belong to: bucket names are shared by all of AWS, and a foreign bucket of
/// ours by name must not be taken for ours.
///
/// # Errors
/// [`DataError::Service`] where AWS refuses or does not answer; that nothing exists is no error.
pub async fn find(clients: &Clients, account: &str, named: &[Named]) -> Result<Vec<Existing>, DataError> {
    let found = each(named.iter().cloned(), |named| {
        let (clients, account) = (clients.clone(), account.to_owned());
        async move {
            Ok(match named.kind {
                Kind::Bucket => bucket(&clients.s3, &account, named).await?,
                Kind::Repository => repository(&clients.ecr, named).await?,
                Kind::Secret => secret(&clients.secrets, named).await?,
            })
        }
    });
    Ok(found.await?.into_iter().flatten().collect())
}

/// HeadBucket has no body: only its status and its headers tell ("HeadBucket", Amazon S3 API Reference).
async fn bucket(s3: &aws_sdk_s3::Client, account: &str, named: Named) -> Result<Option<Existing>, DataError> {
    let here = s3.config().region().map(ToString::to_string);
    let state = match s3.head_bucket().bucket(&named.name).expected_bucket_owner(account).send().await {
        Ok(answer) => match answer.bucket_region() {
            Some(region) if here.as_deref().is_some_and(|here| here != region) => {
                State::ElsewhereIn { region: Some(region.to_owned()) }
            }
            _ => State::Present,
        },
        Err(error) => {
            if matches!(error.as_service_error(), Some(HeadBucketError::NotFound(_))) {
                return Ok(None);
            }
            let response = error.raw_response();
            let region = response
                .and_then(|response| response.headers().get("x-amz-bucket-region"))
                .map(str::to_owned)
                .filter(|region| here.as_ref() != Some(region));
            match response.map(|response| response.status().as_u16()) {
                Some(404) => return Ok(None),
                Some(301 | 307) => State::ElsewhereIn { region },
                // A request that was signed for the wrong region.
                Some(400) if region.is_some() => State::ElsewhereIn { region },
                Some(403) => State::NotOurs,
                _ => return Err(failed(&named, ServiceError::of("HeadBucket", &error))),
            }
        }
    };
    let identifier = [("BucketName".to_owned(), named.name.clone())].into();
    Ok(Some(existing(named, identifier, state)))
}

async fn repository(ecr: &aws_sdk_ecr::Client, named: Named) -> Result<Option<Existing>, DataError> {
    match ecr.describe_repositories().repository_names(&named.name).send().await {
        Ok(answer) if answer.repositories().is_empty() => Ok(None),
        Ok(_) => {
            let identifier = [("RepositoryName".to_owned(), named.name.clone())].into();
            Ok(Some(existing(named, identifier, State::Present)))
        }
        Err(error) => match error.as_service_error() {
            Some(DescribeRepositoriesError::RepositoryNotFoundException(_)) => Ok(None),
            _ => Err(failed(&named, ServiceError::of("DescribeRepositories", &error))),
        },
    }
}

async fn secret(
    secrets: &aws_sdk_secretsmanager::Client,
    named: Named,
) -> Result<Option<Existing>, DataError> {
    match secrets.describe_secret().secret_id(&named.name).send().await {
        Ok(answer) => {
            let state = match answer.deleted_date() {
                Some(_) => State::ScheduledForDeletion,
                None => State::Present,
            };
            let arn = answer.arn().unwrap_or(&named.name).to_owned();
            Ok(Some(existing(named, [("Id".to_owned(), arn)].into(), state)))
        }
        Err(error) => match error.as_service_error() {
            Some(DescribeSecretError::ResourceNotFoundException(_)) => Ok(None),
            _ => Err(failed(&named, ServiceError::of("DescribeSecret", &error))),
        },
    }
}

fn existing(named: Named, identifier: BTreeMap<String, String>, state: State) -> Existing {
    let Named { logical_id, kind, name } = named;
    Existing { logical_id, kind, name, identifier, state }
}

fn failed(named: &Named, source: ServiceError) -> DataError {
    DataError::Service { subject: format!("{} {}", named.kind, named.name), source }
}
