//! The rows of a step's parts: which of them are on the screen, and in which order.

use super::tree::{Draw, Nested, Row, one_line};
use leo_deploy::{Part, PartStatus, Step};

/// How many parts of one step are shown at a time: both images' stages, on a screen of 24 lines beside the other steps.
const PARTS: usize = 12;

/// The parts that have a row, from top to bottom.
#[derive(Debug, Default)]
pub(super) struct Parts {
    shown: Vec<Shown>,
}

#[derive(Debug)]
struct Shown {
    row: Row,
    group: String,
    over: bool,
}

impl Parts {
    /// What this event of a part changes.
    pub(super) fn apply(&mut self, step: Step, part: &Part) -> Vec<Draw> {
        let part = Part { text: one_line(&part.text), name: one_line(&part.name), ..part.clone() };
        let row = Row { step, nested: Some(Nested::Part(part.group.clone(), part.name.clone())) };
        let over = part.status != PartStatus::Working;
        let mut draws = Vec::new();
        if let Some(shown) = self.shown.iter_mut().find(|shown| shown.row == row) {
            shown.over = over;
        } else {
            if self.shown.iter().filter(|shown| shown.row.step == step).count() >= PARTS {
                let oldest = self.shown.iter().position(|shown| shown.row.step == step && shown.over);
                // Where all of them work, this one waits for a row until one of them is over.
                let Some(oldest) = oldest else { return draws };
                draws.push(Draw::Remove(self.shown.remove(oldest).row));
            }
            let last =
                self.shown.iter().rposition(|shown| shown.row.step == step && shown.group == part.group);
            let at = last.map_or(self.shown.len(), |last| last + 1);
            self.shown.insert(at, Shown { row: row.clone(), group: part.group.clone(), over });
        }
        let at = self.shown.iter().position(|shown| shown.row == row).unwrap_or_default();
        let above = self.shown.iter().take(at).rfind(|shown| shown.row.step == step);
        let below = above.map_or(Row { step, nested: None }, |shown| shown.row.clone());
        if over {
            // What was said last beside the step was of what is over now.
            draws.push(Draw::Say(Row { step, nested: None }, String::new()));
        }
        draws.push(Draw::Part { row, below, part });
        draws
    }

    /// The step is over, and its parts' rows go.
    pub(super) fn end(&mut self, step: Step) -> Vec<Row> {
        let (gone, kept): (Vec<_>, Vec<_>) = self.shown.drain(..).partition(|shown| shown.row.step == step);
        self.shown = kept;
        gone.into_iter().map(|shown| shown.row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(group: &str, name: &str, status: PartStatus) -> Part {
        Part {
            group: group.to_owned(),
            name: name.to_owned(),
            status,
            share: None,
            text: "1/2 steps".to_owned(),
        }
    }

    fn rows(draws: &[Draw]) -> String {
        let name = |row: &Row| match &row.nested {
            Some(Nested::Part(group, name)) => format!("{group} {name}"),
            _ => row.step.to_string(),
        };
        let shown = draws.iter().map(|draw| match draw {
            Draw::Part { row, below, .. } => format!("{} below {}", name(row), name(below)),
            Draw::Remove(row) => format!("remove {}", name(row)),
            Draw::Say(row, text) => format!("say {}: {text}", name(row)),
            other => format!("{other:?}"),
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn the_parts_of_one_group_stand_together() {
        let mut parts = Parts::default();
        let mut drawn =
            |group, name| rows(&parts.apply(Step::IMAGES, &part(group, name, PartStatus::Working)));
        assert_eq!(drawn("orchestrator", "a"), "orchestrator a below images");
        assert_eq!(drawn("generator", "a"), "generator a below orchestrator a");
        assert_eq!(drawn("orchestrator", "b"), "orchestrator b below orchestrator a");
        assert_eq!(drawn("generator", "b"), "generator b below generator a");
        assert_eq!(drawn("generator", "a"), "generator a below orchestrator b");
        assert_eq!(parts.end(Step::IMAGES).len(), 4);
        assert_eq!(parts.end(Step::IMAGES).len(), 0);
    }

    #[test]
    fn a_new_part_takes_the_row_of_the_oldest_that_is_over() {
        let mut parts = Parts::default();
        for number in 0..PARTS {
            parts.apply(Step::IMAGES, &part("g", &number.to_string(), PartStatus::Working));
        }
        let new = part("g", "new", PartStatus::Working);
        assert_eq!(parts.apply(Step::IMAGES, &new), []);
        parts.apply(Step::IMAGES, &part("g", "3", PartStatus::Done));
        parts.apply(Step::IMAGES, &part("g", "7", PartStatus::Failed));
        assert_eq!(rows(&parts.apply(Step::IMAGES, &new)), "remove g 3, g new below g 11");
    }

    #[test]
    fn a_part_can_not_move_the_cursor() {
        let mut parts = Parts::default();
        let part = Part { text: "RUN \u{1b}[2K\nx".to_owned(), ..part("g", "n", PartStatus::Working) };
        let draws = parts.apply(Step::IMAGES, &part);
        assert!(matches!(&draws[..], [Draw::Part { part, .. }] if part.text == "RUN [2Kx"), "{draws:?}");
    }
}
