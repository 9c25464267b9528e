//! A release: what an environment was, so that it can be that again.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::SystemTime};

/// The version of the records' form. A reader ignores fields that it does not know; what an older reader would
/// misunderstand gets another number.
const SCHEMA: u32 = 1;

/// A deploy that passed its health gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its number, counted per environment from 1.
    pub number: u64,
    /// The environment.
    pub environment: String,
    /// When it was recorded, RFC 3339 in UTC.
    pub at: String,
    /// The user who deployed.
    pub by: String,
    /// The machine that it was deployed from.
    pub host: String,
    /// The commit of the work tree, where there was one.
    pub commit: Option<String>,
    /// The operation's id.
    pub operation: String,
    /// The stacks in the order in which they are deployed.
    pub stacks: Vec<ReleasedStack>,
    /// The image of each container.
    pub images: Vec<ReleasedImage>,
    /// The path of the orchestrator's health check.
    pub health_path: String,
    /// The path of its WebSocket, where one is configured.
    pub websocket_path: Option<String>,
    /// The release whose contents these are again.
    pub rollback_of: Option<u64>,
}

/// A stack as it was deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedStack {
    /// What it is: `foundation`, `platform`.
    pub role: String,
    /// Its name.
    pub name: String,
    /// The SHA-256 of its template's body.
    pub template_sha256: String,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
}

/// An image as it was deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedImage {
    /// The container's name.
    pub container: String,
    /// The repository's URI.
    pub repository: String,
    /// The digest that the task definition names.
    pub digest: String,
    /// The digests that a running task may report: that one, and those of an index's images.
    pub acceptable: Vec<String>,
}

/// A release before it has a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRelease {
    /// The environment.
    pub environment: String,
    /// When it passed its gate.
    pub at: SystemTime,
    /// The user who deployed.
    pub by: String,
    /// The machine that it was deployed from.
    pub host: String,
    /// The commit of the work tree, where there is one.
    pub commit: Option<String>,
    /// The operation's id.
    pub operation: String,
    /// The stacks in the order in which they are deployed.
    pub stacks: Vec<NewStack>,
    /// The image of each container.
    pub images: Vec<ReleasedImage>,
    /// The path of the orchestrator's health check.
    pub health_path: String,
    /// The path of its WebSocket, where one is configured.
    pub websocket_path: Option<String>,
    /// The release whose contents these are again.
    pub rollback_of: Option<u64>,
}

/// A stack of a release, with its template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStack {
    /// What it is: `foundation`, `platform`.
    pub role: String,
    /// Its name.
    pub name: String,
    /// Its template, exactly as it was sent.
    pub template: String,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
}

impl Release {
    /// The stack of this role.
    pub fn stack(&self, role: &str) -> Option<&ReleasedStack> {
        self.stacks.iter().find(|stack| stack.role == role)
    }

    /// Whether both would make the same environment. Parameters named in `ignored` don't count: those that a rollback
    /// takes from elsewhere.
    pub fn same_contents(&self, other: &Self, ignored: &[&str]) -> bool {
        let parameters = |stack: &ReleasedStack| {
            let mut parameters = stack.parameters.clone();
            parameters.retain(|name, _| !ignored.contains(&name.as_str()));
            parameters
        };
        let stacks = |release: &Self| -> BTreeMap<String, _> {
            let contents = |stack: &ReleasedStack| {
                (stack.role.clone(), (stack.name.clone(), stack.template_sha256.clone(), parameters(stack)))
            };
            release.stacks.iter().map(contents).collect()
        };
        let images = |release: &Self| -> BTreeMap<String, String> {
            release.images.iter().map(|image| (image.container.clone(), image.digest.clone())).collect()
        };
        stacks(self) == stacks(other)
            && images(self) == images(other)
            && self.health_path == other.health_path
            && self.websocket_path == other.websocket_path
    }

    /// The record's text.
    pub(crate) fn to_record(&self) -> String {
        #[derive(Serialize)]
        struct Record<'a> {
            schema: u32,
            #[serde(flatten)]
            release: &'a Release,
        }
        let record = Record { schema: SCHEMA, release: self };
        // A map with string keys and nothing that could fail to serialize.
        serde_json::to_string_pretty(&record).unwrap_or_default()
    }

    /// Reads a record, or says what is wrong with it.
    pub(crate) fn from_record(record: &[u8], environment: &str, number: u64) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Form {
            schema: u32,
        }
        let form: Form =
            serde_json::from_slice(record).map_err(|error| format!("it is no record: {error}"))?;
        if form.schema > SCHEMA {
            return Err(format!(
                "a newer version of this tool wrote it (form {}, this one knows {SCHEMA})",
                form.schema
            ));
        }
        let release: Self =
            serde_json::from_slice(record).map_err(|error| format!("it is no record: {error}"))?;
        if (release.environment.as_str(), release.number) != (environment, number) {
            return Err(format!(
                "it says that it is release {} of `{}`",
                release.number, release.environment
            ));
        }
        Ok(release)
    }
}
