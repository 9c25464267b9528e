//! The tree on a terminal.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use leo_deploy::StepEvent;

use super::tree::{Draw, Mark, Row, Tree};

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
                bar.set_style(style(if row.resource.is_some() { NESTED } else { WORKING }));
                bar.set_message("");
                bar.reset_elapsed();
                bar.enable_steady_tick(TICK);
            }
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

    /// The row's bar; a new one of a step comes last, a new one of a resource below its step.
    fn bar(&mut self, row: &Row) -> ProgressBar {
        if let Some(bar) = self.bars.get(row) {
            return bar.clone();
        }
        let bar = ProgressBar::new_spinner().with_finish(ProgressFinish::Abandon).with_style(style(WAITING));
        let parent = row.resource.is_some().then_some(Row { step: row.step, resource: None });
        let bar = match parent.and_then(|parent| self.bars.get(&parent)) {
            Some(parent) => self.screen.insert_after(parent, bar),
            None => self.screen.add(bar),
        };
        bar.set_prefix(row.resource.clone().unwrap_or_else(|| row.step.to_string()));
        self.bars.insert(row.clone(), bar.clone());
        bar
    }
}

const WAITING: &str = "  \u{b7} {prefix:12} {wide_msg:.dim}";
const WORKING: &str = "  {spinner:.cyan} {prefix:12} {wide_msg} {elapsed:.dim}";
const NESTED: &str = "      {spinner:.dim} {prefix:28} {wide_msg:.dim} {elapsed:.dim}";
const DONE: &str = "  {spinner:.green} {prefix:12} {wide_msg} {elapsed:.dim}";
const FAILED: &str = "  {spinner:.red} {prefix:12} {wide_msg:.red} {elapsed:.dim}";

fn style(template: &'static str) -> ProgressStyle {
    // The last character is what a finished spinner shows.
    let ticks = match template {
        DONE => "\u{2713}\u{2713}",
        FAILED => "\u{2717}\u{2717}",
        _ => "\u{280b}\u{2819}\u{2839}\u{2838}\u{283c}\u{2834}\u{2826}\u{2827}\u{2807}\u{280f} ",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.tick_chars(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_valid() {
        for template in [WAITING, WORKING, NESTED, DONE, FAILED] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
