//! The text of a lease.

use super::LASTS;
use crate::process::Process;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// Who works on an environment, and at what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The environment.
    pub environment: String,
    /// The operation's id.
    pub operation: String,
    /// The user.
    pub user: String,
    /// The machine.
    pub host: String,
    /// The process there.
    pub process: Process,
    /// The commit of its work tree, where there is one.
    #[serde(default)]
    pub commit: Option<String>,
    /// The command: `deploy`, `rollback`, `destroy`.
    pub command: String,
}

/// `ada@laptop (deploy, commit 1a2b3c4, process 4711)`
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} ({}", self.user, self.host, self.command)?;
        if let Some(commit) = &self.commit {
            write!(f, ", commit {}", commit.get(..12).unwrap_or(commit))?;
        }
        write!(f, ", process {})", self.process.pid)
    }
}

/// The object's contents. No two writes are the same, so each has an ETag of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) holder: Holder,
    /// Since when, RFC 3339.
    pub(super) since: String,
    /// Tells this lease from an earlier or later one of the same operation.
    pub(super) token: String,
    pub(super) renewal: u64,
    /// How long it lasts after each renewal, in seconds: another version of this tool may promise something else.
    lasts: u64,
}

impl Document {
    pub(super) fn new(holder: Holder, since: String) -> Self {
        Self {
            holder,
            since,
            token: format!("{:032x}", fastrand::u128(..)),
            renewal: 0,
            lasts: LASTS.as_secs(),
        }
    }

    pub(super) fn text(&self) -> String {
        // Strings and numbers alone: nothing that could fail to serialize.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// `None`: nobody can be read from it.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// How long after its last renewal it may be taken. Nonsense does not block an environment for ever.
    pub(super) fn lasts(&self) -> Duration {
        Duration::from_secs(self.lasts.clamp(30, 600))
    }
}
