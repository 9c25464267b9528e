//! A stack that is played by the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::answers::*;
use crate::wire::{Answer, Call, Conversation};

pub(crate) const CANCEL: &str = "CancelUpdateStack";
pub(crate) const DELETE_STACK: &str = "DeleteStack";

/// A stack that lives for as long as it is asked: what it is in, and what it goes on to when something is done to it.
pub(crate) struct Played {
    /// Its status and the events that led there, oldest first.
    past: Vec<(&'static str, &'static str, &'static str)>,
    /// The status that it takes by itself when it has been in the last one for so long.
    next: Vec<(Duration, &'static str)>,
    pub(crate) since: Option<Instant>,
    exists: bool,
    pub(crate) stopped: Answer,
    after_stop: Vec<(Duration, &'static str)>,
    pub(crate) stops: Arc<AtomicUsize>,
}

impl Played {
    /// In `at_first`, executes into `next`; a stop is accepted and leads to `after_stop`.
    pub(crate) fn new(
        at_first: Option<&'static str>,
        next: &[(u64, &'static str)],
        after_stop: &[(u64, &'static str)],
    ) -> Self {
        let seconds = |steps: &[(u64, &'static str)]| {
            steps.iter().map(|(after, status)| (Duration::from_secs(*after), *status)).collect::<Vec<_>>()
        };
        Self {
            past: vec![("leo-dev", at_first.unwrap_or("REVIEW_IN_PROGRESS"), "")],
            next: seconds(next),
            since: None,
            exists: at_first.is_some(),
            stopped: done(CANCEL),
            after_stop: seconds(after_stop),
            stops: Arc::default(),
        }
    }

    pub(crate) fn answer(&mut self, call: &Call) -> Answer {
        self.proceed();
        match call.operation.as_str() {
            CREATE => {
                self.exists = true;
                created()
            }
            REVIEW => change_set(&[("Modify", "Service", "False")], None),
            FINDINGS => no_findings(),
            EXECUTE => {
                self.since = Some(Instant::now());
                self.proceed();
                done(EXECUTE)
            }
            CANCEL | DELETE_STACK => {
                self.stops.fetch_add(1, Ordering::Relaxed);
                if matches!(self.stopped, Answer::Body(200, _) | Answer::Reset) {
                    self.next = std::mem::take(&mut self.after_stop);
                    self.since = Some(Instant::now());
                }
                self.stopped.clone()
            }
            DESCRIBE if !self.exists => no_stack(),
            DESCRIBE => {
                let of_stack = self.past.iter().rev().find(|(name, ..)| *name == "leo-dev");
                stack(of_stack.map_or("", |(_, status, _)| *status))
            }
            EVENTS => {
                let ids = (0..self.past.len()).map(|index| format!("p{index}")).collect::<Vec<_>>();
                let page = ids.iter().zip(&self.past);
                let page =
                    page.map(|(id, (name, status, reason))| (id.as_str(), *name, "", *status, *reason));
                events(&page.collect::<Vec<_>>(), None)
            }
            other => panic!("{other} was not expected"),
        }
    }

    /// Takes the steps whose time has come. A status of the form `Service: reason` is a resource's failure.
    fn proceed(&mut self) {
        let Some(since) = &mut self.since else { return };
        while let Some((after, status)) = self.next.first().copied() {
            if since.elapsed() < after {
                return;
            }
            *since += after;
            self.next.remove(0);
            self.past.push(match status.split_once(": ") {
                Some((name, reason)) => (name, "UPDATE_FAILED", reason),
                None => ("leo-dev", status, ""),
            });
        }
    }

    pub(crate) fn conversation(mut self) -> Conversation {
        Conversation::played(move |call| self.answer(call))
    }
}
