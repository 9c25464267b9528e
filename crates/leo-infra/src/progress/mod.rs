//! What a run shows while it works, on stderr: a live tree on a terminal, otherwise a line an event.

mod live;
mod parts;
mod plain;
mod tree;

use std::env;
use std::io::{IsTerminal, stderr};
use std::sync::{Arc, Mutex, PoisonError};

use leo_deploy::{Sink, StepEvent};

use live::Live;
use plain::Plain;

/// The display of one run.
pub(crate) struct Progress {
    sink: Sink,
}

impl Progress {
    /// A live tree where stderr is a terminal that can redraw, otherwise lines.
    pub(crate) fn detect() -> Self {
        let redraws = env::var_os("TERM").is_none_or(|terminal| terminal != "dumb");
        if stderr().is_terminal() && redraws { Self::live() } else { Self::plain() }
    }

    fn live() -> Self {
        let mut live = Live::new();
        Self { sink: sink(move |event| live.event(event)) }
    }

    fn plain() -> Self {
        let mut plain = Plain::new(stderr());
        Self { sink: sink(move |event| plain.event(event)) }
    }

    /// Takes the events of the steps.
    pub(crate) fn sink(&self) -> Sink {
        self.sink.clone()
    }

    /// Nothing is shown any more: the last picture stays on the screen.
    pub(crate) fn finish(self) {
        drop(self.sink);
    }
}

fn sink(on_event: impl FnMut(&StepEvent) + Send + 'static) -> Sink {
    let on_event = Mutex::new(on_event);
    Arc::new(move |event| {
        let mut on_event = on_event.lock().unwrap_or_else(PoisonError::into_inner);
        on_event(&event);
    })
}
