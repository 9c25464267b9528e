use std::collections::VecDeque;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;

use super::vertex::Vertex;
use crate::Stage;

/// One vertex of the build's graph, as far as BuildKit has told it.
#[derive(Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) log: Log,
    pub(super) error: Option<String>,
    /// `None` for what BuildKit does on its own behalf.
    pub(super) stage: Option<Stage>,
    /// How many steps its stage has.
    pub(super) of: Option<u64>,
    pub(super) text: String,
    pub(super) began: bool,
    pub(super) ended: bool,
    pub(super) from: Option<DateTime>,
    pub(super) to: Option<DateTime>,
    pub(super) cached: bool,
    /// In the order in which they were first told.
    pub(super) statuses: Vec<Status>,
}

/// A part of a vertex's work.
pub(super) struct Status {
    pub(super) id: String,
    pub(super) current: u64,
    /// Zero where it is not known.
    pub(super) total: u64,
    pub(super) done: bool,
}

/// What a step wrote.
#[derive(Default)]
pub(super) struct Log {
    pub(super) lines: VecDeque<String>,
    /// Bytes, because a character can be cut in two.
    open: Vec<u8>,
}

/// What an update of a vertex brought that was not known before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// It began, and is not over with the same update.
    pub(super) began: bool,
    /// It ended with this error.
    pub(super) error: Option<String>,
}

/// The name of a Dockerfile's only stage, where it has none.
const UNNAMED: &str = "build";
/// How many lines of a step's output are kept for its failure.
pub(super) const KEPT_LINES: usize = 20;
/// A line that is longer is cut in two.
const LONGEST_LINE: usize = 64 << 10;

impl Node {
    pub(super) fn update(&mut self, update: &Value) -> News {
        let text = |key| update.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        if let Some(name) = text("name").filter(|name| self.name != *name) {
            self.call(name);
        }
        let mut news = News::default();
        if let Some(started) = text("started") {
            news.began = !self.began && text("completed").is_none();
            self.began = true;
            // A vertex can begin again: that of the context does, which is first asked for its key alone.
            self.ended = false;
            self.from = self.from.or_else(|| time(started));
        }
        if let Some(completed) = text("completed") {
            self.ended = true;
            self.to = time(completed).or(self.to);
        }
        self.cached |= update.get("cached").and_then(Value::as_bool).unwrap_or(false);
        if let Some(error) = text("error").filter(|_| self.error.is_none()) {
            self.error = Some(error.to_owned());
            news.error.clone_from(&self.error);
        }
        news
    }

    pub(super) fn status(&mut self, id: &str, update: &Value) {
        let number = |key| update.get(key).and_then(Value::as_u64).unwrap_or(0);
        let status = Status {
            id: id.to_owned(),
            current: number("current"),
            total: number("total"),
            done: update.get("completed").is_some_and(|completed| !completed.is_null()),
        };
        match self.statuses.iter_mut().find(|known| known.id == id) {
            Some(known) => *known = status,
            None => self.statuses.push(status),
        }
    }

    pub(super) fn is_working(&self) -> bool {
        self.began && !self.ended
    }

    /// Not where it was ended because another one failed, or because another build does the same.
    pub(super) fn has_failed(&self) -> bool {
        self.error.as_ref().is_some_and(|error| !is_cancellation(error))
    }

    /// What it does now.
    pub(super) fn doing(&self) -> Option<String> {
        let text = match self.stage {
            Some(Stage::Pack) => {
                let status = self.statuses.iter().rev().find(|status| !status.done).or(self.statuses.last());
                // `unpacking to <a long name>`
                status.map(|status| status.id.split(' ').take(2).collect::<Vec<_>>().join(" "))
            }
            _ => Some(self.text.clone()),
        };
        text.filter(|text| !text.is_empty())
    }

    fn call(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        (self.stage, self.of, self.text) = match Vertex::of(name) {
            Vertex::Step { stage, of, text } => {
                (Some(Stage::Build(stage.unwrap_or(UNNAMED).to_owned())), Some(of), text.to_owned())
            }
            Vertex::CacheImport { reference } => (Some(Stage::ReadCache), None, reference.to_owned()),
            Vertex::Context => (Some(Stage::Context), None, String::new()),
            Vertex::CacheExport => (Some(Stage::SaveCache), None, String::new()),
            Vertex::Export => (Some(Stage::Pack), None, String::new()),
            Vertex::Push => (Some(Stage::Push), None, String::new()),
            Vertex::Other => (Some(Stage::Download(name.to_owned())), None, String::new()),
            Vertex::Plumbing => (None, None, String::new()),
        };
    }
}

impl Log {
    /// Takes what was written, and gives the lines that ended with it.
    pub(super) fn take(&mut self, data: &[u8]) -> Vec<String> {
        let mut ended = Vec::new();
        for part in data.split_inclusive(|byte| *byte == b'\n') {
            self.open.extend_from_slice(part);
            if part.ends_with(b"\n") || self.open.len() > LONGEST_LINE {
                ended.extend(self.end_line());
            }
        }
        ended
    }

    /// Ends the line that has no end yet.
    pub(super) fn end_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.open);
        let line = String::from_utf8_lossy(&line);
        // Of a line that was written over, what was there last; nothing of what moves a cursor.
        let line = line.trim_end().rsplit('\r').next().unwrap_or_default();
        let line = anstream::adapter::strip_str(line).to_string();
        if line.is_empty() {
            return None;
        }
        if self.lines.len() == KEPT_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.clone());
        Some(line)
    }
}

/// Whether an error only says that something was ended from outside.
pub(super) fn is_cancellation(error: &str) -> bool {
    error.contains("context canceled")
}

fn time(text: &str) -> Option<DateTime> {
    DateTime::from_str(text, Format::DateTimeWithOffset).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_they_arrive() {
        let mut log = Log::default();
        let text = "größe\n\u{1b}[32mgreen\u{1b}[0m\r\n10%\r 50%\r100%\n\n\tlast";
        let lines: Vec<String> = text.as_bytes().chunks(1).flat_map(|byte| log.take(byte)).collect();
        assert_eq!(lines, ["größe", "green", "100%"]);
        assert_eq!(log.end_line().as_deref(), Some("\tlast"));
        assert_eq!(log.end_line(), None);
        assert_eq!(log.take(&vec![b'x'; 2 * LONGEST_LINE]).len(), 1);
    }
}
