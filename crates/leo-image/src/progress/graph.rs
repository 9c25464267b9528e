use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::node::{News, Node, Status};
use crate::{Bytes, Stage, StageProgress, StageState};

/// The build's graph as far as BuildKit has told it, and what that says of each stage.
#[derive(Default)]
pub(super) struct Graph {
    /// By digest.
    nodes: BTreeMap<String, Node>,
    /// What was said last of each stage.
    said: Vec<StageProgress>,
    /// The image is being put together: of the Dockerfile's stages nothing more is needed.
    packing: bool,
    over: bool,
}

impl Graph {
    pub(super) fn node(&mut self, digest: &str) -> &mut Node {
        self.nodes.entry(digest.to_owned()).or_default()
    }

    /// Takes an update of a vertex.
    pub(super) fn vertex(&mut self, digest: &str, update: &Value) -> (&Node, News) {
        let node = self.nodes.entry(digest.to_owned()).or_default();
        let news = node.update(update);
        self.packing |= node.stage == Some(Stage::Pack) && node.began;
        (node, news)
    }

    /// How far the stage of a vertex is now, and those that are over with it, where that is news.
    pub(super) fn stages_at(&mut self, digest: &str) -> Vec<StageProgress> {
        let Some(stage) = self.nodes.get(digest).and_then(|node| node.stage.clone()) else {
            return Vec::new();
        };
        let left_open = if stage == Stage::Pack { self.open() } else { Vec::new() };
        left_open.iter().chain([&stage]).filter_map(|stage| self.news(stage)).collect()
    }

    /// The stages that the build's end leaves open.
    pub(super) fn close(&mut self) -> Vec<StageProgress> {
        self.over = true;
        self.open().iter().filter_map(|stage| self.news(stage)).collect()
    }

    fn open(&self) -> Vec<Stage> {
        let open = self.said.iter().filter(|progress| progress.state == StageState::Working);
        open.map(|progress| progress.stage.clone()).collect()
    }

    fn news(&mut self, stage: &Stage) -> Option<StageProgress> {
        let progress = self.progress(stage)?;
        match self.said.iter_mut().find(|said| said.stage == *stage) {
            Some(said) if is_same(said, &progress) => return None,
            Some(said) => said.clone_from(&progress),
            None => self.said.push(progress.clone()),
        }
        Some(progress)
    }

    /// `None` where nothing of the stage has begun.
    fn progress(&self, stage: &Stage) -> Option<StageProgress> {
        let of_stage = || self.nodes.values().filter(|node| node.stage.as_ref() == Some(stage));
        let nodes: Vec<&Node> = of_stage().filter(|node| node.began).collect();
        let one = *nodes.first()?;
        let working: Vec<&Node> = nodes.iter().filter(|node| node.is_working()).copied().collect();
        let (done, total, cached) = count(stage, &nodes, of_stage().filter_map(|node| node.of).max());
        let is_step = matches!(stage, Stage::Build(_));
        // While a step works, what it transfers; a finished stage of the Dockerfile is told by its steps.
        let bytes = if is_step { bytes(&working) } else { bytes(&nodes) };
        if *stage == Stage::Context && bytes.is_none() {
            return None;
        }
        let complete = !is_step || self.packing || total.is_some_and(|total| done >= total);
        let failed = *stage != Stage::ReadCache && nodes.iter().any(|node| node.has_failed());
        let over = self.over || (working.is_empty() && complete);
        Some(StageProgress {
            stage: stage.clone(),
            state: match (failed, over) {
                (true, _) => StageState::Failed,
                (false, true) => StageState::Done,
                (false, false) => StageState::Working,
            },
            done,
            total,
            cached,
            bytes,
            doing: if over {
                outcome(stage, one)
            } else {
                working.iter().min_by_key(|node| node.from).and_then(|node| node.doing())
            },
            took: took(&nodes),
        })
    }
}

/// Whether there is nothing new in it: a step that is looked at once more, after its stage is over, only ends later.
fn is_same(said: &StageProgress, now: &StageProgress) -> bool {
    let over = said.state != StageState::Working;
    *said == StageProgress { took: if over { said.took } else { now.took }, ..now.clone() }
}

/// What is done of a stage, out of how many, and what of it cost nothing.
fn count(stage: &Stage, nodes: &[&Node], of: Option<u64>) -> (u64, Option<u64>, u64) {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let statuses =
        || nodes.iter().flat_map(|node| &node.statuses).filter(|status| status.id.contains(" layer"));
    match stage {
        Stage::Build(_) => {
            // Of two builds at once that have a step in common, one takes over the other's: then it is there twice.
            let mut steps = BTreeMap::new();
            for node in nodes.iter().filter(|node| node.ended && node.error.is_none()) {
                *steps.entry(&node.name).or_insert(true) &= node.cached;
            }
            (number(steps.len()), of, number(steps.values().filter(|cached| **cached).count()))
        }
        Stage::Push => {
            let done = statuses().filter(|layer| layer.done).count();
            (number(done), Some(number(statuses().count())), 0)
        }
        // How many follow is never said.
        Stage::SaveCache => (number(statuses().filter(|layer| layer.done).count()), None, 0),
        Stage::Context | Stage::ReadCache | Stage::Download(_) | Stage::Pack => (0, None, 0),
    }
}

fn bytes(nodes: &[&Node]) -> Option<Bytes> {
    let statuses = || nodes.iter().flat_map(|node| &node.statuses);
    let done = |with_end: bool| -> u64 {
        statuses().filter(|status| (status.total > 0) == with_end).map(|status| status.current).sum()
    };
    let total: u64 = statuses().map(|Status { total, .. }| total).sum();
    match (total, done(false)) {
        (0, 0) => None,
        (0, done) => Some(Bytes { done, total: None }),
        (total, _) => Some(Bytes { done: done(true), total: Some(total) }),
    }
}

/// What a stage came to, where its numbers don't say it.
fn outcome(stage: &Stage, node: &Node) -> Option<String> {
    match (stage, node.error.as_deref()) {
        (Stage::ReadCache, None) => Some(node.text.clone()),
        (Stage::ReadCache, Some(error)) if error.contains("not found") => {
            Some("there is none yet".to_owned())
        }
        (Stage::ReadCache, Some(_)) => Some("not read".to_owned()),
        _ => None,
    }
}

/// From the beginning of the first to the end of the last.
fn took(nodes: &[&Node]) -> Duration {
    let first = nodes.iter().filter_map(|node| node.from).min();
    let last = nodes.iter().filter_map(|node| node.to).max();
    let nanoseconds = first.zip(last).map(|(first, last)| last.as_nanos() - first.as_nanos());
    nanoseconds
        .and_then(|nanoseconds| u64::try_from(nanoseconds).ok())
        .map(Duration::from_nanos)
        .unwrap_or_default()
}
