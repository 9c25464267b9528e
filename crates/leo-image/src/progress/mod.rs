//! What BuildKit says of a build (`--progress=rawjson`), as events; at the end, the reason of a failure.

mod documents;
mod failure;
mod graph;
mod node;
mod vertex;

use std::collections::BTreeSet;

use aws_smithy_types::base64;
use serde_json::Value;

use crate::ImageEventKind;
use documents::Documents;
pub(crate) use failure::Failure;
use graph::Graph;
use node::is_cancellation;
use vertex::Vertex;

/// Reads the output of one build.
#[derive(Default)]
pub(crate) struct Progress {
    documents: Documents,
    graph: Graph,
    warnings: BTreeSet<String>,
    /// The vertex whose error is the build's.
    failed: Option<String>,
}

impl Progress {
    /// Takes one line, with or without its end.
    pub(crate) fn line(&mut self, line: &str) -> Vec<ImageEventKind> {
        let Some(document) = self.documents.line(line) else { return Vec::new() };
        let items = |key: &str| document.get(key).and_then(Value::as_array).into_iter().flatten();
        let mut events = Vec::new();
        for vertex in items("vertexes") {
            self.vertex(vertex, &mut events);
        }
        for status in items("statuses") {
            self.status(status, &mut events);
        }
        for log in items("logs") {
            self.log(log, &mut events);
        }
        for warning in items("warnings") {
            events.extend(self.warning(warning));
        }
        events
    }

    /// The build has ended, well or not.
    pub(crate) fn end(&mut self) -> Vec<ImageEventKind> {
        self.graph.close().into_iter().map(ImageEventKind::Stage).collect()
    }

    fn vertex(&mut self, update: &Value, events: &mut Vec<ImageEventKind>) {
        let Some(digest) = text(update, "digest") else { return };
        let (node, news) = self.graph.vertex(digest, update);
        if news.began && matches!(Vertex::of(&node.name), Vertex::Step { .. } | Vertex::Other) {
            events.push(ImageEventKind::StepStarted { step: node.name.clone() });
        }
        if let Some(error) = news.error {
            match Vertex::of(&node.name) {
                Vertex::CacheExport => events.push(ImageEventKind::Warning(format!(
                    "the build cache was not saved, the next build starts cold: {error}"
                ))),
                // The first build of a branch finds no cache; that is no news.
                Vertex::CacheImport { .. } if error.contains("not found") => {}
                Vertex::CacheImport { .. } => {
                    events.push(ImageEventKind::Note(format!("the build cache was not read: {error}")));
                }
                _ if is_cancellation(&error) => {}
                _ => drop(self.failed.get_or_insert_with(|| digest.to_owned())),
            }
        }
        events.extend(self.graph.stages_at(digest).into_iter().map(ImageEventKind::Stage));
    }

    fn status(&mut self, update: &Value, events: &mut Vec<ImageEventKind>) {
        let (Some(digest), Some(id)) = (text(update, "vertex"), text(update, "id")) else { return };
        self.graph.node(digest).status(id, update);
        events.extend(self.graph.stages_at(digest).into_iter().map(ImageEventKind::Stage));
    }

    fn log(&mut self, update: &Value, events: &mut Vec<ImageEventKind>) {
        let (Some(digest), Some(data)) = (text(update, "vertex"), bytes(update, "data")) else { return };
        let lines = self.graph.node(digest).log.take(&data);
        events.extend(lines.into_iter().map(|line| ImageEventKind::Output { line }));
    }

    fn warning(&mut self, update: &Value) -> Option<ImageEventKind> {
        let short = bytes(update, "short")?;
        let line = update.pointer("/range/0/start/line").and_then(Value::as_u64);
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        let text = format!("Dockerfile{line}: {}", String::from_utf8_lossy(&short).trim());
        // Every one is told again at the end.
        self.warnings.insert(text.clone()).then_some(ImageEventKind::Note(text))
    }

    /// The reason of a failed build, from what was read.
    pub(crate) fn failure(mut self) -> Failure {
        let failed = self.failed.map(|digest| std::mem::take(self.graph.node(&digest)));
        Failure::of(failed, &self.documents.into_text())
    }
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A field that holds bytes in base64.
fn bytes(value: &Value, key: &str) -> Option<Vec<u8>> {
    base64::decode(value.get(key)?.as_str()?).ok()
}

#[cfg(test)]
mod tests;
