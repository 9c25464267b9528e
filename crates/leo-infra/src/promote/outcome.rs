//! What a promotion says at its end.

use super::transfer::Transferred;
use leo_image::Size;
use leo_oci::Copied;
use leo_release::Promotion;
use serde_json::{Value as Json, json};

/// A promotion that is recorded.
pub(crate) struct Promoted {
    promotion: Promotion,
    images: Vec<Transferred>,
}

impl Promoted {
    pub(super) fn new(promotion: Promotion, images: Vec<Transferred>) -> Self {
        Self { promotion, images }
    }

    /// The document that `--json` prints.
    pub(crate) fn json(&self) -> Json {
        let images: Vec<Json> = self
            .images
            .iter()
            .map(|image| {
                json!({
                    "name": image.name.as_str(),
                    "digest": image.reference.digest.as_str(),
                    "repository": image.reference.repository_uri,
                    "reference": image.reference.to_string(),
                    "copied": image.copied.map(|copied| json!({
                        "parts_sent": copied.blobs_sent,
                        "bytes_sent": copied.bytes_sent,
                        "parts_present": copied.blobs_present + copied.mounted,
                    })),
                })
            })
            .collect();
        json!({
            "status": "promoted",
            "from": self.promotion.from,
            "to": self.promotion.environment,
            "images": images,
        })
    }

    /// The lines that a person reads.
    pub(crate) fn text(&self) -> String {
        let Promotion { environment, from, .. } = &self.promotion;
        let mut lines =
            vec![format!("promoted release {} of {} to {environment}", from.release, from.environment)];
        lines.extend(self.images.iter().map(|image| {
            let copied = match image.copied {
                None => String::new(),
                Some(Copied { bytes_sent: 0, .. }) => "  (was there)".to_owned(),
                Some(Copied { bytes_sent, .. }) => format!("  ({} sent)", Size(bytes_sent)),
            };
            format!("  {:<12} {}{copied}", image.name, image.reference.digest)
        }));
        lines.push(format!("the next deploy uses it: cargo xtask deploy --environment {environment}"));
        lines.join("\n")
    }
}
