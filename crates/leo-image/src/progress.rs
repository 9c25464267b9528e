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

/// What BuildKit does on its own behalf: no step of anyone's Dockerfile.
const PLUMBING: [&str; 4] = ["[internal]", "[auth]", "[context ", "importing cache manifest"];
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
        if let Ok(document) = serde_json::from_str::<Value>(&document) {
            return self.document(&document);
        }
        self.text.extend(document.lines().map(str::to_owned));
        Vec::new()
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
        let shown = !PLUMBING.iter().any(|prefix| name.starts_with(prefix));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Progress, Vec<String>) {
        let mut progress = Progress::default();
        let lines = text.split_inclusive('\n');
        let events = lines.flat_map(|line| progress.line(line)).map(|event| event.to_string()).collect();
        (progress, events)
    }

    /// As buildx 0.13 writes it: documents over several lines, then plain text.
    const FAILED: &str = r#"{
  "vertexes": [
    {"digest": "sha256:00", "name": "[internal] load build definition from Dockerfile", "started": "t", "completed": "t"}
  ]
}
{
  "vertexes": [
    {"digest": "sha256:01", "name": "[1/3] COPY app /bin/sh", "started": "t", "completed": "t", "cached": true},
    {"digest": "sha256:02", "name": "importing cache manifest from r/leo:cache-main-amd64", "started": "t", "completed": "t", "error": "r/leo:cache-main-amd64: not found"},
    {"digest": "sha256:03", "name": "[2/3] RUN {\"}\"", "started": "t"}
  ]
}
{"logs": [{"vertex": "sha256:03", "stream": 1, "data": "b25lCnR3"}]}
{"logs": [{"vertex": "sha256:03", "stream": 2, "data": "bwpsYXN0IHdvcmRz"}]}
{
  "vertexes": [
    {"digest": "sha256:03", "name": "[2/3] RUN {\"}\"", "started": "t", "completed": "t", "error": "process did not complete successfully: exit code: 7"},
    {"digest": "sha256:04", "name": "[3/3] RUN other", "started": "t", "completed": "t", "error": "context canceled"}
  ]
}
Dockerfile:4
--------------------
   3 |     COPY app /bin/sh
   4 | >>> RUN {"}"
--------------------
ERROR: failed to solve: process did not complete successfully: exit code: 7
"#;

    #[test]
    fn a_failed_build_names_its_step_with_the_last_lines_and_the_place() {
        let (progress, events) = read(FAILED);
        let failure = progress.failure();
        assert_eq!(failure.step.as_deref(), Some("[2/3] RUN {\"}\""));
        assert_eq!(failure.message, "process did not complete successfully: exit code: 7");
        assert_eq!(failure.log, ["one", "two", "last words"]);
        assert_eq!(failure.excerpt.first().map(String::as_str), Some("Dockerfile:4"));
        assert_eq!(failure.excerpt.len(), 5);
        insta::assert_snapshot!(events.join("\n"));
    }

    #[test]
    fn a_failed_cache_export_is_a_warning_with_its_reason() {
        let export = r#"{"vertexes":[{"digest":"d","name":"exporting cache to registry","started":"t","completed":"t","error":"400 Bad Request"}]}"#;
        let (_, events) = read(export);
        assert_eq!(
            events,
            [
                "exporting cache to registry",
                "warning: the build cache was not saved, the next build starts cold: 400 Bad Request"
            ]
        );
    }

    #[test]
    fn an_unreachable_cache_is_a_note_and_not_the_reason_of_a_failure() {
        let text = concat!(
            r#"{"vertexes":[{"digest":"d","name":"importing cache manifest from r","started":"t","error":"connection refused"}]}"#,
            "\nERROR: failed to solve: target stage \"x\" could not be found\n"
        );
        let (progress, events) = read(text);
        assert_eq!(events.last().unwrap(), "the build cache was not read: connection refused");
        let failure = progress.failure();
        assert_eq!((failure.step, failure.message.as_str()), (None, "target stage \"x\" could not be found"));
    }

    #[test]
    fn only_the_last_lines_of_a_long_output_are_kept() {
        let mut progress = Progress::default();
        for number in 0..100 {
            let data = base64::encode(format!("line {number}\n"));
            progress.line(&format!(r#"{{"logs":[{{"vertex":"d","data":"{data}"}}]}}"#));
        }
        progress.line(r#"{"vertexes":[{"digest":"d","name":"[1/1] RUN x","error":"exit code: 1"}]}"#);
        let log = progress.failure().log;
        assert_eq!((log.len(), log.first().map(String::as_str)), (KEPT_LINES, Some("line 80")));
    }

    #[test]
    fn odd_output_neither_panics_nor_is_lost() {
        for odd in [
            "{",
            "}",
            "{\"vertexes\": 5}",
            "{not json}",
            "{\"vertexes\":[{}]}\n",
            "{\"logs\":[{\"vertex\":\"x\",\"data\":\"%%\"}]}",
            "",
        ] {
            let (progress, events) = read(odd);
            assert!(events.is_empty());
            assert!(!progress.failure().message.is_empty(), "{odd}");
        }
        let (progress, _) = read("docker: 'buildx' is not a docker command.\n");
        assert_eq!(progress.failure().message, "docker: 'buildx' is not a docker command.");
    }
}
