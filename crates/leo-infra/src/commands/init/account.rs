//! Whose credentials these are.

use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use leo_aws::ServiceError;
use std::time::Duration;

/// For how long AWS may take: it is a convenience, and a machine without credentials looks for some on its network.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whose credentials these are.
pub(super) enum SignedIn {
    /// An account's.
    Account(String),
    /// It can't be said, and why not.
    Unknown(String),
    /// It was not asked.
    NotAsked,
}

impl SignedIn {
    /// The account.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Account(id) => Some(id),
            Self::Unknown(_) | Self::NotAsked => None,
        }
    }
}

/// Asks AWS. That it can't be asked stops nothing.
pub(super) async fn signed_in(region: &str, profile: Option<&str>) -> SignedIn {
    match tokio::time::timeout(PATIENCE, caller(region, profile)).await {
        Ok(Ok(account)) if account.len() == 12 => SignedIn::Account(account),
        Ok(Ok(_)) => SignedIn::Unknown("AWS named no account".to_owned()),
        Ok(Err(error)) => SignedIn::Unknown(error.to_string()),
        Err(_) => SignedIn::Unknown("AWS did not answer in time".to_owned()),
    }
}

async fn caller(region: &str, profile: Option<&str>) -> Result<String, ServiceError> {
    let timeouts = TimeoutConfig::builder().connect_timeout(Duration::from_secs(3)).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .timeout_config(timeouts);
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    let sts = aws_sdk_sts::Client::new(&loader.load().await);
    let identity = sts.get_caller_identity().send().await;
    let identity = identity.map_err(|error| ServiceError::of("GetCallerIdentity", &error))?;
    Ok(identity.account().unwrap_or_default().to_owned())
}
