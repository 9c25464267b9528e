use std::fmt;
use std::time::Duration;

/// A part of an image's way into the registry that is shown by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// What the build needs of its folders is sent to the builder.
    Context,
    /// The build cache is looked for in the registry.
    ReadCache,
    /// A stage of the Dockerfile, by its name; BuildKit's where it has none, like `stage-1`.
    Build(String),
    /// Something that the Dockerfile downloads.
    Download(String),
    /// The layers become an image.
    Pack,
    /// The image is sent to the registry.
    Push,
    /// The build cache is written to the registry.
    SaveCache,
}

/// How far a stage is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageProgress {
    /// Which one.
    pub stage: Stage,
    /// Whether it is over.
    pub state: StageState,
    /// What is done of it: steps of a Dockerfile, or layers.
    pub done: u64,
    /// How many there are, where that is known.
    pub total: Option<u64>,
    /// How many of those done cost nothing: steps from a cache, layers that the registry had.
    pub cached: u64,
    /// What was transferred, where something is.
    pub bytes: Option<Bytes>,
    /// What it does now, or what came of it.
    pub doing: Option<String>,
    /// How long it took, by the builder's own clock. Zero while nothing of it has ended.
    pub took: Duration,
}

/// Whether a stage is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageState {
    /// It goes on.
    Working,
    /// It went well.
    Done,
    /// It failed, or was ended because another one failed.
    Failed,
}

/// A transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// What is there.
    pub done: u64,
    /// All of it, where that is known.
    pub total: Option<u64>,
}

impl StageProgress {
    /// What a bar shows: bytes where their end is known, otherwise steps; `None` where no end is known.
    pub fn share(&self) -> Option<(u64, u64)> {
        let bytes = self.bytes.and_then(|bytes| Some((bytes.done, bytes.total?)));
        let steps = self.total.map(|total| (self.done, total));
        let (bytes, steps) = match self.stage {
            // Its bytes are those of one step, like the pull of a base image.
            Stage::Build(_) => (steps, bytes),
            _ => (bytes, steps),
        };
        bytes.or(steps).filter(|(_, total)| *total > 0).map(|(done, total)| (done.min(total), total))
    }
}

impl fmt::Display for Stage {
    /// A Dockerfile's stage can't be called like one of the others, whose names have a space.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Context => "send context",
            Self::ReadCache => "read cache",
            Self::Build(name) | Self::Download(name) => name,
            Self::Pack => "pack image",
            Self::Push => "push layers",
            Self::SaveCache => "save cache",
        })
    }
}

impl fmt::Display for StageProgress {
    /// One plain line: how far it is, or what it came to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = self.state != StageState::Working;
        let mut parts = Vec::new();
        let unit = match (&self.stage, self.total.unwrap_or(self.done)) {
            (Stage::Push | Stage::SaveCache, 1) => "layer",
            (Stage::Push | Stage::SaveCache, _) => "layers",
            (_, 1) => "step",
            _ => "steps",
        };
        match self.total {
            Some(total) if !over || self.done < total => parts.push(format!("{}/{total} {unit}", self.done)),
            _ if self.done > 0 => parts.push(format!("{} {unit}", self.done)),
            _ => {}
        }
        let without_work = if self.stage == Stage::Push { "there already" } else { "cached" };
        match self.cached {
            0 => {}
            cached if self.state == StageState::Done && cached == self.done => {
                parts.push(format!("all {without_work}"));
            }
            cached => parts.push(format!("{cached} {without_work}")),
        }
        match self.bytes {
            Some(Bytes { done, total: Some(total) }) if !over => {
                parts.push(format!("{} of {}", Size(done), Size(total)));
            }
            Some(Bytes { done, .. }) if done > 0 => parts.push(Size(done).to_string()),
            _ => {}
        }
        parts.extend(self.doing.clone());
        if self.state == StageState::Failed {
            parts.push("failed".to_owned());
        }
        if over && self.took >= SHORTEST {
            parts.push(format!("{:.1} s", self.took.as_secs_f64()));
        }
        if parts.is_empty() && over {
            parts.push("done".to_owned());
        }
        f.write_str(&parts.join(", "))
    }
}

/// What took less is not worth a number.
const SHORTEST: Duration = Duration::from_millis(50);

/// A number of bytes for people, in the decimal units that registries and disks are sold in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Exact enough: what is shown has a tenth of a unit.
        #[allow(clippy::cast_precision_loss, reason = "far more digits are left than are shown")]
        let bytes = self.0 as f64;
        let text = match self.0 {
            0..1_000 => format!("{} B", self.0),
            1_000..999_950 => format!("{:.1} kB", bytes / 1e3),
            999_950..999_950_000 => format!("{:.1} MB", bytes / 1e6),
            _ => format!("{:.2} GB", bytes / 1e9),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(stage: Stage) -> StageProgress {
        StageProgress {
            stage,
            state: StageState::Working,
            done: 0,
            total: None,
            cached: 0,
            bytes: None,
            doing: None,
            took: Duration::ZERO,
        }
    }

    #[test]
    fn a_stage_says_how_far_it_is_and_then_what_it_came_to() {
        let build = StageProgress {
            done: 2,
            total: Some(5),
            cached: 1,
            doing: Some("RUN make".to_owned()),
            took: Duration::from_millis(4123),
            ..progress(Stage::Build("build".to_owned()))
        };
        let pull = StageProgress {
            bytes: Some(Bytes { done: 1_000_000, total: Some(48_100_000) }),
            ..build.clone()
        };
        let over = |progress: &StageProgress| StageProgress {
            state: StageState::Done,
            doing: None,
            ..progress.clone()
        };
        let push = StageProgress {
            done: 3,
            total: Some(4),
            cached: 2,
            bytes: Some(Bytes { done: 12_345_678, total: Some(20_000_000) }),
            took: Duration::from_secs(2),
            ..progress(Stage::Push)
        };
        let sent = StageProgress { done: 4, ..over(&push) };
        let cached = StageProgress { done: 5, cached: 5, took: Duration::from_millis(3), ..over(&build) };
        let lines: Vec<String> = [build.clone(), pull.clone(), over(&build), cached, push.clone(), sent]
            .iter()
            .map(|progress| format!("{}: {progress}", progress.stage))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        build: 2/5 steps, 1 cached, RUN make
        build: 2/5 steps, 1 cached, 1.0 MB of 48.1 MB, RUN make
        build: 2/5 steps, 1 cached, 4.1 s
        build: 5 steps, all cached
        push layers: 3/4 layers, 2 there already, 12.3 MB of 20.0 MB
        push layers: 4 layers, 2 there already, 12.3 MB, 2.0 s
        ");
        assert_eq!(
            [build.share(), pull.share(), push.share()],
            [Some((2, 5)), Some((2, 5)), Some((12_345_678, 20_000_000))]
        );
        assert_eq!(progress(Stage::Context).share(), None);
    }

    #[test]
    fn sizes_are_read_at_a_glance() {
        let shown: Vec<String> = [0, 999, 1_000, 999_949, 999_950, 31_990_172, 1_234_567_890]
            .map(|size| Size(size).to_string())
            .to_vec();
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "32.0 MB", "1.23 GB"]);
    }
}
