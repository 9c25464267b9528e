//! The tree on a terminal.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use leo_deploy::{Part, PartStatus, StepEvent};

use super::tree::{Draw, Mark, Nested, Row, Tree};

/// How often a row that works turns.
const TICK: Duration = Duration::from_millis(120);

/// A bar for each row of the tree.
pub(super) struct Live {
    screen: MultiProgress,
    tree: Tree,
    bars: HashMap<Row, ProgressBar>,
}

impl Live {
    /// Draws on stderr.
    pub(super) fn new() -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { screen, tree: Tree::default(), bars: HashMap::new() }
    }

    pub(super) fn event(&mut self, event: &StepEvent) {
        for draw in self.tree.apply(event) {
            self.draw(draw);
        }
    }

    fn draw(&mut self, draw: Draw) {
        match draw {
            Draw::Wait(row) => self.bar(&row).set_message("waiting"),
            Draw::Work(row) => {
                let bar = self.bar(&row);
                bar.set_style(style(if row.nested.is_some() { NESTED } else { WORKING }));
                bar.set_message("");
                bar.reset_elapsed();
                bar.enable_steady_tick(TICK);
            }
            Draw::Part { row, below, part } => self.part(&row, &below, part),
            Draw::Say(row, text) => self.bar(&row).set_message(text),
            Draw::End(row, mark, text) => {
                let bar = self.bar(&row);
                bar.set_style(style(match mark {
                    Mark::Done => DONE,
                    Mark::Failed => FAILED,
                    Mark::Skipped => WAITING,
                }));
                bar.abandon_with_message(text);
            }
            Draw::Remove(row) => {
                if let Some(bar) = self.bars.remove(&row) {
                    bar.finish_and_clear();
                    self.screen.remove(&bar);
                }
            }
            Draw::Above(text) => {
                // A line that can't be written is no reason to stop a deploy.
                let _ = self.screen.println(text);
            }
        }
    }

    fn part(&mut self, row: &Row, below: &Row, part: Part) {
        let bar = self.bar_below(row, Some(below));
        if let Some((done, of)) = part.share {
            bar.set_length(of);
            bar.set_position(done);
        }
        if part.status != PartStatus::Working {
            bar.set_style(style(if part.status == PartStatus::Done { PART_DONE } else { PART_FAILED }));
            bar.abandon_with_message(part.text);
            return;
        }
        bar.set_style(style(if part.share.is_some() { PART_SHARE } else { PART }));
        // One that was over can go on: BuildKit looks at a step first, and works on it later.
        if bar.is_finished() {
            bar.reset();
        }
        bar.set_message(part.text);
        bar.enable_steady_tick(TICK);
    }

    /// The row's bar; a new one of a step comes last, a new one of a resource below its step.
    fn bar(&mut self, row: &Row) -> ProgressBar {
        let parent = row.nested.is_some().then_some(Row { step: row.step, nested: None });
        self.bar_below(row, parent.as_ref())
    }

    fn bar_below(&mut self, row: &Row, above: Option<&Row>) -> ProgressBar {
        if let Some(bar) = self.bars.get(row) {
            return bar.clone();
        }
        let first = match row.nested {
            None => WAITING,
            Some(Nested::Resource(_)) => NESTED,
            Some(Nested::Part(..)) => PART,
        };
        let bar = ProgressBar::new_spinner().with_finish(ProgressFinish::Abandon).with_style(style(first));
        let bar = match above.and_then(|above| self.bars.get(above)) {
            Some(above) => self.screen.insert_after(above, bar),
            None => self.screen.add(bar),
        };
        bar.set_prefix(match &row.nested {
            None => row.step.to_string(),
            Some(Nested::Resource(name)) => name.clone(),
            Some(Nested::Part(group, name)) => format!("{group} {name}"),
        });
        self.bars.insert(row.clone(), bar.clone());
        bar
    }
}

const WAITING: &str = "  \u{b7} {prefix:12} {wide_msg:.dim}";
const WORKING: &str = "  {spinner:.cyan} {prefix:12} {wide_msg} {elapsed:.dim}";
const NESTED: &str = "      {spinner:.dim} {prefix:28} {wide_msg:.dim} {elapsed:.dim}";
const PART: &str = "      {spinner:.dim} {prefix:26} {wide_msg:.dim} {elapsed:.dim}";
const PART_SHARE: &str = "      {spinner:.dim} {prefix:26} {bar:12.cyan/dim} {wide_msg:.dim} {elapsed:.dim}";
const PART_DONE: &str = "      {spinner:.green} {prefix:26} {wide_msg:.dim}";
const PART_FAILED: &str = "      {spinner:.red} {prefix:26} {wide_msg:.red}";
const DONE: &str = "  {spinner:.green} {prefix:12} {wide_msg} {elapsed:.dim}";
const FAILED: &str = "  {spinner:.red} {prefix:12} {wide_msg:.red} {elapsed:.dim}";

fn style(template: &'static str) -> ProgressStyle {
    // The last character is what a finished spinner shows.
    let ticks = match template {
        DONE | PART_DONE => "\u{2713}\u{2713}",
        FAILED | PART_FAILED => "\u{2717}\u{2717}",
        _ => "\u{280b}\u{2819}\u{2839}\u{2838}\u{283c}\u{2834}\u{2826}\u{2827}\u{2807}\u{280f} ",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.tick_chars(ticks).progress_chars("\u{2501}\u{2578}\u{2500}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_valid() {
        for template in [WAITING, WORKING, NESTED, PART, PART_SHARE, PART_DONE, PART_FAILED, DONE, FAILED] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
