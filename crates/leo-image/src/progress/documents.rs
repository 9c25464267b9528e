use std::collections::VecDeque;

use serde_json::Value;

/// Takes the output of `buildx build --progress=rawjson` apart: JSON documents, each over one or more lines, and around
/// and between them plain text. What is no document is text, so that nothing that was said is lost.
#[derive(Default)]
pub(super) struct Documents {
    open: String,
    depth: Depth,
    text: VecDeque<String>,
}

/// A document larger than this is none: it is dropped, so that odd output can't fill the memory.
const LARGEST_DOCUMENT: usize = 8 << 20;
/// How many lines of text are kept. A failure is told at the end.
const KEPT_LINES: usize = 500;

impl Documents {
    /// Takes one line, with or without its end. Gives the document that ends with it.
    pub(super) fn line(&mut self, line: &str) -> Option<Value> {
        // Inside a document a line is indented, or closes it; anything else means that its end never came.
        if !self.open.is_empty() && line.starts_with(|first: char| first == '{' || first.is_alphanumeric()) {
            self.give_up();
        }
        if self.open.is_empty() && !line.starts_with('{') {
            self.keep(line);
            return None;
        }
        self.open.push_str(line);
        self.depth.scan(line);
        if self.depth.is_closed() {
            self.depth = Depth::default();
            let document = std::mem::take(&mut self.open);
            match serde_json::from_str::<Value>(&document) {
                Ok(document) if is_progress(&document) => return Some(document),
                _ => document.lines().for_each(|line| self.keep(line)),
            }
        } else if self.open.len() > LARGEST_DOCUMENT {
            self.open.clear();
            self.depth = Depth::default();
            self.keep("(a document of more than 8 MB was left out)");
        }
        None
    }

    /// The text, oldest first, with what was left open.
    pub(super) fn into_text(mut self) -> Vec<String> {
        self.give_up();
        self.text.into()
    }

    fn give_up(&mut self) {
        self.depth = Depth::default();
        let document = std::mem::take(&mut self.open);
        document.lines().for_each(|line| self.keep(line));
    }

    fn keep(&mut self, line: &str) {
        let line = line.trim_end();
        if line.is_empty() {
            return;
        }
        if self.text.len() == KEPT_LINES {
            self.text.pop_front();
        }
        self.text.push_back(line.to_owned());
    }
}

/// Whether it is one of BuildKit's, which have nothing but these lists.
fn is_progress(document: &Value) -> bool {
    let lists = ["vertexes", "statuses", "logs", "warnings"];
    document.as_object().is_some_and(|object| object.keys().any(|key| lists.contains(&key.as_str())))
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

    fn read(text: &str) -> (Vec<Value>, Vec<String>) {
        let mut documents = Documents::default();
        let found = text.split_inclusive('\n').filter_map(|line| documents.line(line)).collect();
        (found, documents.into_text())
    }

    #[test]
    fn documents_over_one_line_or_more_are_told_from_text() {
        let text = "said\n{\"logs\": []}\n{\n  \"vertexes\": [\n    {\"name\": \"}{\"}\n  ]\n}\nDockerfile:4\n   3 |  x\n";
        let (found, rest) = read(text);
        assert_eq!(found.len(), 2);
        assert_eq!(rest, ["said", "Dockerfile:4", "   3 |  x"]);
    }

    #[test]
    fn what_is_no_document_stays_as_text() {
        for (text, kept) in [
            ("{", vec!["{"]),
            ("}\n", vec!["}"]),
            ("{not json}\n", vec!["{not json}"]),
            ("{\"level\":\"warn\"}\n", vec!["{\"level\":\"warn\"}"]),
            (
                "{\n  \"vertexes\": [\nERROR: it is over\n",
                vec!["{", "  \"vertexes\": [", "ERROR: it is over"],
            ),
            ("{\"vertexes\": \n{\"logs\": []}\n", vec!["{\"vertexes\":"]),
            ("{\"vertexes\": \"never ended\nERROR: x\n", vec!["{\"vertexes\": \"never ended", "ERROR: x"]),
        ] {
            let (_, rest) = read(text);
            assert_eq!(rest, kept, "{text}");
        }
    }

    #[test]
    fn neither_a_huge_document_nor_endless_text_fills_the_memory() {
        let mut documents = Documents::default();
        documents.line("{");
        for _ in 0..20 {
            documents.line(&format!(" \"{}", "x".repeat(1 << 20)));
        }
        assert!(documents.open.len() < LARGEST_DOCUMENT + (2 << 20));
        for number in 0..1000 {
            documents.line(&format!("\u{2003}{number}\n"));
        }
        assert_eq!(documents.into_text().len(), KEPT_LINES);
    }
}
