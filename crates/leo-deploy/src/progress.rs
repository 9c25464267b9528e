//! A count over the events of one stack operation.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::event::ResourceEvent;

/// How many resources of an operation are where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// How many the change set touches; `None` when the operation was begun by someone else.
    pub total: Option<usize>,
    /// How many are being worked on.
    pub in_progress: usize,
    /// How many are as they should be.
    pub complete: usize,
    /// How many failed.
    pub failed: usize,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.complete)?;
        if let Some(total) = self.total {
            write!(f, "/{total}")?;
        }
        f.write_str(" resources done")?;
        if self.in_progress > 0 {
            write!(f, ", {} in progress", self.in_progress)?;
        }
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        Ok(())
    }
}

/// Counts the events of one operation, oldest first.
#[derive(Debug, Default)]
pub struct Counter {
    total: Option<usize>,
    resources: BTreeMap<String, Resource>,
}

#[derive(Debug, Default)]
struct Resource {
    phase: Phase,
    /// Whether this operation did anything but delete it: otherwise its removal is what was wanted.
    made: bool,
    physical_id: Option<String>,
}

#[derive(Debug, Default, PartialEq)]
enum Phase {
    #[default]
    InProgress,
    Complete,
    Failed,
    /// Made by this operation and taken away again by its rollback.
    Undone,
}

impl Counter {
    /// Counts towards `total` resources.
    pub fn new(total: Option<usize>) -> Self {
        Self { total, resources: BTreeMap::new() }
    }

    /// Takes the next event.
    pub fn add(&mut self, event: &ResourceEvent) {
        if event.of_stack {
            return;
        }
        let known = self.resources.get(&event.logical_id);
        let deletes = event.status.starts_with("DELETE_");
        // A replaced resource's old self goes under the same logical id after the new one is complete.
        let stands = known.is_some_and(|known| known.phase == Phase::Complete);
        let other_self =
            known.is_some_and(|known| known.physical_id.is_some() && known.physical_id != event.physical_id);
        if deletes && stands && other_self {
            return;
        }
        let undoes = deletes && known.is_some_and(|known| known.made);
        let phase = if event.status.ends_with("_FAILED") {
            Phase::Failed
        } else if event.status.ends_with("_IN_PROGRESS") {
            Phase::InProgress
        } else if undoes {
            Phase::Undone
        } else {
            Phase::Complete
        };
        let entry = self.resources.entry(event.logical_id.clone()).or_default();
        entry.phase = phase;
        if !deletes {
            entry.made = true;
            entry.physical_id.clone_from(&event.physical_id);
        }
    }

    /// The count now.
    pub fn progress(&self) -> Progress {
        let count = |phase: Phase| self.resources.values().filter(|resource| resource.phase == phase).count();
        Progress {
            // A replacement can bring along resources that the change set did not foresee.
            total: self.total.map(|total| total.max(self.resources.len())),
            in_progress: count(Phase::InProgress),
            complete: count(Phase::Complete),
            failed: count(Phase::Failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical_id: &str, physical_id: &str, status: &str) -> ResourceEvent {
        ResourceEvent {
            id: String::new(),
            time: String::new(),
            logical_id: logical_id.to_owned(),
            physical_id: (!physical_id.is_empty()).then(|| physical_id.to_owned()),
            resource_type: "AWS::S3::Bucket".to_owned(),
            status: status.to_owned(),
            reason: None,
            token: None,
            of_stack: false,
        }
    }

    fn count(total: usize, events: &[(&str, &str, &str)]) -> String {
        let mut counter = Counter::new(Some(total));
        for (logical_id, physical_id, status) in events {
            counter.add(&event(logical_id, physical_id, status));
        }
        counter.progress().to_string()
    }

    #[test]
    fn a_create_counts_up() {
        let events = [
            ("A", "", "CREATE_IN_PROGRESS"),
            ("B", "", "CREATE_IN_PROGRESS"),
            ("A", "a-1", "CREATE_IN_PROGRESS"),
            ("A", "a-1", "CREATE_COMPLETE"),
        ];
        assert_eq!(count(3, &events), "1/3 resources done, 1 in progress");
    }

    #[test]
    fn a_rolled_back_create_counts_down() {
        let events = [
            ("A", "a-1", "CREATE_COMPLETE"),
            ("B", "", "CREATE_FAILED"),
            ("A", "a-1", "DELETE_IN_PROGRESS"),
            ("A", "a-1", "DELETE_COMPLETE"),
            ("B", "", "DELETE_COMPLETE"),
        ];
        assert_eq!(count(2, &events[..2]), "1/2 resources done, 1 failed");
        assert_eq!(count(2, &events[..3]), "0/2 resources done, 1 in progress, 1 failed");
        assert_eq!(count(2, &events), "0/2 resources done");
    }

    #[test]
    fn the_old_self_of_a_replaced_resource_does_not_count_down() {
        let events = [
            ("A", "a-1", "UPDATE_IN_PROGRESS"),
            ("A", "a-2", "UPDATE_COMPLETE"),
            ("A", "a-1", "DELETE_IN_PROGRESS"),
            ("A", "a-1", "DELETE_COMPLETE"),
        ];
        assert_eq!(count(1, &events), "1/1 resources done");
    }

    #[test]
    fn a_removal_in_an_update_is_work_done() {
        let events = [("A", "a-1", "DELETE_IN_PROGRESS"), ("A", "a-1", "DELETE_COMPLETE")];
        assert_eq!(count(1, &events), "1/1 resources done");
    }
}
