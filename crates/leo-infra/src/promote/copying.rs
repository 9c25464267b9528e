//! How far the copy of an image is, as a part of the step.

use leo_deploy::{Part, PartStatus, Reporter};
use leo_image::{ImageDigest, ImageName, Size};
use leo_oci::{CopyEvent, CopySink};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What has arrived of an image.
#[derive(Default)]
pub(super) struct Copying {
    /// How many layers and configurations there are.
    planned: usize,
    /// What they weigh.
    bytes: u64,
    /// Those that are there, and how many of them were before.
    arrived: usize,
    present: usize,
    arrived_bytes: u64,
    /// What has been sent of those that are on their way.
    underway: BTreeMap<ImageDigest, u64>,
}

impl Copying {
    /// Tells a step of an image's copy.
    pub(super) fn sink(image: ImageName, reporter: Reporter) -> CopySink {
        let copying = Mutex::new(Self::default());
        Arc::new(move |event| {
            if let CopyEvent::Again { reason, .. } = &event {
                reporter.note(format!("{image}: sending a part again: {reason}"));
            }
            let mut copying = copying.lock().unwrap_or_else(PoisonError::into_inner);
            copying.hear(event);
            reporter.part(copying.part(image));
        })
    }

    fn hear(&mut self, event: CopyEvent) {
        match event {
            CopyEvent::Planned { blobs, bytes } => (self.planned, self.bytes) = (blobs, bytes),
            CopyEvent::Sending { blob, sent, .. } => drop(self.underway.insert(blob, sent)),
            CopyEvent::Again { blob, .. } => drop(self.underway.remove(&blob)),
            CopyEvent::Present { blob, bytes } | CopyEvent::Mounted { blob, bytes } => {
                self.present += 1;
                self.arrived(&blob, bytes);
            }
            CopyEvent::Sent { blob, bytes } => self.arrived(&blob, bytes),
            _ => {}
        }
    }

    fn arrived(&mut self, blob: &ImageDigest, bytes: u64) {
        self.underway.remove(blob);
        self.arrived += 1;
        self.arrived_bytes += bytes;
    }

    fn part(&self, image: ImageName) -> Part {
        let over = self.arrived == self.planned;
        let there = self.arrived_bytes + self.underway.values().sum::<u64>();
        let text = if over {
            let present = match self.present {
                0 => String::new(),
                present => format!(", {present} of them were there"),
            };
            format!("{} parts, {}{present}", self.planned, Size(self.bytes))
        } else {
            format!("{} of {} parts, {} of {}", self.arrived, self.planned, Size(there), Size(self.bytes))
        };
        Part {
            group: image.to_string(),
            name: "copy".to_owned(),
            status: if over { PartStatus::Done } else { PartStatus::Working },
            share: Some((there, self.bytes)),
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_told_as_it_goes() {
        let blob = |digit: &str| -> ImageDigest {
            format!("sha256:{}", digit.repeat(64)).parse().expect("is a digest")
        };
        let (config, small, large) = (blob("a"), blob("b"), blob("c"));
        let mut copying = Copying::default();
        let events = [
            CopyEvent::Planned { blobs: 3, bytes: 52_400_400 },
            CopyEvent::Present { blob: config, bytes: 400 },
            CopyEvent::Sending { blob: small.clone(), sent: 700_000, bytes: 2_400_000 },
            CopyEvent::Sending { blob: large.clone(), sent: 30_000_000, bytes: 50_000_000 },
            CopyEvent::Sent { blob: small, bytes: 2_400_000 },
            CopyEvent::Again { blob: large.clone(), reason: "reach x: reset".to_owned() },
            CopyEvent::Sending { blob: large.clone(), sent: 50_000_000, bytes: 50_000_000 },
            CopyEvent::Sent { blob: large, bytes: 50_000_000 },
        ];
        let lines: Vec<String> = events
            .into_iter()
            .map(|event| {
                copying.hear(event);
                let part = copying.part(ImageName::Generator);
                let (done, all) = part.share.expect("is known");
                format!("{:?} {done}/{all} {part}", part.status)
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
