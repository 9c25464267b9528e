//! What a promotion would do, as `--dry-run` shows it.

use super::transfer::Foreseen;
use leo_image::Size;
use leo_release::Promotion;
use serde_json::{Value as Json, json};

/// A promotion that was not made.
pub(crate) struct Preview {
    /// What would be recorded.
    pub(super) promotion: Promotion,
    pub(super) images: Vec<Foreseen>,
    /// What is recorded, and would be replaced. Not what names the same images.
    pub(super) replaced: Option<Promotion>,
}

impl Preview {
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
                    "bytes": image.bytes,
                    "present": image.present,
                })
            })
            .collect();
        json!({
            "dry_run": true,
            "from": self.promotion.from,
            "to": self.promotion.environment,
            "images": images,
            "replaces": self.replaced.as_ref().map(|replaced| &replaced.from),
        })
    }

    /// The lines that a person reads.
    pub(crate) fn text(&self) -> String {
        let Promotion { environment, from, .. } = &self.promotion;
        let mut lines =
            vec![format!("would promote release {} of {} to {environment}", from.release, from.environment)];
        lines.extend(self.images.iter().map(|image| {
            let copied = if image.present {
                "is there".to_owned()
            } else {
                format!("would be copied: {} at most", Size(image.bytes))
            };
            format!("  {:<12} {}  ({copied})", image.name, image.reference.digest)
        }));
        if let Some(replaced) = &self.replaced {
            lines.push(format!("instead of {replaced}"));
        }
        lines.push(format!("the next deploy would use it: cargo xtask deploy --environment {environment}"));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::promotion, *};
    use leo_image::{ImageName, ImageReference};

    #[test]
    fn a_person_sees_what_would_be_copied_and_what_would_be_replaced() {
        let image = |name: ImageName, digit: &str, present| Foreseen {
            name,
            reference: ImageReference {
                repository_uri: "registry.example/leo".to_owned(),
                digest: format!("sha256:{}", digit.repeat(64)).parse().expect("is a digest"),
            },
            bytes: 52_400_000,
            present,
        };
        let preview = Preview {
            promotion: promotion(&[("orchestrator", 'a'), ("generator", 'b')]),
            images: vec![image(ImageName::Orchestrator, "a", true), image(ImageName::Generator, "b", false)],
            replaced: Some(promotion(&[("orchestrator", 'c'), ("generator", 'd')])),
        };
        insta::assert_snapshot!(format!("{}\n{:#}", preview.text(), preview.json()));
    }
}
