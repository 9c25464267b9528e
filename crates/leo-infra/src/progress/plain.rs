//! One line an event, for logs and pipes.

use std::io::Write;

use leo_deploy::{StackEvent, StepEvent, StepEventKind, StepStatus};

/// Writes the events that say something new.
pub(super) struct Plain<W> {
    out: W,
}

impl<W: Write> Plain<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out }
    }

    pub(super) fn event(&mut self, event: &StepEvent) {
        if !is_noise(&event.kind) {
            // Nobody reads a closed stderr, and the deploy goes on.
            let _ = writeln!(self.out, "{event}");
        }
    }
}

/// What only a screen that is redrawn needs: the other lines say the same.
fn is_noise(kind: &StepEventKind) -> bool {
    matches!(
        kind,
        StepEventKind::Status(StepStatus::Waiting)
            | StepEventKind::Stack(StackEvent::Progress(_) | StackEvent::Finished { .. })
    )
}

#[cfg(test)]
mod tests {
    use leo_deploy::{Progress, Step};

    use super::*;

    #[test]
    fn a_line_an_event() {
        let mut written = Vec::new();
        let mut plain = Plain::new(&mut written);
        for kind in [
            StepEventKind::Status(StepStatus::Waiting),
            StepEventKind::Status(StepStatus::Running),
            StepEventKind::Stack(StackEvent::Prepared { resources: 3 }),
            StepEventKind::Stack(StackEvent::Progress(Progress::default())),
            StepEventKind::Line("#5 exporting".to_owned()),
            StepEventKind::Warning("the cache was not exported".to_owned()),
            StepEventKind::Status(StepStatus::Done),
        ] {
            plain.event(&StepEvent { step: Step::REGISTRY, kind });
        }
        let expected = "registry: started\n\
                        registry: 3 resources to change\n\
                        registry: #5 exporting\n\
                        registry: warning: the cache was not exported\n\
                        registry: done\n";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }
}
