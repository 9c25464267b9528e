//! How far the copy of an image is, in a line for each part that arrives.

use leo_deploy::Reporter;
use leo_image::ImageName;
use leo_oci::{CopyEvent, CopySink};
use std::sync::{Arc, Mutex, PoisonError};

/// What has arrived of an image.
#[derive(Default)]
pub(super) struct Copying {
    blobs: usize,
    bytes: u64,
    arrived: usize,
    arrived_bytes: u64,
}

impl Copying {
    /// Tells a step of an image's copy.
    pub(super) fn sink(image: ImageName, reporter: Reporter) -> CopySink {
        let copying = Mutex::new(Self::default());
        Arc::new(move |event| {
            let line = copying.lock().unwrap_or_else(PoisonError::into_inner).hear(&event);
            if let Some(line) = line {
                reporter.line(format!("{image}: {line}"));
            }
        })
    }

    fn hear(&mut self, event: &CopyEvent) -> Option<String> {
        let how = match event {
            CopyEvent::Planned { blobs, bytes } => {
                (self.blobs, self.bytes) = (*blobs, *bytes);
                return Some(format!("copying {blobs} parts, {}", size(*bytes)));
            }
            CopyEvent::Present { bytes, .. } | CopyEvent::Mounted { bytes, .. } => {
                self.arrived_bytes += bytes;
                "was there"
            }
            CopyEvent::Sent { bytes, .. } => {
                self.arrived_bytes += bytes;
                "sent"
            }
            CopyEvent::Again { reason, .. } => return Some(format!("sending a part again: {reason}")),
            _ => return None,
        };
        self.arrived += 1;
        Some(format!(
            "{} of {} parts ({how}), {} of {}",
            self.arrived,
            self.blobs,
            size(self.arrived_bytes),
            size(self.bytes)
        ))
    }
}

/// `12.3 MB`, in the registry's own megabytes of a million bytes.
pub(super) fn size(bytes: u64) -> String {
    if bytes < 100_000 {
        return format!("{bytes} bytes");
    }
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_image::ImageDigest;

    #[test]
    fn a_copy_is_told_part_by_part_and_not_byte_by_byte() {
        let blob: ImageDigest = format!("sha256:{}", "a".repeat(64)).parse().expect("is a digest");
        let mut copying = Copying::default();
        let events = [
            CopyEvent::Planned { blobs: 3, bytes: 52_400_400 },
            CopyEvent::Present { blob: blob.clone(), bytes: 400 },
            CopyEvent::Sending { blob: blob.clone(), sent: 7, bytes: 2_400_000 },
            CopyEvent::Sent { blob: blob.clone(), bytes: 2_400_000 },
            CopyEvent::Again { blob: blob.clone(), reason: "reach x: reset".to_owned() },
            CopyEvent::Sent { blob, bytes: 50_000_000 },
        ];
        let lines: Vec<String> = events.iter().filter_map(|event| copying.hear(event)).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
