//! The live tree as data: what an event changes on the screen, without a screen.

use super::parts::Parts;
use leo_deploy::{Part, ResourceEvent, StackEvent, Step, StepEvent, StepEventKind, StepStatus};

/// A line of the tree: a step, or something under way in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) step: Step,
    /// What in the step, where the row is not the step itself.
    pub(super) nested: Option<Nested>,
}

/// Something under way in a step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Nested {
    /// A resource of a stack, by its logical id.
    Resource(String),
    /// A part of the step, by its group and its name.
    Part(String, String),
}

/// What to do on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Draw {
    /// A row for a step that has not begun.
    Wait(Row),
    /// A row that works from now on; it is made where there is none.
    Work(Row),
    /// What the row says beside its name.
    Say(Row, String),
    /// How far a part is; where it has no row, it gets one below that other row.
    Part { row: Row, below: Row, part: Part },
    /// The row is over and stays as it is.
    End(Row, Mark, String),
    /// The row goes.
    Remove(Row),
    /// A line above the tree, which stays when the tree is gone.
    Above(String),
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Done,
    Failed,
    Skipped,
}

/// How many resources of one step are shown at a time; the others are in the step's count.
const RESOURCES: usize = 5;

/// What is on the screen.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The resources under way that have a row.
    shown: Vec<Row>,
    parts: Parts,
}

impl Tree {
    /// What this event changes.
    pub(super) fn apply(&mut self, event: &StepEvent) -> Vec<Draw> {
        let row = Row { step: event.step, nested: None };
        match &event.kind {
            StepEventKind::Status(StepStatus::Waiting) => vec![Draw::Wait(row)],
            StepEventKind::Status(StepStatus::Running) => vec![Draw::Work(row)],
            StepEventKind::Status(status) => self.end(&row, *status),
            StepEventKind::Stack(StackEvent::Resource(resource)) => self.resource(&row, resource),
            StepEventKind::Part(part) => self.parts.apply(event.step, part),
            StepEventKind::Stack(
                StackEvent::Finding(_)
                | StackEvent::LeftBehind { .. }
                | StackEvent::Attached { .. }
                | StackEvent::Extended { .. }
                | StackEvent::GivingUp { .. }
                | StackEvent::NotStopped { .. },
            )
            | StepEventKind::Note(_)
            | StepEventKind::Warning(_) => vec![Draw::Above(event.to_string())],
            kind @ (StepEventKind::Stack(_) | StepEventKind::Line(_)) => {
                vec![Draw::Say(row, one_line(&kind.to_string()))]
            }
        }
    }

    fn end(&mut self, row: &Row, status: StepStatus) -> Vec<Draw> {
        let mark = match status {
            StepStatus::Done | StepStatus::Unchanged => Mark::Done,
            StepStatus::Failed => Mark::Failed,
            StepStatus::Skipped | StepStatus::Waiting | StepStatus::Running => Mark::Skipped,
        };
        let (gone, kept) = self.shown.drain(..).partition(|shown| shown.step == row.step);
        self.shown = kept;
        let removed: Vec<Row> = gone;
        let removed = removed.into_iter().chain(self.parts.end(row.step));
        let mut draws = removed.map(Draw::Remove).collect::<Vec<_>>();
        draws.push(Draw::End(row.clone(), mark, status.to_string()));
        draws
    }

    fn resource(&mut self, step: &Row, event: &ResourceEvent) -> Vec<Draw> {
        if event.of_stack {
            return Vec::new();
        }
        let row = Row { step: step.step, nested: Some(Nested::Resource(event.logical_id.clone())) };
        let at = self.shown.iter().position(|shown| *shown == row);
        let mut draws = Vec::new();
        if event.status.ends_with("_IN_PROGRESS") {
            let full = self.shown.iter().filter(|shown| shown.step == row.step).count() >= RESOURCES;
            if at.is_none() && !full {
                self.shown.push(row.clone());
                draws.push(Draw::Work(row.clone()));
            }
            if at.is_some() || !full {
                draws.push(Draw::Say(row, format!("{} ({})", event.status, event.resource_type)));
            }
        } else if let Some(at) = at {
            draws.push(Draw::Remove(self.shown.remove(at)));
        }
        if event.status.ends_with("_FAILED") {
            draws.push(Draw::Above(format!("{}: {event}", step.step)));
        }
        draws
    }
}

/// A tool's line without what would move the cursor.
pub(super) fn one_line(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use leo_deploy::{Progress, StackStatus};

    use super::*;

    fn resource(logical_id: &str, status: &str) -> StepEventKind {
        StepEventKind::Stack(StackEvent::Resource(ResourceEvent {
            id: String::new(),
            time: String::new(),
            logical_id: logical_id.to_owned(),
            physical_id: None,
            resource_type: "AWS::S3::Bucket".to_owned(),
            status: status.to_owned(),
            reason: status.ends_with("_FAILED").then(|| "name is taken".to_owned()),
            token: None,
            of_stack: logical_id == "stack",
        }))
    }

    fn draws(events: impl IntoIterator<Item = StepEventKind>) -> String {
        let mut tree = Tree::default();
        let name = |row: &Row| match &row.nested {
            None => row.step.to_string(),
            Some(Nested::Resource(name)) => name.clone(),
            Some(Nested::Part(group, name)) => format!("{group} {name}"),
        };
        let lines = events
            .into_iter()
            .flat_map(|kind| tree.apply(&StepEvent { step: Step::PLATFORM, kind }))
            .map(|draw| match draw {
                Draw::Wait(row) => format!("wait {}", name(&row)),
                Draw::Work(row) => format!("work {}", name(&row)),
                Draw::Say(row, text) => format!("say {}: {text}", name(&row)),
                Draw::Part { row, below, part } => {
                    format!("part {} below {}: {:?} {}", name(&row), name(&below), part.status, part.text)
                }
                Draw::End(row, mark, text) => format!("end {}: {mark:?} {text}", name(&row)),
                Draw::Remove(row) => format!("remove {}", name(&row)),
                Draw::Above(text) => format!("above {text}"),
            });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_stack_grows_and_shrinks_below_its_step() {
        let text = draws([
            StepEventKind::Status(StepStatus::Waiting),
            StepEventKind::Status(StepStatus::Running),
            StepEventKind::Stack(StackEvent::Preparing { creates: true }),
            resource("stack", "CREATE_IN_PROGRESS"),
            resource("Bucket", "CREATE_IN_PROGRESS"),
            resource("Topic", "CREATE_IN_PROGRESS"),
            resource("Bucket", "CREATE_COMPLETE"),
            StepEventKind::Stack(StackEvent::Progress(Progress {
                total: Some(2),
                in_progress: 1,
                complete: 1,
                failed: 0,
            })),
            resource("Topic", "CREATE_FAILED"),
            StepEventKind::Stack(StackEvent::Finished { status: StackStatus::RollbackComplete }),
            StepEventKind::Status(StepStatus::Failed),
        ]);
        let expected = "\
wait platform
work platform
say platform: computing what to create
work Bucket
say Bucket: CREATE_IN_PROGRESS (AWS::S3::Bucket)
work Topic
say Topic: CREATE_IN_PROGRESS (AWS::S3::Bucket)
remove Bucket
say platform: 1/2 resources done, 1 in progress
remove Topic
above platform: CREATE_FAILED Topic (AWS::S3::Bucket): name is taken
say platform: ROLLBACK_COMPLETE
end platform: Failed failed";
        assert_eq!(text, expected);
    }

    #[test]
    fn rows_beyond_the_limit_are_not_drawn_and_leave_with_their_step() {
        let mut events = (0..9).map(|n| resource(&format!("R{n}"), "CREATE_IN_PROGRESS")).collect::<Vec<_>>();
        events.push(StepEventKind::Status(StepStatus::Done));
        let text = draws(events);
        assert_eq!(text.matches("work").count(), RESOURCES);
        assert_eq!(text.matches("say").count(), RESOURCES);
        assert_eq!(text.matches("remove").count(), RESOURCES);
        assert!(text.ends_with("end platform: Done done"), "{text}");
    }

    #[test]
    fn output_of_tools_can_not_move_the_cursor() {
        let text = draws([
            StepEventKind::Line("\u{1b}[2Kpushing\r".to_owned()),
            StepEventKind::Warning("cache export failed".to_owned()),
        ]);
        assert_eq!(text, "say platform: [2Kpushing\nabove platform: warning: cache export failed");
    }
}
