//! What another environment's deploy made good and this one's next deploy takes: images, by digest.

use crate::{
    artifacts::Artifacts,
    error::ReleaseError,
    history::rfc3339,
    objects::{Condition, Written},
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::SystemTime};

/// The version of the record's form, as a release's.
const SCHEMA: u32 = 1;
/// How the key of every promotion begins and ends.
const PREFIX: &str = "promotions/";
const SUFFIX: &str = ".json";
/// How often a write is tried again that others came before.
const WRITES: u32 = 20;

/// Images that an environment's next deploy uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// The environment that they were promoted to.
    pub environment: String,
    /// Where they come from.
    pub from: PromotedFrom,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// The user who promoted.
    pub by: String,
    /// The machine that it was done on.
    pub host: String,
    /// The image of each container.
    pub images: Vec<PromotedImage>,
}

/// The release whose images are promoted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotedFrom {
    /// Its environment.
    pub environment: String,
    /// Its number there.
    pub release: u64,
    /// The account that it is in.
    pub account: String,
    /// The region that it is in.
    pub region: String,
}

/// An image as the environment's own registry has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotedImage {
    /// The container's name.
    pub container: String,
    /// The repository's URI.
    pub repository: String,
    /// The digest: the same in every registry.
    pub digest: String,
}

/// A promotion as it was read: what may be said to be done with it is this one, and no later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingPromotion {
    /// What it says.
    pub promotion: Promotion,
    etag: String,
}

/// `staging's release 12, by ada@laptop on 2026-11-22 14:03 UTC`
impl fmt::Display for Promotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, by, host, at, .. } = self;
        let at = at.get(..16).unwrap_or(at).replace('T', " ");
        write!(f, "{}'s release {}, by {by}@{host} on {at} UTC", from.environment, from.release)
    }
}

impl Promotion {
    /// A promotion of this moment.
    pub fn new(
        environment: impl Into<String>,
        from: PromotedFrom,
        (by, host): (String, String),
        images: Vec<PromotedImage>,
    ) -> Self {
        Self { environment: environment.into(), from, at: rfc3339(SystemTime::now()), by, host, images }
    }

    /// The digest of a container's image.
    pub fn digest(&self, container: &str) -> Option<&str> {
        self.images.iter().find(|image| image.container == container).map(|image| image.digest.as_str())
    }

    fn to_record(&self) -> String {
        #[derive(Serialize)]
        struct Record<'a> {
            schema: u32,
            #[serde(flatten)]
            promotion: &'a Promotion,
        }
        // A map with string keys and nothing that could fail to serialize.
        serde_json::to_string_pretty(&Record { schema: SCHEMA, promotion: self }).unwrap_or_default()
    }

    fn from_record(record: &[u8], environment: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Form {
            schema: u32,
        }
        let unreadable = |error: serde_json::Error| format!("it is no promotion: {error}");
        let form: Form = serde_json::from_slice(record).map_err(unreadable)?;
        if form.schema > SCHEMA {
            return Err(format!(
                "a newer version of this tool wrote it (form {}, this one knows {SCHEMA})",
                form.schema
            ));
        }
        let promotion: Self = serde_json::from_slice(record).map_err(unreadable)?;
        if promotion.environment == environment {
            Ok(promotion)
        } else {
            Err(format!("it says that it is one to `{}`", promotion.environment))
        }
    }
}

impl Artifacts {
    /// The promotion that the environment's next deploy takes; `None` where none is pending.
    ///
    /// # Errors
    /// [`ReleaseError::Damaged`] where it can't be read: it is not passed over, because what was meant to be deployed
    /// then would not be.
    pub async fn promotion(&self, environment: &str) -> Result<Option<PendingPromotion>, ReleaseError> {
        let key = key(environment);
        let object = self.objects.get(&key).await.map_err(|source| {
            self.objects.failed(format!("read what was promoted to `{environment}`"), source)
        })?;
        let Some(object) = object else { return Ok(None) };
        match Promotion::from_record(&object.body, environment) {
            Ok(promotion) => Ok(Some(PendingPromotion { promotion, etag: object.etag })),
            Err(reason) => Err(ReleaseError::Damaged { key, bucket: self.objects.bucket.clone(), reason }),
        }
    }

    /// What is pending for any environment, by the environments' names.
    ///
    /// # Errors
    /// As [`Artifacts::promotion`]: [`ReleaseError::Damaged`] where one can't be read.
    pub async fn promotions(&self) -> Result<Vec<Promotion>, ReleaseError> {
        let failed = |source| self.objects.failed("see what is promoted", source);
        let mut pending = vec![];
        for key in self.objects.keys(PREFIX).await.map_err(failed)? {
            let name = key.strip_prefix(PREFIX).unwrap_or(&key);
            let Some(environment) = name.strip_suffix(SUFFIX) else {
                let reason = "its name is not a promotion's".to_owned();
                return Err(ReleaseError::Damaged { bucket: self.objects.bucket.clone(), reason, key });
            };
            // Deployed since it was listed.
            let Some(found) = self.promotion(environment).await? else { continue };
            pending.push(found.promotion);
        }
        Ok(pending)
    }

    /// Makes the environment's next deploy take these images, whatever was pending before.
    pub async fn promote(&self, promotion: &Promotion) -> Result<(), ReleaseError> {
        let environment = &promotion.environment;
        let failed =
            |source| self.objects.failed(format!("record what is promoted to `{environment}`"), source);
        let (key, record) = (key(environment), promotion.to_record());
        for _ in 0..WRITES {
            let before = self.objects.get(&key).await.map_err(failed)?;
            let condition = match &before {
                // A write whose answer got lost, then repeated.
                Some(before) if before.body == record.as_bytes() => return Ok(()),
                Some(before) => Condition::Unchanged(&before.etag),
                None => Condition::Absent,
            };
            let written = self.objects.put(&key, &record, condition).await.map_err(failed)?;
            if matches!(written, Written::Done(_)) {
                return Ok(());
            }
        }
        Err(ReleaseError::Contended { environment: environment.clone(), tries: WRITES })
    }

    /// The promotion was deployed and is not pending any more; whether it still was. A later one stays. The bucket keeps
    /// every version, so that what was promoted can be looked up.
    pub async fn promotion_deployed(&self, pending: &PendingPromotion) -> Result<bool, ReleaseError> {
        let environment = &pending.promotion.environment;
        self.objects.delete(&key(environment), &pending.etag).await.map_err(|source| {
            self.objects.failed(format!("say that what was promoted to `{environment}` is deployed"), source)
        })
    }
}

fn key(environment: &str) -> String {
    format!("{PREFIX}{environment}{SUFFIX}")
}
