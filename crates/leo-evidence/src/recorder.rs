//! Looks again and again while a platform deploys, and saves what is new at once: a rollback, or the end of this
//! process, then takes nothing away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use leo_deploy::{DeployError, StackEvent};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::collect::Collector;
use crate::distinct::Counted;
use crate::evidence::{Evidence, Stop, Subject};
use crate::live::judge_by_revision;
use crate::look::{Clients, Looker, tail};
use crate::newness::Newness;
use crate::pace::Pace;
use crate::redact::Redact;
use crate::stop::Outlook;
use crate::store::forget_old;
use crate::time::now;

/// How long the last look may take, so that a broken connection does not hold up the end of a deploy.
const LAST_LOOK: Duration = Duration::from_secs(20);
/// How long one round of reading logs may take: the signal to give up waits for it.
const LOGS: Duration = Duration::from_secs(10);
/// How often the end of a log is read while a deploy runs; lines arrive some seconds after a container ended.
const READS: u32 = 3;

/// Records what a deploy does to the service.
///
/// It never fails and never stops the deploy: what could not be asked or saved is part of the evidence
/// ([`Evidence::unanswered`]). Dropping it ends the recording; what was saved stays.
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    clients: Clients,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    abort: watch::Sender<Option<String>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    evidence: Evidence,
    collector: Collector,
}

impl Recorder {
    /// Begins to record into `folder` (`.leo/evidence/<operation>`), without anything that `redact` knows. Only the
    /// newest 20 folders beside it are kept. Runs on the current tokio runtime.
    pub fn start(clients: Clients, subject: Subject, folder: PathBuf, redact: Redact) -> Self {
        let evidence = Evidence { subject: subject.clone(), began: now(), ..Evidence::default() };
        let shared = Arc::new(Shared {
            folder,
            abort: watch::Sender::new(None),
            state: Mutex::new(State { evidence, collector: Collector::new(redact, Newness::default()) }),
        });
        shared.save(&mut shared.lock());
        forget_old(&shared.folder);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(record(Arc::clone(&shared), Looker::new(clients.clone(), subject), stopped));
        Self { shared, clients, stop: Some(stop), task }
    }

    /// Becomes `Some(reason)` when more tasks of the new deployment have stopped for the same reason than it starts at
    /// first, so that the deploy can be given up at once. Throttling and the like, after which ECS tries again, never
    /// count. Closed when the recorder is gone, which means nothing.
    pub fn abort_signal(&self) -> watch::Receiver<Option<String>> {
        self.shared.abort.subscribe()
    }

    /// Until when the last of the old tasks must not be stopped, in RFC 3339: before that the deployment can't end,
    /// and a deadline that ends earlier only undoes what went well. `None` where none is protected.
    pub fn protected_until(&self) -> Option<String> {
        let state = self.shared.lock();
        state.evidence.protected.iter().filter_map(|task| task.until.clone()).max()
    }

    /// The folder that it saves into.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// Takes in what CloudFormation reports about the platform's stack.
    pub fn on_stack_event(&self, event: &StackEvent) {
        self.change(|State { evidence, collector }| {
            if matches!(event, StackEvent::Executing) {
                if !evidence.stack.is_untouched() {
                    // Another operation was waited for: what it left is of before.
                    evidence.stack.begin();
                    collector.newness = Newness::default();
                }
                return false;
            }
            let news = evidence.stack.take(event, &collector.redact);
            collector.newness.mark(evidence);
            news
        });
    }

    /// Takes in how what runs differs from what was planned.
    pub fn on_mismatch(&self, text: &str) {
        self.change(|State { evidence, collector }| {
            let text = collector.redact.apply(text);
            let news = !evidence.mismatches.contains(&text);
            if news {
                evidence.mismatches.push(text);
            }
            news
        });
    }

    /// Takes in how the deploy of the stack failed.
    pub fn on_error(&self, error: &DeployError) {
        self.change(|State { evidence, collector }| {
            evidence.stack.take_error(error, &collector.redact);
            true
        });
    }

    /// Looks once more, saves, and gives what was seen. `ended` says what became of the operation.
    pub async fn finish(mut self, ended: &str) -> Evidence {
        // Where the task has ended by itself there is nobody to tell.
        drop(self.stop.take());
        if timeout(LAST_LOOK + LOGS, &mut self.task).await.is_err() {
            self.task.abort();
        }
        if let Some(mut read) = self.shared.judge_unchanged() {
            // Only now it is known which tasks tell something.
            drop(timeout(LOGS, read_logs(&self.shared, &self.clients, &mut read)).await);
        }
        let mut state = self.shared.lock();
        let ended = state.collector.redact.apply(ended);
        state.evidence.ended = Some(ended);
        self.shared.save(&mut state);
        state.evidence.clone()
    }

    fn change(&self, change: impl FnOnce(&mut State) -> bool) {
        let mut state = self.shared.lock();
        if change(&mut state) {
            self.shared.save(&mut state);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where nothing was changed, whatever is wrong was so before: the newest revision is the one that matters. Gives the
    /// log streams that need no more reading then.
    fn judge_unchanged(&self) -> Option<BTreeMap<String, u32>> {
        let evidence = &mut self.lock().evidence;
        if !evidence.stack.is_untouched() {
            return None;
        }
        judge_by_revision(evidence);
        let read = evidence.logs.iter().filter(|tail| !tail.lines.is_empty());
        Some(read.map(|tail| (tail.stream.clone(), READS)).collect())
    }

    fn save(&self, state: &mut State) {
        state.evidence.updated = now();
        if let Err(error) = state.evidence.save(&self.folder) {
            let text = format!("failed to {error}");
            if !state.evidence.unanswered.contains(&text) {
                state.evidence.unanswered.push(text);
            }
        }
    }
}

async fn record(shared: Arc<Shared>, mut looker: Looker, mut stopped: oneshot::Receiver<()>) {
    let mut pace = Pace::new();
    let mut reads = BTreeMap::new();
    loop {
        tokio::select! {
            biased;
            _ = &mut stopped => break,
            () = look(&shared, &mut looker, &mut pace, &mut reads) => {}
        }
        tokio::select! {
            biased;
            _ = &mut stopped => break,
            () = pace.wait() => {}
        }
    }
    reads.clear();
    // What it does not bring in time is not brought.
    drop(timeout(LAST_LOOK, look(&shared, &mut looker, &mut pace, &mut reads)).await);
}

/// One look: taken in, saved, and the logs of what failed read; then the signal is given, if it is time.
async fn look(shared: &Shared, looker: &mut Looker, pace: &mut Pace, reads: &mut BTreeMap<String, u32>) {
    let old = shared.lock().evidence.old_running();
    let look = looker.look(&old).await;
    let failed = look.failed.clone();
    {
        let mut state = shared.lock();
        let State { evidence, collector } = &mut *state;
        let before = evidence.clone();
        looker.took(look.stopped.as_deref().unwrap_or_default());
        collector.take(look, evidence, false);
        if looker.gave_up_listing() {
            note_flood(evidence);
        }
        let news = *evidence != before;
        pace.after(news, &failed);
        if news {
            shared.save(&mut state);
        }
    }
    // What is not read in time is read by the next look.
    drop(timeout(LOGS, read_logs(shared, looker.clients(), reads)).await);
    let reason = abort_reason(&shared.lock().evidence);
    if reason.is_some() {
        shared.abort.send_if_modified(|known| {
            let first = known.is_none();
            if first {
                *known = reason;
            }
            first
        });
    }
}

fn note_flood(evidence: &mut Evidence) {
    let text = "too many stopped tasks to look at all of them";
    if !evidence.unanswered.iter().any(|known| known == text) {
        evidence.unanswered.push(text.to_owned());
    }
}

async fn read_logs(shared: &Shared, clients: &Clients, reads: &mut BTreeMap<String, u32>) {
    let (group, streams) = {
        let state = shared.lock();
        (state.evidence.subject.log_group.clone(), state.evidence.telling_streams())
    };
    for mut stream in streams {
        let count = reads.entry(stream.stream.clone()).or_default();
        if *count >= READS {
            continue;
        }
        *count += 1;
        let lines = tail(&clients.logs, &group, &stream.stream).await;
        let mut state = shared.lock();
        let State { evidence, collector } = &mut *state;
        let before = evidence.clone();
        match lines {
            Ok(lines) => {
                stream.lines = lines;
                collector.log(stream, evidence);
            }
            Err(error) => collector.unanswered(&error, evidence),
        }
        if *evidence != before {
            shared.save(&mut state);
        }
    }
}

fn abort_reason(evidence: &Evidence) -> Option<String> {
    let lasts = |stop: &&Counted<Stop>| {
        let enough = Outlook::of(&stop.item.reason).enough(evidence.desired_of(&stop.item.origin));
        enough.is_some_and(|enough| stop.count >= enough)
    };
    let stop = evidence.failed_stops().into_iter().find(lasts)?;
    let definition = stop.item.tasks.first().map_or("the service", |task| &task.definition);
    Some(format!("{} tasks of {definition} stopped for the same reason: {}", stop.count, stop.item.reason))
}
