//! What a deploy does with a stack, by the stack's status alone.

use std::fmt;

use serde::{Serialize, Serializer};

/// The status of a stack as CloudFormation reports it ("Stack status codes", CloudFormation User Guide).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is CloudFormation's own word, spelled out by `as_str`")]
pub enum StackStatus {
    CreateInProgress,
    CreateComplete,
    CreateFailed,
    DeleteInProgress,
    DeleteComplete,
    DeleteFailed,
    ReviewInProgress,
    RollbackInProgress,
    RollbackComplete,
    RollbackFailed,
    UpdateInProgress,
    UpdateCompleteCleanupInProgress,
    UpdateComplete,
    UpdateFailed,
    UpdateRollbackInProgress,
    UpdateRollbackCompleteCleanupInProgress,
    UpdateRollbackComplete,
    UpdateRollbackFailed,
    ImportInProgress,
    ImportComplete,
    ImportRollbackInProgress,
    ImportRollbackComplete,
    ImportRollbackFailed,
    /// A status that this version does not know, as it was received.
    Unknown(String),
}

use StackStatus as S;

/// Every status with CloudFormation's word for it.
static WORDS: [(S, &str); 23] = [
    (S::CreateInProgress, "CREATE_IN_PROGRESS"),
    (S::CreateComplete, "CREATE_COMPLETE"),
    (S::CreateFailed, "CREATE_FAILED"),
    (S::DeleteInProgress, "DELETE_IN_PROGRESS"),
    (S::DeleteComplete, "DELETE_COMPLETE"),
    (S::DeleteFailed, "DELETE_FAILED"),
    (S::ReviewInProgress, "REVIEW_IN_PROGRESS"),
    (S::RollbackInProgress, "ROLLBACK_IN_PROGRESS"),
    (S::RollbackComplete, "ROLLBACK_COMPLETE"),
    (S::RollbackFailed, "ROLLBACK_FAILED"),
    (S::UpdateInProgress, "UPDATE_IN_PROGRESS"),
    (S::UpdateCompleteCleanupInProgress, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
    (S::UpdateComplete, "UPDATE_COMPLETE"),
    (S::UpdateFailed, "UPDATE_FAILED"),
    (S::UpdateRollbackInProgress, "UPDATE_ROLLBACK_IN_PROGRESS"),
    (S::UpdateRollbackCompleteCleanupInProgress, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
    (S::UpdateRollbackComplete, "UPDATE_ROLLBACK_COMPLETE"),
    (S::UpdateRollbackFailed, "UPDATE_ROLLBACK_FAILED"),
    (S::ImportInProgress, "IMPORT_IN_PROGRESS"),
    (S::ImportComplete, "IMPORT_COMPLETE"),
    (S::ImportRollbackInProgress, "IMPORT_ROLLBACK_IN_PROGRESS"),
    (S::ImportRollbackComplete, "IMPORT_ROLLBACK_COMPLETE"),
    (S::ImportRollbackFailed, "IMPORT_ROLLBACK_FAILED"),
];

impl StackStatus {
    /// Every status that this version knows.
    pub fn known() -> impl Iterator<Item = &'static Self> {
        WORDS.iter().map(|(status, _)| status)
    }

    /// CloudFormation's word.
    pub fn as_str(&self) -> &str {
        if let S::Unknown(word) = self {
            return word;
        }
        WORDS.iter().find(|(status, _)| status == self).map_or("", |(_, word)| word)
    }

    /// Whether an operation still works on the stack. An unknown status that ends in `_IN_PROGRESS` counts:
    /// waiting for it is harmless, acting on it is not.
    pub fn in_progress(&self) -> bool {
        matches!(action(Some(self)), Action::Attach)
    }

    /// Whether an operation that ended here did what was asked of it.
    pub fn is_success(&self) -> bool {
        matches!(self, S::CreateComplete | S::UpdateComplete | S::ImportComplete)
    }
}

impl From<&str> for StackStatus {
    fn from(word: &str) -> Self {
        let known = WORDS.iter().find(|(_, known)| *known == word);
        known.map_or_else(|| S::Unknown(word.to_owned()), |(status, _)| status.clone())
    }
}

impl fmt::Display for StackStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for StackStatus {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a deploy does with a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// There is no stack: a change set of type CREATE.
    Create,
    /// Only a reviewed, never executed change set made it: CREATE into the same empty stack.
    Reuse,
    /// It stands: a change set of type UPDATE.
    Update,
    /// A failed operation was left without a rollback: an UPDATE that keeps what works and tries the rest again.
    RetryForward,
    /// Someone's operation runs: follow it to its end, then look again.
    Attach,
    /// Nothing can be deployed until a person decided something.
    Blocked(Block),
}

/// Why a stack can't be deployed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Block {
    /// The first create failed and was rolled back; such a stack can only be deleted.
    CreateRolledBack,
    /// A failed update could not be rolled back.
    UpdateRollbackFailed,
    /// A delete left something behind.
    DeleteFailed,
    /// A failed import could not be rolled back.
    ImportRollbackFailed,
    /// A status that this version does not know.
    Unknown,
}

/// What to do with a stack in this status; `None` means that there is no stack of that name.
pub fn action(status: Option<&StackStatus>) -> Action {
    let Some(status) = status else { return Action::Create };
    match status {
        S::DeleteComplete => Action::Create,
        S::ReviewInProgress => Action::Reuse,
        S::CreateComplete
        | S::UpdateComplete
        | S::ImportComplete
        | S::UpdateRollbackComplete
        | S::ImportRollbackComplete => Action::Update,
        S::CreateFailed | S::UpdateFailed => Action::RetryForward,
        S::CreateInProgress
        | S::DeleteInProgress
        | S::RollbackInProgress
        | S::UpdateInProgress
        | S::UpdateCompleteCleanupInProgress
        | S::UpdateRollbackInProgress
        | S::UpdateRollbackCompleteCleanupInProgress
        | S::ImportInProgress
        | S::ImportRollbackInProgress => Action::Attach,
        S::RollbackComplete | S::RollbackFailed => Action::Blocked(Block::CreateRolledBack),
        S::UpdateRollbackFailed => Action::Blocked(Block::UpdateRollbackFailed),
        S::DeleteFailed => Action::Blocked(Block::DeleteFailed),
        S::ImportRollbackFailed => Action::Blocked(Block::ImportRollbackFailed),
        S::Unknown(word) if word.ends_with("_IN_PROGRESS") => Action::Attach,
        S::Unknown(_) => Action::Blocked(Block::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_action() {
        let table = [
            (None, Action::Create),
            (Some("DELETE_COMPLETE"), Action::Create),
            (Some("REVIEW_IN_PROGRESS"), Action::Reuse),
            (Some("CREATE_COMPLETE"), Action::Update),
            (Some("UPDATE_COMPLETE"), Action::Update),
            (Some("IMPORT_COMPLETE"), Action::Update),
            (Some("UPDATE_ROLLBACK_COMPLETE"), Action::Update),
            (Some("IMPORT_ROLLBACK_COMPLETE"), Action::Update),
            (Some("CREATE_FAILED"), Action::RetryForward),
            (Some("UPDATE_FAILED"), Action::RetryForward),
            (Some("CREATE_IN_PROGRESS"), Action::Attach),
            (Some("DELETE_IN_PROGRESS"), Action::Attach),
            (Some("ROLLBACK_IN_PROGRESS"), Action::Attach),
            (Some("UPDATE_IN_PROGRESS"), Action::Attach),
            (Some("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), Action::Attach),
            (Some("UPDATE_ROLLBACK_IN_PROGRESS"), Action::Attach),
            (Some("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"), Action::Attach),
            (Some("IMPORT_IN_PROGRESS"), Action::Attach),
            (Some("IMPORT_ROLLBACK_IN_PROGRESS"), Action::Attach),
            (Some("ROLLBACK_COMPLETE"), Action::Blocked(Block::CreateRolledBack)),
            (Some("ROLLBACK_FAILED"), Action::Blocked(Block::CreateRolledBack)),
            (Some("UPDATE_ROLLBACK_FAILED"), Action::Blocked(Block::UpdateRollbackFailed)),
            (Some("DELETE_FAILED"), Action::Blocked(Block::DeleteFailed)),
            (Some("IMPORT_ROLLBACK_FAILED"), Action::Blocked(Block::ImportRollbackFailed)),
            (Some("HIBERNATED"), Action::Blocked(Block::Unknown)),
            (Some(""), Action::Blocked(Block::Unknown)),
            (Some("HIBERNATE_IN_PROGRESS"), Action::Attach),
        ];
        for (word, expected) in table {
            let status = word.map(StackStatus::from);
            assert_eq!(action(status.as_ref()), expected, "{word:?}");
        }
        let covered = table.iter().filter_map(|(word, _)| *word).collect::<Vec<_>>();
        for (_, word) in &WORDS {
            assert!(covered.contains(word), "{word} has no row");
        }
    }

    #[test]
    fn the_sdk_knows_no_status_that_we_do_not() {
        for word in aws_sdk_cloudformation::types::StackStatus::values() {
            assert!(!matches!(StackStatus::from(*word), S::Unknown(_)), "{word}");
        }
    }

    #[test]
    fn a_word_survives_the_round_trip() {
        for word in ["UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "HIBERNATED", ""] {
            assert_eq!(StackStatus::from(word).as_str(), word);
        }
    }
}
