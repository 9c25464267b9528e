//! A diagnosis on one screen.

use super::Diagnosis;

/// Lines of the log that are shown; all 50 are in the saved evidence.
const LOG_LINES: usize = 12;
/// Characters of a line that are shown; AWS's longest ones have the reason at their end.
const HEAD: usize = 160;
const TAIL: usize = 300;

impl Diagnosis {
    /// What shows the cause: the line that it rests on, then the end of the log.
    pub fn details(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.evidence.lines().map(clip).collect();
        if !self.log.is_empty() {
            lines.push("its last lines:".to_owned());
            let from = self.log.len().saturating_sub(LOG_LINES);
            lines.extend(self.log.iter().skip(from).map(|line| clip(&format!("  {line}"))));
        }
        lines
    }

    /// All of it: cause, evidence, fix, in that order and within 25 lines.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("cause: {}", self.text)];
        lines.extend(self.details().into_iter().map(|line| format!("  │ {line}")));
        lines.push(format!("fix: {}", self.fix));
        lines
    }
}

fn clip(line: &str) -> String {
    let length = line.chars().count();
    if length <= HEAD + TAIL {
        return line.to_owned();
    }
    let head = line.chars().take(HEAD);
    head.chain(" … ".chars()).chain(line.chars().skip(length - TAIL)).collect()
}
