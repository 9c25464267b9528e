use std::collections::{HashMap, VecDeque};

use aws_smithy_types::base64;
use serde_json::Value;

use crate::ImageEventKind;

/// Reads what `docker buildx build --progress=rawjson` writes: JSON documents, each over one or more lines, and around
/// them plain text. It turns them into events, and at the end into the reason of a failure.
#[derive(Default)]
pub(crate) struct Progress {
    document: String,
    depth: Depth,
    steps: HashMap<String, Step>,
    /// The step whose error is the build's.
    failed: Option<String>,
    text: Vec<String>,
}

/// Why a build failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) step: Option<String>,
    pub(crate) message: String,
    pub(crate) log: Vec<String>,
    pub(crate) excerpt: Vec<String>,
}

#[derive(Default)]
struct Step {
    name: String,
    started: bool,
    completed: bool,
    error: Option<String>,
    log: VecDeque<String>,
    unfinished_line: String,
}

/// How many lines of a step's output are kept for its failure.
const KEPT_LINES: usize = 20;
/// A document larger than this is none: it is dropped, so that odd output can't fill the memory.
const LARGEST_DOCUMENT: usize = 8 << 20;

impl Progress {
    /// Takes one line, with or without its end.
    pub(crate) fn line(&mut self, line: &str) -> Vec<ImageEventKind> {
        if self.document.is_empty() && !line.starts_with('{') {
            let line = line.trim_end();
            if !line.is_empty() {
                self.text.push(line.to_owned());
            }
            return Vec::new();
        }
        self.document.push_str(line);
        self.depth.scan(line);
        if !self.depth.is_closed() && self.document.len() < LARGEST_DOCUMENT {
            return Vec::new();
        }
        self.depth = Depth::default();
        let document = std::mem::take(&mut self.document);
        match serde_json::from_str::<Value>(&document) {
            Ok(document) => self.document(&document),
            Err(_) => {
                self.text.extend(document.lines().map(str::to_owned));
                Vec::new()
            }
        }
    }

    fn document(&mut self, document: &Value) -> Vec<ImageEventKind> {
        let mut events = Vec::new();
        let items = |key: &str| document.get(key).and_then(Value::as_array).into_iter().flatten();
        for vertex in items("vertexes") {
            self.vertex(vertex, &mut events);
        }
        for log in items("logs") {
            self.log(log, &mut events);
        }
        for warning in items("warnings") {
            if let Some(text) = decoded(warning, "short") {
                events.push(ImageEventKind::Note(format!("Dockerfile: {}", text.trim())));
            }
        }
        events
    }

    fn vertex(&mut self, vertex: &Value, events: &mut Vec<ImageEventKind>) {
        let text = |key| vertex.get(key).and_then(Value::as_str);
        let (Some(digest), Some(name)) = (text("digest"), text("name")) else { return };
        let step = self.steps.entry(digest.to_owned()).or_default();
        name.clone_into(&mut step.name);
        let shown = !name.starts_with("[internal]");
        if text("started").is_some() && !step.started {
            step.started = true;
            if shown {
                events.push(ImageEventKind::StepStarted { step: name.to_owned() });
            }
        }
        if let Some(error) = text("error").filter(|error| !error.is_empty()) {
            if step.error.replace(error.to_owned()).is_some() {
                return;
            }
            match Role::of(name) {
                Role::CacheExport => events.push(ImageEventKind::Warning(format!(
                    "the build cache was not saved, the next build starts cold: {error}"
                ))),
                // The first build of a branch finds no cache; that is no news.
                Role::CacheImport if error.contains("not found") => {}
                Role::CacheImport => {
                    events.push(ImageEventKind::Note(format!("the build cache was not read: {error}")));
                }
                Role::Step if !error.contains("context canceled") => {
                    self.failed.get_or_insert_with(|| digest.to_owned());
                }
                Role::Step => {}
            }
        } else if text("completed").is_some() && !step.completed {
            step.completed = true;
            if shown {
                let cached = vertex.get("cached").and_then(Value::as_bool).unwrap_or(false);
                events.push(ImageEventKind::StepDone { step: name.to_owned(), cached });
            }
        }
    }

    fn log(&mut self, log: &Value, events: &mut Vec<ImageEventKind>) {
        let Some(digest) = log.get("vertex").and_then(Value::as_str) else { return };
        let Some(data) = decoded(log, "data") else { return };
        let step = self.steps.entry(digest.to_owned()).or_default();
        step.unfinished_line.push_str(&data);
        while let Some(end) = step.unfinished_line.find('\n') {
            let rest = step.unfinished_line.split_off(end + 1);
            let line = std::mem::replace(&mut step.unfinished_line, rest);
            step.keep(line.trim_end(), events);
        }
    }

    /// The reason of a failed build, from what was read.
    pub(crate) fn failure(mut self) -> Failure {
        if let Some(step) = self.failed.as_ref().and_then(|digest| self.steps.get_mut(digest)) {
            let rest = std::mem::take(&mut step.unfinished_line);
            step.keep(rest.trim_end(), &mut Vec::new());
        }
        let step = self.failed.as_ref().and_then(|digest| self.steps.get(digest));
        let last_error = self.text.iter().rev().find_map(|line| line.strip_prefix("ERROR: "));
        let message = last_error
            .map(|line| line.strip_prefix("failed to solve: ").unwrap_or(line))
            .or_else(|| step.and_then(|step| step.error.as_deref()))
            .or_else(|| self.text.last().map(String::as_str))
            .unwrap_or("it ended without a word");
        Failure {
            step: step.map(|step| step.name.clone()),
            message: message.to_owned(),
            log: step.map(|step| step.log.iter().cloned().collect()).unwrap_or_default(),
            excerpt: excerpt(&self.text),
        }
    }
}

impl Step {
    fn keep(&mut self, line: &str, events: &mut Vec<ImageEventKind>) {
        if line.is_empty() {
            return;
        }
        if self.log.len() == KEPT_LINES {
            self.log.pop_front();
        }
        self.log.push_back(line.to_owned());
        events.push(ImageEventKind::Output { line: line.to_owned() });
    }
}

/// What a vertex is, by the name that BuildKit gives it.
enum Role {
    CacheImport,
    CacheExport,
    Step,
}

impl Role {
    fn of(name: &str) -> Self {
        if name.starts_with("importing cache manifest") {
            Self::CacheImport
        } else if name.starts_with("exporting cache") {
            Self::CacheExport
        } else {
            Self::Step
        }
    }
}

/// The lines between BuildKit's two rules, with the line before them: `Dockerfile:4` and its surroundings.
fn excerpt(text: &[String]) -> Vec<String> {
    let is_rule = |line: &String| line.len() >= 10 && line.bytes().all(|byte| byte == b'-');
    let mut rules = text.iter().enumerate().filter(|(_, line)| is_rule(line)).map(|(index, _)| index);
    let (Some(first), Some(last)) = (rules.next(), rules.next_back()) else { return Vec::new() };
    text.get(first.saturating_sub(1)..=last).unwrap_or_default().to_vec()
}

/// A string field that holds bytes in base64.
fn decoded(value: &Value, key: &str) -> Option<String> {
    let bytes = base64::decode(value.get(key)?.as_str()?).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// How deep in braces a JSON text is, outside its strings.
#[derive(Default)]
struct Depth {
    open: usize,
    in_string: bool,
    escaped: bool,
}

impl Depth {
    fn scan(&mut self, text: &str) {
        for byte in text.bytes() {
            match (self.in_string, byte) {
                (true, _) if self.escaped => self.escaped = false,
                (true, b'\\') => self.escaped = true,
                (_, b'"') => self.in_string = !self.in_string,
                (false, b'{') => self.open += 1,
                (false, b'}') => self.open = self.open.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn is_closed(&self) -> bool {
        self.open == 0
    }
}
