//! CloudFormation's limits.

use super::{ComposeError, Template};
use serde_json::Value as Json;
use std::fmt;

/// The largest template body that a request carries, in bytes (CloudFormation quotas, "Template body size in a
/// request"). What is sent is the minified form.
pub const INLINE_BODY_BYTES: usize = 51_200;

/// The largest template body at all, in bytes, by way of S3 (CloudFormation quotas, "Template body size in an Amazon S3
/// object": 1 MB, which the service counts as a million).
pub const STORED_BODY_BYTES: usize = 1_000_000;

/// A limit of CloudFormation on one template (AWS: "CloudFormation quotas").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Resources.
    Resources,
    /// Parameters.
    Parameters,
    /// Outputs.
    Outputs,
    /// Bytes of the template's description.
    DescriptionBytes,
    /// Bytes of the minified template.
    BodyBytes,
    /// Characters of a logical id.
    LogicalIdCharacters,
}

impl Limit {
    const ALL: [Self; 6] = [
        Self::Resources,
        Self::Parameters,
        Self::Outputs,
        Self::DescriptionBytes,
        Self::BodyBytes,
        Self::LogicalIdCharacters,
    ];

    /// The most that CloudFormation takes.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::Resources => 500,
            Self::Parameters | Self::Outputs => 200,
            Self::DescriptionBytes => 1024,
            Self::BodyBytes => STORED_BODY_BYTES,
            Self::LogicalIdCharacters => 255,
        }
    }

    fn found(self, template: &Template) -> usize {
        match self {
            Self::Resources => template.resources().count(),
            Self::Parameters => template.parameters().count(),
            Self::Outputs => template.outputs().count(),
            Self::DescriptionBytes => {
                template.json.get("Description").and_then(Json::as_str).map_or(0, str::len)
            }
            Self::BodyBytes => template.to_minified_json().len(),
            Self::LogicalIdCharacters => ["Resources", "Parameters", "Outputs", "Conditions"]
                .iter()
                .flat_map(|section| template.section(section))
                .map(|(id, _)| id.len())
                .max()
                .unwrap_or(0),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resources => "resources in a template",
            Self::Parameters => "parameters in a template",
            Self::Outputs => "outputs in a template",
            Self::DescriptionBytes => "bytes of a template's description",
            Self::BodyBytes => "bytes of a template",
            Self::LogicalIdCharacters => "characters of a logical id",
        })
    }
}

pub(super) fn passed(template: &Template) -> impl Iterator<Item = ComposeError> {
    Limit::ALL.into_iter().filter_map(|limit| {
        let found = limit.found(template);
        (found > limit.most()).then_some(ComposeError::Limit { limit, found })
    })
}
