use std::time::Instant;

use crate::{Bytes, Stage, StageProgress, StageState};

/// Reads what `docker image push` says, on a terminal or not: `<layer>: <what becomes of it>`, one written over the
/// other.
pub(super) struct PushProgress {
    began: Instant,
    open: Vec<u8>,
    layers: Vec<Layer>,
}

/// A layer, by the short form of its digest.
struct Layer {
    id: String,
    state: LayerState,
    bytes: Option<Bytes>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LayerState {
    Waiting,
    Sent,
    /// The registry had it, in this repository or in another one of ours.
    There,
}

impl Default for PushProgress {
    fn default() -> Self {
        Self { began: Instant::now(), open: Vec::new(), layers: Vec::new() }
    }
}

impl PushProgress {
    /// Takes a part of it. Gives how far the push is, for each line that says something of a layer.
    pub(super) fn take(&mut self, said: &[u8]) -> Vec<StageProgress> {
        let mut news = Vec::new();
        for byte in said {
            if !matches!(byte, b'\r' | b'\n') {
                self.open.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.open);
            let line = anstream::adapter::strip_str(&String::from_utf8_lossy(&line)).to_string();
            if self.line(line.trim()) {
                news.push(self.progress(StageState::Working));
            }
        }
        news
    }

    /// The push is over.
    pub(super) fn end(&self, well: bool) -> StageProgress {
        self.progress(if well { StageState::Done } else { StageState::Failed })
    }

    fn line(&mut self, line: &str) -> bool {
        let Some((id, what)) = line.split_once(": ") else { return false };
        if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return false;
        }
        let at = self.layers.iter().position(|layer| layer.id == id).unwrap_or_else(|| {
            self.layers.push(Layer { id: id.to_owned(), state: LayerState::Waiting, bytes: None });
            self.layers.len() - 1
        });
        let Some(layer) = self.layers.get_mut(at) else { return false };
        if what.starts_with("Pushing") {
            layer.bytes = transfer(what).or(layer.bytes);
        } else if what.starts_with("Pushed") {
            layer.state = LayerState::Sent;
            // The last of it is not always told.
            layer.bytes = layer.bytes.map(|bytes| Bytes { done: bytes.total.unwrap_or(bytes.done), ..bytes });
        } else if ["Layer already exists", "Mounted from", "Skipped"]
            .iter()
            .any(|words| what.starts_with(words))
        {
            layer.state = LayerState::There;
        }
        true
    }

    fn progress(&self, state: StageState) -> StageProgress {
        let number = |states: &[LayerState]| {
            let layers = self.layers.iter().filter(|layer| states.contains(&layer.state));
            u64::try_from(layers.count()).unwrap_or(u64::MAX)
        };
        let bytes = || self.layers.iter().filter_map(|layer| layer.bytes);
        let all = [LayerState::Waiting, LayerState::Sent, LayerState::There];
        StageProgress {
            stage: Stage::Push,
            state,
            done: number(&[LayerState::Sent, LayerState::There]),
            total: Some(number(&all)).filter(|total| *total > 0),
            cached: number(&[LayerState::There]),
            bytes: bytes().next().map(|_| Bytes {
                done: bytes().map(|bytes| bytes.done).sum(),
                total: Some(bytes().filter_map(|bytes| bytes.total).sum()),
            }),
            doing: None,
            took: if state == StageState::Working { std::time::Duration::ZERO } else { self.began.elapsed() },
        }
    }
}

/// `Pushing [==>   ]  2.097MB/5.002MB`, as the last word has it; while the size is not known, `Pushing  2.097MB`.
fn transfer(what: &str) -> Option<Bytes> {
    let word = what.split(' ').next_back()?;
    match word.split_once('/') {
        Some((done, total)) => Some(Bytes { done: size(done)?, total: Some(size(total)?) }),
        None => Some(Bytes { done: size(word)?, total: None }),
    }
}

/// `2.097MB`: Docker writes four digits, in decimal units.
fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        _ => return None,
    };
    let bytes = number.trim().parse::<f64>().ok()? * unit;
    // Far below what a number of bytes can be.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
    (0.0..1e18).contains(&bytes).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Docker 28 wrote it to a terminal.
    const TERMINAL: &[u8] = include_bytes!("recorded/terminal.out");

    fn read(said: &[u8], chunk: usize) -> (PushProgress, Vec<String>) {
        let mut progress = PushProgress::default();
        let news =
            said.chunks(chunk).flat_map(|part| progress.take(part)).map(|news| news.to_string()).collect();
        (progress, news)
    }

    #[test]
    fn a_push_on_a_terminal_is_told_to_the_byte() {
        let (progress, news) = read(TERMINAL, 7);
        assert_eq!(news, read(TERMINAL, 4096).1);
        insta::assert_snapshot!(news.join("\n"));
        let end = progress.end(true);
        assert_eq!((end.done, end.total, end.cached), (3, Some(3), 1));
        assert_eq!(end.bytes, Some(Bytes { done: 15_001_000, total: Some(15_001_000) }));
    }

    #[test]
    fn without_a_terminal_its_layers_are_counted() {
        let said = "The push refers to repository [127.0.0.1:5000/leo]\n8a45c8322627: Layer already exists\n\
                    015f6c2f1bde: Pushed\nd874cf632f3b: Waiting\none: digest: sha256:3a90 size: 1054\n";
        let (progress, news) = read(said.as_bytes(), 1);
        assert_eq!(
            news,
            ["1/1 layer, 1 there already", "2/2 layers, 1 there already", "2/3 layers, 1 there already"]
        );
        assert!(progress.end(false).to_string().starts_with("2/3 layers, 1 there already, failed"));
    }

    #[test]
    fn odd_words_are_left_out() {
        for odd in [
            "",
            ": ",
            "tag: digest",
            "00000000000g: Pushed",
            "denied: requested access",
            "\u{fffd}\u{1b}[31m: x",
        ] {
            assert_eq!(read(format!("{odd}\n").as_bytes(), 3).1, [""; 0], "{odd}");
        }
        for (text, bytes) in
            [("1.5kB", Some(1500)), ("12B", Some(12)), ("x", None), ("1e99GB", None), ("-1MB", None)]
        {
            assert_eq!(size(text), bytes, "{text}");
        }
    }
}
