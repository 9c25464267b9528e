//! One run: prompt in, site out, status last.

use leo_aws::Error;
use serde_json::json;

use crate::settings::Settings;
use crate::site::site;

/// The object that is written last.
const STATUS: &str = "status.json";

/// Why there is no site, or not all of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("read the prompt: {0}")]
    Input(#[source] Error),
    #[error("read the prompt: it is not UTF-8")]
    NotText,
    #[error("write {key}: {source}")]
    Output { key: String, source: Error },
    #[error("finish before the deadline")]
    Deadline,
    #[error("finish before {0}")]
    Stopped(&'static str),
}

impl Failure {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Input(error) | Self::Output { source: error, .. } => error.hint(),
            Self::NotText | Self::Deadline | Self::Stopped(_) => None,
        }
    }
}

/// Makes the site and returns the keys of its files.
pub(crate) async fn generate(settings: &Settings) -> Result<Vec<String>, Failure> {
    let input =
        settings.client.get_object(&settings.bucket, &settings.input()).await.map_err(Failure::Input)?;
    let prompt = std::str::from_utf8(&input).map_err(|_| Failure::NotText)?;
    let mut keys = Vec::new();
    for file in site(prompt) {
        let key = settings.output(file.name);
        put(settings, &key, file.content_type, file.body).await?;
        keys.push(key);
    }
    put_status(settings, &json!({ "state": "done", "objects": keys })).await?;
    Ok(keys)
}

/// Says in the bucket that the run failed. The details stay in the log: the reason is read by the job's client.
pub(crate) async fn report_failure(settings: &Settings, failure: &Failure) -> Result<(), Failure> {
    let reason = match failure {
        Failure::Input(_) => "the prompt could not be read".to_owned(),
        Failure::Output { .. } => "the site could not be written".to_owned(),
        Failure::NotText | Failure::Deadline | Failure::Stopped(_) => format!("failed to {failure}"),
    };
    put_status(settings, &json!({ "state": "failed", "reason": reason })).await
}

async fn put_status(settings: &Settings, status: &serde_json::Value) -> Result<(), Failure> {
    put(settings, &settings.output(STATUS), "application/json", status.to_string()).await
}

async fn put(settings: &Settings, key: &str, content_type: &str, body: String) -> Result<(), Failure> {
    let written = settings.client.put_object(&settings.bucket, key, content_type, body).await;
    written.map_err(|source| Failure::Output { key: key.to_owned(), source })
}
