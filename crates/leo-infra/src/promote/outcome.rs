//! What a promotion says at its end.

use super::transfer::Transferred;
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
                    "bytes_sent": image.sent,
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
            let sent = match image.sent {
                None => String::new(),
                Some(0) => "  (was there)".to_owned(),
                Some(bytes) => format!("  ({bytes} bytes sent)"),
            };
            format!("  {:<12} {}{sent}", image.name, image.reference.digest)
        }));
        lines.push(format!("the next deploy uses it: cargo xtask deploy --environment {environment}"));
        lines.join("\n")
    }
}
