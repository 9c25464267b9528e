//! One run of a command that changes something, as it is kept under `.leo/operations/`.
//!
//! What is known when a process is killed is on disk by then: which stacks it had begun to change, and as whom. The next
//! run needs none of it to continue, since AWS says what is there; people do.

use crate::{failure::Problem, keep, who::Who};
use leo_aws::FailureKind;
use leo_deploy::{Sink, StackEvent, Step, StepEventKind, StepStatus};
use leo_release::rfc3339;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

/// The form of the file; another one is not read.
const SCHEMA: u32 = 1;

/// A run of a command.
#[derive(Clone)]
pub(crate) struct Operation {
    path: PathBuf,
    record: Arc<Mutex<Record>>,
    underway: Arc<Mutex<BTreeMap<Step, Underway>>>,
}

/// A stack that a step works on right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Underway {
    pub(crate) stack: String,
    /// An execution may have been sent, and its answer has not come.
    pub(crate) starting: bool,
    /// As far as was heard, an operation works on it.
    pub(crate) running: bool,
}

/// What is kept of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    schema: u32,
    /// `<time>-<environment>-<command>-<four hexadecimal digits>`: sorts by time.
    pub(crate) id: String,
    pub(crate) command: String,
    pub(crate) environment: String,
    /// Whether it goes to the local target.
    pub(crate) local: bool,
    pub(crate) who: Who,
    pid: u32,
    /// RFC 3339, UTC.
    pub(crate) began: String,
    /// How it ended: `deployed`, `failed` and so on; `None` while it runs, and where it was killed.
    pub(crate) ended: Option<String>,
    steps: BTreeMap<String, String>,
    /// The stacks that it changes or follows right now, by step.
    running: BTreeMap<String, String>,
}

impl Operation {
    /// Begins a record, and forgets the oldest ones.
    pub(crate) fn begin(
        root: &Path,
        command: &str,
        environment: &str,
        local: bool,
        who: Who,
    ) -> Result<Self, Problem> {
        let now = SystemTime::now();
        let id = format!("{}-{environment}-{command}-{:04x}", compact(now), fastrand::u16(..));
        let folder = keep::operations(root);
        let record = Record {
            schema: SCHEMA,
            id: id.clone(),
            command: command.to_owned(),
            environment: environment.to_owned(),
            local,
            who,
            pid: std::process::id(),
            began: rfc3339(now),
            ended: None,
            steps: BTreeMap::new(),
            running: BTreeMap::new(),
        };
        let path = folder.join(format!("{id}.json"));
        keep::write_json(&path, &record)?;
        keep::prune(&folder);
        Ok(Self { path, record: Arc::new(Mutex::new(record)), underway: Arc::default() })
    }

    pub(crate) fn record(&self) -> Record {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A sink that keeps what matters of the events and passes all of them on. `stacks` says which stack a step works on.
    pub(crate) fn sink(&self, stacks: BTreeMap<Step, String>, next: Sink) -> Sink {
        let operation = self.clone();
        Arc::new(move |event| {
            operation.heard(event.step, stacks.get(&event.step), &event.kind);
            next(event);
        })
    }

    fn heard(&self, step: Step, stack: Option<&String>, kind: &StepEventKind) {
        if let Some(stack) = stack {
            self.follow(step, stack, kind);
        }
        self.change(|record| match kind {
            StepEventKind::Status(status) => {
                record.steps.insert(step.to_string(), status.to_string());
                true
            }
            StepEventKind::Stack(
                StackEvent::Executing | StackEvent::Attached { .. } | StackEvent::Begins { .. },
            ) => stack.is_some_and(|stack| record.running.insert(step.to_string(), stack.clone()).is_none()),
            StepEventKind::Stack(StackEvent::Finished { .. } | StackEvent::Detached { .. }) => {
                record.running.remove(step.0).is_some()
            }
            _ => false,
        });
    }

    /// Who does what, for those who find it running: what a change set says of itself.
    pub(crate) fn description(&self) -> String {
        let record = self.record();
        format!("leo-infra {} by {} ({})", record.command, record.who, record.id)
    }

    fn follow(&self, step: Step, stack: &str, kind: &StepEventKind) {
        let mut underway = self.underway.lock().unwrap_or_else(PoisonError::into_inner);
        let now = |starting, running| Underway { stack: stack.to_owned(), starting, running };
        match kind {
            StepEventKind::Status(StepStatus::Running) => drop(underway.insert(step, now(false, false))),
            StepEventKind::Status(_) => drop(underway.remove(&step)),
            StepEventKind::Stack(StackEvent::Prepared { .. }) => {
                drop(underway.insert(step, now(true, false)));
            }
            StepEventKind::Stack(
                StackEvent::Executing | StackEvent::Attached { .. } | StackEvent::Begins { .. },
            ) => drop(underway.insert(step, now(false, true))),
            StepEventKind::Stack(StackEvent::Finished { .. } | StackEvent::Detached { .. }) => {
                drop(underway.insert(step, now(false, false)));
            }
            _ => {}
        }
    }

    /// The stacks that steps work on at this moment.
    pub(crate) fn underway(&self) -> Vec<Underway> {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The operation is over.
    pub(crate) fn end(&self, how: &str) {
        self.change(|record| {
            record.ended = Some(how.to_owned());
            true
        });
    }

    /// Changes the record, and writes it where that changed something.
    fn change(&self, change: impl FnOnce(&mut Record) -> bool) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if change(&mut record) {
            // It is kept for people; a full disk must not stop a deploy half way.
            drop(keep::write_json(&self.path, &*record));
        }
    }
}

/// Of a failure of this kind.
pub(crate) fn ended(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Failed => "failed",
        FailureKind::Usage => "refused",
        FailureKind::Detached => "left",
        FailureKind::Credentials => "no credentials",
    }
}

/// A time in UTC with no character that a file's name can't have: `20261122T143819Z`.
fn compact(time: SystemTime) -> String {
    rfc3339(time).replace(['-', ':'], "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_deploy::{StackStatus, StepEvent};
    use std::time::Duration;

    fn who() -> Who {
        Who { user: "ada".to_owned(), host: "laptop".to_owned(), commit: None, modified: false }
    }

    #[test]
    fn a_killed_run_leaves_what_it_was_doing_on_disk() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let operation = Operation::begin(folder.path(), "deploy", "dev", true, who()).expect("begins");
        let stacks = BTreeMap::from([(Step::PLATFORM, "leo-dev-platform".to_owned())]);
        let sink = operation.sink(stacks, Arc::new(|_| {}));
        let tell = |kind| sink(StepEvent { step: Step::PLATFORM, kind });
        tell(StepEventKind::Status(StepStatus::Running));
        tell(StepEventKind::Stack(StackEvent::Executing));

        let saved: Record =
            serde_json::from_slice(&std::fs::read(&operation.path).expect("is there")).expect("reads");
        assert_eq!(saved, operation.record());
        let platform =
            |starting, running| Underway { stack: "leo-dev-platform".to_owned(), starting, running };
        assert_eq!(operation.underway(), [platform(false, true)]);
        assert_eq!(saved.ended, None);

        tell(StepEventKind::Stack(StackEvent::Finished { status: StackStatus::UpdateComplete }));
        assert_eq!(operation.underway(), [platform(false, false)]);
        tell(StepEventKind::Stack(StackEvent::Prepared { resources: 1 }));
        assert_eq!(operation.underway(), [platform(true, false)], "its execution may be on its way");
        tell(StepEventKind::Status(StepStatus::Done));
        assert_eq!(operation.underway(), []);
        operation.end("deployed");
        assert_eq!(operation.record().ended.as_deref(), Some("deployed"));
    }

    #[test]
    fn ids_sort_by_time() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_357_099);
        assert_eq!(compact(time), "20261122T141819Z");
    }
}
