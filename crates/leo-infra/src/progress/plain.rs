//! One line an event, for logs and pipes.

use std::io::Write;

use leo_deploy::{PartStatus, StackEvent, StepEvent, StepEventKind, StepStatus};

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
    // What a part came to is a line; on the way there it can change with every byte.
    matches!(kind, StepEventKind::Part(part) if part.status == PartStatus::Working)
        || matches!(
            kind,
            StepEventKind::Status(StepStatus::Waiting)
                | StepEventKind::Stack(StackEvent::Progress(_) | StackEvent::Finished { .. })
        )
}

#[cfg(test)]
mod tests {
    use leo_deploy::{Part, Progress, Step};

    use super::*;

    fn part(status: PartStatus, text: &str) -> StepEventKind {
        let (group, name) = ("generator".to_owned(), "build".to_owned());
        StepEventKind::Part(Part { group, name, status, share: Some((1, 2)), text: text.to_owned() })
    }

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
            part(PartStatus::Working, "1/2 steps"),
            part(PartStatus::Done, "2 steps"),
            StepEventKind::Warning("the cache was not exported".to_owned()),
            StepEventKind::Status(StepStatus::Done),
        ] {
            plain.event(&StepEvent { step: Step::REGISTRY, kind });
        }
        let expected = "registry: started\n\
                        registry: 3 resources to change\n\
                        registry: #5 exporting\n\
                        registry: generator: build: 2 steps\n\
                        registry: warning: the cache was not exported\n\
                        registry: done\n";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }
}
