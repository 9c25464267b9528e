use std::fmt;

use serde::Serialize;

/// Something under way in a step that is worth a row of its own, like a stage of a build. Each event of it says all that
/// there is to say: the last one counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it belongs to; parts of one group stand together.
    pub group: String,
    /// What it is called; group and name are one part's in a step.
    pub name: String,
    /// Whether it is over.
    pub status: PartStatus,
    /// How much of it is done, out of how much, where its end is known.
    pub share: Option<(u64, u64)>,
    /// What it does, or what it came to.
    pub text: String,
}

/// Whether a part is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartStatus {
    /// It goes on.
    Working,
    /// It went well.
    Done,
    /// It failed.
    Failed,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.group, self.name, self.text)
    }
}
