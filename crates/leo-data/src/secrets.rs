use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretError;
use aws_sdk_secretsmanager::operation::restore_secret::RestoreSecretError;
use aws_sdk_secretsmanager::primitives::DateTimeFormat;
use leo_aws::ServiceError;
use serde::Serialize;

use crate::DataError;
use crate::each::each;

/// For how many days a deleted secret can be restored: 7 to 30 ("DeleteSecret", Secrets Manager API Reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryWindow(u8);

impl RecoveryWindow {
    /// So many days; `None` where Secrets Manager would not take them.
    pub fn of_days(days: u8) -> Option<Self> {
        (7..=30).contains(&days).then_some(Self(days))
    }

    /// The days.
    pub fn days(self) -> u8 {
        self.0
    }
}

/// The shortest: 7 days.
impl Default for RecoveryWindow {
    fn default() -> Self {
        Self(7)
    }
}

/// A secret that is on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scheduled {
    /// Its name.
    pub name: String,
    /// Until when it can be restored, in RFC 3339; known of what was scheduled by this call.
    pub until: Option<String>,
    /// Whether this call did it; otherwise it was scheduled before.
    pub newly: bool,
}

/// What a secret is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Absent,
    Present,
    Scheduled,
}

/// Schedules these secrets for deletion, all at once. One that does not exist is left out of the answer; one that is
/// scheduled already keeps its date.
///
/// # Errors
/// [`DataError::Service`]: the first refusal; the other secrets are scheduled all the same.
pub async fn schedule_secrets(
    client: &Client,
    names: &[String],
    window: RecoveryWindow,
) -> Result<Vec<Scheduled>, DataError> {
    let scheduled = each(names.iter().cloned(), |name| schedule(client.clone(), name, window));
    Ok(scheduled.await?.into_iter().flatten().collect())
}

async fn schedule(
    client: Client,
    name: String,
    window: RecoveryWindow,
) -> Result<Option<Scheduled>, DataError> {
    match life(&client, &name).await? {
        Life::Absent => return Ok(None),
        Life::Scheduled => return Ok(Some(Scheduled { name, until: None, newly: false })),
        Life::Present => {}
    }
    let call = client.delete_secret().secret_id(&name).recovery_window_in_days(window.days().into());
    let error = match call.send().await {
        Ok(answer) => {
            let until = answer.deletion_date().and_then(|date| date.fmt(DateTimeFormat::DateTime).ok());
            return Ok(Some(Scheduled { name, until, newly: true }));
        }
        Err(error) => error,
    };
    // Someone else may have done it in between, or the answer to our own first attempt was lost.
    let gone = matches!(error.as_service_error(), Some(DeleteSecretError::ResourceNotFoundException(_)));
    let source = ServiceError::of("DeleteSecret", &error);
    if gone {
        return Ok(None);
    }
    match life(&client, &name).await {
        Ok(Life::Scheduled) => Ok(Some(Scheduled { name, until: None, newly: false })),
        _ => Err(failed(&name, source)),
    }
}

/// Brings back those of these secrets that are scheduled for deletion, and answers with their names. Their values are
/// as they were.
///
/// # Errors
/// [`DataError::Service`]: the first refusal; the other secrets are restored all the same.
pub async fn restore_secrets(client: &Client, names: &[String]) -> Result<Vec<String>, DataError> {
    let restored = each(names.iter().cloned(), |name| restore(client.clone(), name));
    Ok(restored.await?.into_iter().flatten().collect())
}

async fn restore(client: Client, name: String) -> Result<Option<String>, DataError> {
    if life(&client, &name).await? != Life::Scheduled {
        return Ok(None);
    }
    match client.restore_secret().secret_id(&name).send().await {
        Ok(_) => Ok(Some(name)),
        Err(error) => match error.as_service_error() {
            // Its time ran out in between.
            Some(RestoreSecretError::ResourceNotFoundException(_)) => Ok(None),
            _ => Err(failed(&name, ServiceError::of("RestoreSecret", &error))),
        },
    }
}

/// Whether there is a secret of this name.
pub(crate) async fn life(client: &Client, name: &str) -> Result<Life, DataError> {
    match client.describe_secret().secret_id(name).send().await {
        Ok(answer) if answer.deleted_date().is_some() => Ok(Life::Scheduled),
        Ok(_) => Ok(Life::Present),
        Err(error) => match error.as_service_error() {
            Some(DescribeSecretError::ResourceNotFoundException(_)) => Ok(Life::Absent),
            _ => Err(failed(name, ServiceError::of("DescribeSecret", &error))),
        },
    }
}

fn failed(name: &str, source: ServiceError) -> DataError {
    DataError::Service { subject: format!("secret {name}"), source }
}
