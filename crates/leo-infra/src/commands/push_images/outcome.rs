use comfy_table::{Table, presets};
use leo_image::{Made, PublishedImage, Size};
use serde_json::{Value as Json, json};

/// What became of the images.
#[derive(Clone)]
pub(super) struct Pushed {
    pub(super) images: Vec<PublishedImage>,
}

impl Pushed {
    /// Whether anything was sent.
    pub(super) fn changed(&self) -> bool {
        self.images.iter().any(PublishedImage::sent)
    }

    /// For each image a line with what it is for whoever deploys it, and below how it came to be there.
    pub(super) fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["Image", "What", "Size", "Time", "Tag"]);
        table.add_rows(self.images.iter().map(|image| {
            let seconds = took(image).map_or("-".to_owned(), |took| format!("{took:.1} s"));
            let size = image.bytes.map_or("-".to_owned(), |bytes| Size(bytes).to_string());
            [image.image.to_string(), what(image), size, seconds, image.tag.to_string()]
        }));
        let table = table.trim_fmt();
        let rows = table.lines().map(|line| line.trim().to_owned());
        let references = self.images.iter().map(|image| format!("{} {}", image.image, image.reference));
        rows.chain([String::new()]).chain(references).collect::<Vec<_>>().join("\n")
    }

    pub(super) fn json(&self) -> Json {
        let images: Vec<Json> = self
            .images
            .iter()
            .map(|image| {
                json!({
                    "name": image.image.as_str(),
                    "digest": image.reference.digest.as_str(),
                    "repository": image.reference.repository_uri,
                    "tag": image.tag.as_str(),
                    "bytes": image.bytes,
                    "made": made(image),
                    "reason": reason(image),
                    "sent": image.sent(),
                    "seconds": took(image),
                })
            })
            .collect();
        json!({"images": images})
    }
}

/// How it came to be there, in a word.
fn made(image: &PublishedImage) -> &'static str {
    match image.made {
        Made::Found => "found",
        Made::Unchanged => "unchanged",
        Made::Built { .. } => "built",
    }
}

/// Why it was built.
fn reason(image: &PublishedImage) -> Option<&'static str> {
    match image.made {
        Made::Built { reason, .. } => Some(reason.as_str()),
        Made::Found | Made::Unchanged => None,
    }
}

/// How long its build and push took, in seconds.
fn took(image: &PublishedImage) -> Option<f64> {
    match image.made {
        Made::Built { took, .. } => Some(took.as_secs_f64()),
        Made::Found | Made::Unchanged => None,
    }
}

fn what(image: &PublishedImage) -> String {
    match image.made {
        Made::Found => "named by its digest".to_owned(),
        Made::Unchanged => "nothing to build".to_owned(),
        Made::Built { reason, sent: true, .. } => format!("built: {}", reason.as_str()),
        Made::Built { reason, sent: false, .. } => {
            format!("built: {}; the registry had the same image", reason.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_image::{BuildReason, ImageName, ImageReference};
    use std::time::Duration;

    fn image(image: ImageName, digit: &str, made: Made) -> PublishedImage {
        let digest = format!("sha256:{}", digit.repeat(64)).parse().expect("is a digest");
        PublishedImage {
            image,
            reference: ImageReference { repository_uri: "registry.example/leo".to_owned(), digest },
            tag: format!("src-{}", digit.repeat(40)).parse().expect("is a tag"),
            acceptable: [].into(),
            bytes: (digit == "a").then_some(61_234_567),
            made,
        }
    }

    #[test]
    fn what_became_of_each_image_is_a_row_and_a_reference() {
        let took = Duration::from_millis(12_345);
        let built = |sent| Made::Built { reason: BuildReason::Absent, sent, took };
        let pushed = Pushed {
            images: vec![
                image(ImageName::Orchestrator, "a", built(true)),
                image(ImageName::Generator, "b", Made::Unchanged),
                image(ImageName::Generator, "c", built(false)),
            ],
        };
        assert!(pushed.changed());
        insta::assert_snapshot!(pushed.text());
        insta::assert_snapshot!(format!("{:#}", pushed.json()));
    }
}
